"""What the TOP family signs, and how; beside `signing`, which knows the two ways of the 1688 gateway.

    text         the strings key+value of all parameters but `sign`, sorted by key; no path
    md5          MD5 of secret + text + secret
    hmac         HMAC-MD5 of text with the secret
    hmac-sha256  HMAC-SHA256 of text with the secret

All over UTF-8, in upper-case hexadecimal digits. It must not know which parameters there are.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

from fetcher.errors import UsageError
from fetcher.gateway.signing import GUIDE_SIGNATURE, guide_text
from fetcher.secret import Secret
from fetcher.settings import did_you_mean

SIGN_METHODS: Final = ("md5", "hmac", "hmac-sha256")
"""The first is what every gateway of the family knows."""

_CHINA: Final = timezone(timedelta(hours=8))
_DIGESTS: Final = {"hmac": "md5", "hmac-sha256": "sha256"}


class TopSigner:
    """Holds a secret's bytes, shows them to nobody, and signs with them.

    Raises:
        UsageError: there is no such way to sign, or the secret has no bytes in UTF-8.
    """

    __slots__ = ("_digest", "_secret")

    def __init__(self, secret: Secret, sign_method: str) -> None:
        if sign_method not in SIGN_METHODS:
            near = did_you_mean(sign_method, SIGN_METHODS)
            raise UsageError(f"no sign_method {sign_method!r}{near}", f"One of: {', '.join(SIGN_METHODS)}.")
        self._digest = _DIGESTS.get(sign_method)
        try:
            self._secret = secret.reveal().encode()
        except UnicodeEncodeError:
            raise UsageError("the app secret has characters that no text can have") from None

    def sign(self, text: str) -> str:
        """The signature of a text: 32 or 64 characters."""
        if self._digest is not None:
            return hmac.digest(self._secret, text.encode(), self._digest).hex().upper()
        whole = self._secret + text.encode() + self._secret
        return hashlib.md5(whole, usedforsecurity=False).hexdigest().upper()  # the protocol's choice


def top_signature(secret: str, params: Mapping[str, str], sign_method: str = "md5") -> str:
    """`sign` of a call; a parameter of that name takes no part.

    Examples:
        >>> top_signature("secret", {"b": "2", "a": "1"})
        'EF16F26C937CF52AE6F85DF2FD08B24A'
    """
    pairs = [pair for pair in params.items() if pair[0] != GUIDE_SIGNATURE]
    return TopSigner(Secret(secret), sign_method).sign(guide_text("", pairs))


def china_time(now_ms: int) -> str:
    """Milliseconds since 1970 UTC as the family writes the time: `yyyy-MM-dd HH:mm:ss`, in China's.

    Examples:
        >>> china_time(1_700_000_000_123)
        '2023-11-15 06:13:20'
    """
    return _china_second(now_ms // 1000)


@lru_cache(maxsize=4)
def _china_second(now_s: int) -> str:
    return datetime.fromtimestamp(now_s, _CHINA).strftime("%Y-%m-%d %H:%M:%S")
