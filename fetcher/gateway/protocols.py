"""The ways to write and sign a call, as rows of a table. It must not know APIs, nor what an answer means.

| | `param2` | `guide` | `top` |
|---|---|---|---|
| path | `param2/{version}/{namespace}/{name}/{appKey}` | `param2/{version}/{namespace}/{name}` | `router/rest` |
| method | POST, a form: nothing secret in a URL | GET, a query: its URL is a secret | POST |
| before | | `app_key`, `method` = the API's name | the same, `sign_method` |
| timestamp | `_aop_timestamp` in ms, only when asked for | `timestamp` in s | `timestamp`, China's time in words |
| format | `_aop_responseFormat=xml2`, only for XML | `format` | `format` |
| after | | `v=2.0` | `v=2.0` |
| token | `access_token` | `access_token` | `session` |
| signature | `_aop_signature` | `sign` | `sign` |

Parameters go out in the order: before, timestamp, those of the call, format, after, token, signature.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from fetcher.errors import UsageError
from fetcher.gateway.api import Family
from fetcher.gateway.calls import EXAMPLE_URL
from fetcher.gateway.signing import GUIDE_SIGNATURE, PARAM2_SIGNATURE, Pairs, Signer, guide_text, param2_text
from fetcher.gateway.top_signing import SIGN_METHODS, TopSigner, china_time
from fetcher.secret import Secret
from fetcher.settings import did_you_mean

METHODS: Final = ("GET", "POST")


class Protocol(msgspec.Struct, frozen=True):
    """One way to write and sign a call."""

    name: str
    method: str
    """Used unless the user or the API chose another."""
    text: Callable[[str, Pairs], str]
    """Path and parameters → what is signed."""
    signature: str
    """Name of the parameter that carries it."""
    timestamp: str
    stamp: Callable[[int], str]
    """Milliseconds since 1970 UTC → the timestamp's text."""
    timestamp_always: bool
    address: str
    """The signed path, with `{path}` and `{app_key}` to be filled in."""
    time_api: str
    """Path of the API that tells the gateway's time."""
    json: tuple[tuple[str, str], ...] = ()
    """What asks for an answer in JSON,"""
    xml: tuple[tuple[str, str], ...] = ()
    """and in XML."""
    family: Family = Family.AOP
    home: str = EXAMPLE_URL
    """Base URL of the real gateway."""
    token: str = "access_token"  # noqa: S105 - the name of a parameter
    before: tuple[tuple[str, str], ...] = ()
    """System parameters with `{app_key}`, `{api_name}` and `{sign_method}` to be filled in."""
    after: tuple[tuple[str, str], ...] = ()
    as_tutorial: bool = False
    """An API that the tutorial calls is called with the tutorial's parameters."""

    def signed_path(self, path: str, app_key: str) -> str:
        """The path below the base URL, as it is signed.

        Args:
            path: the API's.
            app_key: the caller's.
        """
        return self.address.format(path=path, app_key=app_key)

    def base_url(self, given: str) -> str:
        """The base URL to use where the user said `given`, or said nothing and it is 1688's own."""
        if self.family is Family.AOP:
            return given
        if given == EXAMPLE_URL:
            return self.home
        # The address is given whole, or is that of a gateway which has both families at one host.
        return given.rstrip("/").removesuffix(self.address).rstrip("/").removesuffix("/openapi")


def _milliseconds(now_ms: int) -> str:
    return str(now_ms)


def _seconds(now_ms: int) -> str:
    return str(now_ms // 1000)


_NAMED: Final = (("app_key", "{app_key}"), ("method", "{api_name}"))

PROTOCOLS: Final[dict[str, Protocol]] = {
    row.name: row
    for row in (
        Protocol(
            name="param2",
            method="POST",
            text=param2_text,
            signature=PARAM2_SIGNATURE,
            timestamp="_aop_timestamp",
            stamp=_milliseconds,
            timestamp_always=False,
            address="param2/{path}/{app_key}",
            time_api="1/system/currentTime",
            xml=(("_aop_responseFormat", "xml2"),),
        ),
        Protocol(
            name="guide",
            method="GET",
            text=guide_text,
            signature=GUIDE_SIGNATURE,
            timestamp="timestamp",
            stamp=_seconds,
            timestamp_always=True,
            address="param2/{path}",
            time_api="",
            json=(("format", "json"),),
            xml=(("format", "xml"),),
            before=_NAMED,
            after=(("v", "2.0"),),
            as_tutorial=True,
        ),
        Protocol(
            name="top",
            method="POST",
            text=guide_text,
            signature=GUIDE_SIGNATURE,
            timestamp="timestamp",
            stamp=china_time,
            timestamp_always=True,
            address="router/rest",
            time_api="taobao.time.get",
            json=(("format", "json"),),
            xml=(("format", "xml"),),
            family=Family.TOP,
            home="https://eco.taobao.com",
            token="session",  # noqa: S106 - the name of a parameter
            before=(*_NAMED, ("sign_method", "{sign_method}")),
            after=(("v", "2.0"),),
        ),
    )
}
"""By name."""


def signer_for(protocol: Protocol, secret: Secret, sign_method: str | None) -> Signer | TopSigner:
    """What signs the calls.

    Args:
        protocol: how they are written.
        secret: the app's.
        sign_method: one of `SIGN_METHODS` where the protocol has several; None: the usual one.

    Raises:
        UsageError: the protocol has one way to sign only, or not this one.
    """
    if protocol.family is Family.TOP:
        return TopSigner(secret, sign_method or SIGN_METHODS[0])
    if sign_method is not None:
        raise UsageError(
            f"sign_method belongs to the TOP family, and --protocol {protocol.name} has one way to sign",
            "Leave --sign-method out, or add --protocol top.",
        )
    return Signer(secret)


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
    names = [name for name, _ in (*protocol.before, *protocol.json, *protocol.after)]
    return frozenset([*names, protocol.signature, protocol.timestamp, protocol.token, "access_token"])
