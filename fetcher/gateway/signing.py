"""Signatures: the texts that are signed and the HMAC over them. Knows no URL, no clock, no settings.

The rule (open.1688.com, "API 签名规则", and three official SDKs): join key and value of every parameter but the
signature, sort the joined strings *as wholes* by their bytes, put the URL path before them, HMAC-SHA1 with the app
secret over UTF-8, upper-case hexadecimal. Sorting keys instead differs where one key begins another (`subject`,
`subjectTrans`). Values are signed as they are sent, before URL encoding.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping


def digest(key: bytes, text: str) -> str:
    """HMAC-SHA1 over UTF-8, 40 upper-case hexadecimal digits."""
    return hmac.digest(key, text.encode(), "sha1").hex().upper()


def joined(pairs: Iterable[tuple[str, str]]) -> str:
    """`key+value` of each parameter, sorted as wholes. Code points sort as their UTF-8 bytes do."""
    return "".join(sorted([key + value for key, value in pairs]))


def param2_signature(secret: str, url_path: str, params: Mapping[str, str]) -> str:
    """`_aop_signature` of the gateway's own scheme.

    Args:
        secret: the app secret.
        url_path: from the protocol segment on, no slash before, no query: `param2/1/system/currentTime/1000000`.
        params: every parameter that is sent; `_aop_signature` is left out of what is signed.
    """
    return digest(secret.encode(), url_path + joined(_but(params, "_aop_signature")))


def params_only_signature(secret: str, params: Mapping[str, str]) -> str:
    """The same without the path: authorise URLs and push messages."""
    return digest(secret.encode(), joined(_but(params, "_aop_signature")))


def guide_signature(secret: str, params: Mapping[str, str]) -> str:
    """`sign` of the tutorial's scheme: sorted by key, no path."""
    pairs = sorted(_but(params, "sign"))
    return digest(secret.encode(), "".join([key + value for key, value in pairs]))


def _but(params: Mapping[str, str], left_out: str) -> Iterable[tuple[str, str]]:
    return ((key, value) for key, value in params.items() if key != left_out)
