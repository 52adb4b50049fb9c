"""The file: several openings of it share one schedule, whatever happens to the file."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.errors import UsageError
from fetcher.pacing import Ask, PlaceLost, SlotBook, Slowdown
from fetcher.sharing import FileCap, open_place, owner_of
from fetcher.sharing.disks import network_disk
from fetcher.sharing.layout import SIZE, Damaged, NotOurs, encode, find
from tests.fakes import StillClock

OWNER, BOOT = b"o" * 16, b"b" * 16
ASK = Ask(10, 100.0, 0.0, 0.01)


def place(path: Path, now_s: float = 100.0, owner: bytes = OWNER) -> FileCap:
    return FileCap(str(path), owner, StillClock(now_s))


async def first_s(cap: FileCap) -> float:
    lease = (await cap.lease(ASK)).lease
    assert lease is not None
    return lease.first_s


async def test_two_who_have_it_open_get_spans_one_after_the_other(tmp_path: Path) -> None:
    """What one has leased the other does not get."""
    clock = StillClock(100.0)
    one, other = (FileCap(str(tmp_path / "cap"), OWNER, clock) for _ in range(2))
    await one.lease(ASK)  # new: begins a second later
    clock.now_s = 102.0
    begun_s = await first_s(other)
    assert begun_s == 102.0
    assert await first_s(one) == pytest.approx(begun_s + 10 * (1.01 / 100), abs=1e-4)
    assert (tmp_path / "cap").stat().st_size == SIZE == 144
    for cap in (one, other):
        await cap.aclose()


async def test_a_new_file_begins_when_earlier_leases_are_over(tmp_path: Path) -> None:
    """Removed, cut, damaged, of another boot: nothing is leased that could meet what was leased before."""
    path = tmp_path / "cap"
    cap = place(path)
    for ruin in (
        path.unlink,
        lambda: os.truncate(path, 40),
        lambda: path.write_bytes(path.read_bytes()[:-9] + b"x" * 9),
    ):
        lease = (await cap.lease(ASK)).lease
        assert lease is None or lease.first_s >= 101.0
        ruin()
        grant = await cap.lease(ASK)
        assert grant.lease is None or grant.lease.first_s >= 101.0
    await cap.aclose()


async def test_several_keys_meet_in_one_file_each_for_itself(tmp_path: Path) -> None:
    """A run of one key and a run of many name the same file: each key has its schedule there; damage is one's own."""
    path, others = tmp_path / "cap", [bytes([n]) * 16 for n in range(3)]
    caps = [place(path, owner=owner) for owner in (*others, OWNER, OWNER)]
    for cap in caps:
        await cap.lease(ASK)
    assert path.stat().st_size == 4 * SIZE
    for cap in caps:
        cap._clock.now_s = 105.0  # type: ignore[attr-defined]
    begun_s = [await first_s(cap) for cap in caps]
    assert begun_s[:4] == [105.0] * 4
    assert begun_s[4] > 105.09  # the same key's next
    with path.open("r+b") as file:
        file.seek(SIZE + 50)
        file.write(b"damage")
    assert await first_s(caps[0]) > 105.09
    assert (await caps[1].lease(ASK)).lease is None  # it begins anew, a second later
    assert path.stat().st_size == 4 * SIZE
    for cap in caps:
        await cap.aclose()


async def test_damage_ends_a_count_of_calls(tmp_path: Path) -> None:
    """Where calls are counted against a limit, a damaged file must not begin at zero."""
    cap = place(tmp_path / "cap")
    await cap.lease(ASK)
    os.truncate(tmp_path / "cap", 40)
    with pytest.raises(UsageError, match="how many calls"):
        await cap.lease(Ask(1, 100.0, 0.0, 0.01, calls_limit=5))
    await cap.aclose()


def test_what_is_no_such_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    """A user's own file, a directory, a pipe, one in a folder that is missing: said, and untouched."""
    mine = tmp_path / "ids.txt"
    mine.write_text("610947572360\n")
    with pytest.raises(UsageError, match="not a file of this kind"):
        place(mine)
    assert mine.read_text() == "610947572360\n"
    with pytest.raises(UsageError, match="directory") as caught:
        place(tmp_path)
    assert "fetcher.cap" in caught.value.advice
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="not a file"):
        place(tmp_path / "pipe")
    with pytest.raises(UsageError, match="No such file") as caught:
        place(tmp_path / "none" / "cap")
    assert "mkdir" in caught.value.advice


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_file_that_may_not_be_written_is_said(tmp_path: Path) -> None:
    """Another user's file: who can change that is named."""
    (tmp_path / "cap").touch(0o444)
    with pytest.raises(UsageError, match="Permission denied") as caught:
        place(tmp_path / "cap")
    assert "chmod" in caught.value.advice


async def test_a_holder_that_stands_still_is_waited_for_and_then_said(tmp_path: Path) -> None:
    """The lock is held by somebody who was stopped: nothing is leased, and it goes on afterwards."""

    class Hurrying(StillClock):
        def monotonic_s(self) -> float:
            self.now_s += 0.3
            return self.now_s

    cap = FileCap(str(tmp_path / "cap"), OWNER, Hurrying())
    with (tmp_path / "cap").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(PlaceLost, match="stands still"):
            await cap.lease(ASK)
    await cap.lease(ASK)
    await cap.aclose()


def test_a_process_that_dies_lets_the_lock_go(tmp_path: Path) -> None:
    """The kernel does: nobody waits for the dead."""
    script = "import fcntl,os,sys; f=open(sys.argv[1],'ab'); fcntl.flock(f,fcntl.LOCK_EX); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", script, tmp_path / "cap"], check=False)
    with (tmp_path / "cap").open("rb") as free:
        fcntl.flock(free, fcntl.LOCK_EX | fcntl.LOCK_NB)


FLOATS = st.floats(allow_nan=False)


@given(st.tuples(*[FLOATS] * 9), st.integers(0, 2**60), st.integers(0, 2**60), st.integers(0, 2**31))
def test_a_book_is_read_as_it_was_written(times: tuple[float, ...], version: int, calls: int, streak: int) -> None:
    """Every value, infinities included; of another boot only the calls."""
    book = SlotBook(*times[:6], version, Slowdown(*times[6:], streak), calls, False)
    data = encode(book, OWNER, BOOT)
    assert len(data) == SIZE
    assert find(data, OWNER, BOOT) == (0, book)
    assert find(data, OWNER, b"c" * 16) == (0, SlotBook(calls=calls))
    assert find(encode(SlotBook(), b"x" * 16, BOOT) + data, OWNER, BOOT) == (SIZE, book)


@given(st.binary(max_size=200), st.integers(0, SIZE - 1))
def test_no_bytes_are_taken_for_a_book(noise: bytes, at: int) -> None:
    """Noise is refused, damage is noticed wherever it is."""
    if noise:
        with pytest.raises((NotOurs, Damaged)):
            find(noise, OWNER, BOOT)
    data = bytearray(encode(SlotBook(next_s=5.0), OWNER, BOOT))
    data[at] ^= 0x40
    with pytest.raises((NotOurs, Damaged)):
        find(bytes(data), OWNER, BOOT)


def test_another_layout_is_said() -> None:
    """A file of a later version is not overwritten."""
    data = bytearray(encode(SlotBook(), OWNER, BOOT))
    struct.pack_into("<I", data, 8, 99)
    with pytest.raises(NotOurs, match="another version"):
        find(bytes(data), OWNER, BOOT)


MOUNTS = """22 1 8:1 / / rw - ext4 /dev/sda1 rw
40 22 0:45 / /home rw,relatime - nfs4 server:/home rw
41 40 0:46 / /home/me/own\\040disk rw - xfs /dev/sdb1 rw
42 22 0:47 / /mnt rw - fuse.sshfs me@host: rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/cap", None),
        ("/home/me/cap", "nfs4"),
        ("/home/me/own disk/cap", None),
        ("/homestead/cap", None),
        ("/mnt/cap", "fuse.sshfs"),
    ],
)
def test_network_disks_are_known(path: str, kind: str | None) -> None:
    """By the innermost mount that holds the path."""
    assert network_disk(path, MOUNTS) == kind


def test_a_network_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its hosts have no clock in common."""
    mounts = tmp_path / "mounts"
    mounts.write_text(f"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n40 22 0:45 / {tmp_path} rw - nfs4 server:/home rw\n")
    monkeypatch.setattr("fetcher.sharing.disks.MOUNTS", str(mounts))
    with pytest.raises(UsageError, match="network disk"):
        place(tmp_path / "cap")


def test_a_text_that_is_no_url_is_a_file(tmp_path: Path) -> None:
    """Its path is what a person is told."""
    path = str(tmp_path / "cap")
    cap = open_place(path, app_key="1", origin="https://a", clock=StillClock(1.0))
    assert isinstance(cap, FileCap)
    assert cap.where == path


def test_whose_cap_it_is() -> None:
    """Another app key or another gateway has another cap; another way to write the same gateway has not."""
    same = ["https://gw.open.1688.com", "http://gw.open.1688.com", "https://GW.open.1688.com:443"]
    assert len({owner_of("1", origin) for origin in same}) == 1
    others = [("2", same[0]), ("1", "https://gw.api.taobao.com"), ("1", "https://gw.open.1688.com:8443")]
    assert len({owner_of("1", same[0]), *(owner_of(*one) for one in others)}) == 4
