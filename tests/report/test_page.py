"""The report: complete, escaped, self-contained, small, and drawn by a real browser without a complaint."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.errors import InputError
from fetcher.metrics import CapProof, Snapshot, Tally
from fetcher.model import Attempt, ErrorInfo, Failure, Kind, Product, VerdictKind
from fetcher.report import Finished, read_summary, report_page, summary_document
from fetcher.report.axes import linear, logarithmic, nines, time
from fetcher.report.document import Columns, Summary
from fetcher.report.markup import el
from fetcher.report.thinned import thinned

EVIL = "<script>alert(1)</script><img src=http://example.com/x onerror=alert(1)>\"'&\x1b[2J 商品不存在"


def document(seconds: int = 60, **changes: Any) -> dict[str, Any]:
    """The summary of a made-up run at ten calls a second, with every kind of trouble."""
    tally, cap_proof = Tally(10.0, 0.0, price=0.01), CapProof(10.0)
    tally.read(seconds * 10)
    for second in range(seconds):
        for tenth in range(10):
            now_s, product_id = second + tenth / 10, str(second * 10 + tenth)
            tally.started()
            cap_proof.sent(now_s)
            latency_s = 0.05 + (tenth % 3) / 50
            if tenth == 7:
                tally.attempt(Attempt(now_s, now_s + latency_s, VerdictKind.REJECT, 90))
                error = ErrorInfo(Kind.REJECTED, f"gw.{EVIL}", EVIL, 400, True)
                tally.specimens.outcomes([Failure(product_id, 0, 2, latency_s * 1000, error)])
                tally.failed(Kind.REJECTED, True)
            else:
                tally.attempt(Attempt(now_s, now_s + latency_s, VerdictKind.DONE, 900))
                tally.specimens.outcomes([Product(product_id, 0, 1, latency_s * 1000, b"{}")])
                tally.fetched(900)
        tally.waiting(EVIL if second % 20 == 5 else "", None)
        tally.fullest(cap_proof.take_fullest_1s())
        tally.snapshot(float(second + 1))
    tally.input_ended()
    run = Finished(
        exit_code=1,
        reason=EVIL,
        started_wall_ms=1_795_456_800_000,
        ended_wall_ms=1_795_456_800_000 + seconds * 1000,
        snapshot=tally.snapshot(float(seconds), last=True),
        out=f"{EVIL}.jsonl",
        proof=cap_proof.proof(),
        story=tally.story(),
        settings={"qps": 10.0, "app_secret": "***", "params": EVIL},
        versions={"fetcher": "1"},
    )
    return summary_document(msgspec.structs.replace(run, **changes))


def page(*documents: dict[str, Any]) -> str:
    """The page of these runs, as if read from files."""
    runs = [read_summary(json.dumps(one).encode(), "run.json") for one in documents]
    return report_page(runs, [f"run {number}" for number in range(len(runs))])


class Checker(HTMLParser):
    """Holds tags against each other, and keeps what a browser would do or fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.texts: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_is_whole_and_harmless() -> None:
    """Tags match, whatever the gateway said is text, and nothing is fetched or run."""
    checked = Checker(page(document()))
    assert checked.open == []
    assert not checked.seen & {"script", "img", "link", "iframe", "object", "a"}
    assert not [name for name, _ in checked.attributes if name.startswith("on") or name in ("src", "href")]
    everything = "".join(checked.texts)
    assert "<script>alert(1)</script>" in everything
    assert "\x1b" not in everything


def test_everything_of_interest_is_on_the_page() -> None:
    """Figures, proof, examples, money, books, settings: in words that a person looks for."""
    text = " ".join("".join(Checker(page(document())).texts).split())
    for words in ("Calls sent per second", "Proof of the cap", "Retries, throttles, pauses", "Latency", "In flight"):
        assert words in text
    for words in ("What came of the calls", "IDs without a product", "Money", "Slowest IDs", "Books", "Settings"):
        assert words in text
    assert "No window of one second held more than 10 calls" in text
    assert "app_secret***" in text


def test_an_older_summary_is_still_drawn() -> None:
    """Keys that came later are missing in it, keys that are yet to come are passed over."""
    older = document(3)
    for section, key in ((older, "purpose"), (older, "examples"), (older["ids"], "skipped_fresh"), (older, "out")):
        section.pop(key, None)
    assert "Proof of the cap" in page(older | {"a_key_to_come": {"x": 1}})


def test_two_runs_stand_side_by_side() -> None:
    """Both names at each plot, one scale for both, the settings in which they differ."""
    slower = document(30, settings={"qps": 5.0, "app_secret": "***", "params": EVIL})
    drawn = page(document(), slower)
    text = "".join(Checker(drawn).texts)
    assert "2 runs side by side" in text and "Settings that differ" in text
    assert drawn.count('class="whose"') == 10
    assert text.count("50 s") >= 6  # the shorter one's time axis is the longer one's


def test_eight_hours_are_tens_of_kilobytes() -> None:
    """However long the run, and with every message as long as it may be."""
    night = document(8 * 3600 // 40)  # a tenth of the calls of such a night, but as many stretches as are ever kept
    assert len(night["course"]["elapsed_s"]) > 200
    assert len(page(night).encode()) < 90_000


def test_the_barest_run_is_drawn() -> None:
    """Nothing was read, nothing sent, nothing watched."""
    bare = Finished(exit_code=2, reason="", started_wall_ms=0, ended_wall_ms=0, snapshot=Snapshot())
    assert "No call was made." in page(summary_document(bare))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{", "is no summary"),
        (b"\xff\xfe", "is no summary"),
        (b"[]", "is no summary"),
        (b'{"schema": 2}', "missing required field"),
        (b'{"schema": 1}', "schema 1"),
    ],
)
def test_what_is_no_summary_is_said(data: bytes, said: str) -> None:
    """Which file, what is wrong with it, what to do."""
    with pytest.raises(InputError, match=said) as caught:
        read_summary(data, "x.json")
    assert "x.json" in str(caught.value) and caught.value.advice


@given(st.text())
def test_nothing_breaks_out_of_an_element_or_an_attribute(text: str) -> None:
    """Any text at all."""
    checked = Checker(el("p", text, title=text))
    assert checked.seen == {"p"}
    assert [name for name, _ in checked.attributes] == ["title"]


@given(st.floats(1e-6, 1e9), st.floats(1.0, 1e6))
def test_axes_hold_what_they_are_made_for(low: float, times: float) -> None:
    """Ticks in order and inside, few, with different words; the ends are placed inside."""
    for axis in (linear(low, "{:.12g}".format), logarithmic(low, low * times, "{:.12g}".format), time(low)):
        places = [tick.place for tick in axis.ticks]
        assert places == sorted(places) and all(-1e-9 <= place <= 1.0 + 1e-9 for place in places)
        assert 1 <= len(places) <= 17
        assert len({tick.text for tick in axis.ticks}) == len(places)
        assert 0.0 <= axis.place(low) <= 1.0


def test_nines_have_names() -> None:
    """As deep as the table goes."""
    assert [tick.text for tick in nines([0.5, 0.9, 0.99, 0.999, 1.0]).ticks] == ["0 %", "90 %", "99 %", "99.9 %"]


@given(st.integers(1, 700), st.sampled_from([0.0, 1.0, 5.5]))
def test_a_thinned_course_keeps_sums_and_extremes(count: int, least_s: float) -> None:
    """At most two hundred stretches, none but the last too short; sums and the fullest second are those of all."""
    columns = {name: [float(k % 7) for k in range(count)] for name in Columns.__struct_fields__}
    columns["elapsed_s"] = [float(k + 1) for k in range(count)]
    columns["latency_p99_ms"] = [None if k % 2 else 5.0 for k in range(count)]  # type: ignore[misc]
    thin = thinned(Columns(**columns), least_s=least_s)  # type: ignore[arg-type]
    assert len(thin.elapsed_s) <= 200 and thin.elapsed_s[-1] == count
    assert all(end_s - start_s >= least_s for start_s, end_s in pairwise([0.0, *thin.elapsed_s[:-1]]))
    assert sum(thin.throttles) == sum(columns["throttles"])
    assert max(thin.fullest_1s) == max(columns["fullest_1s"])
    spans_s = [end_s - start_s for start_s, end_s in zip([0.0, *thin.elapsed_s], thin.elapsed_s, strict=False)]
    calls = sum((rate or 0.0) * span_s for rate, span_s in zip(thin.calls_per_s, spans_s, strict=True))
    assert calls == pytest.approx(sum(columns["calls_per_s"]))


CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr"),
)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("width", [360, 1100])
def test_a_browser_draws_it(tmp_path: Path, width: int) -> None:
    """On a phone and on a desk: no complaint, nothing wider than the window, every plot drawn with a size."""
    measure = (
        "<script>addEventListener('load',()=>{const boxes=[...document.querySelectorAll('svg')]"
        ".map(s=>s.getBoundingClientRect());document.title=JSON.stringify([document.documentElement.scrollWidth,"
        "innerWidth,boxes.length,Math.min(...boxes.map(b=>b.width)),Math.min(...boxes.map(b=>b.height))])})</script>"
    )
    # The page itself forbids scripts: only this copy of it may measure itself.
    drawn = page(document(), document(20)).replace(
        "default-src &#x27;none&#x27;", "script-src &#x27;unsafe-inline&#x27;"
    )
    (tmp_path / "run.html").write_text(drawn.replace("</head>", f"{measure}</head>"), encoding="utf-8")
    done = subprocess.run(
        [
            *(str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path}/profile", f"--window-size={width},900"),
            *("--virtual-time-budget=2000", "--dump-dom", f"file://{tmp_path}/run.html"),
        ],
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert "CONSOLE" not in done.stderr, done.stderr
    found = re.search(r"<title>\[([\d.,]+)\]</title>", done.stdout)
    assert found is not None, done.stdout[:500]
    scroll_width, inner_width, plots, least_width, least_height = map(float, found[1].split(","))
    assert scroll_width <= inner_width
    assert plots >= 10 and least_width > 100 and least_height >= 16


def test_a_summary_is_what_the_types_say() -> None:
    """What is written can be read back without a loss."""
    written = document()
    assert json.loads(msgspec.json.encode(msgspec.convert(written, Summary))) == json.loads(json.dumps(written))
