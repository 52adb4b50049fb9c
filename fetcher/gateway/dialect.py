"""`Gateway`: the door through which a run speaks with the gateway. Calls out, verdicts back.

It must not know connections, clocks or retries. A request is signed when it is about to be sent, so `now_ms` comes in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from fetcher.errors import UsageError
from fetcher.gateway.answers import Answers
from fetcher.gateway.api import Api, IdList
from fetcher.gateway.calls import encode_pair, members, number_in_json, numbers_in_json, split_base_url, wire_pairs
from fetcher.gateway.protocols import METHODS, PROTOCOLS, Protocol, find_protocol, reserved
from fetcher.gateway.signing import Signer
from fetcher.model import Call, Item, Reply, Request, Verdict
from fetcher.secret import Secret

CURRENT_TIME: Final = "1/system/currentTime"
_APP_KEY: Final = re.compile(r"[A-Za-z0-9._~-]{1,100}")
_SYSTEM_PREFIX: Final = "_aop_"


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
        protocol_name: how calls are written and signed: `param2` or `guide`.
        credentials: the app's.
        base_url: `https://host[:port]/openapi`.
        params: further parameters. None is left out; booleans, numbers, lists and mappings become the text that is
            signed. Of an API whose ID stands in a JSON text they become members of that text.
        method: GET or POST; None: the protocol's own.
        send_timestamp: send the time although the protocol does not demand it.
        redact: cuts secrets out of the gateway's messages before they are shortened.
        batch: IDs in one call; 0: as many as the API usually takes. Afterwards: how many they are.

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

    def __post_init__(self) -> None:
        self._protocol = protocol = find_protocol(self.protocol_name)
        self._method = _method(self.method or self.api.method or None, protocol)
        self.batch = self.api.ids_per_call(self.batch)
        self.origin, self._base_path = split_base_url(self.base_url)
        """`origin` is `scheme://host[:port]`: where to connect."""
        key = self.credentials.app_key
        if _APP_KEY.fullmatch(key) is None:
            raise UsageError(
                "the app key is empty or has characters that no app key has", "It is the number of your app: --app-key."
            )
        self._signer = Signer(self.credentials.app_secret)
        self._answers = Answers(self.api, self.protocol_name, self.redact)
        self._stamped = protocol.timestamp_always or self.send_timestamp
        self._set_up_call()
        self._set_up_system_parameters(key)

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
        self._beside_id = members(inside.items())
        self._rest = tuple(pair for pair in merged.items() if pair[0] not in inside)

    def _set_up_system_parameters(self, app_key: str) -> None:
        filled = {"{app_key}": app_key, "{api_name}": self.api.api_name}
        protocol, token = self._protocol, self.credentials.access_token
        self._before = tuple((name, filled.get(value, value)) for name, value in protocol.before)
        secret = wire_pairs([("access_token", token.reveal())]) if token else ()
        self._after = (*protocol.after, *secret)
        # What every call repeats is encoded once.
        self._encoded = {pair: encode_pair(*pair) for pair in (*self._before, *self._rest, *self._after)}

    def call(self, items: Sequence[Item]) -> Call:
        """What is asked for `items`, up to `batch` of them, not yet signed: this may be kept, a request may not."""
        return Call(tuple(items), self.api.path, ((self._id_parameter, self._id_value(items)), *self._rest))

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
            call: what is asked.
            now_ms: milliseconds since 1970 UTC, by the gateway's clock if its offset is known.
        """
        protocol = self._protocol
        stamp = ((protocol.timestamp, str(now_ms // protocol.timestamp_unit_ms)),) if self._stamped else ()
        return self._signed(protocol, self._method, call.path, (*self._before, *stamp, *call.params, *self._after))

    def current_time(self) -> Request:
        """Asks for the gateway's time: proves key, secret, algorithm and network, and needs no permission.

        It exists in the gateway's own protocol only, so that is used whatever the calls use.
        """
        protocol = PROTOCOLS["param2"]
        return self._signed(protocol, protocol.method, CURRENT_TIME, ())

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
        path = f"param2/{path}/{self.credentials.app_key}" if protocol.app_key_in_path else f"param2/{path}"
        signature = self._signer.sign(protocol.text(path, pairs))
        known = self._encoded
        parts = [known.get(pair) or encode_pair(*pair) for pair in pairs]
        parts.append(f"{protocol.signature}={signature}")
        if method == "GET":
            return Request(method, f"{self._base_path}/{path}?{'&'.join(parts)}")
        return Request(method, f"{self._base_path}/{path}", "&".join(parts).encode())


def _method(chosen: str | None, protocol: Protocol) -> str:
    if chosen is None:
        return protocol.method
    if chosen.upper() not in METHODS:
        raise UsageError(f"the method must be one of {', '.join(METHODS)}")
    return chosen.upper()


def _refuse_reserved(params: Sequence[tuple[str, str]], names: frozenset[str]) -> None:
    for name, _ in params:
        if name in names:
            advice = "The token comes from FETCHER_ACCESS_TOKEN." if name == "access_token" else "Leave it out."
            raise UsageError(f"the parameter {name!r} is set by the program itself", advice)
