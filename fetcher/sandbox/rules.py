"""Which call is answered with which row of the error table: by the end of its ID, by seed, or all. Pure.

A rule is written `ROW@WHERE` or `ROW@WHERExTIMES`: `acl@77`, `isp-timeout@5%x2`, `token@*x1`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from fetcher.sandbox.dice import share
from fetcher.sandbox.rows import ROWS, Row

_RULE: Final = re.compile(r"([a-z0-9-]+)@(\*|[0-9]{1,19}|[0-9]+(?:\.[0-9]+)?%)(?:x([0-9]{1,9}))?")
_PURPOSE: Final = 100


class Rule(msgspec.Struct, frozen=True):
    """One rule, read."""

    row: Row
    suffix: str = ""
    """IDs that end so; empty: all, or those of the share."""
    share: float | None = None
    times: int | None = None
    """Each ID's first so many calls; None: always."""


def parse_rule(text: str) -> Rule:
    """See the module.

    Raises:
        ValueError: it is none, or there is no such row.
    """
    read = _RULE.fullmatch(text)
    if read is None:
        raise ValueError(
            f"a rule is written ROW@SUFFIX, ROW@5% or ROW@*, with x2 for the first two calls, not {text!r}"
        )
    name, where, times = read.groups()
    if name not in ROWS:
        raise ValueError(f"there is no row {name!r}; there are: {', '.join(ROWS)}")
    part = float(where[:-1]) / 100 if where.endswith("%") else None
    if part is not None and part > 1:
        raise ValueError(f"{where} is more than all")
    suffix = where if part is None and where != "*" else ""
    return Rule(ROWS[name], suffix, part, None if times is None else int(times))


class RuleBook:
    """The rules in force. Remembers IDs that have met a rule with `times` only."""

    def __init__(self, rules: Sequence[Rule], seed: int) -> None:
        self._rules = rules
        self._seed = seed
        self._met: dict[tuple[int, int], int] = {}

    def strike(self, id_number: int) -> Row | None:
        """The row with which this call for the ID is answered, if any. Counts the call."""
        for number, rule in enumerate(self._rules):
            if self._is_meant(rule, number, id_number) and self._may_again(rule, number, id_number):
                return rule.row
        return None

    def _is_meant(self, rule: Rule, number: int, id_number: int) -> bool:
        if rule.share is not None:
            return share(self._seed, _PURPOSE + number, id_number) < rule.share
        return str(id_number).endswith(rule.suffix)

    def _may_again(self, rule: Rule, number: int, id_number: int) -> bool:
        if rule.times is None:
            return True
        met = self._met.get((number, id_number), 0)
        if met >= rule.times:
            return False
        self._met[number, id_number] = met + 1
        return True
