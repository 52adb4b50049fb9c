"""The table of recorded exchanges (`exchanges.toml`): one test a row and status."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from fetcher.model import Action, Again, Fail, Free, Item, Keep, Refresh, Stop, Throttled, Verdict, VerdictKind
from fetcher.policy import Policy, Refusals
from tests.gateway.speaking import gateway, said

TABLE = tomllib.loads((Path(__file__).parent / "exchanges.toml").read_text(encoding="utf-8"))["exchange"]
IDS = ("610947572360", "610947572361")
ACTIONS: dict[str, type] = {
    "keep": Keep,
    "fail": Fail,
    "again": Again,
    "again-once": Again,
    "throttled": Throttled,
    "refresh": Refresh,
    "stop": Stop,
    "ask-again": Free,
}


def each_status() -> Iterator[Any]:
    """A row for each status that it names."""
    for row in TABLE:
        statuses = row["status"] if isinstance(row["status"], list) else [row["status"]]
        yield from (pytest.param(row, status, id=f"{row['name']}, {status}") for status in statuses)


def with_ids(text: str) -> str:
    """The row's text about our IDs."""
    return text.replace("{id}", IDS[0]).replace("{id2}", IDS[1])


def items(row: dict[str, Any], *, attempt: int = 1) -> list[Item]:
    """What the row's call is about."""
    return [Item(id_, line, attempt) for line, id_ in enumerate(IDS[: row.get("ids", 1)], 1)]


def decided(verdict: Verdict, item: Item) -> Action:
    """What a run that has just begun does about an answer."""
    if verdict.kind in (VerdictKind.FATAL, VerdictKind.REJECT):
        return Refusals().judge(verdict, item)
    return Policy(retries=4, random=lambda: 0.5).decide(verdict, item)


@pytest.mark.parametrize(("row", "status"), list(each_status()))
def test_the_exchange_is_understood(row: dict[str, Any], status: int) -> None:
    """What it means, what is done about it, what is stored, and what the user reads."""
    own = gateway(row.get("api", "product"), row.get("protocol", "param2"))
    asked = items(row)
    reply = said(with_ids(row["body"]).encode(), status, row.get("type", "application/json;charset=UTF-8"))
    found = own.verdicts(reply, own.call(asked))
    verdicts = found if isinstance(found, list) else [found]
    assert " ".join(verdict.kind for verdict in verdicts) == row["verdict"]
    first = verdicts[0]
    if row["action"] == "split":
        assert isinstance(found, Verdict) and len(asked) > 1
        assert first.kind is VerdictKind.REJECT
    else:
        assert type(decided(first, asked[0])) is ACTIONS[row["action"]]
    if row["action"] == "again-once":
        assert isinstance(decided(first, items(row, attempt=2)[0]), Fail)
    if "kind" in row:
        assert first.error == row["kind"]
    if "data" in row:
        assert first.payload.decode() == with_ids(row["data"])
    read = f"{first.code} {first.message} {first.remedy}"
    for word in row.get("words", ()):
        assert with_ids(word) in read


@pytest.mark.parametrize("row", [row for row in TABLE if "sends" in row], ids=lambda row: row["name"])
def test_the_request_has_that_shape(row: dict[str, Any]) -> None:
    """Method, path, and the parameters' names in their order."""
    own = gateway(row.get("api", "product"), row.get("protocol", "param2"))
    request = own.request(own.call(items(row)), 1_700_000_000_000)
    path, _, query = request.target.partition("?")
    names = [name for name, _ in parse_qsl(query or request.body.decode(), keep_blank_values=True)]
    assert " ".join([request.method, path, *names]) == row["sends"]


def test_the_table_says_all() -> None:
    """Every meaning and every preset is in it, and no two rows have one name."""
    words = {word for row in TABLE for word in row["verdict"].split()}
    assert words == {str(kind) for kind in VerdictKind}
    assert {row["action"] for row in TABLE} == {*ACTIONS, "split"}
    names = [row["name"] for row in TABLE]
    assert len(names) == len(set(names))
