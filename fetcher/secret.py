"""Secrets that do not show themselves, and the redactor that cuts them out at every sink."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from typing import Final, NoReturn
from urllib.parse import quote, quote_plus

STARS: Final = "***"


class Secret:
    """A text that is shown as stars by repr, str, format, JSON encoders and pickle. `reveal()` is the only way out."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself. Call it at the last moment and do not keep the result."""
        return self._text

    def __repr__(self) -> str:
        return STARS

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(("Secret", self._text))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled")


_SIGNED: Final = re.compile(
    r"(?i)\b(_aop_signature|sign|access_token|refresh_token|client_secret|app_secret|session)"
    r"""(["']?\s*[=:]\s*["']?|%3D)([^&\s"'<>,;}\])]+)"""
)
"""`key=value` and `"key": "value"` of the parameters that give a call its power; a signature can be replayed."""


class Redactor:
    """Cuts known secrets, in every spelling in which they could appear, and anything that looks like a signed URL.

    Examples:
        >>> Redactor([Secret("s3cr3t/x")]).redact("GET /?access_token=abc&x=s3cr3t%2Fx")
        'GET /?access_token=***&x=***'
    """

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._known: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        for secret in secrets:
            self.add(secret)

    def add(self, secret: Secret) -> None:
        """Learn one more secret: a refreshed token, for example. Texts under 4 characters are not searched for."""
        text = secret.reveal()
        if len(text) < 4:
            return
        raw = text.encode()
        self._known |= {
            text,
            quote(text, safe=""),
            quote_plus(text),
            raw.hex(),
            raw.hex().upper(),
            base64.b64encode(raw).decode().rstrip("="),
            base64.urlsafe_b64encode(raw).decode().rstrip("="),
            text.replace("\\", "\\\\").replace('"', '\\"').replace("/", "\\/"),
            text.encode("unicode_escape").decode(),
        }
        longest_first = sorted(self._known, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def redact(self, text: str) -> str:
        """The text without secrets. Call it before truncating: half a secret is one too."""
        if self._pattern is not None:
            text = self._pattern.sub(STARS, text)
        return _SIGNED.sub(lambda found: found[1] + found[2] + STARS, text)
