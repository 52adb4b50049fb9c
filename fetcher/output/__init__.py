"""OUT and the failed file: they are the journal. It writes lines and reads them back; it fetches nothing."""

from fetcher.output.output import Identity, Output, failed_path_of, inspect_output, open_output
from fetcher.output.resume import Earlier
from fetcher.output.verify import Proof, verify_output

__all__ = [
    "Earlier",
    "Identity",
    "Output",
    "Proof",
    "failed_path_of",
    "inspect_output",
    "open_output",
    "verify_output",
]
