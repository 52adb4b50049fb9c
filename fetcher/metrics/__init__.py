"""What is counted and proven about a run: edges, latencies, the cap, the books, the plan.

Pure: it does not know the time (it is told), no file, no socket, no screen. `run` feeds it, `report` shows it.
"""

from __future__ import annotations

from fetcher.metrics.books import Balance, Books, LastingDigest
from fetcher.metrics.cap_proof import CapProof, Proof
from fetcher.metrics.latency import Histogram
from fetcher.metrics.plan import InputCounts, Pace, Plan, make_plan
from fetcher.metrics.snapshot import Snapshot
from fetcher.metrics.tally import Tally
from fetcher.metrics.throughput import Point, RateWindow, Throughput

__all__ = [
    "Balance",
    "Books",
    "CapProof",
    "Histogram",
    "InputCounts",
    "LastingDigest",
    "Pace",
    "Plan",
    "Point",
    "Proof",
    "RateWindow",
    "Snapshot",
    "Tally",
    "Throughput",
    "make_plan",
]
