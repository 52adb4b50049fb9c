"""What is counted and proven about a run: edges, latencies, the cap, the books, the plan.

Pure: it does not know the time (it is told), no file, no socket, no screen. `run` feeds it, `report` shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fetcher.doors import lazy

if TYPE_CHECKING:
    from fetcher.metrics.books import Balance as Balance
    from fetcher.metrics.books import Books as Books
    from fetcher.metrics.books import LastingDigest as LastingDigest
    from fetcher.metrics.cap_proof import CapProof as CapProof
    from fetcher.metrics.cap_proof import Proof as Proof
    from fetcher.metrics.course import Course as Course
    from fetcher.metrics.course import Pause as Pause
    from fetcher.metrics.course import Point as Point
    from fetcher.metrics.latency import Histogram as Histogram
    from fetcher.metrics.latency import Percentile as Percentile
    from fetcher.metrics.latency import coarse_bounds_s as coarse_bounds_s
    from fetcher.metrics.latency import coarse_quantiles as coarse_quantiles
    from fetcher.metrics.of_keys import KeyFigures as KeyFigures
    from fetcher.metrics.of_keys import key_figures as key_figures
    from fetcher.metrics.plan import InputCounts as InputCounts
    from fetcher.metrics.plan import Pace as Pace
    from fetcher.metrics.plan import Plan as Plan
    from fetcher.metrics.plan import Sending as Sending
    from fetcher.metrics.plan import make_plan as make_plan
    from fetcher.metrics.pool_proof import PoolProof as PoolProof
    from fetcher.metrics.schema import SchemaWatch as SchemaWatch
    from fetcher.metrics.snapshot import Snapshot as Snapshot
    from fetcher.metrics.specimens import Slow as Slow
    from fetcher.metrics.specimens import Specimens as Specimens
    from fetcher.metrics.specimens import Trouble as Trouble
    from fetcher.metrics.story import Story as Story
    from fetcher.metrics.tally import Tally as Tally
    from fetcher.metrics.throughput import RateWindow as RateWindow

_FILES: Final = {
    "Balance": "books",
    "Books": "books",
    "CapProof": "cap_proof",
    "Course": "course",
    "Histogram": "latency",
    "InputCounts": "plan",
    "KeyFigures": "of_keys",
    "LastingDigest": "books",
    "Pace": "plan",
    "Pause": "course",
    "Percentile": "latency",
    "Plan": "plan",
    "Point": "course",
    "PoolProof": "pool_proof",
    "Proof": "cap_proof",
    "RateWindow": "throughput",
    "SchemaWatch": "schema",
    "Sending": "plan",
    "Slow": "specimens",
    "Snapshot": "snapshot",
    "Specimens": "specimens",
    "Story": "story",
    "Tally": "tally",
    "Trouble": "specimens",
    "coarse_bounds_s": "latency",
    "coarse_quantiles": "latency",
    "key_figures": "of_keys",
    "make_plan": "plan",
}

__all__ = [*_FILES]
__getattr__ = lazy(__name__, _FILES)
