"""A reply becomes a verdict: the body decides before the status, the envelope before the rest of the body.

msgspec checks the grammar of the whole answer and builds the envelope's few fields only (7 µs for 5 KB; parsing all of
it would cost ten times that). What is kept is the answer's own bytes, so nothing can be rounded or lost on the way.
It knows no transport and no policy: what is done about a verdict is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Raw

from fetcher.gateway.apis import Api, Envelope
from fetcher.gateway.codes import UNKNOWN, Meaning, is_absent, meaning_of, top_meaning
from fetcher.gateway.xml_answers import charset_of, looks_like_xml, xml_to_json
from fetcher.model import Kind, Reply, Verdict, VerdictKind

LONGEST_MESSAGE: Final = 500
_NONE: Final = Raw(b"")
_CONTROLS: Final = dict.fromkeys((*range(32), *range(127, 160), 8232, 8233), " ")
_TRUE: Final = ("true", "1")
_SPACE: Final = b" \t\r\n"
_BOM: Final = b"\xef\xbb\xbf"


class _Refusal(msgspec.Struct):
    """Every spelling in which a gateway of the family says no."""

    error_code: Raw = _NONE
    errorCode: Raw = _NONE
    error_message: Raw = _NONE
    errorMessage: Raw = _NONE
    errorMsg: Raw = _NONE
    error: Raw = _NONE
    error_description: Raw = _NONE
    error_response: Raw = _NONE
    errMsg: Raw = _NONE
    success: Raw = _NONE
    code: Raw = _NONE
    message: Raw = _NONE


class _Ids(msgspec.Struct):
    """The spellings of a product's own ID."""

    productID: Raw = _NONE
    productId: Raw = _NONE
    offerId: Raw = _NONE


class _ProductAnswer(_Refusal):
    productInfo: _Ids | None = None
    result: Raw = _NONE


class _OrderIds(msgspec.Struct):
    idOfStr: Raw = _NONE
    id: Raw = _NONE


class _Order(msgspec.Struct):
    baseInfo: _OrderIds | None = None


class _OrderAnswer(_Refusal):
    result: _Order | None = None


class _Result(_Refusal):
    result: _Ids | None = None
    productInfo: _Ids | None = None


class _ResultAnswer(_Refusal):
    result: _Result | None = None


class _TopError(msgspec.Struct):
    code: Raw = _NONE
    msg: Raw = _NONE
    sub_code: Raw = _NONE
    sub_msg: Raw = _NONE


_SHAPES: Final[dict[Envelope, type[_Refusal]]] = {
    Envelope.PRODUCT: _ProductAnswer,
    Envelope.RESULT: _ResultAnswer,
    Envelope.ORDER: _OrderAnswer,
    Envelope.ANY: _Refusal,
}


class Reader:
    """Reads the answers of one API.

    Args:
        api: says where the product lies.
        protocol: of the requests; some refusals mean that the other one is spoken.
        redact: applied to messages before they are shortened.
    """

    def __init__(self, api: Api, protocol: str, redact: Callable[[str], str] | None = None) -> None:
        self._envelope = api.envelope
        self._protocol = protocol
        self._redact = redact or (lambda text: text)
        self._decode: Callable[[bytes], Any] = msgspec.json.Decoder(_SHAPES[api.envelope]).decode
        self._decode_refusal = msgspec.json.Decoder(_Refusal).decode

    def read(self, reply: Reply, product_id: str) -> Verdict:
        """What the reply means for `product_id`. Never raises."""
        try:
            body = plain_json(reply)
        except (ValueError, LookupError, RecursionError) as error:
            return self._unreadable(reply, str(error))
        try:
            envelope = self._decode(body)
        except (msgspec.DecodeError, RecursionError, ValueError) as error:
            return self._odd(reply, body, error)
        refused = self._refused(reply, envelope)
        if refused is not None:
            return refused
        if not 200 <= reply.status < 300:
            return self._by_status(reply, self._said(envelope))
        return self._business(reply, envelope, body, product_id)

    def _odd(self, reply: Reply, body: bytes, error: Exception) -> Verdict:
        """No JSON, or JSON of another shape than the API's: perhaps a refusal, perhaps a bare value."""
        try:
            refusal = self._decode_refusal(body)
        except (msgspec.DecodeError, RecursionError, ValueError):
            refusal = None
        if refusal is not None:
            refused = self._refused(reply, refusal)
            if refused is not None:
                return refused
        elif self._envelope is Envelope.ANY and 200 <= reply.status < 300 and _is_json(body):
            return Verdict(VerdictKind.DONE, body, http_status=reply.status)
        if not 200 <= reply.status < 300 and (refusal is not None or not reply.status >= 500):
            return self._by_status(reply, "")
        return self._unreadable(reply, str(error) if body else "empty answer")

    def _refused(self, reply: Reply, envelope: _Refusal) -> Verdict | None:
        """The gateway's own no; None when the answer comes from the API behind it."""
        if envelope.error_response:
            return self._top(reply, envelope.error_response)
        code = _text(envelope.error_code)
        message = _text(envelope.error_message) or _text(envelope.errorMessage) or _text(envelope.error_description)
        if not code:
            business = _text(envelope.errorCode)
            # Trade APIs use errorCode for failures of their own; under 200 only the gateway's known codes count.
            known = business and meaning_of(business, message, self._protocol) is not UNKNOWN
            if business and (known or business.lower().startswith("gw.") or reply.status >= 400):
                code = business
        if not code and (envelope.error or (message and reply.status >= 400)):
            code = _text(envelope.error) or f"http_{reply.status}"
        if not code:
            return None
        meaning = meaning_of(code, message, self._protocol)
        if meaning is UNKNOWN and reply.status >= 500:
            meaning = Meaning(VerdictKind.RETRY, Kind.SERVER)
        return self._verdict(meaning, code, message, reply)

    def _top(self, reply: Reply, raw: Raw) -> Verdict:
        try:
            error = msgspec.json.decode(raw, type=_TopError)
        except (msgspec.DecodeError, ValueError):
            return self._unreadable(reply, "an error_response of another shape")
        code, sub_code = _text(error.code), _text(error.sub_code)
        number = int(code) if code.isascii() and code.isdigit() and len(code) < 10 else 0
        message = _text(error.sub_msg) or _text(error.msg)
        return self._verdict(top_meaning(number, sub_code), sub_code or code, message, reply)

    def _business(self, reply: Reply, envelope: Any, body: bytes, product_id: str) -> Verdict:
        if self._envelope is Envelope.ANY:
            if _text(envelope.success).lower() in ("false", "0"):
                return self._no_product(reply, envelope)
            return Verdict(VerdictKind.DONE, body, http_status=reply.status)
        found = _answered_id(envelope)
        if found is None:
            inner = envelope.result if isinstance(envelope, _ResultAnswer) else None
            return self._no_product(reply, inner or envelope)
        if found and found != product_id:
            return self._malformed(reply, "an answer for another ID")
        if not found and isinstance(envelope, _ProductAnswer) and _text(envelope.errMsg):
            return self._no_product(reply, envelope)
        return Verdict(VerdictKind.DONE, body, http_status=reply.status)

    def _no_product(self, reply: Reply, envelope: _Refusal) -> Verdict:
        """The API answered without a product: absent, refused, or not understood."""
        message = self._said(envelope)
        code = _text(envelope.errorCode) or _text(envelope.code) or None
        success = _text(envelope.success).lower()
        if is_absent(message):
            return self._verdict(Meaning(VerdictKind.ABSENT, Kind.NOT_FOUND), code, message, reply)
        if message or success in ("false", "0"):
            return self._verdict(Meaning(VerdictKind.REJECT), code, message or "no reason given", reply)
        return self._malformed(reply, "neither a product nor an error in the answer")

    def _by_status(self, reply: Reply, message: str) -> Verdict:
        status = reply.status
        code = f"http_{status}"
        if status == 429:
            meaning = Meaning(VerdictKind.THROTTLE, Kind.THROTTLED)
        elif status >= 500 or status in (408, 425):
            meaning = Meaning(VerdictKind.RETRY, Kind.SERVER)
        elif status == 401:
            meaning = meaning_of("401", "", self._protocol)
        else:
            moved = 300 <= status < 400
            remedy = "the gateway redirects: no redirect is followed; check --gateway" if moved else "check --gateway"
            meaning = Meaning(VerdictKind.REJECT, Kind.REJECTED, remedy)
        return self._verdict(meaning, code, message or f"HTTP {status}", reply)

    def _unreadable(self, reply: Reply, why: str) -> Verdict:
        if not 200 <= reply.status < 300:
            return self._by_status(reply, "")
        start = reply.body[:512].lstrip().lower()
        if start.startswith((b"<!doctype html", b"<html")):
            return self._verdict(Meaning(VerdictKind.RETRY, Kind.SERVER), None, "a web page, not an answer", reply)
        return self._malformed(reply, why)

    def _malformed(self, reply: Reply, why: str) -> Verdict:
        return self._verdict(Meaning(VerdictKind.RETRY, Kind.MALFORMED), None, why, reply)

    def _said(self, envelope: _Refusal) -> str:
        for raw in (envelope.errMsg, envelope.errorMessage, envelope.errorMsg, envelope.message):
            if message := _text(raw):
                return message
        return ""

    def _verdict(self, meaning: Meaning, code: str | None, message: str, reply: Reply) -> Verdict:
        return Verdict(
            meaning.kind,
            error=meaning.error,
            code=None if code is None else self._clean(code)[:100],
            message=self._clean(message),
            http_status=reply.status,
            remedy=meaning.remedy,
        )

    def _clean(self, text: str) -> str:
        return self._redact(text).translate(_CONTROLS).strip()[:LONGEST_MESSAGE]


def plain_json(reply: Reply) -> bytes:
    """The body as UTF-8 JSON text: charset and XML are dealt with, white space around it is gone.

    Raises:
        ValueError: not in its charset, XML that is refused or broken.
        LookupError: an unknown charset.
    """
    body = reply.body.strip(_SPACE)
    charset = charset_of(reply.content_type)
    if looks_like_xml(body, reply.content_type):
        return xml_to_json(body, charset)
    if charset not in ("", "utf-8", "utf8"):
        return body.decode(charset).encode()
    if body.startswith(_BOM):
        body = body[3:].strip(_SPACE)
    if not body.isascii():
        body.decode()  # msgspec does not look into strings that it skips
    return body


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=Raw)
        msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return False
    return True


def _text(raw: Raw) -> str:
    """A JSON scalar as text: strings without quotes, null and objects as nothing, numbers as they stand."""
    if not raw:
        return ""
    text = bytes(raw)
    first = text[:1]
    if first == b'"':
        try:
            return str(msgspec.json.decode(text))
        except (msgspec.DecodeError, ValueError):
            return text.strip(b'"').decode(errors="replace")
    return "" if first in b"n{[" else text.decode(errors="replace")


def _answered_id(envelope: Any) -> str | None:
    """The ID that the answer is for: text, "" when a product is there but does not say, None when there is none."""
    if isinstance(envelope, _OrderAnswer):
        order = envelope.result
        if order is None or order.baseInfo is None:
            return None
        return _text(order.baseInfo.idOfStr) or _text(order.baseInfo.id)
    if isinstance(envelope, _ResultAnswer):
        inner = envelope.result
        failed = inner is None or (inner.success and _text(inner.success).lower() not in _TRUE)
        ids = None if failed or inner is None else inner.result or inner.productInfo
    else:
        ids = envelope.productInfo or _wrapped(envelope.result)
    if ids is None:
        return None
    return _text(ids.productID) or _text(ids.productId) or _text(ids.offerId)


def _wrapped(raw: Raw) -> _Ids | None:
    """`result.productInfo` and `result.result.productInfo`: spellings met in the wild."""
    if not raw:
        return None
    try:
        answer = msgspec.json.decode(raw, type=_ResultAnswer | None)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    if answer is None:
        return None
    try:
        direct = msgspec.json.decode(raw, type=_Result)
    except (msgspec.DecodeError, ValueError, RecursionError):
        direct = None
    if direct is not None and direct.productInfo is not None:
        return direct.productInfo
    return answer.result.productInfo if answer.result is not None else None
