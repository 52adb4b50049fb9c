"""Documents on their way to a file: whole or not at all, JSON that a person can read. It knows not what they say."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from fetcher.errors import OutputError

_NUMBERS: Final = re.compile(rb"\[\n[-+.\deEnul,\s]+\]")
"""A list of nothing but numbers and nulls, each on a line of its own."""


def write_summary(document: Mapping[str, Any], path: str, stdout: BinaryIO | None = None) -> None:
    """Write it, indented, with a newline at the end; `-` is standard output.

    A file appears whole or not at all: it is written beside its place and then moved there.

    Raises:
        OutputError: it cannot be written.
    """
    write_whole(indented(document), path, "summary", stdout)


def indented(document: Any) -> bytes:
    """JSON for people, too: lists of numbers stay on one line each."""
    text = msgspec.json.format(msgspec.json.encode(document), indent=2)
    # Inside a JSON text a newline is always escaped, so this never touches one.
    return _NUMBERS.sub(_on_one_line, text) + b"\n"


def _on_one_line(found: re.Match[bytes]) -> bytes:
    return b"[" + b" ".join(found[0][1:-1].split()) + b"]"


def write_whole(text: bytes, path: str, what: str, stdout: BinaryIO | None = None) -> None:
    """Write a document, whole or not at all; `-` is standard output.

    Args:
        what: the document's name, for the message.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        if path == "-":
            out = stdout or sys.stdout.buffer
            out.write(text)
            out.flush()
        elif _is_special(path):
            Path(path).write_bytes(text)  # a pipe or a device: there is nothing to move into its place
        else:
            _replace(Path(path), text)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise OutputError(f"the {what} could not be written to {path}: {why}") from error


def _is_special(path: str) -> bool:
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116 - follows links and raises what we look for
    except FileNotFoundError:
        return False


def _replace(path: Path, text: bytes) -> None:
    descriptor, beside = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)  # noqa: PTH105 - both names are at hand as texts
    except BaseException:
        with contextlib.suppress(OSError):
            Path(beside).unlink()
        raise
