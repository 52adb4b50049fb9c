"""IDs in: any file, pipe or list of IDs becomes Items, and every line is accounted for. It sends and writes nothing.

with open_source("ids.csv.gz", numeric=True, known=done) as source:
    while found := source.read(1000):
        ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fetcher.doors import lazy

if TYPE_CHECKING:
    from fetcher.ids.check import Bad as Bad
    from fetcher.ids.check import Checked as Checked
    from fetcher.ids.check import bad_id as bad_id
    from fetcher.ids.check import check_id as check_id
    from fetcher.ids.counts import SourceCounts as SourceCounts
    from fetcher.ids.inputs import open_source as open_source
    from fetcher.ids.inputs import source_of as source_of
    from fetcher.ids.source import Source as Source

_FILES: Final = {
    "Bad": "check",
    "Checked": "check",
    "Source": "source",
    "SourceCounts": "counts",
    "bad_id": "check",
    "check_id": "check",
    "open_source": "inputs",
    "source_of": "inputs",
}

__all__ = [*_FILES]
__getattr__ = lazy(__name__, _FILES)
