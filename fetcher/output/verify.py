"""Proof, offline: every ID of the input stands exactly once in OUT or one of the files beside it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from fetcher.errors import UsageError
from fetcher.idset import Claim, IdSet
from fetcher.output.compress import lines_in
from fetcher.output.disk import Disk
from fetcher.output.journal import Journal
from fetcher.output.line import head_id, whole
from fetcher.output.opening import failed_path_of, unchanged_path_of

NAMED: Final = 10
"""How many IDs of each fault are named."""


class Proof(msgspec.Struct):
    """What was found. Counts of IDs; the lists name the first ten."""

    ids: int = 0
    """Distinct IDs of the input."""
    fetched: int = 0
    failed: int = 0
    unchanged: int = 0
    """In the list of what was the same as before."""
    known: int = 0
    """Passed over: another file holds them."""
    missing: int = 0
    twice: int = 0
    foreign: int = 0
    """In the files, but not in the input."""
    torn: int = 0
    """Lines that are no lines."""
    some_missing: list[str] = []
    some_twice: list[str] = []
    some_foreign: list[str] = []

    @property
    def ok(self) -> bool:
        """Every ID of the input exactly once. Foreign ones do no harm: the input may have shrunk."""
        return not (self.missing or self.twice or self.torn)


def verify_output(out: str, failed: str | None, ids: Iterable[str], known: IdSet | None = None) -> Proof:
    """Read the files and compare them with the input's IDs.

    Args:
        out: OUT. Its list of what was unchanged is read where it is there.
        failed: the failed file; None: by OUT's name.
        ids: of the input, duplicates and all.
        known: IDs that the run was to pass over, since other files hold them.

    Raises:
        UsageError: OUT is not there.
    """
    if not Path(out).is_file():
        raise UsageError(f"there is no file {out}")
    proof, stored = Proof(), IdSet()
    for what, path in (
        ("fetched", out),
        ("failed", failed or failed_path_of(out)),
        ("unchanged", unchanged_path_of(out)),
    ):
        if Path(path).is_file():
            setattr(proof, what, _enter(Journal(path, Disk()), stored, proof))
    wanted = IdSet()
    for each in ids:
        if not wanted.add(each):
            continue
        proof.ids += 1
        if stored.claim(each) is not Claim.NEW:
            continue
        if known is not None and each in known:
            proof.known += 1
        else:
            proof.missing += 1
            _name(proof.some_missing, each)
    stand = proof.fetched + proof.failed + proof.unchanged - proof.twice
    proof.foreign = stand - (proof.ids - proof.missing - proof.known)
    return proof


def _enter(journal: Journal, stored: IdSet, proof: Proof) -> int:
    count = good_bytes = 0
    for region, end in journal.regions():
        good_bytes = max(good_bytes, end)
        for line in lines_in(region):
            found = head_id(line)
            if found is None or not whole(line):
                proof.torn += 1
                continue
            count += 1
            if not stored.add(found):
                proof.twice += 1
                _name(proof.some_twice, found)
    proof.torn += Path(journal.path).stat().st_size > good_bytes
    return count


def _name(some: list[str], each: str) -> None:
    if len(some) < NAMED:
        some.append(each)
