"""The job's end: the parts joined, the manifest written, what is no longer needed removed. In this order."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from fetcher._version import __version__
from fetcher.cluster import records
from fetcher.cluster.figures import JobFigures
from fetcher.cluster.job import Begun
from fetcher.cluster.merging import files_of, joined_into, name_beside, place_beside, split
from fetcher.cluster.records import File, Manifest
from fetcher.cluster.store import Store, open_store
from fetcher.errors import Defect, UsageError


class Target(NamedTuple):
    """Where the job's products go."""

    parts: Store
    out: str | None
    """The file that the parts are joined into; None: they stay a data set."""
    failed: str


def conclude(target: Target, begun: Begun, figures: JobFigures, now: str, *, keep_parts: bool) -> None:
    """Join what is to be joined, say in the manifest what there is.

    Raises:
        Defect: the books do not balance.
        OutputError: a place refuses, or a part is not what was committed.
    """
    balance, commits = figures.balance(), figures.all_commits()
    if not balance:
        raise Defect(f"the books do not balance: {balance.evidence}", "what was written stands; please report this")
    complete = balance.left == 0
    merged = list(begun.manifest.merged) if begun.manifest is not None else []
    if target.out is not None and complete:
        if merged and not figures.commits:
            _check_there(target.out, merged)
        else:
            merged = _joined(target, figures)
    manifest = _manifest(begun, figures, merged, now, complete=complete)
    target.parts.write(records.MANIFEST, records.written(manifest))
    if target.out is not None and complete and not keep_parts and not any(commit.retriable for commit in commits):
        target.parts.remove(*(file.name for commit in commits for file in commit.files))


def _joined(target: Target, figures: JobFigures) -> list[File]:
    assert target.out is not None
    commits = figures.all_commits()
    merged = [joined_into(target.out, target.parts, files_of(commits, failed=False))]
    failures = files_of(commits, failed=True)
    if failures:
        merged.append(joined_into(target.failed, target.parts, failures))
    else:  # of an earlier joining, whose failures have been fetched since
        folder, name = split(target.failed)
        open_store(folder).remove(name)
    return [msgspec.structs.replace(file, name=name_beside(target.out, file.name)) for file in merged]


def _check_there(out: str, merged: list[File]) -> None:
    for file in merged:
        folder, name = split(place_beside(out, file.name))
        if not open_store(folder).has(name):
            raise UsageError(
                f"this job is done, and {file.name} has been taken away since", "--overwrite fetches all of it anew"
            )


def _manifest(begun: Begun, figures: JobFigures, merged: list[File], now: str, *, complete: bool) -> Manifest:
    cut, commits = begun.cut, figures.all_commits()
    fetched, failed = sum(one.fetched for one in commits), sum(one.failed for one in commits)
    return Manifest(
        written_at=now,
        fetcher=__version__,
        api=cut.api,
        protocol=cut.protocol,
        gateway=cut.gateway,
        complete=complete,
        ids=cut.ids,
        fresh=cut.counts.get("fresh", 0),
        fetched=fetched,
        failed=failed,
        failed_by_kind=records.kinds_of(commits),
        left=cut.ids - fetched - failed,
        digest=cut.digest,
        fetched_digest=str(records.added(one.fetched_digest for one in commits)),
        failed_digest=str(records.added(one.failed_digest for one in commits)),
        starts=figures.starts(),
        merged=merged,
        parts=commits,
    )
