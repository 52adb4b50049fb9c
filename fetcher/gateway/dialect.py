"""The gateway's language for one API, one protocol and one key: an ID becomes a call, a call a signed request, a
reply a verdict. Pure: the time is an argument, nothing is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import quote_plus, urlsplit

import msgspec

from fetcher.errors import UsageError
from fetcher.gateway.answers import Reader
from fetcher.gateway.apis import Api
from fetcher.gateway.protocols import GUIDE, PARAM2, find_protocol
from fetcher.gateway.signing import digest, joined
from fetcher.model import Call, Item, Reply, Request, Verdict
from fetcher.secret import Secret

_GUIDE_ID: Final = "productId"
"""What the tutorial calls the ID of `alibaba.product.get`; it sends no `webSite`."""


class Credentials(msgspec.Struct, frozen=True):
    """Who calls."""

    app_key: str
    app_secret: Secret
    access_token: Secret | None = None


class Manner(msgspec.Struct, frozen=True):
    """How the user wants the calls to be made."""

    params: tuple[tuple[str, str], ...] = ()
    """Further parameters of the API; they win over a preset's own."""
    method: str | None = None
    """`GET` or `POST`; None: the protocol's."""
    send_timestamp: bool = False
    """Send `_aop_timestamp` with param2 requests; its tolerance is unpublished, so usually not."""


class Gateway:
    """Speaks to one API.

    Args:
        api: which one.
        protocol_name: `param2` or `guide`.
        credentials: the secret is revealed to the signature only.
        base_url: scheme, host and the path before the protocol segment.
        manner: what the user wants otherwise than the preset and the protocol have it.
        redact: applied to messages before they are shortened and stored: a gateway may echo the request.

    Raises:
        UsageError: the base URL is none, or the protocol is unknown.
    """

    def __init__(
        self,
        api: Api,
        protocol_name: str,
        credentials: Credentials,
        base_url: str,
        *,
        manner: Manner | None = None,
        redact: Callable[[str], str] | None = None,
    ) -> None:
        self.api = api
        self.protocol = find_protocol(protocol_name)
        manner = manner or Manner()
        self.method = manner.method or self.protocol.method
        self.origin, self._prefix = split_url(base_url)
        self._app_key = credentials.app_key
        self._secret = credentials.app_secret
        self._token = credentials.access_token
        self._send_timestamp = manner.send_timestamp
        self._reader = Reader(api, protocol_name, redact)
        guide_product = self.protocol is GUIDE and api.name == "product"
        self._id_parameter = _GUIDE_ID if guide_product else api.id_parameter
        self._fixed = tuple({**({} if guide_product else dict(api.fixed)), **dict(manner.params)}.items())
        self._url_path = self._path_of(api.path)
        self._target = f"{self._prefix}/{self._url_path}"

    def call(self, item: Item) -> Call:
        """The parameters of the call for one ID, unsigned."""
        value = self.api.id_template % item.id if self.api.id_template else item.id
        return Call((item,), self.api.path, ((self._id_parameter, value), *self._fixed))

    def request(self, call: Call, now_ms: int) -> Request:
        """Sign it now.

        Args:
            call: of `call`.
            now_ms: the gateway's time, milliseconds since 1970 UTC.
        """
        if self.protocol is PARAM2:
            pairs = self._param2_pairs(call.params, now_ms)
            text = self._url_path + joined(pairs)
        else:
            pairs = self._guide_pairs(call.params, now_ms)
            text = "".join([key + value for key, value in sorted(pairs)])
        pairs.append((self.protocol.signature, digest(self._secret.reveal().encode(), text)))
        return self._rendered(self._target, pairs)

    def current_time(self) -> Request:
        """`system/currentTime`: needs a key and a right signature, no permission; tells the gateway's time."""
        path = f"param2/1/system/currentTime/{self._app_key}"
        return self._rendered(
            f"{self._prefix}/{path}", [("_aop_signature", digest(self._secret.reveal().encode(), path))]
        )

    def verdict(self, reply: Reply, item: Item) -> Verdict:
        """What the answer means for `item`. Never raises, whatever the bytes."""
        return self._reader.read(reply, item.id)

    def _path_of(self, api_path: str) -> str:
        return f"param2/{api_path}/{self._app_key}" if self.protocol.key_in_path else f"param2/{api_path}"

    def _param2_pairs(self, params: tuple[tuple[str, str], ...], now_ms: int) -> list[tuple[str, str]]:
        pairs = list(params)
        if self._token is not None:
            pairs.append(("access_token", self._token.reveal()))
        if self._send_timestamp:
            pairs.append(("_aop_timestamp", str(now_ms)))
        return pairs

    def _guide_pairs(self, params: tuple[tuple[str, str], ...], now_ms: int) -> list[tuple[str, str]]:
        pairs = [
            ("app_key", self._app_key),
            ("method", self.api.api_name),
            ("timestamp", str(now_ms // 1000)),
            *params,
            ("format", "json"),
            ("v", "2.0"),
        ]
        if self._token is not None:
            pairs.append(("access_token", self._token.reveal()))
        return pairs

    def _rendered(self, target: str, pairs: list[tuple[str, str]]) -> Request:
        encoded = "&".join([f"{encode(key)}={encode(value)}" for key, value in pairs])
        if self.method == "GET":
            return Request("GET", f"{target}?{encoded}")
        return Request("POST", target, encoded.encode())


def encode(text: str) -> str:
    """As a form has it: a space becomes `+`, everything but letters, digits and `_.-~` UTF-8 in percent escapes."""
    # IDs, signatures and most fixed values need nothing: looking costs a tenth of encoding.
    return text if text.isascii() and text.isalnum() else quote_plus(text)


def split_url(base_url: str) -> tuple[str, str]:
    """The origin (`https://host[:port]`) and the path before the protocol segment, without a slash at its end.

    Raises:
        UsageError: it is no plain http(s) URL.
    """
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError:
        raise UsageError(f"the gateway's URL cannot be read: {base_url!r}", "as https://host/openapi") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"the gateway's URL must begin with https:// and name a host: {base_url!r}")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError("the gateway's URL must be scheme, host and path only: no user, query or fragment")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port else ""), parts.path.rstrip("/")
