"""The keys of a run as a pool: what would end the run and is one key's own takes that key out, until it is the last.

It must not know answers, nor why a key can do no more.
"""

from __future__ import annotations

import logging

from fetcher.errors import FetcherError
from fetcher.metrics import Tally
from fetcher.run.assemble import Parts
from fetcher.run.desk import Desk
from fetcher.run.keys import Key

log = logging.getLogger("fetcher.run")


class Pool:
    """Takes keys out of the work."""

    def __init__(self, parts: Parts, desk: Desk, tally: Tally) -> None:
        self._parts, self._desk, self._tally = parts, desk, tally

    def end(self, key: Key, reason: FetcherError) -> None:
        """A key can do no more: the run goes on with the rest, or ends with the last."""
        if self.is_last(key):
            self._desk.stop(reason)
        elif key.retired is None:
            key.retired = reason
            if key.leasing is not None:
                key.leasing.retire()
            self._tally.allowed(self._parts.cap_per_s)
            self._desk.changed()
            log.warning(
                "key %s is out of the pool: %s; its IDs go back, %d %s left",
                *(key.name, reason, self.living, "is" if self.living == 1 else "are"),
            )

    @property
    def living(self) -> int:
        """How many keys still take part."""
        return sum([key.retired is None for key in self._parts.keys])

    def is_last(self, key: Key) -> bool:
        """No other key takes part."""
        return self.living == (key.retired is None)

    @property
    def held(self) -> bool:
        """No key may call just now, since something is asked about each of them."""
        return all(key.holds for key in self._parts.keys if key.retired is None)
