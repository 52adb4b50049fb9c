"""The gateway's refusals, as one table: code or message → what it means and what to do about it.

Codes come with and without `gw.`, in any case. Sources: official SDKs, measured answers of independent clients; a code
that nobody knows is never taken for a success.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from fetcher.model import Kind, VerdictKind


class Meaning(msgspec.Struct, frozen=True):
    """What a refusal means."""

    kind: VerdictKind
    error: Kind = Kind.REJECTED
    remedy: str = ""


_PERMISSION: Final = (
    "the app may not call this API: order the solution that contains it at open.1688.com, have the capability granted "
    "and, where it needs one, the merchant relation; or choose another --api"
)
_AUTHORISE: Final = (
    "the access token is missing, wrong or expired: authorise the app again and set FETCHER_ACCESS_AUTHORISE"
)
_CLOCK: Final = "this machine's clock is off, or the API wants the time: set the clock, or try --timestamp"
_OTHER_SCHEME: Final = "; a gateway that speaks the other scheme: try --protocol "

_THROTTLE: Final = Meaning(VerdictKind.THROTTLE, Kind.THROTTLED)
_FATAL: Final[dict[str, str]] = {
    "signatureinvalid": "the app secret is wrong: check FETCHER_APP_SECRET (and that it belongs to the app key)",
    "signaturemissing": "the gateway found no signature",
    "appkeymissing": "the gateway found no app key in the path",
    "appkeynotfound": "the app key is unknown: check FETCHER_APP_KEY",
    "apiunsupported": "the gateway has no such API, or it is not in the app's package: check --api",
    "apiacldecline": _PERMISSION,
}
_EXACT: Final[dict[str, Meaning]] = {
    **{code: Meaning(VerdictKind.FATAL, Kind.REJECTED, remedy) for code, remedy in _FATAL.items()},
    "nousagelefterror": Meaning(
        VerdictKind.QUOTA, Kind.THROTTLED, "the package is used up: buy usage or wait for its renewal, then go on"
    ),
    "parammissing": Meaning(VerdictKind.REJECT, remedy="a parameter is missing: give it with --param"),
    "ispinvoketimeout": Meaning(VerdictKind.RETRY, Kind.SERVER),
    "ispinvokeerror": Meaning(VerdictKind.RETRY, Kind.SERVER),
}

_BY_TEXT: Final[tuple[tuple[Callable[[str, str], bool], Meaning], ...]] = (
    (lambda code, text: "qos" in code or code.endswith("frequencylimit"), _THROTTLE),
    (lambda code, text: "call frequency limit" in text or "exceeds limited frequency" in text, _THROTTLE),
    (
        lambda code, text: "need user auth" in text or "user authorization is required" in text,
        Meaning(VerdictKind.REFRESH, remedy=_AUTHORISE),
    ),
    (lambda code, text: code == "401", Meaning(VerdictKind.REFRESH, remedy=_AUTHORISE)),
    (
        lambda code, text: "request is expired" in text or "time stamp verify" in text,
        Meaning(VerdictKind.CLOCK, remedy=_CLOCK),
    ),
    (
        lambda code, text: "unsport appkey" in text or "invalid appkey" in text,
        Meaning(VerdictKind.FATAL, remedy=_FATAL["appkeynotfound"]),
    ),
    (lambda code, text: "not allowed(acl)" in text, Meaning(VerdictKind.FATAL, remedy=_PERMISSION)),
    (lambda code, text: "unsupport api" in text, Meaning(VerdictKind.FATAL, remedy=_FATAL["apiunsupported"])),
    (lambda code, text: code.startswith("param") or "argument" in code, Meaning(VerdictKind.REJECT)),
)
UNKNOWN: Final = Meaning(VerdictKind.RETRY, Kind.REJECTED, "the gateway's code is not known to this program")
"""Once more, then a failure that shows the code."""


def meaning_of(code: str, message: str, protocol: str) -> Meaning:
    """What the gateway's refusal means.

    Args:
        code: as it came, with or without `gw.`.
        message: as it came.
        protocol: how the request was signed; two refusals mean that the gateway may speak the other one.
    """
    bare, text = code.lower().removeprefix("gw."), message.lower()
    found = _EXACT.get(bare)
    if found is None:
        return next((meaning for fits, meaning in _BY_TEXT if fits(bare, text)), UNKNOWN)
    if bare in ("appkeymissing", "signaturemissing"):
        other = "guide" if protocol == "param2" else "param2"
        return msgspec.structs.replace(found, remedy=found.remedy + _OTHER_SCHEME + other)
    return found


TOP_LIMITS: Final = range(4, 9)
"""Codes of the TOP family for limits of calls (`App Call Limited` and its relatives)."""


def top_meaning(code: int, sub_code: str) -> Meaning:
    """What an `error_response` of the TOP family means: a limit must never pass for a failure of the ID."""
    if code in TOP_LIMITS or "limited-by" in sub_code:
        return _THROTTLE
    if code in (25, 29):
        return Meaning(VerdictKind.FATAL, remedy=_FATAL["signatureinvalid" if code == 25 else "appkeynotfound"])
    if code in (26, 27):
        return Meaning(VerdictKind.REFRESH, remedy=_AUTHORISE)
    return Meaning(VerdictKind.RETRY, Kind.SERVER) if sub_code.startswith("isp.") else UNKNOWN


_ABSENT: Final = ("不存在", "已下架", "已删除", "not exist", "not found")


def is_absent(message: str) -> bool:
    """An API's own words for: there is no such product (any more)."""
    text = message.lower()
    return any(words in text for words in _ABSENT)
