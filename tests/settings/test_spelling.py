"""Guesses at misspelt words."""

from __future__ import annotations

import pytest

from fetcher.settings import closest, did_you_mean

KNOWN = ["qps", "retries", "FETCHER_QPS", "order-buyer"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [("qsp", "qps"), ("QPS", "qps"), ("retry", "retries"), ("orderbuyer", "order-buyer"), ("xyz", None)],
)
def test_the_nearest_word(word: str, meant: str | None) -> None:
    """Swapped letters, other cases and lost hyphens are seen through; what is near nothing stays unanswered."""
    assert closest(word, KNOWN) == meant


def test_the_words_of_the_question() -> None:
    """It ends a sentence, or is nothing."""
    assert did_you_mean("qsp", KNOWN) == "; did you mean 'qps'?"
    assert did_you_mean("xyz", KNOWN) == ""
