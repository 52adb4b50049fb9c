"""Values become text, parameters become a query or a form, a base URL becomes origin and path.

It must not know keys, signatures or protocols: text is signed as it is and encoded afterwards.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Final
from urllib.parse import quote_plus, urlsplit

from fetcher.errors import UsageError

EXAMPLE_URL: Final = "https://gw.open.1688.com/openapi"


def text_of(name: str, value: object) -> str | None:
    """A parameter's value as it is signed and sent; None for one that is left out.

    None is left out; `false` and 0 are sent; booleans are `true` and `false`; lists and mappings are compact JSON text.

    Raises:
        UsageError: a value that has no such text.

    Examples:
        >>> text_of("a", False), text_of("a", 0), text_of("a", ""), text_of("a", None), text_of("a", {"b": [1, True]})
        ('false', '0', '', None, '{"b":[1,true]}')
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float | Decimal) and math.isfinite(value):
        return format(Decimal(str(value)), "f")
    if isinstance(value, list | tuple | dict):
        try:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        except (TypeError, ValueError):
            pass
    raise UsageError(f"the parameter {name!r} has a value that cannot be sent: {type(value).__name__}")


def wire_pairs(params: Iterable[tuple[str, object]]) -> tuple[tuple[str, str], ...]:
    """Parameters as texts, without those that are left out; of a name that stands twice the last counts.

    Raises:
        UsageError: a value has no text, or one that UTF-8 cannot hold.
    """
    texts = {name: text_of(name, value) for name, value in params}
    for name, text in texts.items():
        if not name:
            raise UsageError("a parameter without a name cannot be sent")
        try:
            f"{name}{text}".encode()
        except UnicodeEncodeError:
            raise UsageError(f"the parameter {name!a} has characters that no text can have") from None
    return tuple((name, text) for name, text in texts.items() if text is not None)


def encode_pair(name: str, value: str) -> str:
    """`name=value` for a query or a form.

    Examples:
        >>> encode_pair("q", "a b&连")
        'q=a+b%26%E8%BF%9E'
    """
    return f"{quoted(name)}={quoted(value)}"


def quoted(text: str) -> str:
    """A name or a value of a query or a form."""
    # IDs are digits: asking costs a tenth of what `quote_plus` does.
    return text if text.isalnum() and text.isascii() else quote_plus(text)


def number_in_json(field: str, id_: str, beside: str) -> str:
    """`{"field":id,…}`: the ID as a JSON number where it is one, otherwise as a text. `beside` are further members."""
    return f'{{"{field}":{_number(id_)}{beside}}}'


def numbers_in_json(ids: Iterable[str]) -> str:
    """`[id,…]`: IDs as JSON numbers where they are ones, otherwise as texts.

    Examples:
        >>> numbers_in_json(["610947572360", "007", "a"])
        '[610947572360,7,"a"]'
    """
    return f"[{','.join([_number(id_) for id_ in ids])}]"


def _number(id_: str) -> str:
    return (id_.lstrip("0") or "0") if id_.isascii() and id_.isdigit() else json.dumps(id_, ensure_ascii=False)


def members(pairs: Iterable[tuple[str, str]]) -> str:
    """`,"name":"value"` of each pair, to stand beside a first member."""
    return "".join(
        f",{json.dumps(name, ensure_ascii=False)}:{json.dumps(text, ensure_ascii=False)}" for name, text in pairs
    )


def split_base_url(url: str) -> tuple[str, str]:
    """A gateway's URL as origin (`scheme://host[:port]`) and path without a slash at its end.

    No message repeats the URL: it may hold a password.

    Raises:
        UsageError: it is none of http or https, has no host, or has a user, a query or a fragment.

    Examples:
        >>> split_base_url("https://gw.open.1688.com/openapi/")
        ('https://gw.open.1688.com', '/openapi')
    """
    if not url.isascii() or not url.isprintable() or any(sign in url for sign in ' \\"<>'):
        raise _bad_url("has characters that a URL cannot have")
    try:
        parts = urlsplit(url)
        port_is_sound = parts.port != 0
    except ValueError:
        raise _bad_url("is not a URL, or its port is none") from None
    if parts.scheme not in ("http", "https"):
        raise _bad_url("must begin with https:// or http://")
    if not parts.hostname or not port_is_sound:
        raise _bad_url("has no host, or its port is none")
    if "@" in parts.netloc:
        raise _bad_url("must not contain a user name or password")
    if "?" in url or "#" in url:
        raise _bad_url("must end with its path: '?' and '#' have no place in it")
    return f"{parts.scheme}://{parts.netloc.lower()}", parts.path.rstrip("/")


def _bad_url(why: str) -> UsageError:
    return UsageError(f"the gateway's URL {why}", f"For example: {EXAMPLE_URL}")
