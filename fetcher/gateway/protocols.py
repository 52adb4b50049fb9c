"""The ways to sign, as rows of one table. What they have in common stands in `dialect`."""

from __future__ import annotations

from typing import Final

import msgspec

from fetcher.errors import UsageError


class Protocol(msgspec.Struct, frozen=True):
    """How one family of gateways wants its requests."""

    name: str
    method: str
    """Unless the user says otherwise."""
    key_in_path: bool
    """The app key is the last segment of the path, and the path is signed."""
    signature: str
    """Name of the signature's parameter."""


PARAM2: Final = Protocol("param2", "POST", True, "_aop_signature")
"""The gateway's own. A POST form keeps token and signature out of URLs, and so out of logs on the way."""
GUIDE: Final = Protocol("guide", "GET", False, "sign")
"""The tutorial's: TOP's names, 1688's digest. The live gateway refuses it; proxies and sandboxes follow it."""

PROTOCOLS: Final = {row.name: row for row in (PARAM2, GUIDE)}


def find_protocol(name: str) -> Protocol:
    """The row of that name.

    Raises:
        UsageError: there is none.
    """
    try:
        return PROTOCOLS[name]
    except KeyError:
        raise UsageError(f"there is no protocol {name!r}", f"protocols: {', '.join(PROTOCOLS)}") from None
