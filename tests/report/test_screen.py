"""Lines of log and the live line do not tear each other."""

from __future__ import annotations

import io

import pytest

from fetcher.report import Screen
from fetcher.report.screen import CLEAR


def drawn(text: str) -> list[str]:
    """What stands on a terminal after this was written: clearing and carriage returns obeyed."""
    lines = [""]
    for piece in text.replace(CLEAR, "\x00").replace("\n", "\x01\n").split("\x01"):
        if piece.startswith("\n"):
            lines.append("")
            piece = piece[1:]
        lines[-1] = piece.rpartition("\x00")[2] if "\x00" in piece else lines[-1] + piece
    return lines


def test_a_log_line_goes_above_the_live_line() -> None:
    """The live line is cleared, the log line stands whole, the live line is drawn again under it."""
    stream = io.StringIO()
    screen = Screen(stream)
    screen.line("before")
    screen.live("10 of 20")
    screen.line("warning: slow")
    screen.live("11 of 20")
    screen.end_live()
    screen.line("done")
    assert drawn(stream.getvalue()) == ["before", "warning: slow", "11 of 20", "done", ""]


def test_without_a_live_line_no_escape_is_written() -> None:
    """A log file stays a plain text."""
    stream = io.StringIO()
    screen = Screen(stream)
    screen.line("one")
    screen.end_live()
    assert stream.getvalue() == "one\n"


class Broken(io.StringIO):
    """A stream whose reader has gone."""

    writes = 0

    def write(self, text: str) -> int:
        """Count and fail."""
        self.writes += 1
        raise BrokenPipeError


def test_a_broken_pipe_is_left_in_peace() -> None:
    """The run goes on without its screen, and the screen is not tried again."""
    stream = Broken()
    screen = Screen(stream)
    screen.line("one")
    screen.live("two")
    assert stream.writes == 1


def test_a_closed_stream_is_left_in_peace() -> None:
    """Closed by another part of the program: no terminal, no error."""
    stream = io.StringIO()
    stream.close()
    screen = Screen(stream)
    screen.line("one")
    assert not screen.is_terminal


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gb18030"])
def test_what_the_stream_cannot_encode_is_escaped(encoding: str) -> None:
    """An odd locale is no reason to stop."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    Screen(stream).line("商品 → \udcff")
    assert raw.getvalue().endswith(b"\n")
    assert ("商品".encode("gb18030") in raw.getvalue()) == (encoding == "gb18030")
