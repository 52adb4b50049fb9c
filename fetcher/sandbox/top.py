"""The sister family's gateway, `router/rest`: its checks in order, its signatures, its envelope. Pure.

Written from its documents: system parameters in the query or the form, `session` for the token, `timestamp` as
`yyyy-MM-dd HH:mm:ss` in China's time within ten minutes, every answer under HTTP 200. The order of its checks is not
documented; that the 1688 APIs can be called here is invented.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Final, NamedTuple

import orjson

from fetcher.sandbox.apis import SERVED, SESSION_METHOD, TIME_METHOD, TOP_METHODS, TopServed
from fetcher.sandbox.checks import Facts, Rules

TOLERANCE_S: Final = 600
_DIGITS: Final = frozenset("0123456789")
_MOST_DIGITS: Final = 19
_CHINA: Final = timezone(timedelta(hours=8))
_FORMAT: Final = "%Y-%m-%d %H:%M:%S"
API_OF: Final = {api.partition("/")[2]: api for api in SERVED}
"""Method → `namespace/name`."""


class Error(NamedTuple):
    """An `error_response`."""

    code: int
    message: str
    sub_code: str = ""
    sub_message: str = ""


def sign(secret: str, params: Mapping[str, str], method: str) -> str:
    """`sign` of a call: pairs sorted by key, joined; md5 with the secret before and behind, or an HMAC of them."""
    text = "".join(key + params[key] for key in sorted(params) if key != "sign")
    if method == "md5":
        return hashlib.md5(f"{secret}{text}{secret}".encode(), usedforsecurity=False).hexdigest().upper()
    digest = {"hmac": "md5", "hmac-sha256": "sha256"}[method]
    return hmac.new(secret.encode(), text.encode(), digest).hexdigest().upper()


def refusal(params: Mapping[str, str], rules: Rules, facts: Facts) -> Error | None:
    """The first check before the limit that refuses the call."""
    method = params.get("method", "")
    if not method:
        return Error(21, "Missing Method")
    if method not in TOP_METHODS:
        return Error(22, "Invalid Method")
    if not params.get("app_key"):
        return Error(28, "Missing App Key")
    if params["app_key"] != rules.app_key:
        return Error(29, "Invalid App Key")
    return _version_and_time(params, rules, facts) or _signature(params, rules) or _session(params, rules, facts)


def _version_and_time(params: Mapping[str, str], rules: Rules, facts: Facts) -> Error | None:
    if not params.get("timestamp"):
        return Error(30, "Missing Timestamp")
    try:
        at_s = datetime.strptime(params["timestamp"], _FORMAT).replace(tzinfo=_CHINA).timestamp()
    except ValueError:
        return Error(31, "Invalid Timestamp")
    if abs(at_s - facts.now_ms / 1000) > min(TOLERANCE_S, rules.timestamp_tolerance_s):
        return Error(31, "Invalid Timestamp")
    if not params.get("v"):
        return Error(32, "Missing Version")
    if params["v"] != "2.0":
        return Error(33, "Invalid Version")
    return Error(23, "Invalid Format") if params.get("format", "xml") not in ("json", "xml") else None


def _signature(params: Mapping[str, str], rules: Rules) -> Error | None:
    given, method = params.get("sign"), params.get("sign_method", "md5")
    if not given:
        return Error(24, "Missing Signature")
    if method not in ("md5", "hmac", "hmac-sha256"):
        return Error(25, "Invalid Signature")
    right = sign(rules.app_secret, params, method)
    return None if hmac.compare_digest(given.encode(), right.encode()) else Error(25, "Invalid Signature")


def _session(params: Mapping[str, str], rules: Rules, facts: Facts) -> Error | None:
    if params["method"] in (TIME_METHOD, SESSION_METHOD):
        return None
    if params.get("session"):
        return None if facts.token_valid else Error(27, "Invalid Session")
    return Error(26, "Missing Session") if rules.require_token else None


def forbidden(method: str, rules: Rules) -> Error | None:
    """The permission, behind the limit."""
    if method in rules.denied_apis or API_OF.get(method) in rules.denied_apis:
        return Error(11, "Insufficient ISV permissions", "isv.permission-api-package-limit", "scope ids is empty")
    return None


def over_limit(wait_s: float, *, each_api: bool, daily: bool) -> Error:
    """A call limit. A day's ban ends at midnight; one of a second lasts a second or two."""
    what = "api" if each_api else "app"
    wait = max(1, round(wait_s) if daily else int(wait_s + 0.999))
    return Error(
        7,
        "App Call Limited",
        f"accesscontrol.limited-by-{what}-access-count",
        f"This ban will last for {wait} more seconds",
    )


def asked_ids(params: Mapping[str, str], served: TopServed) -> tuple[int, ...] | Error:
    """The IDs that a call of one of the family's own APIs asks for."""
    name = served.id_parameter
    text = params.get(name, "")
    if not text or not params.get("fields"):
        missing = "fields" if text else name
        return Error(40, "Missing Required Arguments:" + missing, "isv.missing-parameter", missing)
    texts = text.split(",")
    well = all(one and len(one) <= _MOST_DIGITS and _DIGITS.issuperset(one) for one in texts)
    if len(texts) > served.most_ids or not well:
        return Error(41, f"Invalid Arguments:{name}", "isv.invalid-parameter", name)
    return tuple(int(one) for one in texts)


def absent(served: TopServed, id_number: int) -> Error:
    """How the family says that there is no such thing."""
    if served.kind == "trade":
        return Error(15, "Remote service error", "isv.trade-not-exist", f"订单[{id_number}]不存在")
    return Error(15, "Remote service error", "isv.item-not-exist:invalid-numIid", f"宝贝[{id_number}]不存在")


def unserved(code: str, message: str) -> Error:
    """A 1688 refusal as this family would word it."""
    if code == "gw.ParamMissing":
        return Error(40, f"Missing Required Arguments:{message.rpartition(' ')[2]}")
    if code == "gw.ParamInvalid":
        return Error(41, f"Invalid Arguments:{message.rpartition(' ')[2]}")
    if code.removeprefix("gw.").startswith("ISP"):
        return Error(15, "Remote service error", "isp.remote-service-timeout", message)
    return Error(15, "Remote service error", f"isp.{code}", message)


def error_body(error: Error, request_id: str) -> bytes:
    """`{"error_response": …}`."""
    said: dict[str, object] = {"code": error.code, "msg": error.message}
    if error.sub_code:
        said |= {"sub_code": error.sub_code, "sub_msg": error.sub_message}
    return orjson.dumps({"error_response": {**said, "request_id": request_id}})


def envelope(method: str, body: bytes, request_id: str) -> bytes:
    """`{"item_seller_get_response": {…, "request_id": …}}`: the method's name, `taobao.` off, dots as lines."""
    name = method.removeprefix("taobao.").replace(".", "_") + "_response"
    inner = body.rstrip()
    assert inner.endswith(b"}")
    comma = b"" if inner == b"{}" else b","
    return b'{"%s":%s%s"request_id":%s}}' % (name.encode(), inner[:-1], comma, json.dumps(request_id).encode())


def clock_text(now_ms: int) -> str:
    """As `taobao.time.get` says it."""
    return datetime.fromtimestamp(now_ms / 1000, _CHINA).strftime(_FORMAT)
