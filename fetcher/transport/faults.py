"""How the network fails, in the room's words: exceptions of sockets, resolvers and TLS become a kind and a few words.

The words never repeat an exception's own text, which may hold addresses and URLs.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from typing import Final, NamedTuple

from fetcher.model import Lost

RESET: Final = "reset"
"""In the words about a connection that was torn, by an RST, in place of closed too early."""


class Broken(Exception):
    """The answer cannot be used. Stays inside the room: at its door it is a NoReply."""

    def __init__(self, kind: Lost, detail: str) -> None:
        super().__init__(detail)
        self.kind, self.detail = kind, detail


class Fault(NamedTuple):
    """Why there is no connection."""

    kind: Lost
    detail: str
    permanent: bool = False


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it, groups opened, the deepest last."""
    seen: set[int] = set()
    found: list[BaseException | None] = [error]
    while found:
        one = found.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        if isinstance(one, BaseExceptionGroup):
            found.extend(one.exceptions)
        found.extend((one.__cause__, one.__context__))


def connect_fault(error: BaseException) -> Fault:
    """What kept a connection from being made; the most telling cause wins over the outermost."""
    faults = [fault for one in causes(error) if (fault := _read(one)) is not None]
    if not faults:
        return Fault(Lost.CONNECT, "the connection failed")
    return next((fault for fault in faults if fault.kind is not Lost.CONNECT), faults[-1])


def _read(error: BaseException) -> Fault | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Fault(Lost.TLS, f"the certificate does not verify: {_said(error, 'verify_message')}", permanent=True)
    if isinstance(error, ssl.SSLError):
        return Fault(Lost.TLS, f"TLS: {_said(error, 'reason')}")
    if isinstance(error, socket.gaierror):
        return Fault(Lost.DNS, "the host name was not found" if error.errno == socket.EAI_NONAME else "DNS failed")
    if isinstance(error, UnicodeError):
        return Fault(Lost.DNS, "the host name is not one", permanent=True)
    if isinstance(error, ConnectionRefusedError):
        return Fault(Lost.REFUSED, "connection refused")
    if isinstance(error, TimeoutError):
        return Fault(Lost.TIMEOUT, "no connection in time")
    if isinstance(error, OSError):
        said = os.strerror(error.errno).lower() if error.errno and error.errno > 0 else "reset or closed"
        return Fault(Lost.CONNECT, f"no connection: {said}")
    return None


def _said(error: ssl.SSLError, attribute: str) -> str:
    """OpenSSL's own words; Python leaves them out of some errors.

    For a wrong host they repeat it: `Hostname mismatch, certificate is not valid for 'x'.`
    """
    words = getattr(error, attribute, None) or "handshake failed"
    return str(words).partition(",")[0].partition("'")[0].replace("_", " ").strip().lower()
