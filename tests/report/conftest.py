"""What the tests of the report share."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator

import pytest

from fetcher.report.logs import CHATTY


@pytest.fixture
def own_logging() -> Iterator[None]:
    """Loggers, levels and hooks as they were, whatever the test does to them."""
    loggers = [logging.getLogger(name) for name in (None, "fetcher", *CHATTY)]
    before = [(logger, logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    try:
        yield
    finally:
        logging.captureWarnings(False)
        for logger, handlers, level, propagate in before:
            logger.handlers[:], logger.level, logger.propagate = handlers, level, propagate
            logger.setLevel(level)
        sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
