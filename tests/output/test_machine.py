"""Any history of runs, kills, torn tails and changes of the input, against a model of what must stand."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from fetcher.model import Outcome
from fetcher.output import failed_path_of, open_output, verify_output
from fetcher.output.disk import Disk
from fetcher.output.journal import Journal
from fetcher.output.line import head_id
from tests.output.files import IDENTITY, NAMES, failure, product, stored

NUMBERS = st.integers(1, 25)


class Killed(BaseException):
    """As if by `kill -9`: nothing after it is carried out."""


class Mortal(Disk):
    """Killed at the k-th operation; a write is torn there."""

    def __init__(self, at: int, share: float) -> None:
        self._left, self._share = at, share

    def _count(self) -> None:
        self._left -= 1
        if self._left == 0:
            raise Killed

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        if self._left == 1:
            super().write(descriptor, data[: int(len(data) * self._share)])
        self._count()
        return super().write(descriptor, data)

    def open(self, path: str, flags: int, mode: int = 0o666) -> int:
        self._count()
        return super().open(path, flags, mode)

    def sync(self, descriptor: int) -> None:
        self._count()
        super().sync(descriptor)

    def truncate(self, descriptor: int, size_bytes: int) -> None:
        self._count()
        super().truncate(descriptor, size_bytes)

    def replace(self, source: str, target: str) -> None:
        self._count()
        super().replace(source, target)

    def remove(self, path: str) -> None:
        self._count()
        super().remove(path)


class History(RuleBasedStateMachine):
    """The model: which IDs the input names, what the gateway would say of each, what was stored."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.ids: list[int] = []
        self.ill: dict[int, str] = {}
        self.fetched: set[str] = set()
        self.lasting: set[str] = set()

    @initialize(name=st.sampled_from(NAMES), interval_s=st.sampled_from([0.0, 3600.0]))
    def begin(self, name: str, interval_s: float) -> None:
        self.out, self.interval_s = Path(self.folder.name) / name, interval_s
        self.failed = Path(failed_path_of(str(self.out)))

    @rule(numbers=st.lists(NUMBERS, max_size=10))
    def input_grows(self, numbers: list[int]) -> None:
        self.ids += numbers

    @rule(numbers=st.sets(NUMBERS, max_size=10))
    def input_shrinks(self, numbers: set[int]) -> None:
        self.ids = [number for number in self.ids if number not in numbers]

    @rule(seed=st.integers(0, 99))
    def input_is_shuffled(self, seed: int) -> None:
        random.Random(seed).shuffle(self.ids)

    @rule(number=NUMBERS, how=st.sampled_from(["passing", "lasting", "well"]))
    def gateway_changes_its_mind(self, number: int, how: str) -> None:
        self.ill[number] = how

    def outcome(self, number: int) -> Outcome:
        how = self.ill.get(number, "well")
        return product(number) if how == "well" else failure(number, permanent=how == "lasting")

    @rule(kill_at=st.one_of(st.just(0), st.integers(1, 40)), share=st.floats(0, 1), batch=st.integers(1, 5))
    def run(self, kill_at: int, share: float, batch: int) -> None:
        disk, output = Mortal(kill_at, share), None
        try:
            output = open_output(str(self.out), None, identity=IDENTITY, sync_interval_s=self.interval_s, disk=disk)
            assert all(one in output.done for one in self.fetched | self.lasting), "what was stored is not remembered"
            todo = [number for number in dict.fromkeys(self.ids) if str(number) not in output.done]
            for start in range(0, len(todo), batch):
                outcomes = [self.outcome(number) for number in todo[start : start + batch]]
                output.append(outcomes)
                self.fetched |= {one.id for one in outcomes if one.ok}
                self.lasting |= {one.id for one in outcomes if not one.ok and one.error.permanent}
            output.close()
            assert verify_output(str(self.out), None, map(str, self.ids)).ok
        except Killed:
            if output is not None:
                output.let_go()

    @rule(share=st.floats(0.01, 0.99))
    def tail_is_torn(self, share: float) -> None:
        """As a write that a kill has cut short leaves it."""
        if self.out.exists() and self.out.suffix == ".jsonl" and (data := self.out.read_bytes()):
            last = data.splitlines(keepends=True)[-1]
            if last.endswith(b"\n"):
                with open(self.out, "ab") as file:
                    file.write(last[: max(1, int((len(last) - 1) * share))])

    @invariant()
    def nothing_stands_twice(self) -> None:
        if not hasattr(self, "out"):
            return
        for path in (self.out, self.failed):
            if path.exists():
                lines = [line for region, _ in Journal(str(path), Disk()).regions() for line in region.split(b"\n")]
                found = [head_id(line) for line in lines if line]
                assert len(found) == len(set(found))

    def teardown(self) -> None:
        if hasattr(self, "out"):
            self.run(0, 0.0, 3)
            stands = stored(self.out) + stored(self.failed)
            assert len(stands) == len(set(stands))
        self.folder.cleanup()


TestHistory = History.TestCase
TestHistory.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


@pytest.mark.long
class TestLongHistory(History.TestCase):
    """The same for half a minute."""

    settings = settings(max_examples=1500, stateful_step_count=25, deadline=None)
