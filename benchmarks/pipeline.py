"""IDs file → sign → fetch → check → JSONL, with no cap in the way: products a second and CPU, side by side.

    pip install -r benchmarks/requirements.txt     # and from Debian: nginx, wrk
    python -m benchmarks.pipeline                  # about four minutes
    python -m benchmarks.pipeline --body 20 --rounds 1

One nginx on one core answers with a product of the asked size, each client has the other core (process start included),
and wrk says what the server gives at most. The clients take turns; medians of the rounds. A round whose file does not
hold every ID exactly once has no speed.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.clients import CLIENTS, PACKAGES, PATH, SECRET
from benchmarks.far_end import free_port, wait_for
from benchmarks.plot import bars

RESULTS = Path(__file__).parent / "results"
COUNTS = {"fetcher": 40_000, "requests": 2_000, "requests+threads": 2_000, "httpx+aiolimiter": 400}
COUNTS |= {"aiohttp+uvloop": 10_000, "pyreqwest": 20_000, "scrapy": 800}
"""IDs a round, so that each lasts some seconds."""
PIECE = 3000

NGINX = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 8192; }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder}; keepalive_requests 1000000000; default_type application/json;
  server {{
    listen 127.0.0.1:{port} {listen} backlog=4096;
    {tls}
    location / {{
      {pieces}
      return 200 '{{"productInfo":{{"productID":$arg_productId,"subject":"连衣裙","pad":"{pad}"}},"errMsg":null}}';
    }}
  }}
}}
"""


def on_core(core: int) -> list[str]:
    """Words before a command that keep it on one core, where that can be done."""
    return ["taskset", "-c", str(core)] if shutil.which("taskset") and (os.cpu_count() or 1) > 1 else []


def certificate(folder: str) -> str:
    """A self-made one for localhost, as nginx takes it; its own authority is `cert.pem`."""
    names = ["-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem", "-subj", "/CN=localhost"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
    words = ["openssl", "req", "-x509", *curve, *names, "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(words, check=True, capture_output=True)
    return f"ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;"


@contextmanager
def nginx(body_kb: int, *, tls: bool = False) -> Iterator[tuple[str, str]]:
    """A gateway that answers every call with its product: the URL, and the file of its authority."""
    port, whole = free_port(), body_kb * 1000 - 80
    sizes = [PIECE] * (whole // PIECE) + [whole % PIECE]
    with tempfile.TemporaryDirectory() as folder:
        pieces = " ".join(f'set $p{k} "{"x" * size}";' for k, size in enumerate(sizes) if size)
        pad = "".join(f"$p{k}" for k, size in enumerate(sizes) if size)
        config = Path(folder) / "nginx.conf"
        told = certificate(folder) if tls else ""
        listen = "ssl" if tls else ""
        config.write_text(NGINX.format(folder=folder, port=port, pieces=pieces, pad=pad, tls=told, listen=listen))
        process = subprocess.Popen([*on_core(1), "nginx", "-c", str(config), "-p", folder], stderr=subprocess.DEVNULL)
        try:
            wait_for(port)
            yield (f"https://localhost:{port}", f"{folder}/cert.pem") if tls else (f"http://127.0.0.1:{port}", "")
        finally:
            process.terminate()
            process.wait()


def command_of(name: str, far: tuple[str, str], ids: Path, out: Path, in_flight: int) -> list[str]:
    """How a client is started."""
    url, ca_file = far
    if name != "fetcher":
        return [sys.executable, "-m", "benchmarks.clients", name, url, str(ids), str(out), str(in_flight)]
    words = [sys.executable, "-m", "fetcher", "run", str(ids), "-o", str(out), "-q", "--qps", "100000"]
    words += ["--concurrency", str(in_flight), "--gateway", f"{url}/openapi", "--app-key", "1000000"]
    return [*words, "--protocol", "guide", *(["--ca-file", ca_file] if ca_file else [])]


def measured(name: str, far: tuple[str, str], folder: Path, in_flight: int) -> tuple[float, float]:
    """One round: (products a second, CPU µs each)."""
    wanted = [str(610_000_000_000 + k) for k in range(COUNTS[name])]
    ids, out = folder / "ids.txt", folder / "out.jsonl"
    ids.write_text("\n".join(wanted) + "\n")
    for old in folder.glob("*out*"):
        old.unlink()
    env = os.environ | {"FETCHER_APP_SECRET": SECRET.decode()}
    before, started_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run([*on_core(0), *command_of(name, far, ids, out, in_flight)], env=env, check=True)
    seconds, after = time.monotonic() - started_s, resource.getrusage(resource.RUSAGE_CHILDREN)
    with out.open(encoding="utf-8") as file:
        if sorted(json.loads(line)["id"] for line in file) != wanted:
            raise SystemExit(f"{name}: the file is not right, so it has no speed")
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return len(wanted) / seconds, cpu_s / len(wanted) * 1e6


def with_wrk(url: str, in_flight: int) -> tuple[float, float]:
    """The same call again and again, nothing looked at: (requests a second, CPU µs each)."""
    words = ["wrk", "-t1", f"-c{in_flight}", "-d4s", f"{url}{PATH}?productId=610947572360"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = subprocess.run([*on_core(0), *words], capture_output=True, text=True, check=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    rate, count = float(re.findall(r"Requests/sec: +([\d.]+)", said)[0]), int(re.findall(r"(\d+) requests in", said)[0])
    return rate, (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / count * 1e6


def versions(names: list[str]) -> str:
    """Of everything that was measured."""
    packages = ["fetcher", *dict.fromkeys(PACKAGES[name] for name in names if name in PACKAGES)]
    found = [f"{package} {version(package)}" for package in packages]
    return f"{datetime.date.today()}, Python {platform.python_version()}, {os.cpu_count()} cores; " + ", ".join(found)


def installed(name: str) -> bool:
    """What is not there is left out, and said."""
    try:
        version(PACKAGES[name])
    except PackageNotFoundError:
        print(f"{name} is left out: {PACKAGES[name]} is not installed")
        return False
    return True


def main() -> None:
    """Take turns, print medians and ratios, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--body", type=int, default=5, help="KB of an answer")
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tls", action="store_true", help="over https; for fetcher and wrk")
    parser.add_argument("--only", nargs="+", default=["fetcher", *CLIENTS])
    options = parser.parse_args()
    names = [name for name in options.only if name == "fetcher" or installed(name)]
    if options.tls:
        names = ["fetcher"]
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ["wrk", *names]}
    with nginx(options.body, tls=options.tls) as far, tempfile.TemporaryDirectory() as place:
        for _ in range(options.rounds):
            found["wrk"].append(with_wrk(far[0], options.in_flight))
            for name in names:
                found[name].append(measured(name, far, Path(place), options.in_flight))
    rows = {name: [statistics.median(each) for each in zip(*rounds, strict=True)] for name, rounds in found.items()}
    print(versions(names))
    print(f"answers of {options.body} KB, {options.in_flight} in flight, medians of {options.rounds} rounds")
    print("| client | products/s | CPU µs each | ÷ wrk | fetcher ÷ it |\n|---|---|---|---|---|")
    ours, limit = rows.get("fetcher", [0.0])[0], rows["wrk"][0]
    for name, (rate, cpu) in sorted(rows.items(), key=lambda row: -row[1][0]):
        print(f"| {name} | {rate:,.0f} | {cpu:,.0f} | {rate / limit:.3f} | {ours / rate:.1f} |")
    RESULTS.mkdir(exist_ok=True)
    ordered = sorted(((name, rate) for name, (rate, _) in rows.items()), key=lambda row: -row[1])
    title = f"Products a second, {options.body} KB, {options.in_flight} in flight, one core"
    if options.tls:
        return
    (RESULTS / f"pipeline-{options.body}kb.svg").write_text(bars(title, ordered, "/s"))


if __name__ == "__main__":
    main()
