"""The cap against enforcers that nobody here wrote: nginx's `limit_req` and HAProxy's `http_req_rate(1s)`.

    python -m benchmarks.enforcers               # about ten minutes
    python -m benchmarks.enforcers --seconds 10 --caps 20 100

client ─ 20 ± 10 ms on the way ─▶ enforcer ─▶ the project's sandbox, all on this machine. `refused` counts 429s; `used`
is what came through a second, over the enforced cap, from the first call to the last. Exit code 1 where fetcher misses
a target: at most 0.1 % refused and at least 97 % used at the same cap; at most 3 % and at least 75 % where the enforcer
takes 60 % of what was configured and that has to be found out. HAProxy counts refused calls, too.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.far_end import enforcer, long_way, version_of
from benchmarks.plot import bars
from benchmarks.reports import Report, arguments, installed
from fetcher.gateway import param2_signature
from fetcher.sandbox import SandboxHandle, SandboxSettings, spawn

PATH = "param2/1/com.alibaba.product/alibaba.product.get"


def with_fetcher(url: str, gateway: SandboxHandle, cap: int, count: int) -> tuple[int, int]:
    """The command: (calls, refused)."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "ids.txt").write_text("".join(f"{610_000_000_000 + k}\n" for k in range(count)))
        env = os.environ | {"FETCHER_APP_SECRET": gateway.app_secret.reveal(), "FETCHER_APP_KEY": gateway.app_key}
        words = ["run", str(folder / "ids.txt"), "-o", str(folder / "out.jsonl"), "--summary", str(folder / "s.json")]
        words += ["--qps", str(cap), "--gateway", url, "-q"]
        subprocess.run([sys.executable, "-m", "fetcher", *words], env=env, check=True)
        calls = json.loads((folder / "s.json").read_text())["calls"]
        return calls["sent"], calls["throttles"]


def with_httpx(url: str, gateway: SandboxHandle, cap: int, count: int) -> tuple[int, int]:
    """httpx and aiolimiter as usually written; a refused call is made again."""
    import httpx
    from aiolimiter import AsyncLimiter

    url_path, secret = f"{PATH}/{gateway.app_key}", gateway.app_secret.reveal()
    told = [0, 0]

    async def main() -> None:
        limiter = AsyncLimiter(cap, 1)
        async with httpx.AsyncClient(timeout=60) as client:

            async def fetch(product_id: str) -> None:
                status = 429
                while status == 429:
                    async with limiter:
                        params = {"productID": product_id, "webSite": "1688"}
                        form = params | {"_aop_signature": param2_signature(secret, url_path, params)}
                        answer = await client.post(f"{url}/{url_path}", data=form)
                    status = answer.status_code
                    told[0] += 1
                    told[1] += status == 429

            await asyncio.gather(*(fetch(str(610_000_000_000 + k)) for k in range(count)))

    asyncio.run(main())
    return told[0], told[1]


CLIENTS = {"fetcher": with_fetcher, "httpx+aiolimiter": with_httpx}


def cell(client: str, kind: str, configured: int, real: int, seconds: float) -> tuple[int, float, float]:
    """One client at one enforcer: (calls, refused %, used %)."""
    with spawn(SandboxSettings(absent=0.0)) as gateway:
        target = int(gateway.url.split(":")[2].split("/")[0])
        with enforcer(kind, real, target) as port, long_way(port) as entry:
            time.sleep(1.1)  # so that whoever looked whether it listens is forgotten
            gateway.reset()
            url = f"http://127.0.0.1:{entry}/openapi"
            calls, refused = CLIENTS[client](url, gateway, configured, int(real * seconds))
            stats = gateway.stats()
    return calls, refused / calls * 100, (stats["calls"] - 1) / stats["span_s"] / real * 100


def main() -> int:
    """Every cell, one after the other."""
    parser = arguments(__doc__)
    parser.add_argument("--caps", type=int, nargs="+", default=[20, 100, 1000])
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--kinds", nargs="+", default=["nginx", "haproxy"], choices=["nginx", "haproxy"])
    parser.add_argument("--name", default="enforcers", help="of the files in results/")
    options = parser.parse_args()
    versions = [*installed("fetcher", "httpx", "aiolimiter"), *(version_of(kind) for kind in options.kinds)]
    title = "The cap at enforcers that nobody here wrote, 20 ± 10 ms away, --headroom auto"
    report = Report(options.name, title, versions, keep=not options.trial)
    report.head("enforcer", "its cap", "configured", "client", "calls", "refused", "used", "target")
    missed, picture = 0, list[tuple[str, float]]()
    for kind, cap in itertools.product(options.kinds, options.caps):
        for real in (cap, cap * 6 // 10):
            clients = ["fetcher", "httpx+aiolimiter"] if real == cap and cap <= 100 else ["fetcher"]
            for client in clients:
                seconds = options.seconds * (1 if real == cap else 3)
                calls, refused, used = cell(client, kind, cap, real, seconds)
                most, least = (0.1, 97.0) if real == cap else (3.0, 75.0)
                met = refused <= most and used >= least
                missed += client == "fetcher" and not met
                mark = "" if client != "fetcher" else "met" if met else "missed"
                report.row(kind, real, cap, client, calls, f"{refused:.2f} %", f"{used:.1f} %", mark)
                picture.append((f"{client}, {kind} {real} of {cap}", refused))
    report.picture(bars("Refused calls, percent", picture, "%", mark="fetcher"))
    report.save()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
