"""How a secret may be spelled where it does not belong: by URLs, forms, JSON, Python, HTML, hex and base64."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_plus, urlencode

Spelling = Callable[[str], str]


def lower_escapes(text: str) -> str:
    """Percent-encoded with lower-case digits."""
    return "".join(part if part.isalnum() else quote(part, safe="").lower() for part in text)


def every_character(text: str) -> str:
    """Percent-encoded, letters and digits too."""
    return "".join(f"%{octet:02x}" for octet in text.encode())


def utf16_escapes(text: str) -> str:
    """Each character as `\\uXXXX`."""
    return "".join(
        f"\\u{int.from_bytes(pair, 'big'):04X}"
        for character in text
        for pair in [
            character.encode("utf-16-be")[at : at + 2] for at in range(0, len(character.encode("utf-16-be")), 2)
        ]
    )


SPELLINGS: dict[str, Spelling] = {
    "raw": str,
    "percent": lambda text: quote(text, safe=""),
    "percent, slash kept": quote,
    "percent, lower case": lower_escapes,
    "percent, every character": every_character,
    "percent, twice": lambda text: quote(quote(text, safe=""), safe=""),
    "percent, twice, lower case": lambda text: lower_escapes(lower_escapes(text)),
    "percent, three times": lambda text: quote(quote(quote(text, safe=""), safe=""), safe=""),
    "form": quote_plus,
    "form field": lambda text: urlencode({"q": text}).removeprefix("q="),
    "json": lambda text: json.dumps(text)[1:-1],
    "json, not escaped to ASCII": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json, slashes escaped": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "json in json": lambda text: json.dumps(json.dumps(text))[3:-3],
    "unicode escapes": utf16_escapes,
    "python escapes": lambda text: text.encode("unicode_escape").decode(),
    "repr of bytes": lambda text: repr(text.encode())[2:-1],
    "hex": lambda text: text.encode().hex(),
    "hex, upper case": lambda text: text.encode().hex().upper(),
    "html": html.escape,
    "html numbers": lambda text: "".join(f"&#{ord(character)};" for character in text),
}

ALPHABETS: dict[str, Callable[[bytes], str]] = {
    "standard": lambda raw: base64.b64encode(raw).decode(),
    "url": lambda raw: base64.urlsafe_b64encode(raw).decode(),
    "unpadded": lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("="),
    "in a URL": lambda raw: quote(base64.b64encode(raw).decode(), safe=""),
    "in JSON": lambda raw: base64.b64encode(raw).decode().replace("/", "\\/"),
}


def stable_base64(text: str) -> Iterator[str]:
    """What stands in base64 of anything that holds the text, wherever in it: three possibilities, in two alphabets."""
    raw = text.encode()
    for before in range(3):
        whole = base64.b64encode(b"-" * before + raw + b"--").decode()
        stable = whole[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
        yield from {stable, stable.replace("+", "-").replace("/", "_")}


def found_in(text: str, secrets: dict[str, str]) -> list[str]:
    """`name, as spelling` for every secret that the text holds, in whatever spelling."""
    return [
        f"{name}, as {spelling}"
        for name, secret in secrets.items()
        for spelling, spelled in [
            *((spelling, spell(secret)) for spelling, spell in SPELLINGS.items()),
            *(("base64", stable) for stable in stable_base64(secret)),
        ]
        if spelled in text
    ]
