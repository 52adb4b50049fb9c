"""Outcomes by number, an output opened on them, and what a standard reader finds in its files."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import zstandard

from fetcher.model import ErrorInfo, Failure, Kind, Product
from fetcher.output import Identity, Output, Reopening, open_output

NAMES = ("out.jsonl", "out.jsonl.gz", "out.jsonl.zst")
IDENTITY = Identity("1/com.alibaba.product/alibaba.product.get", "param2", "https://gw.open.1688.com/openapi")


def product(number: int, size_bytes: int = 20) -> Product:
    return Product(str(number), 1000 * number, 1, 1.0, b'{"x":"' + b"y" * size_bytes + b'"}')


def failure(number: int, *, permanent: bool = True) -> Failure:
    return Failure(str(number), 0, 1, 1.0, ErrorInfo(Kind.SERVER, None, "no", 500, permanent))


def opened(folder: Path, name: str = "out.jsonl", *, reopening: Reopening | None = None, **options: Any) -> Output:
    """Opened for a run that syncs after every batch; `Reopening`'s fields may be given by themselves."""
    if reopening is None:
        named = {each: options.pop(each) for each in ("overwrite", "retry_failed") if each in options}
        reopening = Reopening(**named)
    return open_output(str(folder / name), None, reopening, **{"identity": IDENTITY, "sync_interval_s": 0.0, **options})


def stored(path: Path) -> list[str]:
    """IDs in a file, as any standard reader finds them."""
    if not path.exists():
        return []
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    elif path.suffix == ".zst":
        data = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True).read()
    return [json.loads(line)["id"] for line in data.decode().splitlines()]
