"""The books of a run, kept by somebody else: files are read by standard readers, never by the program's own."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

import zstandard


def plain(path: Path) -> bytes:
    """What the file holds, up to where a killed run has torn it."""
    data = path.read_bytes() if path.exists() else b""
    if path.suffix not in (".gz", ".zst"):
        return data
    out = []
    while data:
        reader: Any = zlib.decompressobj(31) if path.suffix == ".gz" else zstandard.ZstdDecompressor().decompressobj()
        member = reader.decompress(data)
        if not reader.eof:
            break
        out.append(member)
        data = reader.unused_data
    return b"".join(out)


def records(path: Path, *, torn: bool = False) -> list[dict[str, Any]]:
    """Every line, parsed. `torn`: the last one may be cut short, as after a kill; no other ever."""
    *lines, rest = plain(path).split(b"\n")
    assert torn or rest == b"", f"{path.name} does not end on a line: {rest[-80:]!r}"
    return [json.loads(line) for line in lines]


def failed_of(out: Path) -> Path:
    """Where the failures of this OUT go."""
    stem, dot, ending = out.name.partition(".jsonl")
    return out.with_name(f"{stem}.failed{dot}{ending}")


def check(out: Path, ids: Collection[str], *, left: int | None = 0, torn: bool = False) -> Counter[str]:
    """Every ID of the input at most once in both files together, nothing else in them, every product the ID's own.

    Args:
        out: OUT.
        ids: the input's.
        left: how many IDs stand in neither; None: any number.
        torn: the run was killed.

    Returns:
        Kinds of failures, counted.
    """
    products, failures = records(out, torn=torn), records(failed_of(out), torn=torn)
    seen = Counter(record["id"] for record in products) + Counter(record["id"] for record in failures)
    twice = [product_id for product_id, times in seen.items() if times > 1]
    assert not twice, f"{len(twice)} IDs stand twice, such as {twice[:5]}"
    assert seen.keys() <= set(ids), f"IDs that nobody asked for: {sorted(seen.keys() - set(ids))[:5]}"
    for record in products:
        assert str(record["data"]["productInfo"]["productID"]) == record["id"], "a product of another ID"
    missing = len(set(ids)) - len(seen)
    assert left is None or missing == left, f"{missing} IDs stand nowhere, not {left}"
    return Counter(record["error"]["kind"] for record in failures)


def glance(out: Path) -> None:
    """After a kill, quickly: whole lines but the last, no ID twice. `check` looks at every byte in the end."""
    seen: list[bytes] = []
    for path in (out, failed_of(out)):
        *lines, _ = plain(path).split(b"\n")
        assert all(line.startswith(b'{"id":"') and line.endswith(b"}") for line in lines), "torn in the midst"
        seen += [line[7:19] for line in lines]
        for line in lines[-20:]:
            json.loads(line)
    assert len(seen) == len(set(seen)), "an ID stands twice"


def left_behind(folder: Path) -> set[str]:
    """Names of the hidden files beside OUT, and of those set aside."""
    return {path.name for path in folder.iterdir() if path.name.startswith(".") or path.suffix in (".torn", ".bad")}
