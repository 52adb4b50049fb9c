"""A bad night, in any size: the token expires twice, the cap is halved, the package runs out and is refilled.

python -m tests.holds.night 5000 100      # so many IDs at so many calls a second; prints what was seen
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from tests.holds.runs import lines, write_ids

SCENARIO = """
[sandbox]
port = 0
latency_ms = 30
jitter_ms = 10
absent = 0.0
require_token = true
qps = {cap}
usage = {usage}

[[change]]
at_call = {first}
expire_tokens = true
[[change]]
at_call = {half}
set = {{ qps = {halved} }}
[[change]]
at_call = {second}
expire_tokens = true
"""


class Seen(NamedTuple):
    """What became of it."""

    codes: list[int]
    summaries: list[dict[str, Any]]
    said: list[str]
    stats: dict[str, Any]
    stored: list[str]
    took_s: float


@contextmanager
def sandbox(folder: Path, text: str) -> Iterator[str]:
    """`fetcher sandbox --scenario`, as a user starts it; the address."""
    (folder / "night.toml").write_text(text)
    process = subprocess.Popen(
        [sys.executable, "-m", "fetcher", "sandbox", "--scenario", "night.toml"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.communicate(timeout=20)


def night(folder: Path, ids: int, qps: int, *words: str) -> Seen:
    """Two runs of the same command, the package refilled between them."""
    usage = ids * 3 // 4
    text = SCENARIO.format(cap=qps * 2, halved=qps, usage=usage, first=ids // 5, half=ids * 2 // 5, second=ids * 3 // 5)
    wanted = write_ids(folder / "ids.txt", ids)
    codes, summaries, said, begun_s = [], [], [], time.monotonic()
    with sandbox(folder, text) as url:
        env = {
            "FETCHER_GATEWAY": url,
            "FETCHER_APP_KEY": "1000000",
            "FETCHER_APP_SECRET": "sandbox-secret",
            "FETCHER_ACCESS_TOKEN": "sandbox-access-token",
            "FETCHER_REFRESH_TOKEN": "sandbox-refresh-token",
        }
        command = [sys.executable, "-m", "fetcher", "run", "ids.txt", "-o", "out.jsonl", "--qps", str(qps * 2)]
        command += ["--token-file", "tokens.json", "--summary", "-", *words]
        for _ in range(2):
            done = subprocess.run(
                command, env=_environment(env), cwd=folder, capture_output=True, text=True, timeout=900
            )
            codes.append(done.returncode)
            summaries.append(json.loads(done.stdout))
            said.append(done.stderr)
            httpx.post(url.removesuffix("openapi") + "_sandbox/change", json={"refill": ids}).raise_for_status()
        stats = httpx.get(url.removesuffix("openapi") + "_sandbox/stats").json()
    stored = sorted(line["id"] for line in lines(folder / "out.jsonl"))
    assert stored == wanted, "every ID once"
    return Seen(codes, summaries, said, stats, stored, time.monotonic() - begun_s)


def _environment(mine: dict[str, str]) -> dict[str, str]:
    import os

    return {name: value for name, value in os.environ.items() if not name.startswith("FETCHER_")} | mine


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        seen = night(Path(name), int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
    print(f"exit codes {seen.codes}; {len(seen.stored)} IDs stored once each in {seen.took_s:.0f} s")
    print("calls by the runs' own books:", [summary["calls"] for summary in seen.summaries])
    print("calls by the gateway's ledger:", json.dumps({k: seen.stats[k] for k in ("calls", "answers", "charged")}))
    print(f"fullest second at the gateway {seen.stats['worst_window']}; {seen.stats['ids_repeated']} IDs served twice")
