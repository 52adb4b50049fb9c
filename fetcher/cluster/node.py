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
from typing import Any, Final, Protocol, TypeAlias

import msgspec

from fetcher._version import __version__
from fetcher.clock import SystemClock
from fetcher.cluster.board import Briefing, Figure, Order
from fetcher.cluster.keeper import CountedPlace
from fetcher.cluster.part import Part, Result, Told, do_shard, settings_of_shard
from fetcher.cluster.records import Shard
from fetcher.cluster.sending import SentLately
from fetcher.cluster.store import open_store
from fetcher.cluster.tokens import BoardTokens, TokenLink
from fetcher.errors import Defect, FetcherError, OutputBusy, UsageError
from fetcher.metrics import Snapshot
from fetcher.pacing import LeasePlace
from fetcher.report import Screen, configure_logging, iso_time
from fetcher.run import Done, Job, TokenPlace, run_job
from fetcher.secret import Redactor, Secret
from fetcher.settings import FIELDS, CommandSettings, Settings, known_secrets, load, without_keys

REPORT_S: Final = 0.5
BUSY_S: Final = 20.0
"""How long a try waits for the one before it to let go of the part: a killed process does so at once."""

log = logging.getLogger("fetcher.cluster")


class Link(TokenLink, Protocol):
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

    def tell(self, sent: bytes, *, last: bool) -> None:
        """See `Board`. Waits only for the `last`: what was told must be there when the result is."""
        ...

    def clock(self) -> tuple[float, float]:
        """The board's clock less this machine's, and how wrong that may be; seconds."""
        ...

    async def take_calls(self, wanted: int, unused: int) -> tuple[int, int]:
        """See `Board`. Raises `PlaceLost`."""
        ...


class ToldToStop(FetcherError):
    """The driver wants this shard no further."""

    exit_code = 130


PlaceOf: TypeAlias = Callable[[Settings], LeasePlace | None]
"""Where the cap of the key in these settings is shared; None: as they say themselves."""


class Reporting:
    """What a shard's run has to do with the job: see `run.Onlooker` and `run.Principal`.

    Shows its figures to the board, tells when it sent, and brings back the word to stop.
    """

    def __init__(
        self,
        link: Link,
        order: Order,
        node: str,
        learn: Callable[[Secret], None],
        place_of: PlaceOf,
        tokens: TokenPlace | None,
    ) -> None:
        self._link, self._order, self._node, self.learn, self._place_of = link, order, node, learn, place_of
        self._next_s = 0.0
        self._lately = SentLately()
        self.sent = self._lately.add
        self._tokens = tokens

    def tokens(self) -> TokenPlace | None:
        """See `Principal`."""
        return self._tokens

    def place(self, settings: Settings, as_set: LeasePlace | None) -> LeasePlace | None:
        """See `Principal`."""
        place = self._place_of(settings) or as_set
        if place is None or settings.calls_allowed is None or settings.share_limits:
            return place
        return CountedPlace(place, self._link.take_calls)

    def update(self, snapshot: Snapshot) -> FetcherError | None:
        """See `Onlooker`."""
        now_s = time.monotonic()
        if now_s < self._next_s:
            return None
        self._next_s = now_s + REPORT_S
        self._tell(now_s, last=False)
        figure = Figure(self._order.shard, self._order.attempt, self._node, os.getpid(), snapshot)
        return ToldToStop("stopped by the driver") if self._link.report(msgspec.msgpack.encode(figure)) else None

    def close(self, snapshot: Snapshot) -> None:
        """See `Onlooker`: the result says how it ended."""
        self._tell(time.monotonic(), last=True)

    def _tell(self, now_s: float, *, last: bool) -> None:
        sent = self._lately.take(self._order.shard, self._order.attempt, now_s, *self._link.clock())
        self._link.tell(msgspec.msgpack.encode(sent), last=last)


RunOnNode = Callable[[Job, SystemClock, Reporting], Done]


def _as_set(_: Settings) -> None:
    return None


def work(link: Link, order: Order, node: str, place_of: PlaceOf = _as_set, run: RunOnNode | None = None) -> bytes:
    """One try at a shard.

    Args:
        link: the board.
        order: which shard.
        node: a name of this machine, for the driver.
        place_of: where caps are shared, if not at `--share-cap`.
        run: does the run; `run_job` when None.

    Returns:
        A `Result`, encoded.
    """
    redactor = Redactor()
    try:
        result = _work(link, order, node, place_of, run or _run, redactor)
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


def _work(link: Link, order: Order, node: str, place_of: PlaceOf, run: RunOnNode, redactor: Redactor) -> Result:
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
    tokens = None if briefing.own_secrets else BoardTokens(link, order)
    reporting = Reporting(link, order, node, redactor.add, place_of, tokens)

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
        without_keys(settings, order.without),
        patiently,
        lambda: link.may_commit(order.shard, order.attempt),
        lambda: iso_time(clock.wall_ms()),
    )


def _run(job: Job, clock: SystemClock, reporting: Reporting) -> Done:
    return run_job(job, clock, lambda: reporting, reporting.learn, reporting)


def plain_settings(settings: CommandSettings, *, with_secrets: bool) -> dict[str, Any]:
    """The settings as plain values for `settings_from`. With secrets laid open it is one itself."""
    values = {}
    for field in FIELDS:
        value = getattr(settings, field.name)
        if field.private and not with_secrets:
            continue
        values[field.name] = value.reveal() if hasattr(value, "reveal") else value
    values["keys"] = [key.laid_open() for key in values.get("keys", ())]
    plain: dict[str, Any] = msgspec.to_builtins(values | {"max_errors": None})
    return plain


def settings_from(briefing: Briefing) -> CommandSettings:
    """The job's settings on a node; its own credentials where the driver hands over none."""
    values = dict(briefing.settings)
    if briefing.own_secrets:
        own = load({"secrets": values["secrets"]} if values.get("secrets") else None).settings
        values |= {field.name: getattr(own, field.name) for field in FIELDS if field.private}
    else:
        values["token_file"] = None  # the driver's; here they are on the board
    return CommandSettings(**values)
