"""Lines as people and programs damage them, through the whole command: what is asked for, stored and said."""

from __future__ import annotations

import codecs
import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.holds.far import gateway
from tests.holds.runs import environment, lines, run

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
    assert far.ids == expected
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
    told = json.loads(done.stdout)["input"]
    parts = ("blank", "comments", "header", "duplicates", "known", "bad", "items")
    assert told["lines"] == len(rows) == sum(told[part] for part in parts)


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
    assert far.ids == ["610000000001", "610000000002", "610000000003"]
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
    assert far.ids == ["610000000001", "610000000002", "610000000004"]


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
