"""Reads the envelope of an answer that has been parsed: is there trouble, and is the thing that was asked for in it?

The patient reader: it knows every spelling that was met. Well-formed successes of the usual form do not come here.
It must not know bytes, charsets and statuses beyond "was it refused", nor what a code means.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from typing import Any, Final, NoReturn, TypeAlias

import msgspec

from fetcher.gateway.api import RESPONSE, Form, Path
from fetcher.gateway.codes import is_gateway_code
from fetcher.gateway.depth import MAX_DEPTH, is_too_deep

Json: TypeAlias = Any
"""Parsed JSON whose numbers are texts: `dict`, `list`, `str`, `bool`, None."""


class Source(Enum):
    """Who speaks in an error."""

    GATEWAY = auto()
    TOP = auto()
    OAUTH = auto()
    BUSINESS = auto()
    """The API's own service: about this ID."""
    UNSURE = auto()
    """A body that nobody has described, under a status that is no success: the status says more."""


class Trouble(msgspec.Struct, frozen=True):
    """An error, as it was said."""

    source: Source
    code: str
    message: str
    sub_code: str = ""


_CODE_KEYS: Final = ("errorCode", "error_code")
_ERROR_KEYS: Final = ("errMsg", "errorMessage", "errorMsg", "extErrorMessage", "error_message")
_MESSAGE_KEYS: Final = (*_ERROR_KEYS, "message", "msg")
_NO_CONTENT: Final = frozenset({*_MESSAGE_KEYS, *_CODE_KEYS, "code", "request_id", "requestId", "eagleTraceId"})
_NOTHING: Final[tuple[Json, ...]] = (None, "", {}, [])
_NO_ERROR_CODES: Final = frozenset({"", "0", "200", "ok", "success"})
_NO_ERROR_WORDS: Final = frozenset({"", "ok", "success", "成功", "操作成功"})


def parse(body: bytes) -> Json:
    """JSON in UTF-8 as the standard has it, numbers as they are written.

    Raises:
        ValueError: it is none, is too deep, or has NaN or Infinity. The message is for a person.
    """
    if is_too_deep(body):
        raise ValueError(f"JSON deeper than {MAX_DEPTH}, or its brackets do not match")
    try:
        return json.loads(body.decode(), parse_int=str, parse_float=str, parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg}, character {error.pos}") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def payload_of(value: Json, form: Form) -> Json:
    """The thing that was asked for, or None. An API of unknown shape: the whole answer."""
    if not form.things:
        return value
    for path in form.things:
        found = _at(value, path)
        if isinstance(found, dict) and found:
            return found
    return None


def id_of(payload: Json, paths: Iterable[Path]) -> str:
    """The ID that the thing says it has; empty when it says none at any of `paths`."""
    for path in paths:
        found = _at(payload, path)
        if isinstance(found, str) and found:
            return found
    return ""


def same_id(said: str, asked: str) -> bool:
    """Whether both are the same ID: as texts, or as numbers (`42.0` and `042` are 42)."""
    return said == asked or canonical(said) == canonical(asked)


def canonical(id_: str) -> str:
    """An ID as all its spellings have in common: `42.0` and `042` are `42`."""
    text = id_.strip()
    whole, _, rest = text.partition(".")
    if whole.isascii() and whole.isdigit() and not rest.strip("0"):
        return whole.lstrip("0") or "0"
    return text


def _at(value: Json, path: Path) -> Json:
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def find_trouble(value: Json, form: Form, *, refused: bool, found: bool | None = None) -> Trouble | None:
    """The error that an answer reports, if it reports one.

    Args:
        value: the answer.
        form: of the API's answers.
        refused: the HTTP status is no success. It decides nothing that the body decides.
        found: what was asked for is in it; None: look where answers of that form have it.
    """
    if not isinstance(value, dict):
        return None
    if found is None:
        found = bool(form.things) and payload_of(value, form) is not None
    return (
        _top(value)
        or _gateway(value, found=found, refused=refused)
        or _oauth(value, found=found, refused=refused)
        or _business(value, form, found=found, refused=refused)
        or (_unsure(value) if refused else None)
    )


def _top(value: Json) -> Trouble | None:
    error = value.get("error_response")
    if not isinstance(error, dict):
        return None
    said = [text for text in (_text(error.get("msg")), _text(error.get("sub_msg"))) if text]
    code, sub_code = _text(error.get("code")), _text(error.get("sub_code"))
    return Trouble(Source.TOP, code, ": ".join(said) or _message(error), sub_code)


def _gateway(value: Json, *, found: bool, refused: bool) -> Trouble | None:
    """`error_code`, `error_message`, `exception`; newer spellings `errorCode`, `errorMessage`."""
    code = _code(value, "error_code")
    message = _text(value.get("error_message")) or _text(value.get("errorMessage")) or _text(value.get("exception"))
    if code:
        return Trouble(Source.GATEWAY, code, message)
    camel = _code(value, "errorCode")
    if camel and (refused or is_gateway_code(camel)):
        return Trouble(Source.GATEWAY, camel, message or _message(value))
    unnamed = _text(value.get("error_message")) or _text(value.get("exception"))
    remark = found or _truth(value.get("success")) is True
    return Trouble(Source.GATEWAY, "", unnamed) if unnamed and not remark else None


def _oauth(value: Json, *, found: bool, refused: bool) -> Trouble | None:
    """`{"error": …, "error_description": …}`, and `error` as an object with a code."""
    error = value.get("error")
    if not error or found:
        return None
    if isinstance(error, dict):
        code = _text(error.get("code")) or _code(error, *_CODE_KEYS)
        return Trouble(Source.GATEWAY, code, _message(error)) if code or _message(error) else None
    described = _text(value.get("error_description"))
    if not described and not refused:
        return None
    return Trouble(Source.OAUTH, _text(error), described or _message(value) or _text(error))


def _business(value: Json, form: Form, *, found: bool, refused: bool) -> Trouble | None:
    """The API's own way to fail, at the top or in `result`."""
    for level in _levels(value, form):
        code, success = _code(level, *_CODE_KEYS), _truth(level.get("success"))
        if is_gateway_code(code):
            return Trouble(Source.GATEWAY, code, _message(level))
        if success is False:
            return Trouble(Source.BUSINESS, code or _code(level, "code"), _message(level))
        errors = code or _message(level, _ERROR_KEYS)
        if not errors or found:
            continue
        # A message beside `success: true` is a remark, unless what was asked for is missing.
        if form.things or (success is None and (code or _is_bare(level))):
            return Trouble(Source.BUSINESS, code, _message(level))
    return None if found or not form.things else _only_words(value, form, refused=refused)


def _only_words(value: Json, form: Form, *, refused: bool) -> Trouble | None:
    """`{"code": …, "message": …}` in place of what was asked for.

    Under a status that refuses, only with a key of the API's own envelope: what stands before a gateway speaks so too.
    """
    if refused and not any(path[0] in value for path in form.things):
        return None
    for level in _levels(value, form):
        code, message = _code(level, "code"), _message(level)
        if (code or message) and _truth(level.get("success")) is None:
            return Trouble(Source.BUSINESS, code, message)
    return None


def _unsure(value: Json) -> Trouble:
    return Trouble(Source.UNSURE, _code(value, "code"), _message(value))


def _levels(value: Json, form: Form) -> Iterator[dict[str, Json]]:
    """The envelope's objects, without the thing itself."""
    for path in form.levels:
        level = _at(value, path)
        if isinstance(level, dict):
            yield level
    if not form.things and len(value) == 1:
        [(name, only)] = value.items()
        if name.endswith(RESPONSE) and isinstance(only, dict):
            yield only


def _is_bare(level: dict[str, Json]) -> bool:
    """Nothing stands in it but words about an error."""
    return not any(content for name, content in level.items() if name not in _NO_CONTENT)


def _code(level: dict[str, Json], *names: str) -> str:
    """The first code that is one of an error."""
    codes = (_text(level.get(name)).strip() for name in names)
    return next((code for code in codes if code.lower() not in _NO_ERROR_CODES), "")


def _message(level: dict[str, Json], names: tuple[str, ...] = _MESSAGE_KEYS) -> str:
    """The first message that is none of success."""
    texts = (_text(level.get(name)) for name in names)
    return next((text for text in texts if text.strip().lower() not in _NO_ERROR_WORDS), "")


def _text(value: Json) -> str:
    """Any value as a text; nothing is the empty one."""
    if isinstance(value, str):
        return value
    return "" if value is None or value == {} or value == [] else json.dumps(value, ensure_ascii=False)


def _truth(value: Json) -> bool | None:
    """`true`, `"true"`, `1` and their opposites; None for anything else."""
    if isinstance(value, bool):
        return value
    small = value.strip().lower() if isinstance(value, str) else ""
    return True if small in ("true", "1") else False if small in ("false", "0") else None
