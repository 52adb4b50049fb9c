"""A run through all that a night can bring: tokens that expire, a cap that is halved, a package that runs out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.holds.night import night

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("words", [(), ("--processes", "2")], ids=["one process", "two processes"])
def test_books_balance_through_a_bad_night(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Stopped with exit 4 where the package ends, done with exit 0 after it is refilled; every ID stored once, none
    charged twice, and both sides count the same calls."""
    seen = night(tmp_path, 360, 150, *words)
    assert seen.codes == [4, 0], seen.said
    assert "no usage left" in seen.said[0] and "the access token was renewed" in seen.said[0]
    assert all(summary["books"]["balanced"] for summary in seen.summaries)
    answers = seen.stats["answers"]
    assert seen.stats["charged"] == answers["ok"] == 360 and seen.stats["ids_repeated"] == 0
    assert answers["token"] == 2, "one renewal an expiry, however many calls were refused and processes run"
    sent = sum(summary["calls"]["sent"] for summary in seen.summaries)
    assert sent == seen.stats["calls"], "renewals included"
    assert sum(summary["calls"]["results"].get("refresh", 0) for summary in seen.summaries) == answers["401"]
    assert seen.summaries[0]["calls"]["results"]["quota"] == answers["gw.NoUsageLeftError"]
    assert seen.summaries[0]["windows"]["holds"] and seen.summaries[1]["windows"]["holds"]
