"""A run's parts over a scripted transport, on the loop's own (virtual) time."""

from __future__ import annotations

from typing import Any

from fetcher.run.assemble import Parts, assemble, new_tally
from fetcher.run.loop import Ended, Run
from fetcher.settings import Settings
from tests.fakes import ListFeed, ListSink, LoopClock, Script, ScriptedTransport, always_well


def ids(n: int, first: int = 610_000_000_000) -> list[str]:
    """`n` different product IDs."""
    return [str(first + k) for k in range(n)]


class Bench:
    """Everything that a test of a run looks at afterwards."""

    def __init__(self, script: Script = always_well, *, latency_s: float = 0.05, **options: Any) -> None:
        self.clock = LoopClock()
        settings = Settings(**{"app_key": "1000000", "app_secret": "sandbox-secret", "qps": 100.0, **options})
        self.transport = ScriptedTransport(self.clock, script, latency_s=latency_s)
        self.parts: Parts = assemble(settings, clock=self.clock)
        self.parts.transport = self.transport
        self.sink = ListSink()

    def make(self, product_ids: list[str]) -> Run:
        """A run over these IDs."""
        self.tally = new_tally(self.parts)
        return Run(self.parts, ListFeed(product_ids), self.sink, self.tally)

    async def run(self, product_ids: list[str]) -> Ended:
        """Run over these IDs to the end."""
        return await self.make(product_ids).run()

    @property
    def stored(self) -> list[str]:
        """IDs in the sink, in order."""
        return [outcome.id for outcome in self.sink.outcomes]

    @property
    def sent_s(self) -> list[float]:
        """When calls were sent."""
        return [time_s for time_s, _ in self.transport.sent]
