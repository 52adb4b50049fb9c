"""Values as plain JSON without secrets: NaN, odd keys, halves of characters and all. It knows no document."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from fetcher.secret import Redactor, Secret


def clean(value: Any, redactor: Redactor) -> Any:
    """Plain JSON values, every text redacted; what JSON does not know becomes text, NaN and infinity null."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Secret):
        return str(value)
    if isinstance(value, Mapping):
        return {_sound(redactor.redact(str(key))): clean(inner, redactor) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean(inner, redactor) for inner in value]
    return _sound(redactor.redact(str(value)))


def _sound(text: str) -> str:
    """Text that UTF-8 can write. A file's name that is not in the locale's encoding has its bytes as surrogates."""
    if text.isascii():
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    except UnicodeEncodeError:  # half an emoji
        return text.encode("utf-8", "replace").decode("utf-8")
