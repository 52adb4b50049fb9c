"""An outcome as one line, and a line's ID. Pure: no file, no clock.

The answer's own bytes are spliced in, so numbers and keys stay as they were sent. JSON may hold raw line breaks only
between its tokens, never within a string, so an answer that has some gets spaces in their place and keeps its values.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import msgspec

from fetcher.model import ErrorInfo, Failure, Kind, Outcome, Product

IN_DOUBT: Final = "in_doubt"
"""`error.code` of an ID that is held back."""
_END: Final = b"}\n"
_ONE_LINE: Final = bytes.maketrans(b"\n\r", b"  ")


@lru_cache(maxsize=4)
def _stamp(wall_ms: int) -> str:
    """At full speed a few dozen outcomes have the same millisecond."""
    seconds, ms = divmod(wall_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{ms:03d}Z"


def encode(outcome: Outcome) -> bytes:
    """The line, `\\n` at its end: `id` first, then when, how many attempts, how long; then `data` or `error`."""
    return b"".join(_pieces(outcome))


def _pieces(outcome: Outcome) -> tuple[bytes, bytes, bytes]:
    """A line's beginning, what was answered, and its end. Not joined, so that payloads are copied once for many."""
    text = outcome.id
    shown = f'"{text}"' if text.isascii() and text.isalnum() else msgspec.json.encode(text).decode()
    is_product = type(outcome) is Product  # `isinstance` would ask the structs' metaclass: 0.3 µs
    head = (
        f'{{"id":{shown},"fetched_at":"{_stamp(outcome.fetched_at_ms)}",'
        f'"attempts":{outcome.attempts},"latency_ms":{outcome.latency_ms:.1f},"{"data" if is_product else "error"}":'
    ).encode()
    if type(outcome) is Product:
        payload = outcome.payload
        if b"\n" in payload or b"\r" in payload:
            payload = payload.translate(_ONE_LINE)
        return head, payload, _END
    assert isinstance(outcome, Failure)
    return head, _error(outcome), _END


def _error(failure: Failure) -> bytes:
    fields = msgspec.structs.asdict(failure.error)
    # Half an emoji, as gateways cut them, has no place in UTF-8.
    fields["message"] = failure.error.message.encode("utf-8", "replace").decode()
    if fields["line"] is None:
        del fields["line"]
    return msgspec.json.encode(fields)


class Encoded(msgspec.Struct, frozen=True):
    """Outcomes as lines, and whose they are."""

    products: bytes | memoryview
    failures: bytes
    fetched: list[str]
    failed: list[str]
    sizes_bytes: list[int]
    """Of each line of the products, its end included: who looks at a line now and then need not search for it."""


def encode_all(outcomes: Iterable[Outcome], keep: Callable[[list[bytes]], bytes | memoryview] = b"".join) -> Encoded:
    """The lines of `outcomes` for either file, in order.

    Args:
        keep: is given the pieces of which the lines of the products consist, and makes what stands for them.
    """
    products, failures, fetched, failed, sizes = list[bytes](), list[bytes](), list[str](), list[str](), list[int]()
    for one in outcomes:
        if type(one) is Failure:
            failures.append(encode(one))
            failed.append(one.id)
        else:
            head, content, end = pieces = _pieces(one)
            products += pieces
            fetched.append(one.id)
            sizes.append(len(head) + len(content) + len(end))
    return Encoded(keep(products), b"".join(failures), fetched, failed, sizes)


def head_id(line: bytes) -> str | None:
    """The ID of a line that begins and ends as ours do; None for any other. Looks at its first and last bytes only."""
    if not line.startswith(b'{"id":"') or not line.endswith(b"}"):
        return None
    end = line.find(b'"', 7)
    if end < 0:
        return None
    text = line[7:end]
    if b"\\" in text:
        return _escaped_id(line)
    return text.decode("utf-8", "replace") or None


class _Head(msgspec.Struct):
    id: str


def _escaped_id(line: bytes) -> str | None:
    try:
        return msgspec.json.decode(line, type=_Head).id
    except (msgspec.DecodeError, ValueError):
        return None


class _Permanence(msgspec.Struct):
    permanent: bool = True
    code: object = None
    kind: str = ""


class _Line(msgspec.Struct):
    id: str
    error: _Permanence | None = None


def whole(line: bytes) -> bool:
    """The line is JSON from its first byte to its last, as any reader would have it."""
    try:
        msgspec.json.decode(line, type=_Line)
        line.decode()
    except (msgspec.DecodeError, ValueError, RecursionError):
        return _patiently_whole(line)
    return True


def _patiently_whole(line: bytes) -> bool:
    """Half an emoji (`\\ud83d` alone) is valid JSON, stored as it was sent; msgspec refuses it, Python does not."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and isinstance(value.get("id"), str)


def is_permanent(line: bytes) -> bool:
    """A line of the failed file whose failure no further try can help. An unreadable one is not."""
    try:
        error = msgspec.json.decode(line, type=_Line).error
    except (msgspec.DecodeError, ValueError, RecursionError):
        return False
    return error is not None and error.permanent


def kind_of(line: bytes) -> str:
    """The `kind` of a line of the failed file; empty where it cannot be read."""
    try:
        error = msgspec.json.decode(line, type=_Line).error
    except (msgspec.DecodeError, ValueError, RecursionError):
        return ""
    return "" if error is None else error.kind


def is_doubtful(line: bytes) -> bool:
    """A line of the failed file whose ID was held back, because an earlier call of it may have been charged."""
    try:
        error = msgspec.json.decode(line, type=_Line).error
    except (msgspec.DecodeError, ValueError, RecursionError):
        return False
    return error is not None and error.code == IN_DOUBT


def held_back(product_id: str, wall_ms: int) -> Failure:
    """The failure that stands for such an ID: it was never answered, so it is not permanent."""
    message = "called by a run that was killed before the answer was stored: may have been charged"
    return Failure(product_id, wall_ms, 1, 0.0, ErrorInfo(Kind.NETWORK, IN_DOUBT, message, None, permanent=False))
