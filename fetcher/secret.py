"""Secrets that do not show themselves, and the redactor that cuts them out at every sink."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from typing import Final, NoReturn

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


_SIGNED: Final = (
    # The word begins here: after no letter and no digit, but for those of an escape (%26, %2526, \u0026).
    r"(?i)(?=[_sarc])(?:(?<!\w)|(?<=%[0-9a-f]{2})|(?<=%25[0-9a-f]{2})|(?<=u0026))"
    r"(_aop_signature|sign|access_token|refresh_token|client_secret|app_secret|session)"
    r"""(\\*+["']?\s*+[=:>]\s*+\\*+["']?|(?:%(?:25)*22)?%(?:25)*3[AD](?:%(?:25)*22)?)"""
    r"""((?:[^&\s"'<>,;}\])\\]|\\++[^&\s"'])+)"""
)
"""`key=value` and `"key": "value"` of the parameters that give a call its power; a signature can be replayed."""

_DIGEST: Final = r"[0-9A-F]{40,}|[0-9a-f]{40,}"
"""What an HMAC-SHA1 looks like: a refusal may say which signature it got, or which one it wanted."""

_ESCAPES: Final = ("%", "\\", "&")
"""Without one of them a text holds no escaped spelling: the slow search is spared."""
_SHORTEST: Final = 4
_SHORTEST_SHIFTED: Final = 6
"""Bytes of a secret that is looked for inside base64 of more than itself; less would be found in ordinary words."""


class Redactor:
    """Cuts known secrets, in every spelling in which they could appear, and anything that looks like a signed URL.

    Spellings: as it is, percent-encoded (wholly or in part, once or more, in either case), as a form has it, with the
    escapes of JSON, Python and HTML, in hex, and in base64, also as a part of something longer (`user:secret`).

    Examples:
        >>> Redactor([Secret("s3cr3t/x")]).redact("GET /?access_token=abc&x=s3cr3t%2fx")
        'GET /?access_token=***&x=***'
    """

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._texts: set[str] = set()
        self._escapable: set[str] = set()
        self._plain: tuple[str, ...] = ()
        self._escaped: re.Pattern[str] | None = None
        for secret in secrets:
            self.add(secret)

    def add(self, secret: Secret) -> None:
        """Learn one more secret: a refreshed token, for example. Texts under 4 characters are not searched for."""
        text = secret.reveal()
        if len(text) < _SHORTEST or text in self._texts:
            return
        self._texts.add(text)
        plain = _plain_spellings(text)
        # Of base64 only these two signs are ever escaped.
        self._escapable |= {text} | {each for each in plain if "+" in each or "/" in each}
        self._plain = _longest_first({*self._plain, *plain})
        self._escaped = None

    def redact(self, text: str) -> str:
        """The text without secrets. Call it before truncating: half a secret is one too."""
        if self._texts and any(sign in text for sign in _ESCAPES):
            text = self._escaped_spellings().sub(STARS, text)
        for spelling in self._plain:
            if spelling in text:
                text = text.replace(spelling, STARS)
        if any(name in text for name in _ENCODED_NAMES):
            text = re.sub(_ENCODED, _stars_if_signed, text)
        text = re.sub(_DIGEST, STARS, text)
        return re.sub(_SIGNED, lambda found: found[1] + found[2] + STARS, text)

    def _escaped_spellings(self) -> re.Pattern[str]:
        """Made when it is first needed: most processes end without."""
        if self._escaped is None:
            texts = _longest_first(self._escapable)
            here = "|".join(sorted(map(re.escape, {*_ESCAPES, "+", *(text[0] for text in texts)})))
            self._escaped = re.compile(f"(?={here})(?:{'|'.join(map(_in_any_escape, texts))})")
        return self._escaped


def _longest_first(texts: Iterable[str]) -> tuple[str, ...]:
    """In the order in which to look for them: what holds another goes first."""
    return tuple(sorted(texts, key=lambda each: (-len(each), each)))


def _plain_spellings(text: str) -> set[str]:
    """Spellings that need no pattern to be found."""
    raw = text.encode("utf-8", "surrogatepass")
    found = {text, text.replace(" ", "+"), raw.hex(), raw.hex().upper()}
    for before in range(3 if len(raw) >= _SHORTEST_SHIFTED else 1):
        whole = base64.b64encode(b"\0" * before + raw + b"\0\0")
        # Only characters whose six bits are all the secret's: the others depend on its neighbours.
        stable = whole[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6].decode()
        found |= {stable, stable.replace("+", "-").replace("/", "_")}
    return found


_ENCODED: Final = r"[\w+/%\\-]{16,}=*"
_ENCODED_NAMES: Final = tuple(
    spelling
    for name in ("_aop_signature", "access_token", "refresh_token", "client_secret", "app_secret", "sign=")
    for spelling in _plain_spellings(name) - {name}
)
"""What betrays a signed call as a whole in hex or base64: then its signature, which nobody told us of, is in it too."""


def _stars_if_signed(run: re.Match[str]) -> str:
    return STARS if any(name in run[0] for name in _ENCODED_NAMES) else run[0]


def _in_any_escape(text: str) -> str:
    """A pattern for the text with each character as it is or escaped, in every mixture.

    Quantifiers are possessive where they could give back: no text makes the search slow.
    """
    pattern = []
    for found in re.finditer(r"(\\*)([^\\]|$)", text):
        pattern.append(_backslashes(len(found[1]), first=found.start() == 0))
        if found[2]:
            pattern.append(_character(found[2]))
    return "".join(pattern)


def _backslashes(n: int, *, first: bool) -> str:
    """`n` backslashes of the text's own, and any that escape what comes next. The search begins before a whole run."""
    start = r"(?<!\\)" if first else ""
    if n == 0:
        return rf"(?:{start}\\++)?" if first else r"\\*+"
    escaped = rf"(?:%(?:25)*+5[cC]|{start}\\++(?:u005|x5)[cC]|&#0*92;|&#[xX]0*5[cC];){{{n}}}"
    return rf"(?:{start}\\{{{n},}}+|{escaped}\\*+)"


def _character(character: str) -> str:
    """One character, not a backslash: as it is, in percent-encoded UTF-8, as a JSON, Python or HTML escape."""
    octets = character.encode("utf-8", "surrogatepass")
    units = character.encode("utf-16-be", "surrogatepass")
    code = ord(character)
    forms = [
        # Of a percent sign itself the repetition is the encoding.
        "%(?:25)*" if character == "%" else "".join(f"%(?:25)*+{_hex(octet, 2)}" for octet in octets),
        r"\\++".join(f"u{_hex(units[at] << 8 | units[at + 1], 4)}" for at in range(0, len(units), 2)),
        f"U{_hex(code, 8)}",
        f"&#0*{code};",
        f"&#[xX]0*{_hex(code, 1)};",
    ]
    if code < 256:
        forms.append(f"x{_hex(code, 2)}")
    if code > 127:
        forms.append(r"\\++".join(f"x{_hex(octet, 2)}" for octet in octets))  # the repr of bytes
    if name := _HTML_NAMES.get(character):
        forms.append(f"&{name};")
    forms.append("[ +]" if character == " " else re.escape(character))  # last: an escape may begin with it
    return f"(?:{'|'.join(forms)})"


_HTML_NAMES: Final = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}


def _hex(number: int, digits: int) -> str:
    """A pattern for the number in hex, in either case."""
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in f"{number:0{digits}x}")
