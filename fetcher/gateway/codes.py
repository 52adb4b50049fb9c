"""What the gateway's codes, messages and statuses mean, as tables. It must not know where they were found.

Codes are compared by what follows `gw.`, whatever the case of the letters; some gateways leave the prefix out.
Where a code is too general (`400`), the message tells.
"""

from __future__ import annotations

from typing import Final

import msgspec

from fetcher.model import Kind, VerdictKind


class Meaning(msgspec.Struct, frozen=True):
    """What is to be done about a refusal."""

    kind: VerdictKind
    error: Kind = Kind.REJECTED
    remedy: str = ""
    guide_remedy: str = ""
    """In place of `remedy` where calls are not signed as 1688's own gateway wants it."""
    refuses_call: bool = False
    """It is about how the API was called."""

    def remedy_for(self, protocol_name: str) -> str:
        """One line for a person."""
        return self.guide_remedy if self.guide_remedy and protocol_name != "param2" else self.remedy


def _fatal(remedy: str, guide_remedy: str = "") -> Meaning:
    return Meaning(VerdictKind.FATAL, remedy=remedy, guide_remedy=guide_remedy)


THROTTLE: Final = Meaning(VerdictKind.THROTTLE, Kind.THROTTLED)
TRANSIENT: Final = Meaning(VerdictKind.RETRY, Kind.SERVER)
MALFORMED: Final = Meaning(VerdictKind.RETRY, Kind.MALFORMED)
UNKNOWN: Final = Meaning(VerdictKind.RETRY, Kind.REJECTED)
"""A refusal that nobody has described: never a success. RETRY with `rejected` tells the policy to try once more, no
oftener."""
ABSENT: Final = Meaning(VerdictKind.ABSENT, Kind.NOT_FOUND)
REJECTED: Final = Meaning(VerdictKind.REJECT)

NO_SIGNATURE: Final = _fatal(
    "the signature got lost on the way, or the gateway follows the tutorial: check --gateway, or try --protocol guide",
    "this gateway wants its own signature: try --protocol param2",
)
WRONG_SIGNATURE: Final = _fatal(
    "the app secret does not belong to this app key: correct FETCHER_APP_SECRET or --app-key",
    "the app secret does not belong to this app key: correct FETCHER_APP_SECRET or --app-key; "
    "if both are right, try --protocol param2",
)
NO_APP_KEY: Final = _fatal(
    "the app key got lost on the way, or the gateway follows the tutorial: check --gateway, or try --protocol guide",
    "this gateway wants the app key in the path: try --protocol param2",
)
WRONG_APP_KEY: Final = _fatal("the gateway does not know this app key: correct --app-key, or --gateway")
NO_SUCH_API: Final = _fatal("correct the name of --api, or have this API added to the app's package at open.1688.com")
NO_PERMISSION: Final = _fatal(
    "ask for the permission at open.1688.com: the solution must be ordered, this API granted to the app, "
    "and the merchant related to it"
)
TOKEN: Final = Meaning(VerdictKind.REFRESH, remedy="get a new access token and set FETCHER_ACCESS_TOKEN")
EXPIRED: Final = Meaning(
    VerdictKind.CLOCK,
    remedy="set this machine's clock, or leave --timestamp out",
    guide_remedy="set this machine's clock",
)
NO_TIMESTAMP: Final = Meaning(VerdictKind.CLOCK, remedy="this API wants the time: add --timestamp")
QUOTA: Final = Meaning(
    VerdictKind.QUOTA,
    Kind.THROTTLED,
    "the usage that was bought is used up: buy more or wait for the next period, then run the same command again",
)
WRONG_PARAMETER: Final = Meaning(
    VerdictKind.REJECT,
    remedy="the call lacks an argument, or one is wrong: check --api, --id-param and --param",
    refuses_call=True,
)

CODES: Final[dict[str, Meaning]] = {
    "401": TOKEN,
    "signatureinvalid": WRONG_SIGNATURE,
    "signaturemissing": NO_SIGNATURE,
    "appkeymissing": NO_APP_KEY,
    "appkeynotfound": WRONG_APP_KEY,
    "apiunsupported": NO_SUCH_API,
    "apiacldecline": NO_PERMISSION,
    "nousagelefterror": QUOTA,
    "parammissing": WRONG_PARAMETER,
    "ispinvoketimeout": TRANSIENT,
    "ispinvokeerror": TRANSIENT,
}
"""Code without `gw.`, in small letters."""

CODE_PARTS: Final[tuple[tuple[str, Meaning], ...]] = (
    ("qos", THROTTLE),
    ("frequencylimit", THROTTLE),
    ("gw.param", WRONG_PARAMETER),
)
"""Parts of codes, in small letters; the first that is found counts."""

MESSAGES: Final[tuple[tuple[str, Meaning], ...]] = (
    ("has no usage left", QUOTA),
    ("call frequency limit", THROTTLE),
    ("exceeds limited frequency", THROTTLE),
    ("app call limited", THROTTLE),
    ("request need user auth", TOKEN),
    ("user authorization is required", TOKEN),
    ("request is expired", EXPIRED),
    ("need time stamp verify", NO_TIMESTAMP),
    ("invalid appkey", WRONG_APP_KEY),
    ("appkey is not allowed", NO_PERMISSION),
    ("unsupport api", NO_SUCH_API),
    ("系统繁忙", TRANSIENT),
    ("稍后再试", TRANSIENT),
    ("try again later", TRANSIENT),
)
"""Parts of messages, in small letters. The last three are the services' own words for trouble that passes."""

ABSENT_WORDS: Final = ("不存在", "已下架", "已删除", "does not exist", "not exist", "not found")
"""In the message of a business failure: there is no such product (any more)."""

_TOP_LOST: Final = _fatal("a parameter got lost on the way: check --gateway, and what stands between")
_TOP_NO_PERMISSION: Final = _fatal(
    "ask for the permission at open.taobao.com: the API's package must be granted to the app, and the user must have "
    "authorised it"
)
_TOP_NO_SUCH_API: Final = _fatal("correct the name of --api: the family's APIs have dotted names")

TOP_CODES: Final[dict[str, Meaning]] = {
    **dict.fromkeys(("4", "5", "6", "7", "8"), THROTTLE),
    **dict.fromkeys(("10", "15"), TRANSIENT),
    **dict.fromkeys(("11", "12", "13"), _TOP_NO_PERMISSION),
    **dict.fromkeys(("21", "22"), _TOP_NO_SUCH_API),
    **dict.fromkeys(("23", "24", "28", "30", "32", "33"), _TOP_LOST),
    "25": _fatal(
        "the app secret does not belong to this app key: correct FETCHER_APP_SECRET, --app-key, --sign-method"
    ),
    **dict.fromkeys(("26", "27"), TOKEN),
    "29": WRONG_APP_KEY,
    "31": EXPIRED,
    **dict.fromkeys(("40", "41", "43"), WRONG_PARAMETER),
}
"""Of the sister family's `error_response`. 4 to 8 are call limits; a client that took 7 for a business failure lost
records."""

OAUTH_CODES: Final[dict[str, Meaning]] = {
    **dict.fromkeys(("invalid_token", "expired_token", "invalid_grant"), TOKEN),
    **dict.fromkeys(("invalid_client", "unauthorized_client"), WRONG_APP_KEY),
    **dict.fromkeys(("access_denied", "insufficient_scope"), NO_PERMISSION),
    "invalid_request": WRONG_PARAMETER,
    **dict.fromkeys(("server_error", "temporarily_unavailable"), TRANSIENT),
}
"""Of `{"error": …, "error_description": …}` (RFC 6749, 5.2; RFC 6750, 3.1)."""

_HTTP_REMEDIES: Final = {
    401: "the gateway, or something before it, refuses the credentials: check --gateway and FETCHER_ACCESS_TOKEN",
    403: "the gateway, or something before it, refuses the calls: check --gateway, the network and the permissions",
    404: "nothing answers at this address: check --gateway and --api; one that follows the tutorial wants "
    "--protocol guide",
    405: "this address takes no such call: check --gateway, --method and --protocol",
    407: "the proxy wants a user and a password: put them into --proxy",
}
NOT_THE_GATEWAYS: Final = frozenset({403, 404, 405, 407})
"""Statuses of what stands before a gateway, or in its place; its own refusals come under 400 and 401."""
_GUIDE_NOT_FOUND: Final = "nothing answers at this address: check --gateway; 1688's own wants --protocol param2"
_REDIRECTED: Final = "the gateway redirected the call, and redirects are not followed: check --gateway"


def is_gateway_code(code: str) -> bool:
    """Whether a code can only be the gateway's own, wherever it stands."""
    small = code.lower()
    return small.startswith("gw.") or small in ("ispinvoketimeout", "ispinvokeerror")


def meaning_of(code: str, message: str, *, business: bool) -> Meaning | None:
    """What a refusal means; None when the tables do not know.

    Args:
        code: as it came; may be empty.
        message: as it came; may be empty.
        business: the API's own service speaks: its numbers are not the gateway's.
    """
    small, said = code.strip().lower(), message.lower()
    if "has no usage left" in said:
        return QUOTA
    for part, meaning in CODE_PARTS:
        if part in small:
            return meaning
    if not (business and small.isdigit()):
        meaning_of_code = CODES.get(small.rpartition(".")[2])
        if meaning_of_code is not None:
            return meaning_of_code
    return next((meaning for part, meaning in MESSAGES if part in said), None)


def meaning_of_top(code: str, sub_code: str, message: str) -> Meaning | None:
    """The same for the sister family's `error_response`."""
    sub = sub_code.lower()
    if "accesscontrol.limited" in sub:
        return THROTTLE
    if sub.startswith("isp."):
        return TRANSIENT
    known = TOP_CODES.get(code)
    if sub.startswith("isv.") and known in (None, TRANSIENT):
        return REJECTED
    return known or meaning_of(code, message, business=False)


def meaning_of_status(status: int) -> Meaning:
    """What an answer means that says nothing itself, by its HTTP status."""
    if status == 429:
        return THROTTLE
    if status >= 500 or status in (408, 425):
        return TRANSIENT
    if 300 <= status < 400:
        return Meaning(VerdictKind.REJECT, remedy=_REDIRECTED)
    if status >= 400:
        guide_remedy = _GUIDE_NOT_FOUND if status == 404 else ""
        return Meaning(VerdictKind.REJECT, remedy=_HTTP_REMEDIES.get(status, ""), guide_remedy=guide_remedy)
    return MALFORMED
