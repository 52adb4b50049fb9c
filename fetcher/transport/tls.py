"""TLS contexts that verify. Nothing in the environment weakens them.

Built from `ssl.SSLContext` and not `ssl.create_default_context`: the latter opens the file that `SSLKEYLOGFILE` names
and writes the session's keys there, and `SSL_CERT_FILE` would change whom we trust.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from fetcher.errors import UsageError


def client_context(ca_file: str | None = None) -> ssl.SSLContext:
    """A context for clients: TLS 1.2 or later, chain and host name verified, HTTP/1.1 by ALPN.

    Args:
        ca_file: PEM file of the authorities to trust in place of Mozilla's (as certifi ships them).

    Raises:
        UsageError: the file cannot be read, or is not PEM.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # CERT_REQUIRED and check_hostname are its defaults
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
