"""The heap of IDs that will be tried again."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from fetcher.model import Item
from fetcher.run.waiting import Waiting


@given(st.lists(st.floats(0, 100)))
def test_items_leave_in_the_order_in_which_they_are_due(due_s: list[float]) -> None:
    """Whatever the order of arrival; items of the same time leave as they came."""
    waiting = Waiting()
    for line, when_s in enumerate(due_s):
        waiting.push(Item(str(line), line), when_s)
    left = []
    while (item := waiting.pop_due(100)) is not None:
        left.append(item.line)
    assert left == sorted(range(len(due_s)), key=lambda line: (due_s[line], line))


def test_nothing_leaves_before_its_time() -> None:
    """An item due at 5 stays until 5."""
    waiting = Waiting()
    waiting.push(Item("1", 1), 5.0)
    assert waiting.pop_due(4.999) is None
    assert waiting.next_due_s == 5.0
    assert waiting.pop_due(5.0) == Item("1", 1)
    assert waiting.next_due_s == math.inf
    assert len(waiting) == 0
