"""Fields that vanish, and those that only come and go."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from fetcher.metrics.schema import EVERY, GONE, LEARNT, MOST_FIELDS, SchemaWatch, fields_of

GOOD = {"info": {"subject": "x", "price": [{"p": 1}], "vendor": None}, "ok": True}


def after_learning(value: Any = GOOD) -> SchemaWatch:
    watch = SchemaWatch()
    for _ in range(LEARNT):
        assert watch.wants(1) == 0
        assert watch.observe(json.dumps(value).encode()) == ()
    return watch


def told_after(watch: SchemaWatch, answers: list[Any]) -> tuple[int, tuple[str, ...]] | None:
    """After how many answers it says something, and what."""
    for number, answer in enumerate(answers, 1):
        if watch.wants(1) is not None and (gone := watch.observe(json.dumps(answer).encode())):
            return number, gone
    return None


def test_names_lead_through_lists_and_null_is_not_there() -> None:
    """Dotted, bounded in depth and number."""
    assert fields_of(GOOD) == {"info", "info.subject", "info.price", "info.price.p", "ok"}
    deep: Any = {}
    for _ in range(20):
        deep = {"d": deep}
    assert max(name.count(".") for name in fields_of(deep)) == 4
    assert len(fields_of({str(n): n for n in range(5000)})) == MOST_FIELDS


@pytest.mark.parametrize(
    ("broken", "gone"),
    [
        ({"info": None, "ok": True}, ("info",)),
        ({"info": {"price": [{"p": 1}]}, "ok": True}, ("info.subject",)),
        ({"info": {"subject": "x", "price": []}, "ok": True}, ("info.price.p",)),
        ({}, ("info", "ok")),
    ],
)
def test_what_vanishes_is_told_once_and_soon(broken: Any, gone: tuple[str, ...]) -> None:
    """Within eighty-four products, wherever the change falls; the parent alone where all of it is gone."""
    for good_first in (0, 1, EVERY - 1, 3 * EVERY + 5):
        watch = after_learning()
        assert told_after(watch, [GOOD] * good_first) is None
        told = told_after(watch, [broken] * 200)
        assert told is not None and told[0] <= EVERY + GONE and told[1] == gone
        assert told_after(watch, [broken] * 2000) is None


def test_what_comes_and_goes_is_no_news() -> None:
    """Fields that one product in ten lacks, and fields that are rare; a few odd products in a row."""
    dice = random.Random(7)
    answers = [
        {"always": 1, **({"often": 1} if dice.random() < 0.9 else {}), **({"rare": 1} if dice.random() < 0.1 else {})}
        for _ in range(20_000)
    ]
    watch = SchemaWatch()
    assert told_after(watch, answers) is None
    assert told_after(after_learning(), ([GOOD] * 100 + [{}] * 10) * 20) is None


def test_most_without_it_are_enough() -> None:
    """It need not be all."""
    watch = after_learning()
    assert told_after(watch, [GOOD if n % 10 == 0 else {"ok": True} for n in range(1000)]) is not None


def test_it_looks_at_few() -> None:
    """One in 64, once it has learnt; given lots it says which."""
    watch = after_learning()
    seen = 0
    for _ in range(100):
        left = 64
        while (at := watch.wants(left)) is not None:
            assert 0 <= at < left
            left -= at + 1
            seen += 1
            watch.observe(json.dumps(GOOD).encode())
    assert 6400 / EVERY - 2 <= seen <= 6400 / EVERY + 2


def test_half_an_emoji_is_passed_over() -> None:
    """It says nothing about the fields."""
    assert SchemaWatch().observe(b'{"a":"\\ud83d"}') == ()
