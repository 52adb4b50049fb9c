"""Tracebacks that nobody has caught pass the redactor too."""

from __future__ import annotations

import asyncio
import io
import logging
import sys
import threading
from types import SimpleNamespace

import pytest

from fetcher.report import configure_logging, install_hooks, loop_exception_handler
from fetcher.secret import Redactor, Secret

TEXT = "t0ps3cret"

pytestmark = pytest.mark.usefixtures("own_logging")


@pytest.fixture
def stream() -> io.StringIO:
    """Where the logs go; hooks are installed."""
    written = io.StringIO()
    configure_logging("info", "text", written, Redactor([Secret(TEXT)]))
    install_hooks()
    return written


def caught(error: BaseException) -> BaseException:
    """The error, with a traceback."""
    try:
        raise error
    except BaseException as raised:
        return raised


def test_the_main_thread(stream: io.StringIO) -> None:
    """A defect shows its traceback without the secret."""
    error = caught(ValueError(f"it was {TEXT}"))
    sys.excepthook(type(error), error, error.__traceback__)
    assert "ValueError: it was ***" in stream.getvalue()
    assert "Traceback" in stream.getvalue()
    assert TEXT not in stream.getvalue()


def test_ctrl_c_has_no_traceback(stream: io.StringIO) -> None:
    """A person's wish is no defect."""
    error = caught(KeyboardInterrupt())
    sys.excepthook(type(error), error, error.__traceback__)
    assert "Traceback" not in stream.getvalue()
    assert "interrupted" in stream.getvalue()


def test_another_thread(stream: io.StringIO) -> None:
    """The thread is named; SystemExit in a thread is no defect."""

    def fail() -> None:
        raise ValueError(TEXT)

    for target in (fail, sys.exit):
        thread = threading.Thread(target=target, name="fetcher-reader")
        thread.start()
        thread.join()
    assert stream.getvalue().count("fetcher-reader") == 1
    assert "ValueError: ***" in stream.getvalue()
    assert TEXT not in stream.getvalue()


def test_a_finaliser(stream: io.StringIO) -> None:
    """What `__del__` raises, without the repr of the object."""
    error = caught(ValueError(TEXT))
    uncaught = {"exc_type": ValueError, "exc_traceback": None, "err_msg": None, "object": TEXT}
    sys.unraisablehook(SimpleNamespace(exc_value=error, **uncaught))  # type: ignore[arg-type]
    sys.unraisablehook(SimpleNamespace(exc_value=None, **uncaught))  # type: ignore[arg-type]
    assert "an exception was ignored" in stream.getvalue()
    assert TEXT not in stream.getvalue()


async def test_the_event_loop(stream: io.StringIO) -> None:
    """A callback that raises is logged with its traceback and without the repr of its handle."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(loop_exception_handler())

    def fail(_: str) -> None:
        raise ValueError(TEXT)

    loop.call_soon(fail, TEXT)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert "in the event loop" in stream.getvalue()
    assert "ValueError: ***" in stream.getvalue()
    assert TEXT not in stream.getvalue()
    loop.call_exception_handler({"message": "no exception here", "future": TEXT})
    assert "no exception here" in stream.getvalue()


def test_hooks_are_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """For whoever had hooks of their own."""
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)  # a command that ran in this process leaves its own
    before = sys.excepthook, threading.excepthook, sys.unraisablehook
    restore = install_hooks()
    assert sys.excepthook is not before[0]
    restore()
    assert (sys.excepthook, threading.excepthook, sys.unraisablehook) == before
    assert logging.getLogger("fetcher.uncaught").name == "fetcher.uncaught"
