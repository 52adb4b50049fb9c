"""What is counted and proven about a run: edges, latencies, the cap, the books, the plan.

Pure: it does not know the time (it is told), no file, no socket, no screen. `run` feeds it, `report` shows it.
"""

from __future__ import annotations

from fetcher.metrics.books import Balance, Books, LastingDigest
from fetcher.metrics.cap_proof import CapProof, Proof
from fetcher.metrics.course import Course, Pause, Point
from fetcher.metrics.key_figures import KeyFigures, key_figures
from fetcher.metrics.latency import Histogram, Percentile, coarse_bounds_s, coarse_quantiles
from fetcher.metrics.plan import InputCounts, Pace, Plan, Sending, make_plan
from fetcher.metrics.pool_proof import PoolProof
from fetcher.metrics.schema import SchemaWatch
from fetcher.metrics.snapshot import Snapshot
from fetcher.metrics.specimens import Slow, Specimens, Trouble
from fetcher.metrics.story import Story
from fetcher.metrics.tally import Tally
from fetcher.metrics.throughput import RateWindow

__all__ = [
    "Balance",
    "Books",
    "CapProof",
    "Course",
    "Histogram",
    "InputCounts",
    "KeyFigures",
    "LastingDigest",
    "Pace",
    "Pause",
    "Percentile",
    "Plan",
    "Point",
    "PoolProof",
    "Proof",
    "RateWindow",
    "SchemaWatch",
    "Sending",
    "Slow",
    "Snapshot",
    "Specimens",
    "Story",
    "Tally",
    "Trouble",
    "coarse_bounds_s",
    "coarse_quantiles",
    "key_figures",
    "make_plan",
]
