"""`Gateway`: the door through which a run speaks with the gateway. Calls out, verdicts back.

It must not know connections, clocks or retries. A request is signed when it is about to be sent, so `now_ms` comes in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import msgspec

from fetcher.errors import UsageError
from fetcher.gateway.answers import Answers
from fetcher.gateway.api import Api, Family, IdList
from fetcher.gateway.calls import encode_pair, members, number_in_json, numbers_in_json, split_base_url, wire_pairs
from fetcher.gateway.protocols import METHODS, PROTOCOLS, Protocol, find_protocol, reserved, signer_for
from fetcher.gateway.template import Layout, Template, make_template
from fetcher.gateway.top_signing import SIGN_METHODS
from fetcher.model import Call, Item, Reply, Request, Verdict
from fetcher.secret import Secret

_APP_KEY: Final = re.compile(r"[A-Za-z0-9._~-]{1,100}")
_SYSTEM_PREFIX: Final = "_aop_"
SESSION_API: Final = "taobao.top.auth.token.refresh"
"""Of the TOP family; its gateway gives it to apps that are ordered on the service market."""


class Credentials(msgspec.Struct, frozen=True):
    """Who calls."""

    app_key: str
    app_secret: Secret
    access_token: Secret | None = None


@dataclass(repr=False, eq=False)
class Gateway:
    """One API of one gateway, called by one app.

    Args:
        api: what is called.
        protocol_name: how calls are written and signed: `param2`, `guide` or `top`.
        credentials: the app's.
        base_url: `https://host[:port]/openapi`; under `top`, 1688's own stands for that family's.
        params: further parameters. None is left out; booleans, numbers, lists and mappings become the text that is
            signed. Of an API whose ID stands in a JSON text they become members of that text.
        method: GET or POST; None: the protocol's own.
        send_timestamp: send the time although the protocol does not demand it.
        redact: cuts secrets out of the gateway's messages before they are shortened.
        batch: IDs in one call; 0: as many as the API usually takes. Afterwards: how many they are.

        answer_format: `json` or `xml`: which is asked for. Whatever comes is understood.
        sign_method: of the TOP family: `md5`, `hmac` or `hmac-sha256`.

    Raises:
        UsageError: one of these is wrong. No message holds a secret.
    """

    api: Api
    protocol_name: str
    credentials: Credentials
    base_url: str
    params: Sequence[tuple[str, object]] = ()
    method: str | None = None
    send_timestamp: bool = False
    redact: Callable[[str], str] | None = None
    batch: int = 0
    answer_format: str = "json"
    sign_method: str | None = None

    def __post_init__(self) -> None:
        self._protocol = protocol = find_protocol(self.protocol_name)
        _check_family(self.api, protocol)
        self._method = _method(self.method or self.api.method or None, protocol)
        self.batch = self.api.ids_per_call(self.batch)
        self.origin, self._base_path = split_base_url(protocol.base_url(self.base_url))
        """`origin` is `scheme://host[:port]`: where to connect."""
        key = self.credentials.app_key
        if _APP_KEY.fullmatch(key) is None:
            raise UsageError(
                "the app key is empty or has characters that no app key has", "It is the number of your app: --app-key."
            )
        self._signer = signer_for(protocol, self.credentials.app_secret, self.sign_method)
        self._answers = Answers(self.api, self.protocol_name, self.redact)
        self.product = self._answers.product
        """What `verdict` would bring of a plain success, in a short way; None: ask `verdict`. Asked for each answer, so
        there is nothing between."""
        self._stamped = protocol.timestamp_always or self.send_timestamp
        self._set_up_call()
        self._set_up_system_parameters(key)

    @property
    def is_top(self) -> bool:
        """It speaks the TOP family's protocol."""
        return self._protocol.family is Family.TOP

    @property
    def app_key(self) -> str:
        """Whose calls they are."""
        return self.credentials.app_key

    def __repr__(self) -> str:
        return f"Gateway({self.api.name}, {self.protocol_name}, {self.origin}{self._base_path})"

    def _set_up_call(self) -> None:
        api = self.api
        as_tutorial = self._protocol.as_tutorial and bool(api.tutorial_id_parameter)
        self._id_parameter = api.tutorial_id_parameter if as_tutorial else api.id_parameter
        params = wire_pairs(self.params)
        _refuse_reserved(params, reserved(self._protocol) | {self._id_parameter})
        merged = dict(() if as_tutorial else api.fixed) | dict(params)
        inside = {name: text for name, text in merged.items() if api.id_field and not name.startswith(_SYSTEM_PREFIX)}
        self._api_path = api.path
        self._plain_id = api.listing is None and not api.id_field
        self._beside_id = members(inside.items())
        self._rest = tuple(pair for pair in merged.items() if pair[0] not in inside)

    def _set_up_system_parameters(self, app_key: str) -> None:
        protocol, token = self._protocol, self.credentials.access_token
        self._before = self._named(app_key, self.api.api_name)
        secret = wire_pairs([(protocol.token, token.reveal())]) if token else ()
        asked = protocol.xml if self.answer_format == "xml" else protocol.json
        self._after = (*asked, *protocol.after, *secret)
        self._template = self._make_template()

    def _make_template(self) -> Template | None:
        protocol = self._protocol
        stamp = ((protocol.timestamp, ""),) if self._stamped else ()
        before = (*self._before, *stamp)
        layout = Layout(
            pairs=(*before, (self._id_parameter, ""), *self._rest, *self._after),
            value=len(before),
            stamp=len(before) - 1 if stamp else None,
        )
        path = protocol.signed_path(self.api.path, self.credentials.app_key)
        request = (self._method, f"{self._base_path}/{path}")
        return make_template(request, protocol.signature, partial(protocol.text, path), self._signer.sign, layout)

    def _named(self, app_key: str, api_name: str) -> tuple[tuple[str, str], ...]:
        """The protocol's first parameters."""
        sign_method = self.sign_method or SIGN_METHODS[0]
        filled = {"{app_key}": app_key, "{api_name}": api_name, "{sign_method}": sign_method}
        return tuple((name, filled.get(value, value)) for name, value in self._protocol.before)

    def call(self, items: Sequence[Item]) -> Call:
        """What is asked for `items`, up to `batch` of them, not yet signed: this may be kept, a request may not."""
        value = items[0].id if self._plain_id else self._id_value(items)
        return Call(tuple(items), self._api_path, ((self._id_parameter, value), *self._rest))

    def _id_value(self, items: Sequence[Item]) -> str:
        api = self.api
        if api.listing is not None:
            ids = [item.id for item in items]
            return numbers_in_json(ids) if api.listing.form is IdList.JSON else ",".join(ids)
        (item,) = items
        return number_in_json(api.id_field, item.id, self._beside_id) if api.id_field else item.id

    def request(self, call: Call, now_ms: int) -> Request:
        """The call, signed for this moment. It is a secret.

        Args:
            call: what is asked, as `call` made it.
            now_ms: milliseconds since 1970 UTC, by the gateway's clock if its offset is known.
        """
        protocol = self._protocol
        shown = protocol.stamp(now_ms) if self._stamped else ""
        if self._template is not None:
            return self._template.write(call.params[0][1], shown)
        stamp = ((protocol.timestamp, shown),) if shown else ()
        return self._signed(protocol, self._method, call.path, (*self._before, *stamp, *call.params, *self._after))

    def current_time(self, now_ms: int = 0) -> Request:
        """Asks for the gateway's time: proves key, secret, algorithm and network, and needs no permission.

        1688's gateway has it in its own protocol only, so that is used whatever the calls use.

        Args:
            now_ms: as for `request`; only the TOP family looks at it.
        """
        protocol = self._protocol
        if protocol.family is Family.TOP:
            return self._system_call(protocol, protocol.time_api, (), now_ms)
        protocol = PROTOCOLS["param2"]
        return self._signed(protocol, protocol.method, protocol.time_api, ())

    def session_renewal(self, refresh: Secret, now_ms: int) -> Request:
        """Of the TOP family: asks for a new session. (1688's own gateway hands out tokens elsewhere: `TokenCalls`.)"""
        return self._system_call(self._protocol, SESSION_API, (("refresh_token", refresh.reveal()),), now_ms)

    def _system_call(
        self, protocol: Protocol, api_name: str, pairs: tuple[tuple[str, str], ...], now_ms: int
    ) -> Request:
        """Of the TOP family, without a session."""
        stamp = (protocol.timestamp, protocol.stamp(now_ms))
        named = self._named(self.credentials.app_key, api_name)
        return self._signed(protocol, protocol.method, "", (*named, stamp, *pairs, *protocol.json, *protocol.after))

    def verdict(self, reply: Reply, item: Item) -> Verdict:
        """What an answer means for `item`. It never raises; `retry_after` is left to the caller."""
        return self._answers.verdict(reply, item)

    def verdicts(self, reply: Reply, call: Call) -> Verdict | list[Verdict]:
        """What an answer means for the items of `call`. It never raises.

        Returns:
            One verdict for the whole call (of one ID: for that), or one for each item, in their order. REJECT for a
            call of several IDs: one of them may be the reason, and the others may be well without it.
        """
        return self._answers.verdicts(reply, call.items)

    def _signed(self, protocol: Protocol, method: str, path: str, pairs: tuple[tuple[str, str], ...]) -> Request:
        path = protocol.signed_path(path, self.credentials.app_key)
        signature = self._signer.sign(protocol.text(path, pairs))
        parts = [encode_pair(*pair) for pair in (*pairs, (protocol.signature, signature))]
        if method == "GET":
            return Request(method, f"{self._base_path}/{path}?{'&'.join(parts)}")
        return Request(method, f"{self._base_path}/{path}", "&".join(parts).encode())


def _check_family(api: Api, protocol: Protocol) -> None:
    if api.family is protocol.family:
        return
    if api.family is Family.TOP:
        raise UsageError(f"{api.name} is an API of the TOP family", "Add --protocol top.")
    raise UsageError(
        f"{api.name} is an API of 1688's own gateway, which does not speak --protocol {protocol.name}",
        "Leave --protocol out, or choose an API of the TOP family: taobao-item, or a dotted name with --id-param.",
    )


def _method(chosen: str | None, protocol: Protocol) -> str:
    if chosen is None:
        return protocol.method
    if chosen.upper() not in METHODS:
        raise UsageError(f"the method must be one of {', '.join(METHODS)}")
    return chosen.upper()


def _refuse_reserved(params: Sequence[tuple[str, str]], names: frozenset[str]) -> None:
    for name, _ in params:
        if name in names:
            is_token = name in ("access_token", "session")
            advice = "The token comes from FETCHER_ACCESS_TOKEN." if is_token else "Leave it out."
            raise UsageError(f"the parameter {name!r} is set by the program itself", advice)
