"""The figures of a whole job: those of its shards, added up. Pure."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from operator import add
from typing import Any, Final

import msgspec

from fetcher.cluster.records import BAD, Commit, Cut, Start, added
from fetcher.cluster.sending import JobProof
from fetcher.metrics import Balance, Books, Course, KeyFigures, LastingDigest, Snapshot, Story, coarse_quantiles
from fetcher.settings import Settings, settings_of_keys

log = logging.getLogger("fetcher.cluster")

_COUNTED: Final = (
    *("started", "attempts", "unsent", "retries", "throttles", "paused_s", "paid_doubts", "bytes_in", "bytes_out"),
    *("lease_exchanges", "slots_missed"),
)
"""What is the sum over all tries, those whose worker was lost included."""
_NOW: Final = ("in_flight", "waiting", "rate_per_s", "done_per_s", "rate_now_per_s")
"""What is the sum over the tries that go on."""


class Tried(msgspec.Struct):
    """All tries at an end, added up."""

    counted: dict[str, float] = {}
    results: dict[str, int] = {}
    latency_counts: list[int] = []
    latency_sum_s: float = 0.0
    latency_max_s: float = 0.0

    def add(self, snapshot: Snapshot) -> None:
        """One more."""
        for name in _COUNTED:
            self.counted[name] = self.counted.get(name, 0) + getattr(snapshot, name)
        for name, count in snapshot.results.items():
            self.results[name] = self.results.get(name, 0) + count
        if snapshot.latency_counts:
            before = self.latency_counts or [0] * len(snapshot.latency_counts)
            self.latency_counts = list(map(add, before, snapshot.latency_counts))
        self.latency_sum_s += snapshot.latency_mean_s * sum(snapshot.latency_counts)
        self.latency_max_s = max(self.latency_max_s, snapshot.latency_max_s)

    def copy(self) -> Tried:
        """To add to without changing this one."""
        return Tried(
            dict(self.counted), dict(self.results), self.latency_counts, self.latency_sum_s, self.latency_max_s
        )

    def latencies(self) -> dict[str, float]:
        """As a snapshot has them, from coarse counts: within 6 %."""
        p50_s, p90_s, p99_s = coarse_quantiles(self.latency_counts, 0.5, 0.9, 0.99)
        return {
            "latency_p50_s": p50_s or 0.0,
            "latency_p90_s": p90_s or 0.0,
            "latency_p99_s": p99_s or 0.0,
            "latency_mean_s": self.latency_sum_s / max(1, sum(self.latency_counts)),
            "latency_max_s": self.latency_max_s,
        }


class JobFigures:
    """What the driver knows of the job.

    Args:
        cut: how the input was cut.
        before: commits that stood when this driver began, and stay.
        settings: of the job.
        started_at: of this start, as it is written down.
        earlier: what earlier starts have sent.
    """

    def __init__(
        self,
        cut: Cut,
        before: Iterable[Commit],
        settings: Settings,
        started_at: str = "",
        earlier: Sequence[Start] = (),
    ) -> None:
        self._started_at, self._earlier = started_at, earlier
        self._cut, self._settings = cut, settings
        self._before = {commit.shard: commit for commit in before}
        self._known = sum(commit.ids for commit in self._before.values())
        self.commits: dict[int, Commit] = {}
        """Made since."""
        self._fetched = self._failed = self._permanent = 0
        self._by_kind: dict[str, int] = {}
        self.partly: dict[int, Snapshot] = {}
        """Shards that stopped on the way, by their last figures."""
        self.tried = Tried()
        self._course = Course()
        self._caps = {name: own.qps for name, own in settings_of_keys(settings)} or {"": settings.qps}
        self.proof = JobProof(self._caps)
        self.keys_out: dict[str, str] = {}
        """Keys of several that take no more part, and why."""

    @property
    def shards(self) -> int:
        """Of the whole job."""
        return len(self._cut.shards)

    @property
    def shards_done(self) -> int:
        """That are committed."""
        return len(self._before) + len(self.commits) - (BAD in self._before or BAD in self.commits)

    def ended(self, shard: int, snapshot: Snapshot, commit: Commit | None) -> None:
        """A try at a shard is over."""
        self.tried.add(snapshot)
        self.partly[shard] = snapshot
        if commit is not None:
            del self.partly[shard]
            self.committed(commit)

    def leave_pool(self, out: Mapping[str, str]) -> bool:
        """A shard has found that these keys can do no more. Whether none is left."""
        for name, why in out.items():
            if name not in self.keys_out:
                self.keys_out[name] = why
                log.warning("key %s takes no more part in the job: %s", name, why)
        return len(self._caps) > 1 and all(name in self.keys_out for name in self._caps)

    def starts(self) -> list[Start]:
        """What this start of the job and those before have sent."""
        seen = self.proof.proof()
        this = Start(
            started_at=self._started_at,
            calls=seen.sent,
            worst_1s=seen.worst_1s,
            worst_100ms=seen.worst_100ms,
            cap_per_s=seen.cap_per_s,
            clock_error_ms=round(seen.clock_error_s * 1000, 3),
            exact=seen.exact,
        )
        return [*self._earlier, *([this] if seen.sent else [])]

    def keys(self) -> tuple[KeyFigures, ...]:
        """What each of several keys did."""
        return self.proof.keys(self.keys_out)

    def committed(self, commit: Commit) -> None:
        """A shard is done. Sums are kept, since they are asked for four times a second."""
        self.commits[commit.shard] = commit
        self._fetched += commit.fetched
        self._failed += commit.failed
        self._permanent += commit.permanent
        for kind, count in commit.by_kind.items():
            self._by_kind[kind] = self._by_kind.get(kind, 0) + count

    def all_commits(self) -> list[Commit]:
        """In the order of their numbers."""
        together = self._before | self.commits
        return [together[number] for number in sorted(together)]

    def snapshot(
        self, live: dict[int, Snapshot], elapsed_s: float, wait_reason: str = "", *, last: bool = False
    ) -> Snapshot:
        """How the job stands.

        `fetched` and `failed` are what this start of the job has done, and what earlier starts had done of shards that
        were not finished; `skipped_known` are the shards that were, and what other files hold (`skipped_fresh`).
        """
        tried = self.tried.copy()
        for snapshot in live.values():
            tried.add(snapshot)
        parts = {**self.partly, **live}
        fetched = self._fetched + sum(one.fetched + one.skipped_known for one in parts.values())
        failed = self._failed + sum(one.failed for one in parts.values())
        now: dict[str, Any] = {name: sum(getattr(one, name) for one in live.values()) for name in _NOW}
        rest = self._cut.ids - self._known - fetched - failed
        by_kind = dict(self._by_kind)
        for one in parts.values():
            for kind, count in one.failed_by_kind.items():
                by_kind[kind] = by_kind.get(kind, 0) + count
        duplicates, fresh = (self._cut.counts.get(name, 0) for name in ("duplicates", "fresh"))
        counted: dict[str, Any] = tried.counted
        calls = counted.get("attempts", 0)
        counted |= now | tried.latencies()
        waits = next((one for one in live.values() if one.wait_reason), Snapshot(wait_reason=wait_reason))
        figures = Snapshot(
            **counted,
            latency_counts=tuple(tried.latency_counts),
            results=tried.results,
            total=self._cut.ids + fresh,
            read=self._cut.ids + duplicates + fresh,
            fetched=fetched,
            failed=failed,
            failed_permanent=self._permanent + sum(one.failed_permanent for one in parts.values()),
            failed_by_kind=by_kind,
            skipped_known=self._known + fresh,
            skipped_fresh=fresh,
            duplicates=duplicates,
            queued=max(0, rest - int(now["in_flight"]) - int(now["waiting"])) if not last else 0,
            left=max(0, rest) if last else 0,
            price=self._settings.price,
            cap_per_s=sum(cap_per_s for name, cap_per_s in self._caps.items() if name not in self.keys_out),
            fullest_1s=self.proof.take_fullest_1s(),
            elapsed_s=elapsed_s,
            mean_rate_per_s=calls / elapsed_s if elapsed_s else 0.0,
            eta_s=rest / now["done_per_s"] if now["done_per_s"] else None,
            wait_reason=waits.wait_reason,
            wait_left_s=waits.wait_left_s,
        )
        self._course.observe(figures, last=last)
        return figures

    def story(self) -> Story:
        """The job's course."""
        return Story(points=self._course.points(), pauses=self._course.pauses())

    def balance(self) -> Balance:
        """The books of all parts as those of one run: what was cut against what stands in files and what is left."""
        commits = self.all_commits()
        done = {commit.shard for commit in commits}
        left = added(shard.digest for shard in self._cut.shards if shard.number not in done)
        books = Books(LastingDigest)
        books.counted(
            LastingDigest.read(self._cut.digest),
            added(commit.fetched_digest for commit in commits),
            added(commit.failed_digest for commit in commits),
            left,
        )
        return books.balance()
