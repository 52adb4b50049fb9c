"""TLS contexts that verify. Nothing in the environment weakens them.

Built from `ssl.SSLContext` and not `ssl.create_default_context`: the latter opens the file that `SSLKEYLOGFILE` names
and writes the session's keys there, and `SSL_CERT_FILE` would change whom we trust.

Sessions are resumed: a second connection to a host costs neither side a signature. Python's event loops give no way to
hand a session over, but they ask the context for each connection's TLS object, and there it is put in.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from fetcher.errors import UsageError


class ResumingContext(ssl.SSLContext):
    """A context that begins each connection to a host with the last session that it has had there.

    Only sessions of this very context are used, so what was verified was verified by the same authorities, and for the
    same host. A server that does not take a session back makes a whole handshake of it.
    """

    _latest: dict[str | bytes | None, ssl.SSLObject]
    _sessions: dict[str | bytes | None, ssl.SSLSession]

    def __new__(cls) -> ResumingContext:
        """For clients: `CERT_REQUIRED` and `check_hostname` are the defaults."""
        context = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        context._latest, context._sessions = {}, {}
        return context

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """See `ssl.SSLContext`."""
        latest = self._latest.get(server_hostname)
        # Asked for now and not after its handshake: in TLS 1.3 the tickets come later, with the first answer. While a
        # handshake is under way there is no version, and asking for its session is an error.
        if latest is not None and latest.version() is not None and (learned := latest.session) is not None:
            self._sessions[server_hostname] = learned
        session = session or self._sessions.get(server_hostname)
        made = super().wrap_bio(incoming, outgoing, server_side, server_hostname, session)
        self._latest[server_hostname] = made
        return made


def client_context(ca_file: str | None = None) -> ssl.SSLContext:
    """A context for clients: TLS 1.2 or later, chain and host name verified, HTTP/1.1 by ALPN.

    Args:
        ca_file: PEM file of the authorities to trust in place of Mozilla's (as certifi ships them).

    Raises:
        UsageError: the file cannot be read, or is not PEM.
    """
    context = ResumingContext()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if ca_file is None:
        import certifi

        context.load_verify_locations(cafile=certifi.where())
        return context
    try:
        context.load_verify_locations(cafile=str(Path(ca_file).expanduser()))
    except ssl.SSLError:
        raise UsageError(f"{ca_file} holds no certificates in PEM form", "Name a PEM file with --ca-file.") from None
    except OSError as error:
        raise UsageError(f"cannot read {ca_file}: {error.strerror}", "Name a PEM file with --ca-file.") from None
    return context
