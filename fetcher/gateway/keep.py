"""Of an answer, what is to be kept: the members at some paths, each to the byte. It must not know what they mean.

A path goes through lists: `skuInfos.amountOnSale` is that member of each element. What is not there is left out, and
members stand in the order of the paths. An answer of another form is kept whole: better too much than a part that
misleads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from fetcher.gateway.api import Path
from fetcher.gateway.clean import BROKEN


def keeper(paths: Sequence[Path]) -> Callable[[bytes], bytes]:
    """What reduces an answer to its members at `paths`; without paths it does nothing.

    Examples:
        >>> keeper([("a", "b"), ("c",)])(b'{"c": 1.50, "x": 2, "a": [{"b": 1, "y": 3}]}')
        b'{"a":[{"b":1}],"c":1.50}'
    """
    if not paths:
        return bytes
    decode, encode = msgspec.json.Decoder(_type(paths)).decode, msgspec.json.Encoder().encode

    def keep(payload: bytes) -> bytes:
        try:
            return encode(decode(payload))
        except BROKEN:
            return payload

    return keep


def _type(paths: Sequence[Path]) -> Any:
    fields = []
    names = list(dict.fromkeys(path[0] for path in paths))
    for number, name in enumerate(names):
        deeper = [path[1:] for path in paths if path[0] == name and len(path) > 1]
        inner: Any = _type(deeper) if deeper else None
        kind: Any = msgspec.Raw if inner is None else inner | list[inner | None] | None
        fields.append((f"f{number}", kind | msgspec.UnsetType, msgspec.UNSET))
    rename = {f"f{number}": name for number, name in enumerate(names)}
    return msgspec.defstruct("Kept", fields, gc=False, rename=rename)
