"""The ways by which a traceback reaches stderr past the loggers, led back to them, so that the redactor sees all.

Uncaught exceptions of the main thread, of other threads, of finalisers, and of the event loop's callbacks. Warnings
come through `configure_logging`.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

log = logging.getLogger("fetcher.uncaught")


def install_hooks() -> Callable[[], None]:
    """Log what nobody has caught instead of printing it. Call it after `configure_logging`.

    Returns:
        A function that puts the hooks back that were there before.
    """
    before = sys.excepthook, threading.excepthook, sys.unraisablehook
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable

    def restore() -> None:
        sys.excepthook, threading.excepthook, sys.unraisablehook = before

    return restore


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        log.critical("interrupted")
    else:
        log.critical("a defect of this program: %s", kind.__name__, exc_info=(kind, error, trace))


def _uncaught_in_thread(uncaught: threading.ExceptHookArgs) -> None:
    if uncaught.exc_value is None or issubclass(uncaught.exc_type, SystemExit):
        return
    name = uncaught.thread.name if uncaught.thread is not None else "a thread"
    trace = (uncaught.exc_type, uncaught.exc_value, uncaught.exc_traceback)
    log.critical("a defect of this program in %s", name, exc_info=trace)


def _unraisable(uncaught: sys.UnraisableHookArgs) -> None:
    # The object's repr is left out: it may be a request.
    message = uncaught.err_msg or "an exception was ignored"
    if uncaught.exc_value is None:
        log.error("%s: %s", message, uncaught.exc_type.__name__)
    else:
        log.error("%s", message, exc_info=(uncaught.exc_type, uncaught.exc_value, uncaught.exc_traceback))


def loop_exception_handler(
    logger: logging.Logger = log,
) -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]:
    """For `loop.set_exception_handler`: logs message and exception, without the reprs of futures and handles."""

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        trace = (type(error), error, error.__traceback__) if isinstance(error, BaseException) else None
        logger.error("in the event loop: %s", context.get("message", "an exception was not handled"), exc_info=trace)

    return handle
