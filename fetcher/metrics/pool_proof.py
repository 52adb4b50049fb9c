"""The proof of the caps of several keys, each for itself and all together, where times come from several processes or
machines, some at a time. As `cap_proof`, it decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from fetcher.metrics.cap_proof import CapProof, Proof
from fetcher.metrics.of_keys import KeyFigures, key_figures


class PoolProof:
    """Told of calls in order of time: what is told later was sent later.

    Args:
        caps_per_s: of each key, by its name; one, and its name does not matter.
    """

    def __init__(self, caps_per_s: Mapping[str, float]) -> None:
        several = len(caps_per_s) > 1  # what one sends is what all send
        self._keys = {name: CapProof(cap_per_s) for name, cap_per_s in caps_per_s.items()} if several else {}
        self._together = CapProof(sum(caps_per_s.values()))

    def sent(self, times_s: Mapping[str, Sequence[float]]) -> None:
        """Calls of each key by its name, in order; a key that is not known has all of the cap."""
        for name, each in times_s.items() if self._keys else ():
            if name not in self._keys:
                self._keys[name] = CapProof(self._together.proof().cap_per_s)
            self._keys[name].sent_each(each)
        self._together.sent_each(sorted(chain.from_iterable(times_s.values())))  # runs in order: merged, in fact

    def take_fullest_1s(self) -> int:
        """Calls in the fullest second that ended since this was asked last."""
        return self._together.take_fullest_1s()

    def proof(self) -> Proof:
        """Of all keys together."""
        return self._together.proof()

    def keys(self, left_pool: Mapping[str, str]) -> tuple[KeyFigures, ...]:
        """Of each key of several; none of a single one.

        Args:
            left_pool: why keys take no more part, by their names.
        """
        return tuple(key_figures(name, proof, left_pool.get(name, "")) for name, proof in self._keys.items())
