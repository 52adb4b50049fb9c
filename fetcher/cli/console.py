"""What the command line itself says on stderr: errors with their hint, warnings. All of it is redacted and harmless.

It must not know what the commands do.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from fetcher.secret import Redactor, Secret

if TYPE_CHECKING:
    from fetcher.settings import Loaded


class Console:
    """Writes to stderr; a stderr that is gone is left in peace."""

    def __init__(self, words: Sequence[str] = ()) -> None:
        """`words` are what the program was called with, its own name left out."""
        self.words = tuple(words)
        self.verbose = not {"-v", "--verbose"}.isdisjoint(self.words)  # until the settings say
        self.quiet = False
        self._json = False
        # Known from the start, for errors that come before any setting is read.
        self._redactor = Redactor(Secret(text) for name, text in os.environ.items() if _is_secret_name(name))

    def learn(self, loaded: Loaded) -> None:
        """Know the settings' secrets and manners from now on, and pass on what was odd about their sources."""
        from fetcher.settings import known_secrets

        settings = loaded.settings
        for secret in known_secrets(settings):
            self._redactor.add(secret)
        self.verbose, self.quiet, self._json = settings.verbose, settings.quiet, settings.log_format == "json"
        if not self.quiet:
            for warning in loaded.warnings:
                self.say("warning", warning)

    def say(self, level: str, text: str) -> None:
        """One line: `warning: …`, or an object where log lines are JSON."""
        text = self.harmless(text)
        self._write(
            json.dumps({"level": level, "message": text}, ensure_ascii=False) if self._json else f"{level}: {text}"
        )

    def error(self, message: str, advice: str = "") -> None:
        """One sentence and, after a blank line, what to do about it."""
        self._write(f"error: {self.harmless(message)}")
        if advice:
            first, *others = [self.harmless(line) for line in advice.splitlines()]
            self._write("\n".join([f"\nhint: {first}", *(f"      {line}" for line in others)]))

    def defect(self, error: BaseException) -> None:
        """An exception that should not have been; the traceback only for who asked for detail."""
        self.error(
            f"a defect of fetcher ({type(error).__name__}: {error})",
            "What was written stands; the same command goes on from there.\n"
            + (
                "Please report the lines above."
                if self.verbose
                else "With -v it shows where it happened: please report that."
            ),
        )
        if self.verbose:
            self._write(self.harmless("".join(traceback.format_exception(error)), keep_lines=True))

    def plain(self, text: str) -> None:
        """Lines of our own making, as they are."""
        self._write(self.harmless(text, keep_lines=True))

    def harmless(self, text: str, *, keep_lines: bool = False) -> str:
        """Without secrets, and without anything that could play with a terminal."""
        from fetcher.report import visible

        return self._redactor.redact(visible(self._redactor.redact(text), keep_lines=keep_lines))

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):  # closed, or nobody reads
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()


def _is_secret_name(name: str) -> bool:
    """Whether a variable of ours holds a secret, by its name (the table is not imported for an error message)."""
    return name.startswith("FETCHER_") and name.endswith(("_SECRET", "_TOKEN"))
