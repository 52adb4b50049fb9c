"""The gateway's checks, in its order, as pure functions. No clock, no counting: what the time is and how a token
stands comes in as `Facts`; the limit, which counts, is the caller's.

Order: app key in the path, known, API exists, signature, (timestamp), token, (limit), permission, arguments. Where the
timestamp and the limit sit is not documented.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from typing import Final, TypeAlias
from urllib.parse import parse_qsl

import msgspec

from fetcher.gateway import guide_signature, param2_signature
from fetcher.sandbox.apis import SERVED, VERSION, Served, Service

SIGNATURE: Final = "_aop_signature"
GUIDE_SIGNATURE: Final = "sign"
PROTOCOLS: Final = ("param2", "xml2")
"""`xml2` answers in XML; that it takes plain parameters is invented."""
LISTS: Final = (Service.LIST, Service.POOL)
LARGEST_ID: Final = 2**63 - 1


class Refusal(msgspec.Struct, frozen=True):
    """A refusal, before it is written as JSON or XML."""

    code: str
    message: str
    status: int = 400


class Address(msgspec.Struct, frozen=True):
    """`{protocol}/{version}/{namespace}/{name}[/{appKey}]`."""

    protocol: str
    version: str
    api: str
    """`namespace/name`."""
    app_key: str
    """Empty when the path has none."""
    url_path: str
    """What is signed: the whole of it."""


class Asked(msgspec.Struct, frozen=True):
    """A call as it came in."""

    address: Address
    params: dict[str, str]
    guide: bool
    """Signed after the tutorial's scheme."""

    @property
    def app_key(self) -> str:
        """In the path; in the tutorial's scheme among the parameters."""
        return self.params.get("app_key", "") if self.guide else self.address.app_key


class Rules(msgspec.Struct, frozen=True):
    """What this gateway insists on."""

    app_key: str
    app_secret: str
    require_token: bool = False
    demand_timestamp: bool = False
    timestamp_tolerance_s: float = 900.0
    denied_apis: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"Rules(app_key={self.app_key!r}, app_secret=***)"


class Facts(msgspec.Struct, frozen=True):
    """How the world stands at the time of the call."""

    now_ms: int
    token_valid: bool
    """The access token that was sent, if one was, is one that we gave out and not expired."""


Check: TypeAlias = Callable[[Asked, Rules, Facts], Refusal | None]


def parse_address(path: str) -> Address | None:
    """The address in a path below `/openapi/`, or None when it follows no grammar of ours."""
    parts = path.split("/")
    if len(parts) not in (4, 5) or not all(parts[:4]):
        return None
    protocol, version, namespace, name = parts[:4]
    return Address(protocol, version, f"{namespace}/{name}", parts[4] if len(parts) == 5 else "", path)


def merge_parameters(query: str, form: str) -> dict[str, str]:
    """Query and form as one; of a name that stands twice the last counts. Empty values are kept: they are signed."""
    merged = parse_qsl(query, keep_blank_values=True) if query else []
    if form:
        merged += parse_qsl(form, keep_blank_values=True)
    return dict(merged)


def understand(address: Address, params: dict[str, str], *, strict: bool) -> Asked:
    """Which scheme the call follows. A strict gateway knows only its own."""
    guide = not strict and not address.app_key and GUIDE_SIGNATURE in params
    return Asked(address, params, guide)


def app_key_present(asked: Asked, rules: Rules, facts: Facts) -> Refusal | None:
    """The app key is the last segment of the path; in the query it is as good as missing (measured)."""
    return None if asked.app_key else Refusal("gw.AppKeyMissing", "App key is missing in the url path")


def app_key_known(asked: Asked, rules: Rules, facts: Facts) -> Refusal | None:
    """The caller has looked the app up: these are its rules, or another's if there is none."""
    if asked.app_key == rules.app_key:
        return None
    return Refusal("gw.AppKeyNotFound", "App key is not found")


def api_exists(asked: Asked, rules: Rules, facts: Facts) -> Refusal | None:
    """Protocol, version and name together; whether it comes before the signature is not settled."""
    address = asked.address
    if address.protocol in PROTOCOLS and address.version == VERSION and address.api in SERVED:
        return None
    return Refusal("gw.APIUnsupported", f"unsupport api {address.api}:{address.version}")


def signature(asked: Asked, rules: Rules, facts: Facts) -> Refusal | None:
    """Over all parameters but the signature itself; param2 signs the path too. Upper case, as documented."""
    name = GUIDE_SIGNATURE if asked.guide else SIGNATURE
    given = asked.params.get(name)
    if not given:
        if not SERVED[asked.address.api].signed:
            return None
        return Refusal("gw.SignatureMissing", f"Signature is missing, the request must have {SIGNATURE}")
    signed = {key: value for key, value in asked.params.items() if key != name}
    if asked.guide:
        right = guide_signature(rules.app_secret, signed)
    else:
        right = param2_signature(rules.app_secret, asked.address.url_path, signed)
    if hmac.compare_digest(given.encode(), right.encode()):
        return None
    return Refusal("gw.SignatureInvalid", "Invalid signature")


def timestamp(asked: Asked, rules: Rules, facts: Facts) -> Refusal | None:
    """Checked if sent: milliseconds, the tutorial's seconds. Some APIs demand one. The messages are an old FAQ's."""
    name, unit_ms = ("timestamp", 1000) if asked.guide else ("_aop_timestamp", 1)
    given = asked.params.get(name)
    if given is None:
        if rules.demand_timestamp and _is_business(asked):
            return Refusal("400", "API need time stamp verify, so request must has _aop_timestamp. ")
        return None
    if _is_number(given) and abs(int(given) * unit_ms - facts.now_ms) <= rules.timestamp_tolerance_s * 1000:
        return None
    return Refusal("400", "com.alibaba.openapi.exception.request.RequestValidateException: Request is expired.")


def token(asked: Asked, rules: Rules, facts: Facts) -> Refusal | None:
    """A token that was sent must be good; one must be sent only where it is required."""
    given = asked.params.get("access_token")
    if given:
        return None if facts.token_valid else Refusal("401", "Request need user authorized", 401)
    if rules.require_token and _is_business(asked):
        return Refusal("401", "Request need user authenticated", 401)
    return None


def permission(asked: Asked, rules: Rules, facts: Facts) -> Refusal | None:
    """Checked before the arguments (measured): a refused app cannot find out whether they were right."""
    if asked.address.api in rules.denied_apis:
        return Refusal("gw.APIACLDecline", "AppKey is not allowed(acl)")
    return None


BEFORE_LIMIT: Final[tuple[Check, ...]] = (
    app_key_present,
    app_key_known,
    api_exists,
    signature,
    timestamp,
    token,
)


def first_refusal(checks: tuple[Check, ...], asked: Asked, rules: Rules, facts: Facts) -> Refusal | None:
    """The first of these checks to refuse, as the real one stops there too."""
    for check in checks:
        refusal = check(asked, rules, facts)
        if refusal is not None:
            return refusal
    return None


def asked_ids(asked: Asked, most_ids: int = 50) -> tuple[int, ...] | Refusal:
    """The last check: all arguments there, and the IDs that they name. None for a system API."""
    served = SERVED[asked.address.api]
    if not served.id_parameter:
        return ()
    text = _id_argument(asked, served)
    missing = [served.id_parameter] if not text else []
    if not asked.guide:  # the tutorial sends no other
        missing += [name for name in served.required if not asked.params.get(name)]
    if missing:
        return Refusal("gw.ParamMissing", f"Required argument {missing[0]}")
    return _ids_in(text, served, most_ids)


def _id_argument(asked: Asked, served: Served) -> str:
    """The tutorial writes `productId` where the API says `productID`; param2 takes the exact name only."""
    exact = asked.params.get(served.id_parameter, "")
    if exact or not asked.guide:
        return exact
    wanted = served.id_parameter.lower()
    return next((value for key, value in asked.params.items() if key.lower() == wanted), "")


def _ids_in(text: str, served: Served, most_ids: int) -> tuple[int, ...] | Refusal:
    """Codes of bad arguments are invented; their names follow the one that is known."""
    if served.service not in (Service.DETAIL, *LISTS):
        return (int(text),) if _is_id(text) else _invalid(served.id_parameter)
    try:
        value = json.loads(text)
    except ValueError:
        return _invalid(served.id_parameter)
    if served.service is Service.DETAIL:
        if not isinstance(value, dict):
            return _invalid(served.id_parameter)
        for name in ("offerId", "country"):
            if not value.get(name):
                return Refusal("gw.ParamMissing", f"Required argument {name}")
        value = [value["offerId"]]
    if not isinstance(value, list) or not all(_is_id(str(each)) for each in value):
        return _invalid(served.id_parameter)
    if len(value) > most_ids:
        return Refusal("gw.ParamInvalid", f"Invalid argument {served.id_parameter}: more than {most_ids}")
    return tuple(int(each) for each in value)


def _invalid(name: str) -> Refusal:
    return Refusal("gw.ParamInvalid", f"Invalid argument {name}")


def _is_business(asked: Asked) -> bool:
    return bool(SERVED[asked.address.api].id_parameter)


def _is_number(text: str) -> bool:
    return len(text) <= 19 and text.isascii() and text.isdigit()


def _is_id(text: str) -> bool:
    return _is_number(text) and int(text) <= LARGEST_ID
