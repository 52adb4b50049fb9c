"""Machines of one network on this one: network namespaces, each on a cable of its own, that can be unplugged.

The namespace of the tests is the one side, where the servers are, on loopback; what a machine sends them goes through
a proxy at the near end of its cable, which holds every byte for a while: another while for each machine, and one there
than back. (The kernel's `netem` would do for delays, but is missing from many kernels.)
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest


@dataclass
class Delay:
    """Of what is sent to a server, and of what comes back: seconds, and by how much it varies."""

    there_s: float
    back_s: float
    jitter_s: float


HERE = "10.213.0.1"
"""Of the near end of every cable: so all see the servers at one address."""


@dataclass
class Machine:
    """A network namespace at the end of a cable."""

    name: str
    near: str
    """The near end's device."""

    def plug(self, *, on: bool) -> None:
        """Pull the cable out, or put it in again."""
        _ip("-n", self.name, "link", "set", "far", "up" if on else "down")


def needs_namespaces() -> None:
    """Skip where there are none."""
    if shutil.which("ip") is None:
        pytest.skip("ip (iproute2) is not installed")
    tried = f"fetcher-{os.getpid()}-tried"
    made = subprocess.run(["ip", "netns", "add", tried], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"no network namespace can be made: {made.stderr.strip()}")
    _ip("netns", "delete", tried)


@contextmanager
def machines(delays: Sequence[Delay], ports: Sequence[int]) -> Iterator[list[Machine]]:
    """As many as there are delays; each reaches the servers at these ports of our loopback at `HERE`."""
    with ExitStack() as stack:
        made = [stack.enter_context(_machine(number)) for number in range(len(delays))]
        doors = [(one.near, port, vars(delay)) for one, delay in zip(made, delays, strict=True) for port in ports]
        proxy = subprocess.Popen([sys.executable, __file__, json.dumps(doors)], stdout=subprocess.PIPE)
        with proxy:
            assert proxy.stdout is not None
            assert proxy.stdout.readline() == b"open\n"
            try:
                yield made
            finally:
                proxy.kill()


@contextmanager
def _machine(number: int) -> Iterator[Machine]:
    name, near = f"fetcher-{os.getpid()}-{number}", f"f{os.getpid()}n{number}"
    there = f"10.213.0.{number + 2}"
    _ip("netns", "add", name)
    try:
        _ip("link", "add", near, "type", "veth", "peer", "name", "far", "netns", name)
        _ip("address", "add", HERE, "peer", there, "dev", near)
        _ip("link", "set", near, "up")
        _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", name, "address", "add", there, "peer", HERE, "dev", "far")
        _ip("-n", name, "link", "set", "far", "up")
        yield Machine(name, near)
    finally:
        _ip("netns", "delete", name)  # and the cable with it


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


async def _hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float, jitter_s: float) -> None:
    """Pass on what comes, each piece after its delay, none before an earlier one."""
    now_s = asyncio.get_running_loop().time
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def passing() -> None:
        while (piece := await pieces.get())[1]:
            await asyncio.sleep(piece[0] - now_s())
            writer.write(piece[1])
        writer.close()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(passing())
        data = b" "
        while data:
            try:
                data = await reader.read(65_536)
            except ConnectionError:
                data = b""
            pieces.put_nowait((now_s() + delay_s + random.uniform(-jitter_s, jitter_s), data))


async def _open(device: str, port: int, delay: Delay) -> None:
    async def arrived(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_says, server_hears = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(
            _hold(reader, server_hears, delay.there_s, delay.jitter_s),
            _hold(server_says, writer, delay.back_s, delay.jitter_s),
        )

    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    door.bind((HERE, port))
    await (await asyncio.start_server(arrived, sock=door)).start_serving()


async def _serve(doors: list[tuple[str, int, dict[str, float]]]) -> None:
    """Open all doors, say so, and stay."""
    for device, port, delay in doors:
        await _open(device, port, Delay(**delay))
    print("open", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(json.loads(sys.argv[1])))
