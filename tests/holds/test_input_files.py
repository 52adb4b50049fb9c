"""Files of IDs as they come: encoded, packed, cut off, huge, growing, a pipe. Whole runs of the command."""

from __future__ import annotations

import gzip
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from tests.holds.far import gateway
from tests.holds.runs import SandboxSettings, command, environment, lines, run, spawn, write_ids

pytestmark = pytest.mark.slow

FAST = ("-o", "out.jsonl", "--qps", 1000, "--no-progress")


IDS = [str(610_000_000_001 + k) for k in range(5)]
TABLE = "商品,id\n" + "\n".join(f"红色,{each}" for each in IDS)


def in_pieces(pack: Callable[[bytes], bytes], data: bytes) -> bytes:
    """Packed as two members, cut in the middle of an ID."""
    return pack(data[:-30]) + pack(data[-30:])


@pytest.mark.parametrize(
    ("name", "data", "more"),
    [
        ("utf-16.csv.gz", in_pieces(gzip.compress, TABLE.encode("utf-16")), ()),
        ("gbk.csv.zst", in_pieces(zstandard.compress, TABLE.encode("gbk")), ("--encoding", "gb18030")),
    ],
    ids=["utf-16 in gzip", "gbk in zstd"],
)
def test_encodings_in_several_members(tmp_path: Path, name: str, data: bytes, more: tuple[str, ...]) -> None:
    """UTF-16 and GBK, several gzip members and zstd frames: the same five IDs."""
    (tmp_path / name).write_bytes(data)
    with gateway() as far:
        done = run(name, *FAST, *more, env=environment(far), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert far.ids == IDS


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("unmarked.txt", TABLE.encode("utf-16-le"), "--encoding utf-16-le"),
        ("cut.txt.gz", gzip.compress(TABLE.encode())[:-9], "truncated"),
    ],
    ids=["utf-16", "gzip"],
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
    ids = [str(number) for number in dice.sample(range(10**11, 10**12), 2600)]
    whole = gzip.compress("\n".join(ids).encode())
    (tmp_path / "ids.txt.gz").write_bytes(whole[:-800])
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
def test_a_line_of_fifty_megabytes(tmp_path: Path) -> None:
    """It is one bad line, and memory does not follow its length; the lines round it are fetched."""
    with gzip.open(tmp_path / "ids.txt.gz", "wb", compresslevel=1) as file:
        file.write(b"610000000001\n")
        for _ in range(48):
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
    assert far.ids == ["610000000001", "610000000002"]
    peak_kb = next(int(row.split()[1]) for row in done.stderr.splitlines() if row.startswith("VmHWM:"))
    assert peak_kb < 75_000


def test_an_input_without_ids_is_done(tmp_path: Path) -> None:
    """Nothing but a heading, blank lines and comments: exit 0, no call."""
    (tmp_path / "ids.txt").write_bytes(b"\xef\xbb\xbfid\r\n\n \n# nothing")
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
    assert far.ids == ["610000000001", "610000000002", "610000000003", "610000000004"]


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
