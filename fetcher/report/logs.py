"""Logging for the command line: one handler at the root, through which everything goes and no secret comes.

Third-party libraries log URLs (httpx at INFO) and bodies; their records pass here too. Redaction is done on the
finished text, so it covers the message, its arguments, the traceback, the chain of causes and extra fields alike. A
library user's own logging is never touched: only the command line calls `configure_logging`.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import datetime
from typing import Any, Final, Literal, TextIO

from fetcher.report.clean import clean
from fetcher.report.escaping import visible
from fetcher.report.figures import iso_time
from fetcher.report.screen import Screen
from fetcher.secret import Redactor

CHATTY: Final = ("asyncio", "httpcore", "httpx", "uvicorn", "uvicorn.access", "uvicorn.error")
"""Loggers of others that bring handlers of their own, or would at a level that we did not ask for."""
_USUAL: Final = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"})
"""What every record has; the rest is `extra`."""


class RedactingHandler(logging.Handler):
    """Writes records as text or as JSON lines, redacted and with control characters made visible."""

    def __init__(self, screen: Screen, redactor: Redactor, log_format: Literal["text", "json"] = "text") -> None:
        super().__init__()
        self._screen, self._redactor = screen, redactor
        self._render = self._json_line if log_format == "json" else self._text_lines

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; never raises."""
        try:
            self._screen.line(self._render(record))
        except Exception:  # noqa: BLE001 - a broken record must not end a run
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Instead of logging's own, which prints the arguments, secrets and all."""
        place = f"{record.filename}:{record.lineno}"
        error = type(sys.exc_info()[1]).__name__
        self._screen.line(f"a log record of {record.name} ({place}) could not be written: {error}")

    def _text_lines(self, record: logging.LogRecord) -> str:
        level = record.levelname.lower()
        name = "" if record.name.startswith("fetcher") else f"{record.name}: "
        when = f"{datetime.fromtimestamp(record.created).astimezone():%H:%M:%S}"
        text = f"{when} {level}: {name}{record.getMessage()}"
        if trace := _trace(record):
            text += f"\n{trace}"
        # Lines after the first are set in, so that a message with a newline cannot pose as a second record.
        shown = visible(text, keep_lines=True).replace("\n", "\n    ")
        return self._redactor.redact(shown)

    def _json_line(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "time": iso_time(int(record.created * 1000)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if trace := _trace(record):
            fields["exception"] = trace
        fields |= {key: value for key, value in vars(record).items() if key not in _USUAL and key not in fields}
        return visible(json.dumps(clean(fields, self._redactor), ensure_ascii=False))


def _trace(record: logging.LogRecord) -> str:
    parts = []
    if record.exc_info and record.exc_info[1] is not None:
        parts.append("".join(traceback.format_exception(record.exc_info[1])).rstrip())
    elif record.exc_text:
        parts.append(record.exc_text)
    if record.stack_info:
        parts.append(record.stack_info)
    return "\n".join(parts)


def configure_logging(
    level: int | str, log_format: Literal["text", "json"], stream: TextIO | Screen, redactor: Redactor
) -> RedactingHandler:
    """Send every logger's records to `stream`, through the redactor. Calling it again replaces the handler.

    Args:
        level: of the `fetcher` loggers; those of others show warnings only, unless it is DEBUG.
        log_format: `text`, or `json` for a JSON object a line.
        stream: stderr, or the `Screen` that the progress draws on.
        redactor: may learn more secrets later (a refreshed token).
    """
    handler = RedactingHandler(stream if isinstance(stream, Screen) else Screen(stream), redactor, log_format)
    own_level = logging.getLevelNamesMapping()[level.upper()] if isinstance(level, str) else level
    root, own = logging.getLogger(), logging.getLogger("fetcher")
    for logger in (root, own, *map(logging.getLogger, CHATTY)):
        for old in logger.handlers[:]:
            if logger is not root or isinstance(old, RedactingHandler | logging.StreamHandler):
                logger.removeHandler(old)
        logger.propagate = True
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.NOTSET)
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if own_level <= logging.DEBUG else max(logging.WARNING, own_level))
    own.setLevel(own_level)
    logging.captureWarnings(True)
    return handler
