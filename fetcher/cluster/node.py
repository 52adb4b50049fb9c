"""What a node does with an order: it is told what the job is, does the shard, says how it ended. Knows nothing of Ray.

Whatever happens comes back as bytes: an exception would be written down and shown by Ray with its traceback, and the
nodes' logs are everybody's who uses the cluster. So all text is redacted here, where the secrets are known.
"""

from __future__ import annotations

import logging
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, Final, Protocol

import msgspec

from fetcher._version import __version__
from fetcher.clock import SystemClock
from fetcher.cluster.board import Briefing, Figure, Order
from fetcher.cluster.part import Part, Result, Told, do_shard, settings_of_shard
from fetcher.cluster.records import Shard
from fetcher.cluster.store import open_store
from fetcher.errors import Defect, FetcherError, OutputBusy, UsageError
from fetcher.metrics import Snapshot
from fetcher.report import Screen, configure_logging, iso_time
from fetcher.run import Done, Job, run_job
from fetcher.secret import Redactor, Secret
from fetcher.settings import FIELDS, CommandSettings, known_secrets, load

REPORT_S: Final = 0.5
BUSY_S: Final = 20.0
"""How long a try waits for the one before it to let go of the part: a killed process does so at once."""

log = logging.getLogger("fetcher.cluster")


class Link(Protocol):
    """The board, seen from a node."""

    def briefing(self) -> bytes:
        """See `Board`."""
        ...

    def report(self, figure: bytes) -> bool:
        """See `Board`. Must not wait: the answer may be that to an earlier report."""
        ...

    def may_commit(self, shard: int, attempt: int) -> bool:
        """See `Board`."""
        ...


class ToldToStop(FetcherError):
    """The driver wants this shard no further."""

    exit_code = 130


class Reporting:
    """Shows a run's figures to the board, and brings back its word to stop. See `run.Onlooker`."""

    def __init__(self, link: Link, order: Order, node: str, learn: Callable[[Secret], None]) -> None:
        self._link, self._order, self._node, self.learn = link, order, node, learn
        self._next_s = 0.0

    def update(self, snapshot: Snapshot) -> FetcherError | None:
        """See `Onlooker`."""
        now_s = time.monotonic()
        if now_s < self._next_s:
            return None
        self._next_s = now_s + REPORT_S
        figure = Figure(self._order.shard, self._order.attempt, self._node, os.getpid(), snapshot)
        return ToldToStop("stopped by the driver") if self._link.report(msgspec.msgpack.encode(figure)) else None

    def close(self, snapshot: Snapshot) -> None:
        """See `Onlooker`: the result says how it ended."""


RunOnNode = Callable[[Job, SystemClock, Reporting], Done]


def work(link: Link, order: Order, node: str, run: RunOnNode | None = None) -> bytes:
    """One try at a shard.

    Args:
        link: the board.
        order: which shard.
        node: a name of this machine, for the driver.
        run: does the run; `run_job` under the cap of `--share-cap` when None.

    Returns:
        A `Result`, encoded.
    """
    redactor = Redactor()
    try:
        result = _work(link, order, node, run or _run_alone, redactor)
    except FetcherError as error:
        result = Result(shard=order.shard, error=Told.of(error), left=order.ids)
    except Exception as error:
        log.exception("shard %d failed", order.shard)
        lines = "".join(traceback.format_exception(error)[-3:])
        told = Told(Defect.exit_code, f"{type(error).__name__}: {error}\n{lines}", "what was written stands")
        result = Result(shard=order.shard, error=told, left=order.ids)
    if result.error is not None:
        told = result.error
        told = Told(told.exit_code, redactor.redact(told.message), redactor.redact(told.advice))
        result = msgspec.structs.replace(result, error=told)
    return msgspec.msgpack.encode(result)


def _work(link: Link, order: Order, node: str, run: RunOnNode, redactor: Redactor) -> Result:
    briefing = msgspec.msgpack.decode(link.briefing(), type=Briefing)
    if briefing.version != __version__:
        raise UsageError(
            f"node {node} has fetcher {__version__}, the driver has {briefing.version}",
            "install the same version on every node",
        )
    settings = settings_of_shard(settings_from(briefing))
    for secret in known_secrets(settings):
        redactor.add(secret)
    configure_logging(
        briefing.log_level, "json" if settings.log_format == "json" else "text", Screen(sys.stderr), redactor
    )
    store = open_store(briefing.place)
    if not store.has("_job/cut.json"):
        raise UsageError(
            f"node {node} does not see {store.place}",
            "give -o a folder on a file system that all nodes share, or a URI such as s3://bucket/folder",
        )
    shard = Shard(order.shard, order.start_bytes, order.end_bytes, order.ids, order.digest)
    part = Part(store, briefing.job, shard, briefing.ending)
    clock = SystemClock()
    reporting = Reporting(link, order, node, redactor.add)

    def patiently(job: Job) -> Done:
        until_s = time.monotonic() + BUSY_S
        while True:
            try:
                return run(job, clock, reporting)
            except OutputBusy:
                if time.monotonic() > until_s:
                    raise
                time.sleep(REPORT_S)

    part.take_up(look=order.look)
    return do_shard(
        part,
        settings,
        patiently,
        lambda: link.may_commit(order.shard, order.attempt),
        lambda: iso_time(clock.wall_ms()),
    )


def _run_alone(job: Job, clock: SystemClock, reporting: Reporting) -> Done:
    return run_job(job, clock, lambda: reporting, reporting.learn)


def plain_settings(settings: CommandSettings, *, with_secrets: bool) -> dict[str, Any]:
    """The settings as plain values for `settings_from`. With secrets laid open it is one itself."""
    values = {}
    for field in FIELDS:
        value = getattr(settings, field.name)
        if field.private and not with_secrets:
            continue
        values[field.name] = value.reveal() if hasattr(value, "reveal") else value
    plain: dict[str, Any] = msgspec.to_builtins(values | {"max_errors": None})
    return plain


def settings_from(briefing: Briefing) -> CommandSettings:
    """The job's settings on a node; its own credentials where the driver hands over none."""
    values = dict(briefing.settings)
    if briefing.own_secrets:
        own = load({"secrets": values["secrets"]} if values.get("secrets") else None).settings
        values |= {field.name: getattr(own, field.name) for field in FIELDS if field.private}
    return CommandSettings(**values)
