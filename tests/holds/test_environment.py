"""Whatever the process is started in: proxies, locales, closed streams, few descriptors, ignored signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.holds.far import Answer, Asked, Gateway, gateway, product
from tests.holds.runs import command, environment, lines, run_anew, write_ids

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="streams and limits are POSIX")]

FAST = ("ids.txt", "-o", "out.jsonl", "--qps", 500)
DEAD = "http://somebody:pass@127.0.0.1:9"
PROXIES = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"), DEAD)


def closed(redirections: str, *arguments: object, far: Gateway, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A run that a shell starts with streams closed."""
    words = ["/bin/sh", "-c", f'exec "$@" {redirections}', "sh", *command(*arguments)]
    return subprocess.run(words, env=environment(far), cwd=cwd, capture_output=True, text=True, timeout=30)


def stored(folder: Path) -> int:
    """How many products stand in OUT; it is nothing but whole lines."""
    return len(lines(folder / "out.jsonl"))


@pytest.mark.parametrize("transport", ["fast", "httpx"])
def test_nothing_of_the_environment_is_taken_unasked(tmp_path: Path, transport: str) -> None:
    """Proxies at a dead port, credentials in ~/.netrc, a file for TLS keys, warnings as errors: the run goes straight
    to the gateway, with no credentials but its own."""
    write_ids(tmp_path / "ids.txt", 5)
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password netrc-pass\ndefault login a password netrc-pass\n")
    netrc.chmod(0o600)
    with gateway() as far:
        hostile = {
            "HOME": str(tmp_path),
            "NETRC": str(netrc),
            "SSLKEYLOGFILE": str(tmp_path / "keys"),
            "SSL_CERT_FILE": "/nonexistent",
            "PYTHONWARNINGS": "error",
            "PYTHONOPTIMIZE": "2",
        }
        env = environment(far) | PROXIES | hostile
        done = run_anew(*FAST, "--transport", transport, env=env, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert len(far.asked) == stored(tmp_path) == 5
    sent = {name.lower() for asked in far.asked for name in asked.headers}
    assert sent.isdisjoint({"authorization", "proxy-authorization", "cookie"})
    assert all(asked.line.startswith("POST /openapi/") for asked in far.asked)
    assert not (tmp_path / "keys").exists()


def test_netrc_is_not_read_with_trust_env_either(tmp_path: Path) -> None:
    """--trust-env means the proxy, not somebody's passwords."""
    write_ids(tmp_path / "ids.txt", 2)
    (tmp_path / ".netrc").write_text("default login somebody password netrc-pass\n")
    (tmp_path / ".netrc").chmod(0o600)
    with gateway() as far:
        env = environment(far) | {"HOME": str(tmp_path), "NETRC": str(tmp_path / ".netrc"), "NO_PROXY": "*"}
        done = run_anew(*FAST, "--trust-env", env=env, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert all("Authorization" not in asked.headers for asked in far.asked)


CHINESE = '{"productInfo":null,"errMsg":"商品不存在","errorCode":"下架"}'.encode()
REFUSED = '{"error_code":"gw.SignatureInvalid","error_message":"签名错误"}'.encode()
PLAIN = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""A locale that knows no Chinese, and nothing of Python's that would help."""


def test_chinese_text_in_a_locale_without_it(tmp_path: Path) -> None:
    """Files are UTF-8 whatever the locale; messages that the terminal cannot show are escaped, and end nothing."""
    (tmp_path / "名单.csv").write_text("商品,编号\n红,610000000000\n绿,610000000001\n坏,六一〇\n", encoding="utf-8")
    words = ("名单.csv", "--id-column", 2, "--qps", 500)

    def absent(asked: Asked) -> Answer:
        return product(asked) if asked.id.endswith("1") else (200, CHINESE)

    with gateway(absent) as far:
        env = environment(far) | PLAIN
        more = ("--summary", "总结.json", "--failed", "失败.jsonl", "-v")
        done = run_anew(*words, "-o", "输出.jsonl", *more, env=env, cwd=tmp_path)
        piped = run_anew(*words, "-o", "-", env=env, cwd=tmp_path, encoding="utf-8")
    assert (done.returncode, piped.returncode) == (1, 1), done.stderr
    products, failures = lines(tmp_path / "输出.jsonl"), lines(tmp_path / "失败.jsonl")
    assert [line["data"]["productInfo"]["subject"] for line in products] == ["商品"]
    assert {line["error"]["message"] for line in failures} > {"商品不存在"}
    assert {line["id"] for line in failures} == {"610000000000", "六一〇"}
    assert json.loads((tmp_path / "总结.json").read_text("utf-8"))["exit_code"] == 1
    assert json.loads(piped.stdout)["id"] == "610000000001"
    verify = [sys.executable, "-m", "fetcher", "verify", "输出.jsonl", "--ids", "名单.csv", "--failed", "失败.jsonl"]
    verify += ["--id-column", "2"]
    proof = subprocess.run(verify, env=env, cwd=tmp_path, capture_output=True)
    assert proof.returncode == 0, proof.stderr

    with gateway(lambda asked: (400, REFUSED)) as far:
        odd = {"LANG": "xx_YY.NONE", "LC_ALL": "xx_YY.NONE", "PYTHONIOENCODING": "latin-1"}
        refused = run_anew(*words, "-o", "又.jsonl", env=environment(far) | odd, cwd=tmp_path)
    assert refused.returncode == 3
    assert "SignatureInvalid" in refused.stderr and "Traceback" not in done.stderr + refused.stderr


def limited(soft: int, hard: int) -> dict[str, Any]:
    """For `subprocess`: so many open files, and so many if asked for."""
    import resource

    return {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))}


def test_few_descriptors(tmp_path: Path) -> None:
    """A soft limit is raised as far as it goes; fewer connections than asked for are said in a warning; too few open
    files for anything in an error, before any call."""
    write_ids(tmp_path / "ids.txt", 60)

    def slowly(asked: Asked) -> Answer:
        time.sleep(0.02)
        return product(asked)

    with gateway(slowly) as far:
        many = (*FAST, "--concurrency", 64)
        done = run_anew(*many, env=environment(far), cwd=tmp_path, **limited(20, 32))
        assert done.returncode == 0, done.stderr
        assert "ulimit -n" in done.stderr
        assert len(far.asked) == stored(tmp_path) == 60
        none = run_anew("ids.txt", "-o", "none.jsonl", env=environment(far), cwd=tmp_path, **limited(16, 16))
        assert none.returncode == 2
        assert "16 open files" in none.stderr and "ulimit -n" in none.stderr
        assert len(far.asked) == 60 and not (tmp_path / "none.jsonl").exists()


def test_closed_streams_that_are_not_needed(tmp_path: Path) -> None:
    """A daemon's or a cron job's way to be started: the run does its work, and OUT gets none of their numbers."""
    write_ids(tmp_path / "ids.txt", 5)
    with gateway() as far:
        done = closed("<&- >&- 2>&-", *FAST, "-v", "--summary", "run.json", far=far, cwd=tmp_path)
    assert done.returncode == 0
    assert stored(tmp_path) == json.loads((tmp_path / "run.json").read_text())["ids"]["fetched"] == 5


@pytest.mark.parametrize(
    ("redirections", "arguments", "code", "said"),
    [
        ("<&-", ("-", "-o", "out.jsonl"), 2, "stdin cannot be read"),
        (">&-", ("ids.txt", "-o", "-"), 6, "standard output"),
        (">/dev/full", ("--help",), 6, "standard output"),
    ],
)
def test_closed_streams_that_are_needed(
    tmp_path: Path, redirections: str, arguments: tuple[object, ...], code: int, said: str
) -> None:
    """One sentence and an exit code of the table, no traceback; what goes to a file is not touched."""
    write_ids(tmp_path / "ids.txt", 5)
    with gateway() as far:
        done = closed(redirections, *arguments, far=far, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert said in done.stderr and "Traceback" not in done.stderr and "defect" not in done.stderr
    assert len(far.asked) <= 1 or stored(tmp_path) == 5


@pytest.mark.parametrize("terminal", [{"TERM": "dumb", "COLUMNS": "x"}, {"TERM": "", "COLUMNS": "1"}])
def test_odd_terminals(tmp_path: Path, terminal: dict[str, str]) -> None:
    """A terminal of one column, or one that cannot move its cursor: the run ends well, a dumb one gets no escapes."""
    import pty

    write_ids(tmp_path / "ids.txt", 30)
    ours, theirs = pty.openpty()
    with gateway() as far:
        process = subprocess.Popen(
            command("ids.txt", "-o", "out.jsonl", "--qps", 60),
            env=environment(far) | terminal,
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=theirs,
        )
        os.close(theirs)
        said = _read_all(ours)
        assert process.wait(timeout=20) == 0, said
    assert stored(tmp_path) == 30
    assert b"fetched 30 IDs" in said
    if terminal.get("TERM") == "dumb":
        assert b"\x1b" not in said


def _read_all(descriptor: int) -> bytes:
    """Until the other side of the terminal is closed."""
    said = b""
    try:
        while block := os.read(descriptor, 65536):
            said += block
    except OSError:  # how Linux says it
        pass
    finally:
        os.close(descriptor)
    return said


def test_an_interrupt_drains_where_it_was_ignored_at_the_start(tmp_path: Path) -> None:
    """A shell starts background jobs with SIGINT ignored: ours listens all the same."""
    write_ids(tmp_path / "ids.txt", 500)
    with gateway() as far:
        process = subprocess.Popen(
            command("ids.txt", "-o", "out.jsonl", "--qps", 50),
            env=environment(far),
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        )
        until_s = time.monotonic() + 15
        while len(far.asked) < 5 and time.monotonic() < until_s:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 130, said
    assert stored(tmp_path) == len(far.asked)
    assert f"left to be done: {500 - len(far.asked)} IDs" in said
