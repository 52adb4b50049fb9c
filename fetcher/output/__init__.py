"""OUT and the failed file: they are the journal. It writes lines and reads them back; it fetches nothing."""

from fetcher.output.attempts import AttemptLog
from fetcher.output.contents import Contents, contents_of, sha256_of
from fetcher.output.disk import Disk
from fetcher.output.line import Encoded, encode_all
from fetcher.output.note import Identity
from fetcher.output.output import Output, failed_path_of, inspect_output, open_output
from fetcher.output.resume import Earlier, Reopening
from fetcher.output.verify import Proof, verify_output

__all__ = [
    "AttemptLog",
    "Contents",
    "Disk",
    "Earlier",
    "Encoded",
    "Identity",
    "Output",
    "Proof",
    "Reopening",
    "contents_of",
    "encode_all",
    "failed_path_of",
    "inspect_output",
    "open_output",
    "sha256_of",
    "verify_output",
]
