"""IDs in: any file, pipe or list of IDs becomes Items, and every line is accounted for. It sends and writes nothing.

with open_source("ids.csv.gz", numeric=True, known=done) as source:
    while found := source.read(1000):
        ...
"""

from __future__ import annotations

from fetcher.ids.check import Bad, Checked, bad_id, check_id
from fetcher.ids.counts import SourceCounts
from fetcher.ids.inputs import open_source, source_of
from fetcher.ids.source import Source

__all__ = ["Bad", "Checked", "Source", "SourceCounts", "bad_id", "check_id", "open_source", "source_of"]
