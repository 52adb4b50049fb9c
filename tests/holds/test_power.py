"""Power cuts: a real file system is switched off in mid-write and mounted again. What was synced is there."""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fetcher.output import open_output
from tests.holds.books import failed_of, records
from tests.holds.forked import CONTEXT
from tests.holds.output_work import IDENTITY, endless

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mkfs.ext4") is None, reason="needs root and ext4's tools"),
]

SHUTDOWN = 0x8004587D
"""EXT4_IOC_SHUTDOWN."""
NO_LOG_FLUSH = 2
"""As if the plug were pulled: what the journal has not yet written is gone."""
CUTS = 6


@contextmanager
def mounted(image: Path, place: Path) -> Iterator[Path]:
    done = subprocess.run(["mount", "-o", "loop", image, place], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no loop mount here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def pull_the_plug(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
    finally:
        os.close(descriptor)


def work_until_it_is_dark(place: Path, name: str, wait_s: float) -> tuple[int, list[str]]:
    """Store products, cut the power. Returns what was sure at the last moment: how many, and which came last."""
    here, there = CONTEXT.Pipe(duplex=False)
    worker: Any = CONTEXT.Process(target=endless, args=(str(place), name, there), daemon=True)
    worker.start()
    there.close()
    sure: tuple[int, list[str]] = (0, [])
    end_s = time.monotonic() + wait_s
    assert here.poll(10), "nothing was stored"
    while time.monotonic() < end_s:
        if here.poll(0.005):
            sure = here.recv()
    pull_the_plug(place)
    worker.join(10)
    assert not worker.is_alive(), "the worker did not notice that its disk is gone"
    return sure


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_what_was_synced_survives(tmp_path: Path, name: str) -> None:
    """A dozen cuts on one file each: no synced record is lost, none stands twice, and the file can be gone on with."""
    image, place, dice = tmp_path / "disk", tmp_path / "mnt", random.Random(name)
    place.mkdir()
    with open(image, "wb") as file:
        file.truncate(256 * 2**20)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
    for cut in range(CUTS):
        with mounted(image, place):
            count, last = work_until_it_is_dark(place, name, dice.uniform(0.03, 0.12))
        with mounted(image, place):
            output = open_output(str(place / name), None, identity=IDENTITY)
            assert len(output.done) >= count, f"cut {cut}: {count} were sure, {len(output.done)} are there"
            assert all(one in output.done for one in last)
            output.close()
            both = [record["id"] for path in (place / name, failed_of(place / name)) for record in records(path)]
            assert len(both) == len(set(both)) == len(output.done)
