"""What a user would pick instead, each written as its own docs advise: IDs file → sign → fetch → check → JSONL.

`python -m benchmarks.clients NAME URL IDS OUT IN_FLIGHT`. Each signs the tutorial's way, parses the answer, looks
whether it is the product that was asked for, and writes a line.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

SECRET = b"benchmark-secret"
METHOD = "alibaba.product.get"
PATH = f"/openapi/param2/1/com.alibaba.product/{METHOD}"


def signed(url: str, product_id: str) -> str:
    """The whole URL of one call."""
    params = {
        "app_key": "1000000",
        "method": METHOD,
        "timestamp": str(int(time.time())),
        "productId": product_id,
        "format": "json",
        "v": "2.0",
    }
    text = "".join(f"{key}{params[key]}" for key in sorted(params))
    sign = hmac.new(SECRET, text.encode(), hashlib.sha1).hexdigest().upper()
    return f"{url}{PATH}?{urlencode(params | {'sign': sign})}"


def signed_at_once(url: str, product_id: str) -> str:
    """The same, written out for this one call: a third of the time."""
    now = int(time.time())
    text = f"app_key1000000formatjsonmethod{METHOD}productId{product_id}timestamp{now}v2.0"
    sign = hmac.digest(SECRET, text.encode(), "sha1").hex().upper()
    query = f"app_key=1000000&method={METHOD}&timestamp={now}&productId={product_id}&format=json&v=2.0&sign={sign}"
    return f"{url}{PATH}?{query}"


def line_of(product_id: str, answer: Any) -> str:
    """A line of the output, once the answer is known to be the right one."""
    if answer["productInfo"]["productID"] != int(product_id):
        raise ValueError(product_id)
    return json.dumps({"id": product_id, "data": answer}, ensure_ascii=False) + "\n"


def with_requests(url: str, ids: list[str], out: Path, in_flight: int) -> None:
    """The tutorial's loop: one after the other."""
    import requests

    with requests.Session() as session, out.open("w", encoding="utf-8") as file:
        for product_id in ids:
            answer = session.get(signed(url, product_id), timeout=30)
            answer.raise_for_status()
            file.write(line_of(product_id, answer.json()))


def with_threads(url: str, ids: list[str], out: Path, in_flight: int) -> None:
    """A pool of threads, a session each."""
    import threading
    from concurrent.futures import ThreadPoolExecutor

    import requests

    local = threading.local()

    def fetch(product_id: str) -> str:
        if not hasattr(local, "session"):
            local.session = requests.Session()
        answer = local.session.get(signed(url, product_id), timeout=30)
        answer.raise_for_status()
        return line_of(product_id, answer.json())

    with ThreadPoolExecutor(in_flight) as pool, out.open("w", encoding="utf-8") as file:
        for line in pool.map(fetch, ids):
            file.write(line)


def with_httpx(url: str, ids: list[str], out: Path, in_flight: int) -> None:
    """A task an ID, a semaphore, a limiter (which does not limit here)."""
    import httpx
    from aiolimiter import AsyncLimiter

    async def main() -> None:
        limiter, semaphore = AsyncLimiter(100_000, 1), asyncio.Semaphore(in_flight)
        limits = httpx.Limits(max_connections=in_flight, max_keepalive_connections=in_flight)
        async with httpx.AsyncClient(limits=limits, timeout=60) as client:
            with out.open("w", encoding="utf-8") as file:

                async def fetch(product_id: str) -> None:
                    async with semaphore, limiter:
                        answer = await client.get(signed(url, product_id))
                    answer.raise_for_status()
                    file.write(line_of(product_id, answer.json()))

                await asyncio.gather(*(fetch(each) for each in ids))

    asyncio.run(main())


def with_aiohttp(url: str, ids: list[str], out: Path, in_flight: int) -> None:
    """On uvloop, a task an ID, the connector's limit."""
    import aiohttp
    import uvloop

    async def main() -> None:
        connector = aiohttp.TCPConnector(limit=in_flight)
        async with aiohttp.ClientSession(connector=connector) as session:
            with out.open("w", encoding="utf-8") as file:

                async def fetch(product_id: str) -> None:
                    async with session.get(signed(url, product_id), raise_for_status=True) as answer:
                        file.write(line_of(product_id, await answer.json()))

                await asyncio.gather(*(fetch(each) for each in ids))

    uvloop.run(main())


def with_pyreqwest(url: str, ids: list[str], out: Path, in_flight: int) -> None:
    """reqwest from Rust, on uvloop, a pool of workers, as usually written."""
    import uvloop
    from pyreqwest.client import ClientBuilder

    async def main() -> None:
        rest = iter(ids)
        async with ClientBuilder().max_connections(in_flight).error_for_status(True).build() as client:
            with out.open("w", encoding="utf-8") as file:

                async def work() -> None:
                    for product_id in rest:
                        answer = await client.get(signed(url, product_id)).build().send()
                        file.write(line_of(product_id, await answer.json()))

                await asyncio.gather(*(work() for _ in range(in_flight)))

    uvloop.run(main())


def with_pyreqwest_best(url: str, ids: list[str], out: Path, in_flight: int) -> None:
    """The fastest way of it that we found: the answer's own bytes are written, msgspec reads only what is checked."""
    import msgspec
    import uvloop
    from pyreqwest.client import ClientBuilder

    info = msgspec.defstruct("Info", [("productID", int)])
    read: Any = msgspec.json.Decoder(msgspec.defstruct("Envelope", [("productInfo", info)])).decode

    async def main() -> None:
        rest = iter(ids)
        builder = ClientBuilder().max_connections(in_flight).error_for_status(True)
        async with builder.build() as client:
            with out.open("wb") as file:

                async def work() -> None:
                    for product_id in rest:
                        answer = await client.get(signed_at_once(url, product_id)).build().send()
                        body = bytes(await answer.bytes())
                        if read(body).productInfo.productID != int(product_id):
                            raise ValueError(product_id)
                        file.write(b'{"id":"%b","data":%b}\n' % (product_id.encode(), body))

                await asyncio.gather(*(work() for _ in range(in_flight)))

    uvloop.run(main())


def with_scrapy(url: str, ids: list[str], out: Path, in_flight: int) -> None:
    """The usual spider with a JSON-lines feed."""
    import scrapy
    from scrapy.crawler import CrawlerProcess

    class Products(scrapy.Spider):
        name = "products"

        async def start(self) -> Any:
            for product_id in ids:
                yield scrapy.Request(signed(url, product_id), cb_kwargs={"product_id": product_id}, dont_filter=True)

        def parse(self, response: Any, product_id: str) -> Any:
            answer = response.json()
            if answer["productInfo"]["productID"] != int(product_id):
                raise ValueError(product_id)
            yield {"id": product_id, "data": answer}

    settings = {
        "CONCURRENT_REQUESTS": in_flight,
        "CONCURRENT_REQUESTS_PER_DOMAIN": in_flight,
        "DOWNLOAD_DELAY": 0,
        "FEEDS": {str(out): {"format": "jsonlines", "encoding": "utf-8", "overwrite": True}},
        "LOG_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "ROBOTSTXT_OBEY": False,
    }
    process = CrawlerProcess(settings)
    process.crawl(Products)
    process.start()


CLIENTS: dict[str, Callable[[str, list[str], Path, int], None]] = {
    "requests": with_requests,
    "requests+threads": with_threads,
    "httpx+aiolimiter": with_httpx,
    "aiohttp+uvloop": with_aiohttp,
    "pyreqwest": with_pyreqwest,
    "pyreqwest-best": with_pyreqwest_best,
    "scrapy": with_scrapy,
}
PACKAGES = {
    "requests": "requests",
    "requests+threads": "requests",
    "httpx+aiolimiter": "httpx",
    "aiohttp+uvloop": "aiohttp",
    "pyreqwest": "pyreqwest",
    "pyreqwest-best": "pyreqwest",
    "scrapy": "Scrapy",
}

if __name__ == "__main__":
    name, url, ids, out, in_flight = sys.argv[1:]
    CLIENTS[name](url, Path(ids).read_text().split(), Path(out), int(in_flight))
