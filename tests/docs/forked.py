"""`fetcher` as a shell finds it, only quicker: a script on the PATH asks a server that has the program loaded to fork.

A fresh interpreter takes half a second of a busy core to get going, and the pages have seventy commands. What runs is
the program's own `main`, on the script's streams, in its folder, with its environment.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SCRIPT = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as asked:
    asked.connect({address!r})
    order = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(asked, [len(order).to_bytes(4, "big")], [0, 1, 2])
    asked.sendall(order)
    sys.exit(int(asked.recv(8) or b"70"))
"""


@contextmanager
def commands(folder: Path) -> Iterator[Path]:
    """A folder for the PATH in which `fetcher` lies; it works until the block ends."""
    address = str(folder / "orders")
    script = folder / "fetcher"
    script.write_text(_SCRIPT.format(python=sys.executable, address=address), encoding="utf-8")
    script.chmod(0o755)
    server = subprocess.Popen([sys.executable, "-m", "tests.docs.forked", address], stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None and server.stdout.readline() == b"ready\n"
        yield folder
    finally:
        server.terminate()
        server.communicate()


def _serve(address: str) -> None:
    """One child an order; it answers with its exit code."""
    import fetcher.cli.main
    import fetcher.cli.run
    import fetcher.run.command
    import fetcher.transport.fast  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(8)
        print("ready", flush=True)
        while True:
            asked, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                _obey(asked)
            asked.close()


def _obey(asked: socket.socket) -> None:
    head, streams, _, _ = socket.recv_fds(asked, 4, 3)
    with asked.makefile("rb") as stream:
        arguments, folder, environment = json.loads(stream.read(int.from_bytes(head, "big")))
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w", buffering=1)
    sys.argv = ["fetcher", *arguments]
    from fetcher.cli import main

    code = main(arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    asked.sendall(str(code).encode())
    os._exit(0)


if __name__ == "__main__":
    _serve(sys.argv[1])
