"""OUT and the failed file: they are the journal. It writes lines and reads them back; it fetches nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fetcher.doors import lazy

if TYPE_CHECKING:
    from fetcher.output.attempts import AttemptLog as AttemptLog
    from fetcher.output.comparison import Comparison as Comparison
    from fetcher.output.contents import Contents as Contents
    from fetcher.output.contents import contents_of as contents_of
    from fetcher.output.contents import sha256_of as sha256_of
    from fetcher.output.disk import Disk as Disk
    from fetcher.output.find import Found as Found
    from fetcher.output.find import Trace as Trace
    from fetcher.output.find import find_id as find_id
    from fetcher.output.known import fresh_since_ms as fresh_since_ms
    from fetcher.output.known import read_known as read_known
    from fetcher.output.line import Encoded as Encoded
    from fetcher.output.line import encode_all as encode_all
    from fetcher.output.note import Identity as Identity
    from fetcher.output.opening import failed_path_of as failed_path_of
    from fetcher.output.opening import inspect_output as inspect_output
    from fetcher.output.opening import open_output as open_output
    from fetcher.output.opening import unchanged_path_of as unchanged_path_of
    from fetcher.output.output import Output as Output
    from fetcher.output.resume import Earlier as Earlier
    from fetcher.output.resume import Reopening as Reopening
    from fetcher.output.sample import Sample as Sample
    from fetcher.output.sample import sample_of as sample_of
    from fetcher.output.side_file import SideFile as SideFile
    from fetcher.output.treatment import Treatment as Treatment
    from fetcher.output.verify import Proof as Proof
    from fetcher.output.verify import verify_output as verify_output

_FILES: Final = {
    "AttemptLog": "attempts",
    "Comparison": "comparison",
    "Contents": "contents",
    "Disk": "disk",
    "Earlier": "resume",
    "Encoded": "line",
    "Found": "find",
    "Identity": "note",
    "Output": "output",
    "Proof": "verify",
    "Reopening": "resume",
    "Sample": "sample",
    "SideFile": "side_file",
    "Trace": "find",
    "Treatment": "treatment",
    "contents_of": "contents",
    "encode_all": "line",
    "failed_path_of": "opening",
    "find_id": "find",
    "fresh_since_ms": "known",
    "inspect_output": "opening",
    "open_output": "opening",
    "read_known": "known",
    "sample_of": "sample",
    "sha256_of": "contents",
    "unchanged_path_of": "opening",
    "verify_output": "verify",
}

__all__ = [*_FILES]
__getattr__ = lazy(__name__, _FILES)
