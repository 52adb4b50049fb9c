"""The page on which a member lets an app act for it, as text: a form, and where the browser is sent afterwards. Pure.

Documented: the two addresses, the parameters, a code that comes back with `state`. The page itself is invented.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final
from urllib.parse import urlencode, urlsplit

import msgspec

AUTHORISE: Final = "/oauth/authorize"
"""As at `auth.1688.com`; unsigned."""
OLD_AUTHORISE: Final = "/auth/authorize.htm"
"""As at `gw.open.1688.com`; signed without a path."""
OUT_OF_BAND: Final = frozenset({"", "urn:ietf:wg:oauth:2.0:oob"})
"""No address to go back to: the page shows the code, to be copied."""


class Page(msgspec.Struct, frozen=True):
    """An answer for a browser."""

    status: int
    html: str = ""
    location: str = ""


def question(path: str, params: Mapping[str, str]) -> Page:
    """The form."""
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in params.items()
    )
    return _page(
        200,
        f"<p>Let the app <b>{escape(params.get('client_id', ''))}</b> act for the member <b>sandbox</b>?</p>"
        f'<form method="get" action="{escape(path)}">{fields}'
        '<button name="authorize" value="yes">Yes</button> <button name="authorize" value="no">No</button></form>',
    )


def refused(why: str) -> Page:
    """What is wrong with the request; the browser is sent nowhere."""
    return _page(400, f"<p>{escape(why)}</p>")


def is_address(redirect_uri: str) -> bool:
    """Whether a browser can be sent there."""
    if redirect_uri in OUT_OF_BAND:
        return True
    try:
        parts = urlsplit(redirect_uri)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and redirect_uri.isprintable()


def answer(params: Mapping[str, str], code: str | None) -> Page:
    """Back to the app, with the code; without one the member said no."""
    redirect_uri = params.get("redirect_uri", "")
    if redirect_uri in OUT_OF_BAND:
        said = f"The code, good once and for two minutes: <code>{escape(code)}</code>" if code else "Not authorised."
        return _page(200, f"<p>{said}</p>")
    carried = {"code": code} if code else {"error": "access_denied"}
    if params.get("state"):
        carried["state"] = params["state"]
    joint = "&" if urlsplit(redirect_uri).query else "?"
    return Page(302, location=redirect_uri + joint + urlencode(carried))


def _page(status: int, inner: str) -> Page:
    return Page(status, f'<!doctype html><meta charset="utf-8"><title>Sandbox</title>{inner}\n')
