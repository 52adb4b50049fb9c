"""What stands in a line of ours behind its ID: when it was fetched, and its content. Pure: no file, no clock."""

from __future__ import annotations

import json
import re
from hashlib import blake2b
from typing import Final, NamedTuple

import msgspec
import orjson

from fetcher.output.line import head_id

HASH_BITS: Final = 56
"""Of a content hash: two different contents share one with a probability of 1 in 7 · 10¹⁶."""
_HEAD: Final = re.compile(
    rb'\{"id":"(?:[^"\\]|\\.)*","fetched_at":"([^"]{24})","attempts":[0-9]+,"latency_ms":[0-9.]+,"(data|change)":'
)
_DATA: Final = b',"data":'


class Stored(NamedTuple):
    """A product's line."""

    id: str
    fetched_at: bytes
    """UTC as it stands in the line; such texts are in the order of time."""
    data: bytes | None
    """The content's own bytes; None where the line says only that it was the same."""


def stored(line: bytes) -> Stored | None:
    """A line of OUT, or of the list of what was unchanged, in parts; None for any other, such as a failure's."""
    head = _HEAD.match(line)
    found = head_id(line) if head is not None else None
    if head is None or found is None:
        return None
    # The head holds no such bytes: a quote within an ID is escaped.
    at = line.find(_DATA)
    return Stored(found, head[1], line[at + len(_DATA) : -1] if at >= 0 else None)


def split_data(line: bytes) -> tuple[bytes, bytes]:
    """A product's line as head (without the comma) and content."""
    at = line.find(_DATA)
    return line[:at], line[at + len(_DATA) : -1]


def content_hash(data: bytes) -> int:
    """A number that is the same where the content is: the order of members and white space do not count, the text of
    numbers does (`1.50` is not `1.5`).

    An answer with half an emoji (`\\ud83d` alone), or nested too deep to be sorted, is compared by its bytes.
    """
    fragment = orjson.Fragment
    try:
        value = json.loads(data, parse_float=fragment, parse_int=fragment, parse_constant=fragment)
        data = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except (orjson.JSONEncodeError, ValueError, RecursionError):
        pass
    return int.from_bytes(blake2b(data, digest_size=HASH_BITS // 8).digest(), "big")


class Sorted(msgspec.Struct, frozen=True):
    """Lines of products, marked."""

    out: bytes | memoryview
    unchanged: bytes
    """Slim lines: the head and `"change":"same"`."""
    same_ids: frozenset[str]
    """IDs of the slim ones."""
