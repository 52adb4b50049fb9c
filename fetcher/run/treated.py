"""Says what the treatment of products has found on the way: fields that vanish, paths that lead to nothing.

It stands between the run and whoever is shown its figures, and adds to these what the run itself does not know.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import msgspec

from fetcher.errors import FetcherError, SchemaChanged
from fetcher.ids import Source
from fetcher.metrics import SchemaWatch, Snapshot
from fetcher.output import Treatment
from fetcher.run.roles import Onlooker
from fetcher.settings import CommandSettings, Settings, field_steps

if TYPE_CHECKING:
    from fetcher.policy import FieldFilter

ENOUGH: Final = 100
"""Products after which a path that has led to nothing is told of; fewer at the end of the run."""

log = logging.getLogger("fetcher")


def treatment_of(settings: CommandSettings, out: str) -> Treatment:
    """What the settings say of products on their way.

    Raises:
        UsageError: a file of `--diff` is missing, or holds no product of ours.
    """
    comparison = None
    if settings.diff:
        from fetcher.output import Comparison

        comparison = Comparison(settings.diff, only_changed=settings.only_changed)
    schema = None if settings.on_schema_change == "off" else SchemaWatch()
    treatment = Treatment(fields_of(settings), schema, comparison)
    if not settings.overwrite:
        treatment.learn(out)
    return treatment


def fields_of(settings: Settings) -> FieldFilter | None:
    """Which fields of an answer are kept; None: all."""
    if not settings.keep and not settings.drop:
        return None
    from fetcher.policy import FieldFilter

    return FieldFilter(*(tuple(map(field_steps, paths)) for paths in (settings.keep, settings.drop)))


class Treated:
    """An onlooker before another one.

    Args:
        onlooker: who is shown the figures.
        treatment: of this run's products.
        source: of its IDs.
        stops: a field that vanishes ends the run.
    """

    def __init__(self, onlooker: Onlooker, treatment: Treatment, source: Source, *, stops: bool) -> None:
        self._onlooker, self._treatment, self._source, self._stops = onlooker, treatment, source, stops
        self._told = 0
        self._told_of_paths = False

    def seen(self, snapshot: Snapshot) -> Snapshot:
        """With why IDs were passed over, and what has changed."""
        comparison = self._treatment.comparison
        return msgspec.structs.replace(
            snapshot,
            skipped_fresh=self._source.counts.fresh,
            changes={} if comparison is None else dict(comparison.counts),
        )

    def update(self, snapshot: Snapshot) -> FetcherError | None:
        """See `Onlooker`."""
        if snapshot.fetched >= ENOUGH:
            self._tell_of_paths()
        error = self._onlooker.update(self.seen(snapshot))
        return error or self._schema_change()

    def close(self, snapshot: Snapshot) -> None:
        """See `Onlooker`."""
        self._onlooker.close(self.seen(snapshot))
        if snapshot.fetched:
            self._tell_of_paths()
            self._schema_change()

    def _schema_change(self) -> FetcherError | None:
        new = self._treatment.vanished[self._told :]
        if not new:
            return None
        self._told += len(new)
        what = f"{', '.join(new)}: nearly all products had {'it' if len(new) == 1 else 'them'}, the last ones have not"
        if self._stops:
            return SchemaChanged(
                what,
                "look at the last lines of OUT: they are stored, and paid for. The same command goes on, with "
                "--on-schema-change warn if the answers are to be taken as they are now",
            )
        log.warning(f"the answers have changed: {what}")
        return None

    def _tell_of_paths(self) -> None:
        if self._told_of_paths or self._treatment.fields is None:
            return
        self._told_of_paths = True
        for path in self._treatment.fields.unmatched:
            log.warning(f"--keep or --drop {'.'.join(path)} has matched nothing so far: is it spelt as in the answer?")
