"""What a run does to its output folder and nothing else: for killing it at each of its operations.

Run as a program it works on the real disk: `python output_work.py FOLDER NAME STAGE`.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from fetcher.errors import OutputError
from fetcher.model import ErrorInfo, Failure, Kind, Outcome, Product
from fetcher.output import Identity, Output, open_output
from fetcher.output.disk import Disk

IDS = [str(610_000_000_000 + k) for k in range(12)]
IDENTITY = Identity("1/com.alibaba.product/alibaba.product.get", "param2", "https://gw.open.1688.com/openapi")
BATCH = 3
STAGES = ("first", "mend", "better")


def outcome(product_id: str, stage: str) -> Outcome:
    """Of the first run every third ID fails, every sixth of them for a passing reason; later ones succeed."""
    number = int(product_id)
    if number % 3 or (stage != "first" and number % 6):
        return Product(product_id, number, 1, 1.0, b'{"productInfo":{"productID":%d,"x":"%b"}}' % (number, b"y" * 40))
    return Failure(product_id, number, 1, 1.0, ErrorInfo(Kind.SERVER, None, "no", 503, permanent=number % 6 == 0))


def prepare(folder: Path, name: str, stage: str) -> None:
    """What an earlier life left, before `mend`: torn tails, a line that is none, notes, lines on their way."""
    if stage != "mend":
        return
    work(folder, name, "first", Disk())
    for path in (folder / name, folder / name.replace("out", "out.failed")):
        data = path.read_bytes()
        path.write_bytes(data + data[: len(data) // 3])
    if name.endswith(".jsonl"):
        path = folder / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\nno line of ours\n", 1))
    else:
        (folder / f".{name}.pending").write_bytes(b'{"id":"610000000003","error":1}\n{"id":"6100')
    (folder / f".{name}.attempts").write_bytes(b"+610000000003\n+610000000000\n+6100")


def work(folder: Path, name: str, stage: str, disk: Disk) -> None:
    """A run's life as its output sees it: open and mend, note calls, store answers, sync, close."""
    output = open_output(str(folder / name), None, identity=IDENTITY, sync_interval_s=0.0, disk=disk)
    _store(output, [one for one in IDS if one not in output.done], stage)
    output.close()


def _store(output: Output, todo: list[str], stage: str) -> None:
    notes = output.open_attempts()
    assert notes is not None
    for start in range(0, len(todo), BATCH):
        batch = todo[start : start + BATCH]
        notes.calls(batch)
        output.append([outcome(one, stage) for one in batch])
        notes.stored(batch)
    notes.close()


def endless(folder: str, name: str, sure: Any) -> None:
    """Store one product after the other until the disk is gone; send each time how many are sure to survive."""
    output = open_output(str(Path(folder) / name), None, identity=IDENTITY, sync_interval_s=0.004)
    stored = number = len(output.done)
    with suppress(OutputError):
        while True:
            batch = [outcome(str(610_000_000_000 + 3 * (number + k) + 1), "first") for k in range(1, 4)]
            number += len(batch)
            if number % 7 == 0:
                batch.append(outcome(str(610_000_000_000 + 3 * number), "better"))
            output.append(batch)
            stored += len(batch)
            if output.synced:
                sure.send((stored, [one.id for one in batch]))
    output.let_go()


class Lethal(Disk):
    """Kills its own process at the k-th operation: after it, or within it if it is a write.

    (Before an operation is after the one before it.)

    Args:
        at: counted from 1; 0: never, it only counts.
        how: `within` or `after`.
    """

    def __init__(self, at: int = 0, how: str = "after") -> None:
        self._at, self._how = at, how
        self.operations: list[str] = []

    def _count(self, what: str) -> bool:
        self.operations.append(what)
        return len(self.operations) == self._at

    def open(self, path: str, flags: int, mode: int = 0o666) -> int:
        due = self._count("open")
        descriptor = super().open(path, flags, mode)
        if due:
            die()
        return descriptor

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        due = self._count("write")
        if due and self._how == "within":
            super().write(descriptor, data[: len(data) // 2])
            die()
        written = super().write(descriptor, data)
        if due:
            die()
        return written

    def sync(self, descriptor: int) -> None:
        due = self._count("sync")
        super().sync(descriptor)
        if due:
            die()

    def truncate(self, descriptor: int, size_bytes: int) -> None:
        due = self._count("truncate")
        super().truncate(descriptor, size_bytes)
        if due:
            die()

    def replace(self, source: str, target: str) -> None:
        due = self._count("replace")
        super().replace(source, target)
        if due:
            die()

    def remove(self, path: str) -> None:
        due = self._count("remove")
        super().remove(path)
        if due:
            die()


def die() -> None:
    """As the kernel's out-of-memory killer does it."""
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    work(Path(sys.argv[1]), sys.argv[2], sys.argv[3], Disk())
