"""No secret leaves: whole runs with secrets that stand out, and everything searched that they leave behind."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

import pytest

from fetcher.secret import Secret
from tests.holds.far import Answer, Asked, gateway
from tests.holds.runs import SandboxSettings, command, lines, run_anew, spawn, write_ids
from tests.spellings import ALPHABETS, SPELLINGS, found_in

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="modes and /proc are POSIX")]

SECRETS = {
    "app secret": 'App-Secret/+%&="\\商1',
    "access token": "Access-Token/7f3a 91+c%e2",
    "refresh token": "Refresh-Token/55d0b1f2ae",
    "proxy password": "Proxy-Passw0rd/#?@:9",
}
NOWHERE = "http://127.0.0.1:9/openapi"
SIGNATURE = re.compile(r"\b[0-9A-F]{40}\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Any]:
    settings = SandboxSettings(
        app_secret=Secret(SECRETS["app secret"]), access_token=Secret(SECRETS["access token"]), require_token=True
    )
    with spawn(settings) as handle:
        yield handle


def credentials(**more: str) -> dict[str, str]:
    """An environment with every secret in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FETCHER_")}
    return kept | {
        "FETCHER_APP_KEY": "1000000",
        "FETCHER_APP_SECRET": SECRETS["app secret"],
        "FETCHER_ACCESS_TOKEN": SECRETS["access token"],
        "FETCHER_REFRESH_TOKEN": SECRETS["refresh token"],
        **more,
    }


def proxy_url(port: int) -> str:
    """A proxy's URL with the password in it."""
    return f"http://somebody:{quote(SECRETS['proxy password'], safe='')}@127.0.0.1:{port}"


class Trace:
    """All that a run leaves: its words, its files, and what the process list showed of it and its children."""

    def __init__(self, *arguments: object, env: dict[str, str], cwd: Path) -> None:
        process = subprocess.Popen(
            command(*arguments), env=env, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        seen: set[str] = set()
        until_s = time.monotonic() + 50
        while process.poll() is None and time.monotonic() < until_s and len(seen) < 100:
            seen |= _shown_of(process.pid)
            time.sleep(0.03)
        self.stdout, self.stderr = process.communicate(timeout=50)
        self.code = process.returncode
        files = [path.read_text("utf-8", "replace") for path in sorted(cwd.rglob("*")) if path.is_file()]
        self.everything = "\n".join([self.stdout, self.stderr, *seen, *files])


def _shown_of(pid: int) -> set[str]:
    """Command lines of a process and its children."""
    try:
        folder = Path(f"/proc/{pid}")
        shown = {folder.joinpath("cmdline").read_text()}
        for child in folder.joinpath(f"task/{pid}/children").read_text().split():
            shown |= _shown_of(int(child))
    except OSError:
        return set()
    return shown


def test_a_good_run_with_all_detail(tmp_path: Path, sandbox: Any) -> None:
    """-v, JSON logs, a summary in a file and on stdout: settings are told, secrets are stars."""
    ids = write_ids(tmp_path / "ids.txt", 40)
    env = credentials(FETCHER_GATEWAY=sandbox.url)
    done = Trace(
        *("ids.txt", "-o", "out.jsonl", "--qps", 200, "-v", "--log-format", "json", "--summary", "run.json"),
        env=env,
        cwd=tmp_path,
    )
    assert done.code in (0, 1), done.stderr
    assert len(lines(tmp_path / "out.jsonl")) + len(lines(tmp_path / "out.failed.jsonl")) == len(ids)
    assert "access_token = ***" in done.stderr
    assert json.loads((tmp_path / "run.json").read_text())["settings"]["app_secret"] == "***"
    assert found_in(done.everything, SECRETS) == []
    assert not SIGNATURE.search(done.everything)


def test_a_refused_run(tmp_path: Path, sandbox: Any) -> None:
    """A wrong secret: exit 3, and neither it nor the signature that it made is told, though both httpx and a GET would
    have the URL in their logs."""
    write_ids(tmp_path / "ids.txt", 40)
    wrong = SECRETS | {"app secret": "Wrong-Secret/+%&=1"}
    env = credentials(FETCHER_GATEWAY=sandbox.url, FETCHER_APP_SECRET=wrong["app secret"])
    done = Trace(
        *("ids.txt", "-o", "out.jsonl", "-v", "--transport", "httpx", "--protocol", "guide"), env=env, cwd=tmp_path
    )
    assert done.code == 3, done.stderr
    assert found_in(done.everything, wrong) == []
    assert not SIGNATURE.search(done.everything)


def echo(asked: Asked) -> Answer:
    """The request in the message of an answer: each time in another spelling, whole or its values one by one."""
    form = asked.body.decode()
    fields = parse_qs(form)
    values = f"{fields['productID'][0]} {fields['access_token'][0]}"
    spelled = [spell(text) for text in (form, values) for spell in SPELLINGS.values()]
    encoded = [encode(text.encode()) for text in (form, f"user:{values}") for encode in ALPHABETS.values()]
    said = [*spelled, *encoded, f"invalid signature: {fields['_aop_signature'][0]}"]
    message = "x" * (asked.number % 7 * 60) + said[asked.number % len(said)]  # cut off at different places
    body = {"productInfo": None, "errMsg": f"bad request: {message}", "errorCode": message[:90]}
    return 200, json.dumps(body).encode()


def test_a_gateway_that_repeats_the_request(tmp_path: Path) -> None:
    """Token, signature and all, in every spelling: what reaches the failed file and the screen is without them."""
    count = 2 * (len(SPELLINGS) + len(ALPHABETS)) + 1
    write_ids(tmp_path / "ids.txt", count)
    with gateway(echo) as far:
        env = credentials(FETCHER_GATEWAY=far.url)
        done = Trace("ids.txt", "-o", "out.jsonl", "--qps", 200, "-v", env=env, cwd=tmp_path)
        signatures = {
            f"signature {asked.number}": parse_qs(asked.body.decode())["_aop_signature"][0] for asked in far.asked
        }
    assert done.code == 1, done.stderr
    failures = lines(tmp_path / "out.failed.jsonl")
    assert len(failures) == count
    assert sum("***" in line["error"]["message"] for line in failures) > count / 2  # others were cut off before
    assert found_in(done.everything, SECRETS) == []
    assert found_in(done.everything, signatures) == []


def test_a_gateway_that_refuses_by_repeating_the_request(tmp_path: Path) -> None:
    """The same in the answer that ends the run, which the closing words quote."""
    write_ids(tmp_path / "ids.txt", 3)

    def refuse(asked: Asked) -> Answer:
        said = {"error_code": "gw.SignatureInvalid", "error_message": f"bad: {asked.body.decode()}"}
        return 400, json.dumps(said).encode()

    with gateway(refuse) as far:
        done = Trace("ids.txt", "-o", "out.jsonl", "-v", env=credentials(FETCHER_GATEWAY=far.url), cwd=tmp_path)
    assert done.code == 3, done.stderr
    assert "access_token=***" in done.stderr
    assert found_in(done.everything, SECRETS) == []
    assert not SIGNATURE.search(done.everything)


def test_a_proxy_that_does_not_answer(tmp_path: Path) -> None:
    """A proxy's URL from the environment, with a password: the IDs fail, and the password is nowhere."""
    write_ids(tmp_path / "ids.txt", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        env = credentials(FETCHER_GATEWAY=NOWHERE, FETCHER_PROXY=proxy_url(silent.getsockname()[1]))
        patience = ("--timeout", 0.3, "--retries", 0, "--paid-retries", 0)
        done = Trace("ids.txt", "-o", "out.jsonl", "-v", "--summary", "-", *patience, env=env, cwd=tmp_path)
    assert done.code == 1, done.stderr
    assert {line["error"]["kind"] for line in lines(tmp_path / "out.failed.jsonl")} == {"timeout"}
    assert json.loads(done.stdout)["settings"]["proxy"]
    assert found_in(done.everything, SECRETS) == []


@pytest.mark.parametrize("source", ["FETCHER_PROXY", "HTTP_PROXY"])
def test_a_proxy_that_repeats_the_request(tmp_path: Path, source: str) -> None:
    """The password goes out in base64, with the user; the proxy's words about it are cut. With --trust-env too."""
    write_ids(tmp_path / "ids.txt", 3)

    def repeat(asked: Asked) -> Answer:
        headers = asked.headers["Proxy-Authorization"]
        return 200, json.dumps({"productInfo": None, "errMsg": f"no: {headers} for {asked.line}"}).encode()

    with gateway(repeat) as proxy:
        env = credentials(FETCHER_GATEWAY=NOWHERE, NO_PROXY="", **{source: proxy_url(proxy.port)})
        more = ["--trust-env"] if source == "HTTP_PROXY" else []
        done = Trace("ids.txt", "-o", "out.jsonl", "-v", *more, env=env, cwd=tmp_path)
        assert len(proxy.asked) == 3
    assert done.code == 1, done.stderr
    assert "Basic " in lines(tmp_path / "out.failed.jsonl")[0]["error"]["message"]
    assert found_in(done.everything, SECRETS) == []


BAD_FILES = {
    "fetcher.toml": [
        "app_secret = {quoted}\nqps = = 3\n",
        "app_secret = {quoted}\nunheard_of = 3\n",
        "app_secret = {bare}\n",
    ],
    ".env": ["FETCHER_APP_SECRET={bare}\nFETCHER_QPS=-1\n", "FETCHER_APP_SECRET='{bare}\n"],
    "my.secrets": ["app_secret={bare}\nother={bare}\n{bare}\n"],
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_of_settings(tmp_path: Path, name: str) -> None:
    """Exit 2 and a sentence that names file and line and repeats nothing of what stands there."""
    write_ids(tmp_path / "ids.txt", 1)
    bare = "Bad-Secret/+%&1"
    for text in BAD_FILES[name]:
        path = tmp_path / name
        path.write_text(text.format(quoted=json.dumps(bare), bare=bare))
        path.chmod(0o600)
        more = ["--secrets", name] if name.endswith(".secrets") else []
        env = {key: value for key, value in os.environ.items() if not key.startswith("FETCHER_")}
        done = run_anew("ids.txt", "-o", "out.jsonl", "-v", *more, env=env, cwd=tmp_path)
        assert done.returncode == 2, text
        assert name in done.stderr and "Traceback" not in done.stderr
        assert found_in(done.stdout + done.stderr, {"the secret": bare}) == [], text
