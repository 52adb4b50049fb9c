"""How far it is: a live line on a terminal, a line every ten seconds elsewhere, nothing when asked to be quiet.

It is given snapshots and draws them; it reads no counters and no clock (a snapshot says how much time has passed).
rich draws the live line's colours and respects NO_COLOR; it is imported when the first live line is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, Protocol, TextIO, cast

from fetcher.metrics import Snapshot
from fetcher.report.json_progress import JsonLines
from fetcher.report.line import SEPARATOR, Part, all_parts, fitting_parts, plain_line
from fetcher.report.screen import Screen

if TYPE_CHECKING:
    from rich.console import Console

Mode = Literal["tty", "plain", "json", "none"]

REDRAW_S: Final = 0.25
PLAIN_EVERY_S: Final = 10.0
UNKNOWN_WIDTH: Final = 80
"""Columns, where a terminal says that it has none."""


class Progress(Protocol):
    """What the run talks to, about four times a second."""

    def update(self, snapshot: Snapshot) -> None:
        """Show it, if it is time."""
        ...

    def close(self, snapshot: Snapshot) -> None:
        """Show the last figures and let go of the screen."""
        ...


def choose_mode(stream: TextIO, wish: str = "auto", *, quiet: bool = False, environ: Mapping[str, str]) -> Mode:
    """What is wished for; `auto` is a live line on a terminal that can move its cursor, else lines.

    A build service may pretend to be a terminal, and keeps every redrawing in its log: where `CI` is set, `auto` is
    `plain`. `quiet` leaves only what was asked for by name.
    """
    if wish in ("tty", "plain", "json", "none"):
        return cast("Mode", wish)
    if quiet:
        return "none"
    dull = environ.get("TERM") == "dumb" or environ.get("CI", "").lower() not in ("", "0", "false")
    return "tty" if Screen(stream).is_terminal and not dull else "plain"


def make_progress(
    mode: Mode, stream: TextIO | Screen, *, width: int | None = None, environ: Mapping[str, str] = MappingProxyType({})
) -> Progress:
    """A progress of the given mode.

    Args:
        mode: see `choose_mode`.
        stream: stderr, or the `Screen` that the log handler also writes to, so that they do not tear each other.
        width: columns; the terminal's own (asked at each redraw) unless given.
        environ: where `FORCE_COLOR` makes plain lines coloured, and `NO_COLOR` prevents that.
    """
    screen = stream if isinstance(stream, Screen) else Screen(stream)
    if mode == "tty":
        return LiveLine(screen, width)
    if mode == "json":
        return JsonLines(screen)
    coloured = bool(environ.get("FORCE_COLOR")) and not environ.get("NO_COLOR")
    return PlainLines(screen, coloured=coloured) if mode == "plain" else Silence()


class Silence:
    """Shows nothing."""

    def update(self, snapshot: Snapshot) -> None:
        """See `Progress`."""

    def close(self, snapshot: Snapshot) -> None:
        """See `Progress`."""


class PlainLines:
    """A line every ten seconds, the first after ten: a short run leaves a log without noise."""

    def __init__(self, screen: Screen, *, coloured: bool = False) -> None:
        self._screen = screen
        self._brush = Brush(screen) if coloured else None
        self._next_s = PLAIN_EVERY_S

    def update(self, snapshot: Snapshot) -> None:
        """See `Progress`."""
        if snapshot.elapsed_s < self._next_s:
            return
        self._next_s = (snapshot.elapsed_s // PLAIN_EVERY_S + 1) * PLAIN_EVERY_S
        self._screen.line(self._brush.paint(all_parts(snapshot)) if self._brush else plain_line(snapshot))

    def close(self, snapshot: Snapshot) -> None:
        """See `Progress`. The closing words say the rest."""


class LiveLine:
    """One line that is drawn over at most four times a second. The cursor is never hidden, so a kill leaves it be."""

    def __init__(self, screen: Screen, width: int | None = None) -> None:
        self._screen = screen
        self._width = width
        self._brush = Brush(screen)
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
        # One column less than there are: a full line makes some terminals wrap, and then it cannot be drawn over.
        width = max(1, (self._width or self._brush.width or UNKNOWN_WIDTH) - 1)
        return self._brush.paint(fitting_parts(snapshot, width))


class Brush:
    """Colours by rich, which hears NO_COLOR and TERM by itself."""

    def __init__(self, screen: Screen) -> None:
        from rich.console import Console

        self._console: Console = Console(file=screen.stream, force_terminal=True, highlight=False)

    @property
    def width(self) -> int:
        """Columns of the terminal, as it is now; 0 where it does not say."""
        return self._console.width

    def paint(self, parts: Iterable[Part]) -> str:
        """The parts side by side, with the codes of their colours."""
        from rich.text import Text

        text = Text(no_wrap=True)
        for place, part in enumerate(parts):
            text.append(SEPARATOR if place else "").append(part.text, part.style or None)
        with self._console.capture() as captured:
            self._console.print(text, end="", soft_wrap=True)
        return captured.get()
