"""The paths of a run looked at together, before anything is opened: none is destroyed by another, and all can be made.

Each file alone is looked at by whoever opens it. Here it is about two names for one file, and about what is written
only when the night is over: a summary in a folder that is not there, a report in the place of the input.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from fetcher.errors import UsageError
from fetcher.output import failed_path_of, unchanged_path_of
from fetcher.run.job import Job

OTHER_FORMATS: Final = frozenset(
    {
        *(".csv", ".tsv", ".xls", ".xlsx", ".ods", ".parquet", ".feather", ".arrow", ".orc", ".avro", ".pkl", ".zip"),
        *(".xml", ".html", ".htm", ".yaml", ".yml", ".toml", ".db", ".sqlite", ".sqlite3", ".duckdb", ".pdf"),
    }
)
"""Endings of what OUT is not."""
PACKED_OTHERWISE: Final = frozenset((".bz2", ".xz", ".lz4", ".7z", ".br", ".tar", ".tgz", ".rar"))
CONVERTED: Final = {
    ".csv": "jq -r '[.id, .data.productInfo.subject] | @csv' {lines} > {table}",
    ".tsv": "jq -r '[.id, .data.productInfo.subject] | @tsv' {lines} > {table}",
    ".parquet": "duckdb -c \"COPY (FROM read_json('{lines}', format = 'newline_delimited')) TO '{table}'\"",
}
"""How it becomes that, where one line says it."""


def look_at_paths(job: Job) -> None:
    """Refuse a run that would write where it reads, or two things to one place, or where there is no folder.

    Raises:
        UsageError: says which two are one, or what is missing.
    """
    written = {what: path for what, path in _written(job) if path}
    for what in ("OUT", "the failed file"):
        if what in written:
            _holds_json_lines(what, written[what])
    _one_to_stdout(written)
    places: dict[str, str] = {}
    for what, path in written.items():
        if path == "-" or (place := _place(path)) is None:
            continue
        if other := places.get(place):
            raise UsageError(f"{other} and {what} are the same file", f"choose another path for {what}")
        places[place] = what
    for what, path in _read(job):
        if path != "-" and (written_as := places.get(_place(path) or "")):
            raise UsageError(
                f"{path} is to be read and written at once: it is {what} and {written_as}",
                f"choose another path for {written_as}",
            )
    for what in ("--summary", "--report", "--prometheus-file"):
        if what in written:
            _can_be_made(what, written[what])


def _holds_json_lines(what: str, path: str) -> None:
    """Refuse a name that promises something else: whoever opens it later would be told nonsense by a spreadsheet."""
    packed = next((each for each in (".gz", ".zst") if path.endswith(each)), "")
    stem = path.removesuffix(packed)
    ending = Path(stem).suffix.lower()
    plain = str(Path(stem).with_suffix("")).removesuffix(".jsonl") + ".jsonl"
    if ending in PACKED_OTHERWISE:
        raise UsageError(f"{what} {path} would not be packed as {ending} says", f"name it {plain}.gz or {plain}.zst")
    if ending not in OTHER_FORMATS:
        return
    how = "" if packed else CONVERTED.get(ending, "").format(lines=plain, table=path)
    raise UsageError(
        f"{what} {path} would hold a JSON object a line, not what {ending} says",
        f"name it {plain}{packed}; "
        + (f"afterwards: {how}" if how else "docs/reading-the-output.md makes tables of it"),
    )


def _written(job: Job) -> Iterator[tuple[str, str | None]]:
    settings = job.settings
    if job.out != "-" or not settings.dry_run:  # then nothing is written there
        yield "OUT", job.out
    yield "the failed file", settings.failed or failed_path_of(job.out)
    if settings.only_changed and job.out != "-":
        yield "the list of what is unchanged", unchanged_path_of(job.out)
    yield "--summary", settings.summary
    yield "--report", settings.report
    yield "--prometheus-file", settings.prometheus_file


def _read(job: Job) -> Iterator[tuple[str, str]]:
    settings = job.settings
    if isinstance(job.ids, str):
        yield "the input", job.ids
    single = {
        "--config": settings.config,
        "--env-file": settings.env_file,
        "--secrets": settings.secrets,
        "--token-file": settings.token_file,
        "--ca-file": settings.ca_file,
    }
    yield from ((what, path) for what, path in single.items() if path)
    yield from (("--diff", path) for path in settings.diff)
    yield from (("--known", path) for path in settings.known)


def _one_to_stdout(written: Mapping[str, str]) -> None:
    both = [what for what, path in written.items() if path == "-"]
    if len(both) > 1:
        raise UsageError(
            f"{' and '.join(both)} would stand in one another on standard output", "give one of them a path"
        )


def _place(path: str) -> str | None:
    """Where that is, links followed; None of a device or a pipe, which any number may share."""
    return None if os.path.exists(path) and not Path(path).is_file() else os.path.realpath(path)  # noqa: PTH110


def _can_be_made(what: str, path: str) -> None:
    folder = Path(path).parent
    if path == "-":
        return
    if Path(path).is_dir():
        raise UsageError(f"{what} {path} is a folder, not a file")
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder} for {what}", f"mkdir -p {folder}")
