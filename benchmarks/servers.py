"""An nginx that answers every call with a product of the asked size, plain or over TLS; and which core has what."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.far_end import free_port, wait_for

PIECE = 3000

NGINX = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 8192; }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder}; keepalive_requests 1000000000; default_type application/json;
  server {{
    listen 127.0.0.1:{port} {listen} backlog=4096;
    {tls}
    location / {{
      {pieces}
      return 200 '{{"productInfo":{{"productID":$arg_productId,"subject":"连衣裙","pad":"{pad}"}},"errMsg":null}}';
    }}
  }}
}}
"""


def on_core(core: int) -> list[str]:
    """Words before a command that keep it on one core, where that can be done."""
    return ["taskset", "-c", str(core)] if shutil.which("taskset") and (os.cpu_count() or 1) > 1 else []


def certificate(folder: str) -> str:
    """A self-made one for localhost, as nginx takes it; its own authority is `cert.pem`."""
    names = ["-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem", "-subj", "/CN=localhost"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
    words = ["openssl", "req", "-x509", *curve, *names, "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(words, check=True, capture_output=True)
    return f"ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;"


class Far(NamedTuple):
    """Where a server is."""

    url: str
    ca_file: str
    """Of its authority; empty without TLS."""
    pid: int


@contextmanager
def nginx(body_kb: int, *, tls: bool = False, pinned: bool = True) -> Iterator[Far]:
    """A gateway that answers every call with its product; `pinned`: on the second core."""
    port, whole = free_port(), body_kb * 1000 - 80
    sizes = [PIECE] * (whole // PIECE) + [whole % PIECE]
    with tempfile.TemporaryDirectory() as folder:
        pieces = " ".join(f'set $p{k} "{"x" * size}";' for k, size in enumerate(sizes) if size)
        pad = "".join(f"$p{k}" for k, size in enumerate(sizes) if size)
        config = Path(folder) / "nginx.conf"
        told = certificate(folder) if tls else ""
        listen = "ssl" if tls else ""
        config.write_text(NGINX.format(folder=folder, port=port, pieces=pieces, pad=pad, tls=told, listen=listen))
        words = on_core(1) if pinned else []
        process = subprocess.Popen([*words, "nginx", "-c", str(config), "-p", folder], stderr=subprocess.DEVNULL)
        try:
            wait_for(port)
            host = "https://localhost" if tls else "http://127.0.0.1"
            yield Far(f"{host}:{port}", f"{folder}/cert.pem" if tls else "", process.pid)
        finally:
            process.terminate()
            process.wait()
