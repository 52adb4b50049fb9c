"""Inputs as people and programs damage them, through the whole command: what is asked for, stored and said."""

from __future__ import annotations

import codecs
import gzip
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from tests.holds.far import Gateway, gateway
from tests.holds.runs import SandboxSettings, command, environment, lines, run, spawn, write_ids

pytestmark = pytest.mark.slow

FAST = ("-o", "out.jsonl", "--qps", 1000, "--summary", "-", "--no-progress")

GOOD = [
    (b"610000000001", "610000000001"),
    (b"  610000000002\t", "610000000002"),
    (b"000610000000003", "610000000003"),
    (b"9223372036854775807", "9223372036854775807"),
    (b'="610000000004"', "610000000004"),
    (b'"610000000005"', "610000000005"),
    (b"'610000000006", "610000000006"),
    (b"610,000,000,007", "610000000007"),
    (b"610000000008.0", "610000000008"),
    (b"https://detail.1688.com/offer/610000000009.html?spm=a2615.x&sk=order#top", "610000000009"),
    ("\u3000610000000010\u00a0".encode(), "610000000010"),
]
"""Lines with an ID, and the ID that is asked for."""

BAD = [
    ("６１００００００００１１".encode(), "non_ascii_digit"),
    (b"+610000000012", "sign"),
    (b"-7", "sign"),
    (b"0", "zero"),
    (b"9223372036854775808", "too_large"),
    (b"99999999999999999999", "too_large"),
    (b"6.1E+11", "spreadsheet_exponent"),
    (b"1234567890123456789.0", "spreadsheet_rounded"),
    (b"61_00", "underscore"),
    (b"610000000001.5", "fraction"),
    (b"610000000001;610000000002", "several_ids"),
    (b"https://detail.1688.com/", "url_without_id"),
    (b"https://evil.example/offer/610000000013.html", "not_digits"),
    (b"610000000014&access_token=evil", "not_digits"),
    (b"610000000014%0d%0aX-Evil:%201", "not_digits"),
    (b"610000000015\x1b[2J\x1b]0;evil\x07", "control_character"),
    (b"6100000\x0000016", "control_character"),
    (b"6100000\x0c00017", "control_character"),
    ("610000000018\u2028610000000019".encode(), "control_character"),
    ("610\u202e000".encode(), "not_digits"),
    ("商品".encode("gbk"), "undecodable"),
    (b"\xff\xfe\xfd", "undecodable"),
    (b"7" * 100_000, "line_too_long"),
    (b"8" * 3_000, "too_long"),
    (b"'; DROP TABLE ids; --", "not_digits"),
    (b"../../etc/passwd", "not_digits"),
]
"""Lines without one, and the code that says why."""

ASIDE = [b"", b"   ", b"\t", "\u3000".encode(), b"# a comment", b"  # another, with 610000000020 in it"]


def summary_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The `ids` of the summary on stdout; nothing else may stand there."""
    counts: dict[str, Any] = json.loads(done.stdout)["ids"]
    return counts


def nothing_raw(text: str) -> bool:
    """No control character but line ends, and nothing that turns a terminal's text round."""
    return not any(ch in "\x7f\u2028\u2029\u202e" or (ch < " " and ch != "\n") or "\x80" <= ch < "\xa0" for ch in text)


def asked_ids(far: Gateway) -> list[str]:
    """Which IDs the gateway was asked for, in order of size."""
    return sorted((asked.id for asked in far.asked), key=int)


def test_everything_in_one_file(tmp_path: Path) -> None:
    """A BOM, a heading, every line end, every damage, duplicates near and far: each line is accounted for, each bad one
    is named with its number, and only whole IDs reach the gateway."""
    dice = random.Random(7)
    repeated = [GOOD[0][0], b"610000000003", *(text for text, _ in BAD[:5])]
    body = [text for text, _ in (*GOOD, *BAD)] + ASIDE * 3
    dice.shuffle(body)
    rows = [b"productId", *body, GOOD[1][0], GOOD[1][0], *repeated]
    ends = [dice.choice([b"\n", b"\r\n", b"\n", b"\r"]) for _ in rows]
    ends = [b"\n" if end == b"\r" and row == b"" else end for end, row in zip(ends, [*rows[1:], b"x"], strict=True)]
    data = codecs.BOM_UTF8 + b"".join(row + end for row, end in zip(rows, ends, strict=True))
    (tmp_path / "ids.txt").write_bytes(data.rstrip(b"\r\n"))  # no final line end
    with gateway() as far:
        done = run("ids.txt", *FAST, env=environment(far), cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    products, failures = lines(tmp_path / "out.jsonl"), lines(tmp_path / "out.failed.jsonl")
    expected = sorted((found for _, found in GOOD), key=int)
    assert sorted((line["id"] for line in products), key=int) == expected
    assert asked_ids(far) == expected
    assert all(b"evil" not in asked.body and b"X-Evil" not in asked.body for asked in far.asked)

    code_of = dict(BAD)
    assert sorted(line["error"]["code"] for line in failures) == sorted(code_of.values())
    for line in failures:
        error = line["error"]
        assert error["kind"] == "bad_id" and error["permanent"]
        assert code_of[rows[error["line"] - 1]] == error["code"]
        assert error["message"].startswith(f"line {error['line']}: ")
        assert nothing_raw(line["id"]) and len(line["id"]) <= 200

    counts = summary_of(done)
    duplicates = 2 + len(repeated)
    assert counts["duplicates"] == duplicates
    assert counts["failed_by_kind"] == {"bad_id": len(BAD)}
    assert counts["fetched"] + counts["failed"] + counts["duplicates"] + len(ASIDE) * 3 + 1 == len(rows)
    assert nothing_raw(done.stderr)


def test_json_lines_can_hold_what_lines_cannot(tmp_path: Path) -> None:
    """Escaped CR LF, ANSI, NUL, half an emoji; numbers of every size; objects that are none."""
    rows = {
        '{"offerId": 610000000001}': None,
        '{"id": "610000000002", "more": [1]}': None,
        "610000000003": None,
        '{"id": "610000000004\\r\\nX-Evil: 1"}': "control_character",
        '{"id": "\\u001b[31m610"}': "control_character",
        '{"id": "610\\u0000"}': "control_character",
        '{"id": "\\ud83d"}': "control_character",
        '{"id": 6.1e11}': "spreadsheet_exponent",
        '{"id": -5}': "sign",
        '{"id": 18446744073709551616}': "too_large",
        '{"id": null}': "no_id",
        '{"id": true}': "no_id",
        '{"id": {"id": 1}}': "no_id",
        '{"name": "x"}': "no_field",
        "[610000000005]": "json_array",
        '{"id": "610000000006"': "not_json",
        "[" * 20_000: "not_json",
        "NaN": "not_digits",
    }
    (tmp_path / "ids.jsonl").write_text("\n".join(rows))
    with gateway() as far:
        done = run("ids.jsonl", *FAST, env=environment(far), cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    codes = {line["error"]["line"]: line["error"]["code"] for line in lines(tmp_path / "out.failed.jsonl")}
    assert codes == {n: code for n, code in enumerate(rows.values(), 1) if code}
    assert asked_ids(far) == ["610000000001", "610000000002", "610000000003"]
    counts = summary_of(done)
    assert counts["fetched"] + counts["failed"] == len(rows)


def test_a_table_with_an_unclosed_quote(tmp_path: Path) -> None:
    """The quote spoils its own line, not the rest of the file; short rows and Excel's `sep=` are understood."""
    rows = [
        "sep=;",
        "name;Offer ID",
        'a;"610000000001"',
        'b "x;610000000002',
        '"c;610000000003',
        "d",
        ";;",
        '"e;f";610000000004',
    ]
    (tmp_path / "ids.csv").write_text("\r\n".join(rows), encoding="utf-8-sig", newline="")
    with gateway() as far:
        done = run("ids.csv", *FAST, "--id-column", "offer id", env=environment(far), cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    codes = {line["error"]["line"]: line["error"]["code"] for line in lines(tmp_path / "out.failed.jsonl")}
    assert codes == {5: "unclosed_quote", 6: "no_column"}
    assert asked_ids(far) == ["610000000001", "610000000002", "610000000004"]


def test_ids_that_are_texts_stay_one_parameter(tmp_path: Path) -> None:
    """For an API whose IDs are no numbers: whatever a line holds is one value of one parameter, encoded."""
    evil = ["a&access_token=evil", "b%26c=1", "c+d e", "../../x?y#z", '{"a":1}', "商品", "=1+1", "x;y"]
    (tmp_path / "ids.txt").write_text("\n".join([*evil, "d\x1b[31m", "e\x00"]))
    api = ("--api", "com.alibaba.product/alibaba.other.get/1", "--id-param", "memberId")
    with gateway(lambda asked: (200, b'{"result":{"x":1},"success":true}')) as far:
        done = run("ids.txt", *FAST, *api, env=environment(far), cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert sorted(asked.form["memberId"] for asked in far.asked) == sorted(evil)
    assert {frozenset(asked.form) for asked in far.asked} == {frozenset({"memberId", "_aop_signature"})}
    assert [line["error"]["code"] for line in lines(tmp_path / "out.failed.jsonl")] == ["control_character"] * 2


IDS = [str(610_000_000_001 + k) for k in range(5)]
TEXT = "\n".join(IDS)
TABLE = "商品,id\n" + "\n".join(f"红色,{each}" for each in IDS)


@pytest.mark.parametrize(
    ("name", "data", "more"),
    [
        ("utf-16.csv", TABLE.encode("utf-16"), ()),
        ("gbk.csv", TABLE.encode("gbk"), ("--encoding", "gb18030")),
        ("members.txt.gz", gzip.compress(TEXT[:30].encode()) + gzip.compress(TEXT[30:].encode()), ()),
        ("frames.txt.zst", zstandard.compress(TEXT[:30].encode()) + zstandard.compress(TEXT[30:].encode()), ()),
    ],
)
def test_every_encoding_and_packing(tmp_path: Path, name: str, data: bytes, more: tuple[str, ...]) -> None:
    """UTF-16, GBK, several gzip members or zstd frames (cut in the middle of an ID): the same five IDs."""
    (tmp_path / name).write_bytes(data)
    with gateway() as far:
        done = run(name, *FAST, *more, env=environment(far), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert asked_ids(far) == IDS


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("unmarked.txt", TEXT.encode("utf-16-le"), "--encoding utf-16-le"),
        ("gbk.txt", "\n".join(["商品"] * 9).encode("gbk"), "--encoding gb18030"),
        ("cut.txt.gz", gzip.compress(TEXT.encode())[:-9], "truncated"),
        ("cut.txt.zst", zstandard.compress(TEXT.encode())[:-3], "truncated"),
    ],
)
def test_what_cannot_be_read_costs_no_call(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    """Exit 2 and what to do; a truncated file is never taken for a whole one."""
    (tmp_path / name).write_bytes(data)
    with gateway() as far:
        done = run(name, "-o", "out.jsonl", env=environment(far), cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr and "Traceback" not in done.stderr
    assert far.asked == []
    assert lines(tmp_path / "out.jsonl") == [] and not (tmp_path / "out.failed.jsonl").exists()


def test_a_file_that_is_truncated_far_behind(tmp_path: Path) -> None:
    """Found when calls have been made: exit 2, what was fetched stands, and the whole file finishes the job."""
    dice = random.Random(3)
    ids = [str(number) for number in dice.sample(range(10**11, 10**12), 3000)]
    whole = gzip.compress("\n".join(ids).encode())
    (tmp_path / "ids.txt.gz").write_bytes(whole[:-2000])
    fast = ("ids.txt.gz", "-o", "out.jsonl", "--qps", 20_000, "--concurrency", 32)
    with spawn(SandboxSettings(absent=0.0)) as sandbox:
        cut = run(*fast, env=environment(sandbox), cwd=tmp_path)
        stored = lines(tmp_path / "out.jsonl")
        assert cut.returncode == 2, cut.stderr
        assert "truncated" in cut.stderr and "before anything was sent" not in cut.stderr
        assert "at least" in cut.stderr and "fetcher run ids.txt.gz" in cut.stderr
        assert 0 < len(stored) < len(ids)
        (tmp_path / "ids.txt.gz").write_bytes(whole)
        done = run(*fast, env=environment(sandbox), cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert sandbox.stats()["ids_repeated"] == 0
    assert sorted(line["id"] for line in lines(tmp_path / "out.jsonl")) == sorted(ids)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of the memory is read from /proc")
def test_a_line_of_a_hundred_megabytes(tmp_path: Path) -> None:
    """It is one bad line, and memory does not follow its length; the lines round it are fetched."""
    with gzip.open(tmp_path / "ids.txt.gz", "wb", compresslevel=1) as file:
        file.write(b"610000000001\n")
        for _ in range(100):
            file.write(b"7" * 2**20)
        file.write(b"\n610000000002\n")
    code = (
        "import sys; from fetcher.cli import main; code = main(sys.argv[1:]);"
        "print(open('/proc/self/status').read(), file=sys.stderr); sys.exit(code)"
    )
    words = list(map(str, command("ids.txt.gz", *FAST)[3:]))
    with gateway() as far:
        done = subprocess.run(
            [sys.executable, "-c", code, *words], env=environment(far), cwd=tmp_path, capture_output=True, text=True
        )
    assert done.returncode == 1, done.stderr
    assert [line["error"]["code"] for line in lines(tmp_path / "out.failed.jsonl")] == ["line_too_long"]
    assert asked_ids(far) == ["610000000001", "610000000002"]
    peak_kb = next(int(row.split()[1]) for row in done.stderr.splitlines() if row.startswith("VmHWM:"))
    assert peak_kb < 100_000


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\xff\xfe", b"id\r\n\n \n# nothing"])
def test_an_input_without_ids_is_done(tmp_path: Path, data: bytes) -> None:
    """Empty, blank, a lone byte order mark, a heading alone: exit 0, no call."""
    (tmp_path / "ids.txt").write_bytes(data)
    with gateway() as far:
        done = run("ids.txt", *FAST, env=environment(far), cwd=tmp_path)
    assert (done.returncode, far.asked) == (0, []), done.stderr
    assert "no IDs" in done.stderr


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="FIFOs are POSIX")
def test_a_fifo_is_fetched_as_it_comes(tmp_path: Path) -> None:
    """Two IDs, a pause until they are answered, two more, the end."""
    os.mkfifo(tmp_path / "pipe")
    with gateway() as far:

        def feed() -> None:
            with open(tmp_path / "pipe", "wb", buffering=0) as pipe:
                pipe.write(b"610000000001\n610000000002\n61000")
                wait_until(lambda: len(far.asked) == 2)
                pipe.write(b"0000003\n610000000004")

        writer = threading.Thread(target=feed, daemon=True)
        writer.start()
        done = run("pipe", *FAST, env=environment(far), cwd=tmp_path)
        writer.join(5)
    assert done.returncode == 0, done.stderr
    assert asked_ids(far) == ["610000000001", "610000000002", "610000000003", "610000000004"]


def test_a_file_that_grows_while_it_is_read(tmp_path: Path) -> None:
    """What is appended meanwhile is fetched now or by the next run, each ID once; the books balance both times."""
    path, more = tmp_path / "ids.txt", [str(620_000_000_000 + k) for k in range(50)]
    ids = write_ids(path, 50)
    with gateway() as far:
        process = subprocess.Popen(
            command("ids.txt", *FAST[:2], "--qps", 100),
            env=environment(far),
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_until(lambda: len(far.asked) >= 5)
        with open(path, "a") as file:
            file.write("\n".join(more) + "\n")
        _, said = process.communicate(timeout=30)
        assert process.returncode == 0, said
        assert {line["id"] for line in lines(tmp_path / "out.jsonl")} >= set(ids)
        assert run("ids.txt", *FAST, env=environment(far), cwd=tmp_path).returncode == 0
    assert sorted(line["id"] for line in lines(tmp_path / "out.jsonl")) == [*ids, *more]
    assert len(far.asked) == 100


def wait_until(holds: Callable[[], bool], most_s: float = 20) -> None:
    """Look again and again, not for ever."""
    until_s = time.monotonic() + most_s
    while not holds() and time.monotonic() < until_s:
        time.sleep(0.01)
    assert holds()
