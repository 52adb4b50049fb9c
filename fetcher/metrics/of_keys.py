"""What one key of a pool did: its own cap, held against the times of its own calls."""

from __future__ import annotations

import msgspec

from fetcher.metrics.cap_proof import CapProof


class KeyFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One key of several. Never a secret."""

    name: str
    cap_per_s: float
    calls: int
    worst_1s: int
    """Calls in the fullest window of one second."""
    worst_100ms: int
    mean_per_s: float
    """While busy: pauses left out."""
    holds: bool
    """No window was over this key's cap."""
    left_pool: str = ""
    """Why it took no more part, where it did not stay to the end."""


def key_figures(name: str, proof: CapProof, left_pool: str = "") -> KeyFigures:
    """The figures of a key."""
    seen = proof.proof()
    return KeyFigures(
        name=name,
        cap_per_s=seen.cap_per_s,
        calls=seen.sent,
        worst_1s=seen.worst_1s,
        worst_100ms=seen.worst_100ms,
        mean_per_s=round(seen.mean_per_s, 3),
        holds=seen.holds,
        left_pool=left_pool,
    )
