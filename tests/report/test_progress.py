"""The progress on a terminal, in a log file, and in silence."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.metrics import Snapshot
from fetcher.report import Screen, choose_mode, make_progress
from fetcher.report.escaping import cells
from fetcher.report.line import SEPARATOR, fitting_parts, plain_line
from fetcher.report.screen import CLEAR

BUSY = Snapshot(
    total=100_000,
    read=20_000,
    fetched=12_343,
    failed=2,
    in_flight=4,
    retries=3,
    rate_per_s=19.6,
    cap_per_s=20.0,
    eta_s=4472.0,
    elapsed_s=630.0,
    wait_reason="the gateway said over the rate",
    wait_left_s=11.2,
)
ALL = (
    "12 345/100 000  12.3 %  19.6/s of 20/s  in flight 4  retries 3  failed 2  1 h 15 min left  "
    "paused 12 s: the gateway said over the rate"
)


def at(elapsed_s: float, **changes: object) -> Snapshot:
    """The busy snapshot at another time."""
    return msgspec.structs.replace(BUSY, elapsed_s=elapsed_s, **changes)


def shown(stream: io.StringIO) -> list[str]:
    """The drawings of the live line, colours taken off."""
    return [re.sub(r"\x1b\[[0-9;]*m", "", piece) for piece in stream.getvalue().split(CLEAR)[1:]]


def test_everything_is_said_where_there_is_room() -> None:
    """Done, share, rate against the cap, in flight, retries, failures, time left, and why it waits."""
    assert plain_line(BUSY) == ALL
    assert SEPARATOR.join(part.text for part in fitting_parts(BUSY, 200)) == ALL


def test_nothing_superfluous_is_said() -> None:
    """No failures, no retries, no total: no words about them; at the end no time left."""
    assert plain_line(Snapshot(fetched=7, rate_per_s=5.0, cap_per_s=5.0)) == "7 done  5/s of 5/s"
    ended = Snapshot(total=7, fetched=7, cap_per_s=5.0, eta_s=0.0)
    assert plain_line(ended) == "7/7  100 %  0/s of 5/s"


@given(st.integers(1, 150), st.integers(0, 10**9), st.text("ab 商\x1b", max_size=60))
def test_it_fits_every_width(width: int, fetched: int, reason: str) -> None:
    """Whatever the width, the figures and the reason; how far it is, is always there."""
    snapshot = at(1.0, fetched=fetched, total=2 * fetched, wait_reason=reason, wait_left_s=3.0)
    line = SEPARATOR.join(part.text for part in fitting_parts(snapshot, width))
    assert cells(line) <= width
    assert line.startswith(str(snapshot.done)[:1] if width > 1 else "")
    assert "\x1b" not in line


def test_a_narrow_line_keeps_the_reason() -> None:
    """Why nothing moves weighs more than how fast it moved."""
    assert SEPARATOR.join(part.text for part in fitting_parts(BUSY, 40)) == "12 345/100 000  paused 12 s: the gatewa…"


def test_the_live_line_is_drawn_at_most_four_times_a_second() -> None:
    """A hundred updates within a second."""
    stream = io.StringIO()
    progress = make_progress("tty", stream, width=120)
    for hundredth in range(100):
        progress.update(at(hundredth / 100))
    assert len(shown(stream)) == 4


@pytest.mark.parametrize("width", [2, 20, 47, 80, 200])
def test_the_live_line_leaves_the_last_column_free(width: int) -> None:
    """A full line would wrap on some terminals and could not be drawn over."""
    stream = io.StringIO()
    make_progress("tty", stream, width=width).update(BUSY)
    assert cells(shown(stream)[0]) < width
    assert "\n" not in stream.getvalue()


def test_closing_draws_the_last_figures_and_leaves_them() -> None:
    """The last line is up to date, however recently it was drawn, and ends in a newline."""
    stream = io.StringIO()
    progress = make_progress("tty", stream, width=120)
    progress.update(at(1.0))
    progress.close(at(1.01, fetched=99_998))
    assert shown(stream)[-1].startswith("100 000/100 000  100 %")
    assert stream.getvalue().endswith("\n")


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR no colour is written; without it some is."""
    colours = re.compile(r"\x1b\[[0-9;]*3[0-7]m")
    monkeypatch.setenv("TERM", "xterm-256color")
    for no_color, expected in (("1", False), ("", True)):
        monkeypatch.setenv("NO_COLOR", no_color)
        stream = io.StringIO()
        make_progress("tty", stream, width=120).update(BUSY)
        assert bool(colours.search(stream.getvalue())) is expected


def test_a_log_line_between_two_drawings() -> None:
    """Log and progress share a screen: the log line stands alone on its line."""
    stream = io.StringIO()
    screen = Screen(stream)
    progress = make_progress("tty", screen, width=120)
    progress.update(at(1.0))
    screen.line("warning: slow disk")
    assert shown(stream)[1].startswith("warning: slow disk\n12 345/100 000")


def test_plain_speaks_every_ten_seconds() -> None:
    """Nothing in the first ten seconds, then a line for each ten, however often it is told; nothing on closing."""
    stream = io.StringIO()
    progress = make_progress("plain", stream)
    for quarter in range(4 * 35):
        progress.update(at(quarter / 4))
    progress.close(at(35.0))
    assert stream.getvalue() == f"{ALL}\n" * 3


def test_plain_does_not_make_up_for_a_gap() -> None:
    """After a minute without updates one line, not six."""
    stream = io.StringIO()
    progress = make_progress("plain", stream)
    for elapsed_s in (65.0, 66.0, 69.9, 70.0):
        progress.update(at(elapsed_s))
    assert stream.getvalue().count("\n") == 2


def test_none_is_silent() -> None:
    """Quiet means quiet."""
    stream = io.StringIO()
    progress = make_progress("none", stream)
    progress.update(BUSY)
    progress.close(BUSY)
    assert stream.getvalue() == ""


class Terminal(io.StringIO):
    """Says that it is one."""

    def isatty(self) -> bool:
        """Yes."""
        return True


@pytest.mark.parametrize(
    ("environ", "mode"),
    [
        ({}, "tty"),
        ({"TERM": "xterm"}, "tty"),
        ({"TERM": "dumb"}, "plain"),
        ({"CI": "true"}, "plain"),
        ({"CI": ""}, "tty"),
    ],
)
def test_the_mode_follows_the_terminal(environ: dict[str, str], mode: str) -> None:
    """A live line only where a cursor can be moved and nobody keeps a log of every redrawing."""
    assert choose_mode(Terminal(), environ=environ) == mode
    assert choose_mode(io.StringIO(), environ=environ) == "plain"


@pytest.mark.parametrize("wish", ["tty", "plain", "json", "none"])
def test_what_is_asked_for_by_name_is_done(wish: str) -> None:
    """On a terminal or not, quiet or not."""
    assert choose_mode(Terminal(), wish, environ={}, quiet=True) == wish
    assert choose_mode(io.StringIO(), wish, environ={"CI": "1"}) == wish
    assert choose_mode(Terminal(), environ={}, quiet=True) == "none"


def test_money_is_told_while_it_is_spent() -> None:
    """Spent, what it will be in all, and what brought nothing: 12 450 calls for 12 345 IDs of 100 000."""
    priced = at(1.0, price=0.01, attempts=12_450, results={"done": 12_343, "absent": 2, "retry": 105})
    assert "cost 124.50 of about 1 008.51  1.05 for nothing" in plain_line(priced)
    over = msgspec.structs.replace(priced, total=12_345)
    assert "cost 124.50  1.05 for nothing" in plain_line(over)


def test_a_program_that_draws_its_own_bar() -> None:
    """`json`: an object a line, once a second, and a last one; nothing in it that a terminal would obey."""
    stream = io.StringIO()
    progress = make_progress("json", stream)
    for quarter in range(12):
        progress.update(at(quarter / 4, price=0.5, attempts=7))
    progress.close(at(3.0, wait_reason="\x1b[2J no"))
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["elapsed_s"] for line in told] == [0.0, 1.0, 2.0, 3.0]
    assert [line["over"] for line in told] == [False, False, False, True]
    assert (told[0]["progress"], told[0]["cost"], told[0]["wait_left_s"]) == (1, 3.5, 11.2)
    assert "\x1b" not in stream.getvalue()


def test_colour_where_it_is_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    """FORCE_COLOR colours plain lines too; NO_COLOR wins over it."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    for environ, expected in (
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({}, False),
    ):
        stream = io.StringIO()
        make_progress("plain", stream, environ=environ).update(BUSY)
        assert ("\x1b[" in stream.getvalue()) is expected
        assert stream.getvalue().count("\n") == 1


def test_rich_is_loaded_only_for_a_live_line() -> None:
    """In a fresh interpreter: the door and the plain progress load nothing heavy."""
    code = (
        "import io, sys, fetcher.report as r; r.make_progress('plain', io.StringIO());"
        "print({'rich', 'asyncio', 'httpx'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
