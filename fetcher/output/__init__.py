"""OUT and the failed file: they are the journal. It writes lines and reads them back; it fetches nothing."""

from fetcher.output.attempts import AttemptLog
from fetcher.output.comparison import Comparison
from fetcher.output.contents import Contents, contents_of, sha256_of
from fetcher.output.disk import Disk
from fetcher.output.find import Found, Trace, find_id
from fetcher.output.known import fresh_since_ms, read_known
from fetcher.output.line import Encoded, encode_all
from fetcher.output.note import Identity
from fetcher.output.opening import failed_path_of, inspect_output, open_output, unchanged_path_of
from fetcher.output.output import Output
from fetcher.output.resume import Earlier, Reopening
from fetcher.output.sample import Sample, sample_of
from fetcher.output.side_file import SideFile
from fetcher.output.treatment import Treatment
from fetcher.output.verify import Proof, verify_output

__all__ = [
    "AttemptLog",
    "Comparison",
    "Contents",
    "Disk",
    "Earlier",
    "Encoded",
    "Found",
    "Identity",
    "Output",
    "Proof",
    "Reopening",
    "Sample",
    "SideFile",
    "Trace",
    "Treatment",
    "contents_of",
    "encode_all",
    "failed_path_of",
    "find_id",
    "fresh_since_ms",
    "inspect_output",
    "open_output",
    "read_known",
    "sample_of",
    "sha256_of",
    "unchanged_path_of",
    "verify_output",
]
