"""How far it is: a live line on a terminal, a line every ten seconds elsewhere, nothing when asked to be quiet.

It is given snapshots and draws them; it reads no counters and no clock (a snapshot says how much time has passed).
rich draws the live line's colours and respects NO_COLOR; it is imported when the first live line is made.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Literal, Protocol, TextIO

from fetcher.metrics import Snapshot
from fetcher.report.line import SEPARATOR, fitting_parts, plain_line
from fetcher.report.screen import Screen

if TYPE_CHECKING:
    from rich.console import Console

Mode = Literal["tty", "plain", "none"]

REDRAW_S: Final = 0.25
PLAIN_EVERY_S: Final = 10.0
NARROWEST: Final = 20
"""Columns; a terminal that says less is not believed."""


class Progress(Protocol):
    """What the run talks to, about four times a second."""

    def update(self, snapshot: Snapshot) -> None:
        """Show it, if it is time."""
        ...

    def close(self, snapshot: Snapshot) -> None:
        """Show the last figures and let go of the screen."""
        ...


def choose_mode(stream: TextIO, *, quiet: bool = False) -> Mode:
    """`none` when quiet, `tty` on a terminal that can move its cursor, else `plain`."""
    if quiet:
        return "none"
    return "tty" if Screen(stream).is_terminal and os.environ.get("TERM") != "dumb" else "plain"


def make_progress(mode: Mode, stream: TextIO | Screen, *, width: int | None = None) -> Progress:
    """A progress of the given mode.

    Args:
        mode: see `choose_mode`.
        stream: stderr, or the `Screen` that the log handler also writes to, so that they do not tear each other.
        width: columns; the terminal's own (asked at each redraw) unless given.
    """
    screen = stream if isinstance(stream, Screen) else Screen(stream)
    if mode == "tty":
        return LiveLine(screen, width)
    return PlainLines(screen) if mode == "plain" else Silence()


class Silence:
    """Shows nothing."""

    def update(self, snapshot: Snapshot) -> None:
        """See `Progress`."""

    def close(self, snapshot: Snapshot) -> None:
        """See `Progress`."""


class PlainLines:
    """A line every ten seconds, the first after ten: a short run leaves a log without noise."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._next_s = PLAIN_EVERY_S

    def update(self, snapshot: Snapshot) -> None:
        """See `Progress`."""
        if snapshot.elapsed_s < self._next_s:
            return
        self._next_s = (snapshot.elapsed_s // PLAIN_EVERY_S + 1) * PLAIN_EVERY_S
        self._screen.line(plain_line(snapshot))

    def close(self, snapshot: Snapshot) -> None:
        """See `Progress`. The closing words say the rest."""


class LiveLine:
    """One line that is drawn over at most four times a second. The cursor is never hidden, so a kill leaves it be."""

    def __init__(self, screen: Screen, width: int | None = None) -> None:
        from rich.console import Console

        self._screen = screen
        self._width = width
        self._console: Console = Console(file=screen.stream, force_terminal=True, highlight=False)
        self._drawn_s = -REDRAW_S

    def update(self, snapshot: Snapshot) -> None:
        """See `Progress`."""
        if snapshot.elapsed_s - self._drawn_s >= REDRAW_S:
            self._drawn_s = snapshot.elapsed_s
            self._screen.live(self._draw(snapshot))

    def close(self, snapshot: Snapshot) -> None:
        """See `Progress`. The last line stays."""
        self._screen.live(self._draw(snapshot))
        self._screen.end_live()

    def _draw(self, snapshot: Snapshot) -> str:
        from rich.text import Text

        # One column less than there are: a full line makes some terminals wrap, and then it cannot be drawn over.
        width = max(NARROWEST, self._width or self._console.width) - 1
        text = Text(no_wrap=True)
        for place, part in enumerate(fitting_parts(snapshot, width)):
            text.append(SEPARATOR if place else "").append(part.text, part.style or None)
        with self._console.capture() as captured:
            self._console.print(text, end="", soft_wrap=True)
        return captured.get()
