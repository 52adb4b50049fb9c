"""A reply becomes a verdict. The body decides before the HTTP status.

    bytes ─ quick look ─▶ clean: DONE, with the answer's own bytes
          └ otherwise: charset, XML or JSON ─ envelope ─▶ trouble: by the tables of codes
                                                       ├▶ the thing that was asked for: DONE
                                                       └▶ neither: by the status

It must not know signing, nor what is done about a verdict. It never raises for anything that a gateway may send.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Raw, structs

from fetcher.gateway import codes
from fetcher.gateway.api import ANY, Api, Family
from fetcher.gateway.charsets import UTF8_BOM, charset_of, is_chinese
from fetcher.gateway.codes import Meaning
from fetcher.gateway.envelopes import (
    Json,
    Source,
    Trouble,
    canonical,
    find_trouble,
    id_of,
    parse,
    payload_of,
    same_id,
)
from fetcher.gateway.glance import Glance
from fetcher.gateway.keep import keeper
from fetcher.gateway.lists import Lists
from fetcher.gateway.reading import SPACE, Unreadable, read_answer
from fetcher.model import Item, Kind, Reply, Verdict, VerdictKind

MAX_MESSAGE: Final = 500
MAX_CODE: Final = 100
MAX_OTHER_ID: Final = 40
MOST_TYPES: Final = 16
NOT_AMONG: Final = "not in the gateway's answer: there is no such product, or this user may not see it"
LOOKED_AT: Final = 100_000
"""Characters of a message that are searched for secrets: enough for what is shown, whatever is cut out of it."""

_NUMBER: Final = re.compile(r"[0-9]{1,30}")
_BAN: Final = re.compile(r"ban will last for (\d{1,7}) more second")
_UNSHOWABLE: Final = dict.fromkeys(
    [*range(0x20), *range(0x7F, 0xA0), 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A), 0xFEFF], " "
)
"""Control characters, line separators, and what turns the direction of a terminal's text."""


class Answers:
    """Understands the answers to the calls of one API.

    Args:
        api: its answers' form.
        protocol_name: some remedies depend on how calls are signed.
        redact: cuts secrets out of messages; a gateway may echo the request, token and all.
    """

    def __init__(self, api: Api, protocol_name: str, redact: Callable[[str], str] | None = None) -> None:
        self._form, self._protocol_name, self._redact = api.form, protocol_name, redact
        self._absent_codes = frozenset(api.absent_codes)
        self._keep = keeper(api.keep) if api.keep else None
        self._is_clean = Glance(api.form).is_clean if api.form.things or api.family is Family.AOP else _never
        self._plain_types: set[str] = set()
        """Content types that were seen and speak of nothing unusual."""
        self._lists = None if api.listing is None else Lists(api.listing)
        self._wrap = b"" if api.listing is None else api.listing.wrap.encode()
        self._id_paths = () if api.listing is None else api.listing.ids

    def verdicts(self, reply: Reply, items: Sequence[Item]) -> Verdict | list[Verdict]:
        """What `reply` means for each of `items`; one verdict where it is about the whole call."""
        if self._lists is None:
            return self.verdict(reply, items[0])
        body = reply.body.strip(SPACE)
        if 200 <= reply.status < 300 and not is_chinese(charset_of(reply.content_type)):
            body = body.removeprefix(UTF8_BOM).lstrip(SPACE)
            elements = self._lists.glance(body)
            if elements is not None:
                return self._shares(elements, items, reply.status)
        return self._of_whole(reply, body, items)

    def product(self, reply: Reply, item: Item) -> bytes | None:
        """The payload of an answer that is plainly what was asked for; None: `verdict` has to look.

        The short way of the calls that end well. Whatever is bytes, status or type out of the ordinary goes the other.
        """
        body, content_type = reply.body, reply.content_type
        if reply.status != 200 or not (body.startswith(b"{") and body.endswith(b"}")):
            return None
        if content_type not in self._plain_types and not self._is_plain(content_type):
            return None
        if not self._is_clean(body, item.id):
            return None
        return body if self._keep is None else self._keep(body)

    def _is_plain(self, content_type: str) -> bool:
        plain = self._lists is None and not is_chinese(charset_of(content_type))
        if plain and len(self._plain_types) < MOST_TYPES:
            self._plain_types.add(content_type)
        return plain

    def verdict(self, reply: Reply, item: Item) -> Verdict:
        """What `reply` means for `item`, the only one that was asked for."""
        if self._lists is not None:
            found = self.verdicts(reply, (item,))
            return found[0] if isinstance(found, list) else found
        body = reply.body.strip(SPACE)
        if 200 <= reply.status < 300 and not is_chinese(charset_of(reply.content_type)):
            body = body.removeprefix(UTF8_BOM).lstrip(SPACE)
            if self._is_clean(body, item.id):
                return self._done(body)
        try:
            payload, value = read_answer(body, reply.content_type, self._form)
        except Unreadable as error:
            return self._unreadable(error, reply, body)
        trouble = find_trouble(value, self._form, refused=not 200 <= reply.status < 300)
        if trouble is not None:
            return self._refusal(trouble, reply.status)
        if not 200 <= reply.status < 300:
            return self._by_status(reply.status, f"HTTP {reply.status}, and a body that tells of no error")
        return self._found(payload, value, item.id, reply.status)

    def _found(self, payload: bytes, value: Json, asked: str, status: int) -> Verdict:
        thing = payload_of(value, self._form)
        if thing is None and self._form.things:
            return self._verdict(codes.MALFORMED, "", "the answer has neither what was asked for nor an error", status)
        said = id_of(thing, self._form.ids)
        if said and not same_id(said, asked):
            return self._verdict(
                codes.MALFORMED, "", f"answer for another ID: {self._shown(said, MAX_OTHER_ID)}", status
            )
        return self._done(payload)

    def _of_whole(self, reply: Reply, body: bytes, items: Sequence[Item]) -> Verdict | list[Verdict]:
        """The patient reading of an answer to a call about several IDs."""
        assert self._lists is not None
        try:
            payload, value = read_answer(body, reply.content_type, self._form)
        except Unreadable as error:
            return self._unreadable(error, reply, body)
        refused = not 200 <= reply.status < 300
        elements = self._lists.elements(payload)
        trouble = find_trouble(value, ANY, refused=refused, found=bool(elements))
        if trouble is not None:
            found = self._refusal(trouble, reply.status)
            if len(items) == 1 or found.kind not in (VerdictKind.ABSENT, VerdictKind.REJECT):
                return found
            # "One of them does not exist" must not make all of them absent.
            names = _named(trouble.message, items)
            return structs.replace(found, kind=VerdictKind.REJECT, error=Kind.REJECTED, names=names)
        if refused:
            return self._by_status(reply.status, f"HTTP {reply.status}, and a body that tells of no error")
        if elements is None:
            return self._verdict(codes.MALFORMED, "", "the answer has neither a list nor an error", reply.status)
        return self._shares(elements, items, reply.status)

    def _shares(self, elements: Sequence[Raw], items: Sequence[Item], status: int) -> Verdict | list[Verdict]:
        """Each item's part of a good answer, by the ID that the part itself says; surplus is left alone."""
        asked = {canonical(item.id) for item in items}
        shares: dict[str, Verdict] = {}
        others: list[str] = []
        for element in elements:
            if bytes(element) == b"null":  # stands for one that is not there
                continue
            said, verdict = self._share(element, status)
            id_ = canonical(said)
            if id_ not in asked:
                others.append(said)
            elif id_ not in shares or shares[id_].kind is not VerdictKind.DONE:
                shares[id_] = verdict
        if others and (not shares or "" in others):
            # Not about our IDs, or about nobody knows which: what is missing may be asked for again.
            missing = self._verdict(codes.MALFORMED, "", self._about_others(others), status)
            if not shares:
                return missing
        else:
            missing = self._verdict(codes.ABSENT, "", NOT_AMONG, status)
        return [shares.get(canonical(item.id), missing) for item in items]

    def _share(self, element: Raw, status: int) -> tuple[str, Verdict]:
        """The ID that an element of the list says it has (empty: none), and what it means for that ID."""
        assert self._lists is not None
        text = bytes(element)
        clean_id = self._lists.clean_id(element)
        if clean_id is not None:
            return str(clean_id), self._done(text)
        value = parse(text)
        trouble = find_trouble(value, ANY, refused=False)
        verdict = self._done(text) if trouble is None else self._refusal(trouble, status)
        return id_of(value, self._id_paths), verdict

    def _done(self, text: bytes) -> Verdict:
        if self._wrap:
            text = b'{"%b":%b}' % (self._wrap, text)
        return Verdict(VerdictKind.DONE, text if self._keep is None else self._keep(text))

    def _about_others(self, others: Sequence[str]) -> str:
        if "" in others:
            return "the answer has a product without an ID"
        return f"answer for other IDs: {self._shown(', '.join(others), MAX_OTHER_ID)}"

    def _refusal(self, trouble: Trouble, status: int) -> Verdict:
        if trouble.source is Source.UNSURE:
            return self._by_status(status, trouble.message or f"HTTP {status}")
        code = f"{trouble.code} {trouble.sub_code}".strip()
        meaning = codes.ABSENT if self._says_absent(trouble) else _meaning(trouble, status)
        banned = _BAN.search(trouble.message)
        return self._verdict(meaning, code, trouble.message, status, float(banned[1]) if banned else None)

    def _says_absent(self, trouble: Trouble) -> bool:
        """Whether the code is one of those by which this API says that there is no such thing."""
        if not self._absent_codes or trouble.source is Source.UNSURE:
            return False
        said = {code.lower() for code in (trouble.code, trouble.sub_code)}
        return bool(self._absent_codes & (said | {code.partition(":")[0] for code in said}))

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
            refuses_call=meaning.refuses_call,
        )

    def _shown(self, text: str, longest: int) -> str:
        """Fit to be stored and shown: no secrets (half of one is one too, so they go first), no control characters."""
        if self._redact is not None:
            text = self._redact(text[:LOOKED_AT])
        text = text.translate(_UNSHOWABLE).encode(errors="replace").decode().strip()
        return text if len(text) <= longest else text[: longest - 1] + "…"


def _named(message: str, items: Sequence[Item]) -> tuple[str, ...]:
    """The IDs that a refusal names, if it names some of them and not all."""
    numbers = set(_NUMBER.findall(message[:LOOKED_AT]))
    named = tuple(item.id for item in items if canonical(item.id) in numbers)
    return named if len(named) < len(items) else ()


def _never(body: bytes, asked: str) -> bool:
    """The quick look at answers whose envelope has a key that nobody knows."""
    return False


def _is_no_gateways(trouble: Trouble, status: int) -> bool:
    """A refusal that shows no code of the gateway, under a status that the gateway does not use: who said it?"""
    if trouble.source is Source.OAUTH:
        return status >= 300
    return trouble.source is Source.GATEWAY and not trouble.code and status in codes.NOT_THE_GATEWAYS


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
    if known is None and _is_no_gateways(trouble, status):
        known = codes.meaning_of_status(status)
    if known is None:
        known = codes.REJECTED if business else codes.UNKNOWN
    if known is codes.REJECTED and any(word in trouble.message.lower() for word in codes.ABSENT_WORDS):
        return codes.ABSENT
    return known
