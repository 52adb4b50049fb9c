"""One stream that lines of log and a live line share without tearing each other.

The live line is cleared, the log line written, the live line drawn again: one lock, one write. It knows nothing of
what the lines say.
"""

from __future__ import annotations

import threading
from typing import Final, TextIO

CLEAR: Final = "\r\x1b[2K"
"""To the first column, erase the whole line (ECMA-48: EL 2)."""


class Screen:
    """Wraps stderr, as a rule. A stream that cannot be written to any more (closed, broken pipe) is left in peace."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._live = ""
        # Re-entrant: a signal handler that logs may interrupt a write in the same thread.
        self._lock = threading.RLock()
        self._dead = False

    @property
    def is_terminal(self) -> bool:
        """Whether a person sits before it."""
        try:
            return self.stream.isatty()
        except ValueError:  # closed
            return False

    def line(self, text: str) -> None:
        """Write whole lines (a newline is added), above the live line if there is one."""
        with self._lock:
            if self._live:
                self._write(f"{CLEAR}{text}\n{self._live}")
            else:
                self._write(f"{text}\n")

    def ask(self, text: str) -> None:
        """Write a question; the answer is typed behind it."""
        with self._lock:
            self._write(text)

    def live(self, text: str) -> None:
        """Draw the live line, in place of the one before. It must fit the terminal's width."""
        with self._lock:
            self._live = text
            self._write(CLEAR + text)

    def end_live(self) -> None:
        """The live line stays as it is; what comes is written below."""
        with self._lock:
            if self._live:
                self._live = ""
                self._write("\n")

    def _write(self, text: str) -> None:
        if self._dead:
            return
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        try:
            self.stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
            self.stream.flush()
        except (OSError, ValueError):  # nobody listens any more: no reason to end a run
            self._dead = True
