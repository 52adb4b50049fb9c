"""The run on its event loop, between files that are open: in this process, or in several under it.

It must not know how the files were opened, nor what is said at the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, TypeAlias

import msgspec

from fetcher.clock import Clock
from fetcher.errors import FetcherError, OutputError
from fetcher.ids import Source
from fetcher.metrics import Proof, Snapshot
from fetcher.output import AttemptLog, Output
from fetcher.report import loop_exception_handler
from fetcher.run.assemble import assemble, look_at_place, new_tally
from fetcher.run.control import controlled
from fetcher.run.desk import Interrupted
from fetcher.run.drain import listening
from fetcher.run.feed import SourceFeed
from fetcher.run.loop import AT_ONCE_S, Ended, Run
from fetcher.run.roles import Principal
from fetcher.run.sink import FileSink
from fetcher.run.token_file import shared_tokens
from fetcher.run.treated import Treated
from fetcher.secret import Secret
from fetcher.settings import CommandSettings

Learn: TypeAlias = Callable[[Secret], None]
"""Takes a secret that came in mid-run, so that no log shows it."""


class Files(NamedTuple):
    """What a run reads and writes."""

    source: Source
    output: Output
    notes: AttemptLog | None
    learn: Learn | None = None
    """Is told the tokens that come in mid-run."""
    principal: Principal | None = None
    """Whose part the run is."""


class Driven(NamedTuple):
    """What came of it."""

    ended: Ended
    proof: Proof
    open_calls: list[str]
    """Of worker processes: noted, and neither answered nor stored."""


async def drive(settings: CommandSettings, clock: Clock, files: Files, onlooker: Treated) -> Driven:
    """From the first ID to the last outcome that is safe on the disk.

    Args:
        settings: of the run.
        clock: both clocks.
        files: opened.
        onlooker: is shown the figures.
    """
    asyncio.get_running_loop().set_exception_handler(loop_exception_handler())
    sink, feed = FileSink(files.output, settings.stall_timeout_s), SourceFeed(files.source)
    keeper = asyncio.create_task(sink.keep(settings.sync_interval_s), name="fetcher-sync")
    alone = settings.processes == 1
    try:
        driven = await (_in_one if alone else _in_several)(settings, clock, files, (feed, sink, onlooker.update))
        keeper.cancel()
        ended = driven.ended
        if ended.sink_hangs:
            sink.hurry()
        if (error := await sink.close()) is not None:  # a disk that fails at the very last sync has failed too
            ended = msgspec.structs.replace(ended, error=ended.error if ended.sink_hangs else error)
    finally:
        keeper.cancel()
        feed.close()
    ended = _taken_back(ended, files.output)
    onlooker.close(ended.snapshot)
    ended = msgspec.structs.replace(ended, snapshot=onlooker.seen(ended.snapshot))
    return driven._replace(ended=ended)


Ends: TypeAlias = tuple[SourceFeed, FileSink, Callable[[Snapshot], FetcherError | None]]
"""Where a run's IDs come from, where its outcomes go, who is shown its figures."""


async def _in_one(settings: CommandSettings, clock: Clock, files: Files, ends: Ends) -> Driven:
    """The run in this process."""
    parts = assemble(settings, clock=clock, learn=files.learn, principal=files.principal)
    feed, sink, show = ends
    if settings.caps and files.output.path is not None:
        from fetcher.output import SideFile
        from fetcher.run.quota_book import QuotaBook

        parts.quota_book = QuotaBook(SideFile(files.output.path, "quotas"), parts.keys, clock)
        parts.quota_book.read()
    run = Run(parts, feed, sink, new_tally(parts), show, notes=files.notes)

    def at_once() -> None:
        run.abandon(AT_ONCE_S)
        sink.hurry()

    try:
        steered = controlled(files.output.path, run.steering())
        with listening(lambda which: run.stop(Interrupted(which, which.name)), at_once):
            async with steered:
                return Driven(await run.run(), parts.cap_proof.proof(), [])
    finally:
        if parts.quota_book is not None:
            with suppress(OutputError):  # what it holds counts too many, never too few
                parts.quota_book.close()
        await parts.aclose()


async def _in_several(settings: CommandSettings, clock: Clock, files: Files, ends: Ends) -> Driven:
    """The run in worker processes, under this one."""
    from fetcher.run.shards import Shards

    await look_at_place(settings, clock)
    feed, sink, show = ends
    attempts = files.output.path if files.notes is not None else None
    with shared_tokens(settings) as shared:
        shards = Shards(shared, clock, feed, sink, files.notes, attempts)

        def at_once() -> None:
            shards.abandon()
            sink.hurry()

        steered = controlled(files.output.path, shards.steering())
        with listening(lambda which: shards.stop(Interrupted(which, which.name)), at_once):
            async with steered:
                return Driven(await shards.run(show), shards.cap_proof.proof(), shards.open_calls)


def _taken_back(ended: Ended, output: Output) -> Ended:
    """What the disk failed to make durable is not fetched, however well it looked for a second."""
    back = output.taken_back
    fetched, failed = len(back.fetched) + len(back.unchanged), len(back.failed)
    replace, snapshot, balance = msgspec.structs.replace, ended.snapshot, ended.balance
    return replace(
        ended,
        snapshot=replace(
            snapshot,
            fetched=snapshot.fetched - fetched,
            failed=snapshot.failed - failed,
            left=snapshot.left + fetched + failed,
        ),
        balance=replace(
            balance,
            fetched=balance.fetched - fetched,
            failed=balance.failed - failed,
            left=balance.left + fetched + failed,
        ),
    )
