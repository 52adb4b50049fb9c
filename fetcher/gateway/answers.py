"""A reply becomes a verdict. The body decides before the HTTP status.

    bytes ─ quick look ─▶ clean: DONE, with the answer's own bytes
          └ otherwise: charset, XML or JSON ─ envelope ─▶ trouble: by the tables of codes
                                                       ├▶ the thing that was asked for: DONE
                                                       └▶ neither: by the status

It must not know signing, nor what is done about a verdict. It never raises for anything that a gateway may send.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from fetcher.gateway import codes
from fetcher.gateway.apis import Api, Shape
from fetcher.gateway.charsets import UTF8_BOM, charset_of, decode_declared, is_chinese
from fetcher.gateway.codes import Meaning
from fetcher.gateway.envelopes import Json, Source, Trouble, find_trouble, id_of, parse, payload_of, same_id
from fetcher.gateway.glance import Glance
from fetcher.gateway.xml_answers import XmlError, read_xml, to_json
from fetcher.model import Item, Reply, Verdict, VerdictKind

MAX_MESSAGE: Final = 500
MAX_CODE: Final = 100
MAX_OTHER_ID: Final = 40
LOOKED_AT: Final = 100_000
"""Characters of a message that are searched for secrets: enough for what is shown, whatever is cut out of it."""

_SPACE: Final = b" \t\r\n"
_HTML: Final = (b"<!doctype html", b"<html", b"<head", b"<body")
_BAN: Final = re.compile(r"ban will last for (\d{1,7}) more second")
_UNSHOWABLE: Final = dict.fromkeys(
    [*range(0x20), *range(0x7F, 0xA0), 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A), 0xFEFF], " "
)
"""Control characters, line separators, and what turns the direction of a terminal's text."""


class Unreadable(Exception):
    """A body that is no answer. `html`: it is a page, so something else than the gateway speaks."""

    def __init__(self, message: str, *, html: bool = False) -> None:
        super().__init__(message)
        self.html = html


class Answers:
    """Understands the answers to the calls of one API.

    Args:
        api: its answers' form.
        protocol_name: some remedies depend on how calls are signed.
        redact: cuts secrets out of messages; a gateway may echo the request, token and all.
    """

    def __init__(self, api: Api, protocol_name: str, redact: Callable[[str], str] | None = None) -> None:
        self._shape, self._protocol_name, self._redact = api.shape, protocol_name, redact
        self._is_clean = Glance(api.shape).is_clean

    def verdict(self, reply: Reply, item: Item) -> Verdict:
        """What `reply` means for `item`."""
        body = reply.body.strip(_SPACE)
        if 200 <= reply.status < 300 and not is_chinese(charset_of(reply.content_type)):
            body = body.removeprefix(UTF8_BOM).lstrip(_SPACE)
            if self._is_clean(body, item.id):
                return Verdict(VerdictKind.DONE, body)
        try:
            payload, value = self._read(body, reply.content_type)
        except Unreadable as error:
            return self._unreadable(error, reply, body)
        trouble = find_trouble(value, self._shape, refused=not 200 <= reply.status < 300)
        if trouble is not None:
            return self._refusal(trouble, reply.status)
        if not 200 <= reply.status < 300:
            return self._by_status(reply.status, f"HTTP {reply.status}, and a body that tells of no error")
        return self._found(payload, value, item.id, reply.status)

    def _read(self, body: bytes, content_type: str) -> tuple[bytes, Json]:
        """The answer as JSON text, and its envelope as values. Raises Unreadable."""
        if not body:
            raise Unreadable("an empty answer")
        charset = charset_of(content_type)
        start = body[:20].lstrip(UTF8_BOM + _SPACE).lower()
        if start.startswith(b"<"):
            return self._read_xml(body, charset, start, content_type.lower())
        try:
            if is_chinese(charset) or body.startswith(UTF8_BOM):
                body = decode_declared(body, charset).encode().strip(_SPACE)
            return body, parse(body)
        except UnicodeDecodeError:
            raise Unreadable("the answer is not text in its charset") from None
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"the answer cannot be read: {error}") from None

    def _read_xml(self, body: bytes, charset: str, start: bytes, content_type: str) -> tuple[bytes, Json]:
        page = start.startswith(_HTML) or ("html" in content_type and not start.startswith(b"<?xml"))
        try:
            root, value = ("html", "") if page else read_xml(body, charset)
            if root.lower() == "html":
                raise Unreadable("a page of HTML in place of an answer", html=True)
            payload = to_json(value)
            return payload, self._with_root(root, parse(payload))
        except (XmlError, ValueError) as error:
            raise Unreadable(f"the answer cannot be read: {error}") from None

    def _with_root(self, root: str, value: Json) -> Json:
        """The root's name belongs to the envelope where it is the first key of what would stand in JSON."""
        named = {root: value}
        if root == "error_response" or (root == "error" and not isinstance(value, dict)):
            return named
        if root == "error" and not value.keys() & {"error_code", "errorCode"}:
            return {"error_response": value}
        unwrapped = payload_of(value, self._shape)
        return named if unwrapped is None and payload_of(named, self._shape) is not None else value

    def _found(self, payload: bytes, value: Json, asked: str, status: int) -> Verdict:
        thing = payload_of(value, self._shape)
        if thing is None and self._shape is not Shape.ANY:
            return self._verdict(codes.MALFORMED, "", "the answer has neither what was asked for nor an error", status)
        said = id_of(thing, self._shape)
        if said and not same_id(said, asked):
            return self._verdict(
                codes.MALFORMED, "", f"answer for another ID: {self._shown(said, MAX_OTHER_ID)}", status
            )
        return Verdict(VerdictKind.DONE, payload)

    def _refusal(self, trouble: Trouble, status: int) -> Verdict:
        if trouble.source is Source.UNSURE:
            return self._by_status(status, trouble.message or f"HTTP {status}")
        code = f"{trouble.code} {trouble.sub_code}".strip()
        meaning = _meaning(trouble, status)
        banned = _BAN.search(trouble.message)
        return self._verdict(meaning, code, trouble.message, status, float(banned[1]) if banned else None)

    def _unreadable(self, error: Unreadable, reply: Reply, body: bytes) -> Verdict:
        status = reply.status
        if 200 <= status < 300 and error.html:
            return self._verdict(codes.TRANSIENT, "", str(error), status)
        torn = 400 <= status < 500 and status != 429 and body.startswith((b"{", b"["))
        if status < 300 or torn:  # a refusal that was cut short says more when it comes whole
            return self._verdict(codes.MALFORMED, "", str(error), status)
        return self._by_status(status, f"HTTP {status}; {error}")

    def _by_status(self, status: int, message: str) -> Verdict:
        return self._verdict(codes.meaning_of_status(status), f"http_{status}", message, status)

    def _verdict(self, meaning: Meaning, code: str, message: str, status: int, wait_s: float | None = None) -> Verdict:
        return Verdict(
            meaning.kind,
            error=meaning.error,
            code=self._shown(code, MAX_CODE) or None,
            message=self._shown(message, MAX_MESSAGE),
            http_status=status,
            wait_s=wait_s,
            remedy=meaning.remedy_for(self._protocol_name),
        )

    def _shown(self, text: str, longest: int) -> str:
        """Fit to be stored and shown: no secrets (half of one is one too, so they go first), no control characters."""
        if self._redact is not None:
            text = self._redact(text[:LOOKED_AT])
        text = text.translate(_UNSHOWABLE).encode(errors="replace").decode().strip()
        return text if len(text) <= longest else text[: longest - 1] + "…"


def _meaning(trouble: Trouble, status: int) -> Meaning:
    business = trouble.source is Source.BUSINESS
    if trouble.source is Source.TOP:
        known = codes.meaning_of_top(trouble.code, trouble.sub_code, trouble.message)
    elif trouble.source is Source.OAUTH:
        known = codes.OAUTH_CODES.get(trouble.code.lower()) or codes.meaning_of("", trouble.message, business=False)
    else:
        known = codes.meaning_of(trouble.code, trouble.message, business=business)
    if known is None and (status == 429 or status >= 500):
        known = codes.meaning_of_status(status)
    if known is None and trouble.source is Source.OAUTH and status >= 300:
        known = codes.meaning_of_status(status)
    if known is None:
        known = codes.REJECTED if business else codes.UNKNOWN
    if known is codes.REJECTED and any(word in trouble.message.lower() for word in codes.ABSENT_WORDS):
        return codes.ABSENT
    return known
