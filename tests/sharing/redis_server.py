"""A Redis of our own on a free port of loopback, that can be killed and started again."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest


class RedisServer:
    """Args:
    folder: its files.
    password: what it asks for; empty: nothing.
    """

    def __init__(self, folder: Path, password: str = "") -> None:
        self._folder, self._password = folder, password
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """As --share-cap takes it."""
        return f"redis://{f':{self._password}@' if self._password else ''}127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Until it takes connections."""
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir"]
        command += [str(self._folder), "--requirepass", self._password]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until_s = time.monotonic() + 10
        while time.monotonic() < until_s:
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.01)
        raise AssertionError("redis-server did not start")

    def kill(self) -> None:
        """kill -9; nothing is saved."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def needs_redis() -> None:
    """Skip where there is no server or no library."""
    pytest.importorskip("redis")
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
