"""Every class of fault that a gateway can have, met twice in one run: once and then well, and always."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.holds.books import check, failed_of, records
from tests.holds.fault_server import Fault, FaultServer, fault_server, http
from tests.holds.faults import BROKEN, FINAL, HUGE, ODD
from tests.holds.forked import finished
from tests.holds.runs import write_ids

pytestmark = pytest.mark.slow

SECRET, TOKEN = "Hush-7k+/Q==x", "tok3n-Gw9/Zz81"
RETRIES, PAID_RETRIES = 3, 1
GOOD_EACH = 12
"""Sound IDs for each faulty one, so that nothing looks like an outage."""


@pytest.fixture
def gateway() -> Iterator[FaultServer]:
    with fault_server() as server:
        yield server


def words(*more: object) -> tuple[object, ...]:
    base = ("ids.txt", "-o", "out.jsonl", "--qps", 800, "--concurrency", 64, "--timeout", 2, "--no-progress")
    return (*base, "--retries", RETRIES, "--paid-retries", PAID_RETRIES, *more)


def environment(gateway: FaultServer) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "FETCHER_GATEWAY": gateway.url,
        "FETCHER_APP_KEY": "1000000",
        "FETCHER_APP_SECRET": SECRET,
        "FETCHER_ACCESS_TOKEN": TOKEN,
    }


def dealt(gateway: FaultServer, ids: list[str], faults: list[Fault], times: int | None) -> dict[str, Fault]:
    """Every so many IDs one gets a fault."""
    by_id = {ids[k * GOOD_EACH + GOOD_EACH // 2]: one for k, one in enumerate(faults)}
    gateway.faults = {product_id: (one, times) for product_id, one in by_id.items()}
    return by_id


@pytest.mark.parametrize("transport", ["fast", "httpx"])
def test_each_fault_once_and_then_well(tmp_path: Path, gateway: FaultServer, transport: str) -> None:
    """Every ID is fetched, each faulty one with one call more than the others, and every product is its own."""
    ids = write_ids(tmp_path / "ids.txt", GOOD_EACH * len(BROKEN))
    by_id = dealt(gateway, ids, [one for one in BROKEN if not one.permanent], 1)
    slowly = ("--qps", 150, "--concurrency", 8) if transport == "httpx" else ()
    code, said = finished(*words("--transport", transport, *slowly), env=environment(gateway), cwd=tmp_path)
    assert code == 0, said + str(records(failed_of(tmp_path / "out.jsonl")))
    check(tmp_path / "out.jsonl", ids)
    calls = {by_id[product_id].name: gateway.calls[product_id] for product_id in by_id}
    assert {name: count for name, count in calls.items() if count != 2} == {}
    # httpx uses a connection on whose answer was longer than it said: the next ID there has to be called again.
    assert sum(gateway.calls.values()) <= len(ids) + len(by_id) + (2 if transport == "httpx" else 0)


@pytest.mark.timeout(100)
def test_each_fault_always(tmp_path: Path, gateway: FaultServer) -> None:
    """The ID fails in the right words after as many calls as allowed; all others are fetched as if nothing were."""
    faults = [*BROKEN, *FINAL]
    ids = write_ids(tmp_path / "ids.txt", GOOD_EACH * len(faults))
    by_id = dealt(gateway, ids, faults, None)
    code, said = finished(*words("--timeout", 1), env=environment(gateway), cwd=tmp_path, wait_s=80)
    assert code == 1, said
    check(tmp_path / "out.jsonl", ids)
    failed = {record["id"]: record["error"] for record in records(failed_of(tmp_path / "out.jsonl"))}
    assert failed.keys() == by_id.keys()
    found = {by_id[one].name: (error["kind"], error["permanent"]) for one, error in failed.items()}
    assert found == {one.name: (one.always, one.permanent) for one in faults}
    for product_id, one in by_id.items():
        allowed = 1 if one.permanent else 1 + (PAID_RETRIES if one.sent_in_vain else RETRIES)
        assert gateway.calls[product_id] == allowed, one.name


def test_odd_and_good(tmp_path: Path, gateway: FaultServer) -> None:
    """Unusual answers are taken as they are: one call each, and no digit, key or escape of them is lost."""
    ids = write_ids(tmp_path / "ids.txt", GOOD_EACH * len(ODD))
    by_id = dealt(gateway, ids, ODD, None)
    code, said = finished(*words(), env=environment(gateway), cwd=tmp_path)
    assert code == 0, said
    check(tmp_path / "out.jsonl", ids)
    [special] = [product_id for product_id, one in by_id.items() if one.name.startswith("numbers")]
    [line] = [line for line in (tmp_path / "out.jsonl").read_bytes().splitlines() if special.encode() in line[:40]]
    assert HUGE in line
    assert sum(gateway.calls.values()) <= len(ids) + 1  # one may meet a connection that is just being closed


def test_an_echo_shows_no_secret(tmp_path: Path, gateway: FaultServer) -> None:
    """A gateway that repeats the request in its error message: nothing of it reaches a file or the screen."""

    def echo(product_id: str, request: bytes) -> bytes:
        form = request.partition(b"\r\n\r\n")[2].decode()
        message = f"bad request: {form} with token {TOKEN} and secret {SECRET}"
        return http(json.dumps({"error_code": "gw.Odd", "error_message": message}).encode(), status="400 Bad Request")

    ids = write_ids(tmp_path / "ids.txt", 40)
    dealt(gateway, ids, [Fault("echo", echo)], None)
    code, said = finished(*words("-v"), env=environment(gateway), cwd=tmp_path)
    assert code == 1, said
    [failed] = records(failed_of(tmp_path / "out.jsonl"))
    assert "bad request" in failed["error"]["message"]
    everything = said + "".join(path.read_text() for path in tmp_path.iterdir())
    for hidden in (SECRET, TOKEN, "Hush-7k%2B%2FQ%3D%3Dx", "tok3n-Gw9%2FZz81"):
        assert hidden not in everything
    assert "_aop_signature=***" in everything


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request", "401 Unauthorized"])
@pytest.mark.parametrize("code", ["gw.SignatureInvalid", "gw.APIACLDecline", "gw.AppKeyNotFound"])
def test_a_refusal_of_the_run_costs_little(tmp_path: Path, gateway: FaultServer, code: str, status: str) -> None:
    """Under any status: exit 3, three calls at the most, no ID marked, one line that says what to do."""
    write_ids(tmp_path / "ids.txt", 500)
    text = json.dumps({"error_code": code, "error_message": "no", "exception": "no"}).encode()
    gateway.sick = Fault("refusal", lambda *_: http(text, status=status))
    ended, said = finished(*words(), env=environment(gateway), cwd=tmp_path)
    assert ended == 3, said
    assert "what to do: " in said and "left to be done: 500 IDs" in said
    assert sum(gateway.calls.values()) <= 3
    assert not failed_of(tmp_path / "out.jsonl").exists()


def test_a_refusal_in_mid_run_marks_nothing(tmp_path: Path, gateway: FaultServer) -> None:
    """The permission is withdrawn while a hundred calls are in flight: what was answered stands, the rest is left."""
    ids = write_ids(tmp_path / "ids.txt", 600)
    text = json.dumps({"error_code": "gw.APIACLDecline", "error_message": "no"}).encode()
    refusal = Fault("refusal", lambda *_: http(text, status="400 Bad Request"))
    gateway.faults = dict.fromkeys(ids[300:], (refusal, None))
    code, said = finished(*words(), env=environment(gateway), cwd=tmp_path)
    assert code == 3, said
    check(tmp_path / "out.jsonl", ids, left=None)
    assert not failed_of(tmp_path / "out.jsonl").exists()
    refused = sum(gateway.calls[product_id] for product_id in ids[300:])
    assert refused <= 64 + 3


def test_a_long_retry_after_ends_the_run_resumably(tmp_path: Path, gateway: FaultServer) -> None:
    """Over five minutes: exit 4 and how long; a date counts as seconds do."""
    ids = write_ids(tmp_path / "ids.txt", 50)
    for header in ("Retry-After: 3600", "Retry-After: Fri, 01 Jan 2100 00:00:00 GMT"):
        gateway.sick = Fault("throttle", lambda *_, header=header: http(b"", header, status="429 Too Many Requests"))
        code, said = finished(*words(), env=environment(gateway), cwd=tmp_path)
        assert code == 4 and "asks to wait" in said, said
        check(tmp_path / "out.jsonl", ids, left=50)
