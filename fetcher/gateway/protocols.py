"""The ways to write and sign a call, as rows of a table. It must not know APIs, nor what an answer means.

| | `param2` | `guide` |
|---|---|---|
| path | `param2/{version}/{namespace}/{name}/{appKey}` | `param2/{version}/{namespace}/{name}` |
| method | POST, a form: nothing secret in a URL | GET, a query: its URL is a secret |
| before | | `app_key`, `method` = the API's name |
| timestamp | `_aop_timestamp` in ms, only when asked for | `timestamp` in s |
| after | | `format=json`, `v=2.0` |
| signature | `_aop_signature` | `sign` |

Parameters go out in the order: before, timestamp, those of the call, after, access token, signature.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from fetcher.errors import UsageError
from fetcher.gateway.signing import GUIDE_SIGNATURE, PARAM2_SIGNATURE, Pairs, guide_text, param2_text
from fetcher.settings import did_you_mean

METHODS: Final = ("GET", "POST")


class Protocol(msgspec.Struct, frozen=True):
    """One way to write and sign a call."""

    name: str
    method: str
    """Used unless the user chose another."""
    text: Callable[[str, Pairs], str]
    """Path and parameters → what is signed."""
    signature: str
    """Name of the parameter that carries it."""
    timestamp: str
    timestamp_unit_ms: int
    timestamp_always: bool
    app_key_in_path: bool
    before: tuple[tuple[str, str], ...] = ()
    """System parameters with `{app_key}` and `{api_name}` to be filled in."""
    after: tuple[tuple[str, str], ...] = ()
    as_tutorial: bool = False
    """An API that the tutorial calls is called with the tutorial's parameters."""


PROTOCOLS: Final[dict[str, Protocol]] = {
    row.name: row
    for row in (
        Protocol(
            name="param2",
            method="POST",
            text=param2_text,
            signature=PARAM2_SIGNATURE,
            timestamp="_aop_timestamp",
            timestamp_unit_ms=1,
            timestamp_always=False,
            app_key_in_path=True,
        ),
        Protocol(
            name="guide",
            method="GET",
            text=guide_text,
            signature=GUIDE_SIGNATURE,
            timestamp="timestamp",
            timestamp_unit_ms=1000,
            timestamp_always=True,
            app_key_in_path=False,
            before=(("app_key", "{app_key}"), ("method", "{api_name}")),
            after=(("format", "json"), ("v", "2.0")),
            as_tutorial=True,
        ),
    )
}
"""By name. Another family's scheme (secret round the text, MD5) would be one more row and one more text function."""


def find_protocol(name: str) -> Protocol:
    """The row of that name.

    Raises:
        UsageError: there is none.
    """
    try:
        return PROTOCOLS[name]
    except KeyError:
        raise UsageError(
            f"no protocol {name!r}{did_you_mean(name, PROTOCOLS)}", f"One of: {', '.join(PROTOCOLS)}."
        ) from None


def reserved(protocol: Protocol) -> frozenset[str]:
    """Names of parameters that the protocol sets itself."""
    names = [name for name, _ in (*protocol.before, *protocol.after)]
    return frozenset([*names, protocol.signature, protocol.timestamp, "access_token"])
