"""Kills one after the other, at every operation of each life: nothing stands twice, not even between two lives.

A life is what a run of paid calls does with its files: opened and mended, doubts held back, calls noted, answers
stored. The disk dies with its process, so thousands of deaths fit in this one; what each leaves behind is where the
next life begins.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from fetcher.output import Output, Reopening, open_output
from fetcher.output.disk import Disk
from tests.holds.books import failed_of, records
from tests.output.files import IDENTITY, NAMES, failure, product

IDS = ("7", "8")
SYNCED_AT_THE_END = 1e9
State = dict[str, bytes]
"""What lies in the folder: name → bytes."""


class Death(BaseException):
    """`kill -9`: no code of the program is to catch it."""


class MortalDisk(Disk):
    """Dies at the k-th operation, counted from 1: within it or behind it. From then on it does nothing any more."""

    def __init__(self, at: int = 0, how: str = "behind") -> None:
        self._at, self._how = at, how
        self._opened: list[int] = []
        self.is_dead = False
        self.operations = 0
        self.writes: set[int] = set()

    def _begin(self) -> None:
        if self.is_dead:
            raise Death
        self.operations += 1

    def _end(self) -> None:
        if self.operations == self._at:
            self.is_dead = True
            raise Death

    def open(self, path: str, flags: int, mode: int = 0o666) -> int:
        self._begin()
        descriptor = super().open(path, flags, mode)
        self._opened.append(descriptor)
        self._end()
        return descriptor

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        self._begin()
        self.writes.add(self.operations)
        torn = self.operations == self._at and self._how == "within"
        written = super().write(descriptor, data[: len(data) // 2] if torn else data)
        self._end()
        return written

    def sync(self, descriptor: int) -> None:
        self._begin()  # a kill takes nothing from the kernel's hands, so there is nothing to do
        self._end()

    def truncate(self, descriptor: int, size_bytes: int) -> None:
        self._begin()
        super().truncate(descriptor, size_bytes)
        self._end()

    def replace(self, source: str, target: str) -> None:
        self._begin()
        super().replace(source, target)
        self._end()

    def remove(self, path: str) -> None:
        self._begin()
        super().remove(path)
        self._end()

    def sync_folder(self, path: str) -> None:
        """Nor is there here."""

    def close_all(self) -> None:
        """As the kernel does behind a dead process: locks go with the descriptors."""
        for descriptor in self._opened:
            with suppress(OSError):
                os.close(descriptor)


class Folder(NamedTuple):
    """Where the lives are led."""

    path: Path
    name: str

    def state(self) -> State:
        return {each.name: each.read_bytes() for each in self.path.iterdir()}

    def live(self, state: State, disk: MortalDisk) -> int:
        """One life from this state on. Returns how many operations it was until the first call."""
        for each in self.path.iterdir():
            each.unlink()
        for name, data in state.items():
            (self.path / name).write_bytes(data)
        output, opening = None, 0
        try:
            out = str(self.path / self.name)
            output = open_output(
                out, None, Reopening(hold_doubts=True), identity=IDENTITY, sync_interval_s=SYNCED_AT_THE_END, disk=disk
            )
            output.hold(0)
            opening = disk.operations
            _call_each(output)
        except Death:
            pass
        finally:
            if output is not None:
                output.let_go()
            disk.close_all()
        return opening

    def stored(self, *, torn: bool) -> Counter[str]:
        out = self.path / self.name
        return Counter(record["id"] for path in (out, failed_of(out)) for record in records(path, torn=torn))


def _call_each(output: Output) -> None:
    notes = output.open_attempts()
    assert notes is not None
    for each in [each for each in IDS if each not in output.done]:
        notes.calls([each])
        output.append([product(int(each)) if int(each) % 2 else failure(int(each))])
        notes.stored([each])
    output.close()
    notes.close()


def deaths(folder: Folder, state: State, *, opening_only: bool = False) -> Iterator[State]:
    """Every state in which a life from this one on can be cut off. Asserts that nothing stands twice in it, and that
    a life which nobody cuts off stores every ID once."""
    whole = MortalDisk()
    opening = folder.live(state, whole)
    assert folder.stored(torn=False) == Counter(IDS)
    for at in range(1, (opening if opening_only else whole.operations) + 1):
        for how in ("within", "behind") if at in whole.writes else ("behind",):
            disk = MortalDisk(at, how)
            folder.live(state, disk)
            assert disk.is_dead
            twice = [each for each, times in folder.stored(torn=True).items() if times > 1]
            assert not twice, f"{twice} stand twice, killed {how} operation {at} after {sorted(state)}"
            yield folder.state()


def alike(state: State) -> Any:
    """Equal for states between which no life can see a difference."""
    return frozenset(
        (name, b"" if name.endswith(".torn") else data[:1] if ".run" in name else data) for name, data in state.items()
    )


@pytest.mark.parametrize("name", NAMES)
def test_killed_and_killed_while_it_is_mended(tmp_path: Path, name: str) -> None:
    """At every operation of a first life, then at every one until the second makes its first call."""
    folder, seen = Folder(tmp_path, name), set[Any]()
    for state in deaths(folder, {}):
        if alike(state) not in seen:
            seen.add(alike(state))
            for _ in deaths(folder, state, opening_only=True):
                pass
    assert len(seen) >= 15


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", NAMES[:2])
def test_killed_any_number_of_times(tmp_path: Path, name: str) -> None:
    """Every state that any sequence of kills can lead to, however long: 1 200 of them, 20 000 kills."""
    folder, seen, ahead = Folder(tmp_path, name), set[Any](), [State()]
    for number in count():
        if number == len(ahead):
            break
        for state in deaths(folder, ahead[number]):
            if alike(state) not in seen:
                seen.add(alike(state))
                ahead.append(state)
    assert len(seen) >= 100
