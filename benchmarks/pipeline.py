"""IDs file → sign → fetch → check → JSONL, with no cap in the way: products a second and CPU, side by side.

Prints a table with versions; see README.md beside this file for what it does and does not show.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from fetcher.gateway import param2_signature
from fetcher.sandbox import SandboxHandle, SandboxSettings, spawn

UNCAPPED = 100_000
IN_FLIGHT = 50
PATH = "param2/1/com.alibaba.product/alibaba.product.get"


def form(url_path: str, product_id: str, secret: str) -> dict[str, str]:
    """The signed form of one call."""
    params = {"productID": product_id, "webSite": "1688"}
    return params | {"_aop_signature": param2_signature(secret, url_path, params)}


def with_fetcher(gateway: SandboxHandle, ids: Path, out: Path) -> None:
    """The command, as a user types it."""
    env = os.environ | {"FETCHER_APP_SECRET": gateway.app_secret.reveal()}
    words = [sys.executable, "-m", "fetcher", "run", str(ids), "-o", str(out), "-q", "--qps", str(UNCAPPED)]
    words += ["--concurrency", str(IN_FLIGHT), "--gateway", gateway.url, "--app-key", gateway.app_key]
    subprocess.run(words, env=env, check=True)


def with_httpx_aiolimiter(gateway: SandboxHandle, ids: Path, out: Path) -> None:
    """As usually written: a task an ID, a semaphore, a limiter."""
    import httpx
    from aiolimiter import AsyncLimiter

    url_path, secret = f"{PATH}/{gateway.app_key}", gateway.app_secret.reveal()

    async def main() -> None:
        limiter, semaphore = AsyncLimiter(UNCAPPED, 1), asyncio.Semaphore(IN_FLIGHT)
        limits = httpx.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT)
        async with httpx.AsyncClient(limits=limits, timeout=60) as client:
            with out.open("w", encoding="utf-8") as file:

                async def fetch(product_id: str) -> None:
                    async with semaphore, limiter:
                        answer = await client.post(f"{gateway.url}/{url_path}", data=form(url_path, product_id, secret))
                    answer.raise_for_status()
                    file.write(json.dumps({"id": product_id, "data": answer.json()}, ensure_ascii=False) + "\n")

                await asyncio.gather(*(fetch(each) for each in ids.read_text().split()))

    asyncio.run(main())


def with_tutorial(gateway: SandboxHandle, ids: Path, out: Path) -> None:
    """One after the other."""
    import httpx

    url_path, secret = f"{PATH}/{gateway.app_key}", gateway.app_secret.reveal()
    with httpx.Client(timeout=60) as client, out.open("w", encoding="utf-8") as file:
        for product_id in ids.read_text().split():
            answer = client.post(f"{gateway.url}/{url_path}", data=form(url_path, product_id, secret))
            answer.raise_for_status()
            file.write(json.dumps({"id": product_id, "data": answer.json()}, ensure_ascii=False) + "\n")


CLIENTS: dict[str, tuple[Callable[[SandboxHandle, Path, Path], None], int]] = {
    "fetcher": (with_fetcher, 10),
    "httpx+aiolimiter": (with_httpx_aiolimiter, 1),
    "tutorial": (with_tutorial, 1),
}
"""Name → (client, how many times the IDs it gets, so that each round lasts seconds)."""


def measured(name: str, gateway: SandboxHandle, ids: list[str], folder: Path) -> tuple[float, float]:
    """One round in a process of its own: (products a second, CPU µs each)."""
    client, times = CLIENTS[name]
    wanted = [str(int(each) + k * 10_000_000) for k in range(times) for each in ids]
    source, out = folder / "ids.txt", folder / f"{name}.jsonl"
    source.write_text("\n".join(wanted) + "\n")
    for old in folder.glob(f"*{name}.jsonl*"):
        old.unlink()
    before, started_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    process = multiprocessing.get_context("fork").Process(target=client, args=(gateway, source, out))
    process.start()
    process.join()
    seconds, after = time.monotonic() - started_s, resource.getrusage(resource.RUSAGE_CHILDREN)
    with out.open(encoding="utf-8") as file:
        if sorted(json.loads(line)["id"] for line in file) != sorted(wanted):
            raise SystemExit(f"{name}: the file is not right, so it has no speed")
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return len(wanted) / seconds, cpu_s / len(wanted) * 1e6


def main() -> None:
    """Take turns, print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ids", type=int, default=2000, help="IDs a round (fetcher gets ten times as many)")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ids = [str(610_000_000_000 + k) for k in range(options.ids)]
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in CLIENTS}
    with spawn(SandboxSettings(absent=0.0)) as gateway, tempfile.TemporaryDirectory() as folder:
        for _ in range(options.rounds):
            for name in CLIENTS:
                found[name].append(measured(name, gateway, ids, Path(folder)))
    versions = ", ".join(f"{name} {version(name)}" for name in ("httpx", "aiolimiter", "uvloop"))
    print(f"Python {platform.python_version()}, {versions}; {os.cpu_count()} cores; {options.rounds} rounds\n")
    print("| client | products/s | CPU µs each | fetcher's products/s ÷ its own |\n|---|---|---|---|")
    rates = {name: statistics.median(rate for rate, _ in rounds) for name, rounds in found.items()}
    for name, rounds in found.items():
        cpu_us = statistics.median(cpu for _, cpu in rounds)
        print(f"| {name} | {rates[name]:.0f} | {cpu_us:.0f} | {rates['fetcher'] / rates[name]:.1f} |")


if __name__ == "__main__":
    main()
