"""When calls were sent, from inside the process that sends them: doubles of monotonic seconds in a file, at once.

`python -m tests.holds.sent_times FILE run IDS -o OUT …` is the command with that.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from pathlib import Path

from fetcher.cli import main
from fetcher.metrics import CapProof


def note_sent_times(path: str) -> None:
    """From now on every time that the proof of the cap is told stands in the file, whatever becomes of the process."""
    file = open(path, "ab", buffering=0)  # noqa: SIM115 - as long as the process
    prove = CapProof.sent_each

    def sent_each(self: CapProof, times_s: Sequence[float]) -> None:
        file.write(array("d", times_s).tobytes())
        prove(self, times_s)

    CapProof.sent_each = sent_each  # type: ignore[method-assign]


def sent_times(path: Path) -> list[float]:
    """What stands there."""
    times = array("d")
    if path.exists():
        times.frombytes(path.read_bytes())
    return list(times)


if __name__ == "__main__":
    note_sent_times(sys.argv[1])
    sys.exit(main(sys.argv[2:]))
