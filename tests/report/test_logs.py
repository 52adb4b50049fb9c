"""No secret comes through the logs, in whatever spelling and by whatever way."""

from __future__ import annotations

import base64
import io
import json
import logging
import warnings
from collections.abc import Callable
from typing import Literal
from urllib.parse import quote, quote_plus

import pytest

from fetcher.report import configure_logging
from fetcher.secret import Redactor, Secret

TEXT = 'S3cr/et+"täst'
"""Every spelling of it differs: slash, plus, quote and a letter beyond ASCII."""
SPELLINGS = {
    "raw": TEXT,
    "quoted": quote(TEXT, safe=""),
    "form": quote_plus(TEXT),
    "hex": TEXT.encode().hex(),
    "HEX": TEXT.encode().hex().upper(),
    "base64": base64.b64encode(TEXT.encode()).decode(),
    "base64url": base64.urlsafe_b64encode(TEXT.encode()).decode(),
}

pytestmark = pytest.mark.usefixtures("own_logging")

Format = Literal["text", "json"]
Say = Callable[[str], None]


def through_message(text: str) -> None:
    """As part of a message."""
    logging.getLogger("fetcher.run").warning(f"it said {text} and left")


def through_arguments(text: str) -> None:
    """As an argument, nested."""
    logging.getLogger("fetcher.run").warning("it said %s of %r", [text], {"k": text})


def through_exception(text: str) -> None:
    """In an exception, its cause and its notes."""
    try:
        try:
            raise ValueError(text)
        except ValueError as cause:
            error = RuntimeError(f"again {text}")
            error.add_note(text)
            raise error from cause
    except RuntimeError:
        logging.getLogger("fetcher.run").exception("it failed")


def through_extra(text: str) -> None:
    """In an extra field, nested, as key and as an object of a foreign class."""
    extra = {"url": text, "nested": {text: [text]}, "error": ValueError(text)}
    logging.getLogger("fetcher.run").warning("see", extra=extra)


def through_third_party(text: str) -> None:
    """From the libraries underneath, at the level at which they tell most."""
    for name in ("httpx", "httpcore.connection", "uvicorn.access", "asyncio", "anything.else"):
        logging.getLogger(name).warning("HTTP Request: GET %s", text)
        logging.getLogger(name).debug("headers %s", [(b"authorization", text.encode())])


def through_broken_record(text: str) -> None:
    """In a record that cannot be formatted: logging itself would print its arguments."""
    logging.getLogger("fetcher.run").warning("%d items", text)


def through_warning(text: str) -> None:
    """In a warning."""
    warnings.simplefilter("always")
    warnings.warn(text, stacklevel=1)


def through_stack(text: str) -> None:
    """Beside the stack."""
    logging.getLogger("fetcher.run").warning("where %s", text, stack_info=True)


WAYS = [
    through_message,
    through_arguments,
    through_exception,
    through_extra,
    through_third_party,
    through_broken_record,
    through_warning,
    through_stack,
]


def logged(say: Say, text: str, log_format: Format = "text", level: str = "debug", secret: str = TEXT) -> str:
    """What is written when something says the text."""
    stream = io.StringIO()
    configure_logging(level, log_format, stream, Redactor([Secret(secret)]))
    say(text)
    return stream.getvalue()


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_secret_comes_through(spelling: str, way: Say, log_format: Format) -> None:
    """Every way, every spelling, both formats; something is written all the same."""
    output = logged(way, SPELLINGS[spelling], log_format)
    assert output
    for name, text in SPELLINGS.items():
        assert text not in output, name
        assert json.dumps(text)[1:-1] not in output, name


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_signed_url_is_cut_though_nobody_knows_its_secrets(log_format: Format) -> None:
    """A signature is made anew for each call: it is found by its name."""
    url = "GET /openapi/param2/1/x?a=1&_aop_signature=33E54F4F7B98&access_token=0a1b2c&sign=77262087"
    output = logged(through_message, url, log_format, secret="unrelated")
    assert "a=1" in output
    for secret in ("33E54F4F7B98", "0a1b2c", "77262087"):
        assert secret not in output


def test_a_secret_learned_later_is_cut_too() -> None:
    """A refreshed token joins the redactor while the run goes on."""
    stream, redactor = io.StringIO(), Redactor()
    configure_logging("info", "text", stream, redactor)
    redactor.add(Secret("fresh-token-1"))
    through_message("fresh-token-1")
    assert "fresh-token-1" not in stream.getvalue()


def test_a_text_line() -> None:
    """Time, level, message; the names of others' loggers, ours not."""
    output = logged(lambda text: logging.getLogger("fetcher.run").info("hello %s", text), "you")
    assert output[8:] == " info: hello you\n"
    output = logged(lambda text: logging.getLogger("httpx").warning("hello %s", text), "you")
    assert output[8:] == " warning: httpx: hello you\n"


def test_a_json_line() -> None:
    """One object a line, with extra fields and the traceback; values keep their types."""
    output = logged(through_exception, "x", "json")
    assert output.count("\n") == 1
    record = json.loads(output)
    assert (record["level"], record["logger"], record["message"]) == ("error", "fetcher.run", "it failed")
    assert record["time"].endswith("Z")
    assert "ValueError: x" in record["exception"]
    record = json.loads(
        logged(lambda _: logging.getLogger("fetcher").warning("n", extra={"n": 3, "none": None}), "", "json")
    )
    assert (record["n"], record["none"]) == (3, None)


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_control_character_comes_through(log_format: Format) -> None:
    """No escape sequence, no bell, no forged second record; JSON stays JSON."""
    output = logged(through_message, "\x1b[2J\x07\x7f\x9b\u202e\r\n12:00:00 error: forged", log_format)
    assert not set(output) & set("\x1b\x07\x7f\x9b\u202e\r")
    if log_format == "json":
        assert json.loads(output)["message"].startswith("it said \x1b[2J\x07")
        assert output.count("\n") == 1
    else:
        assert output.splitlines()[1].startswith("    12:00:00 error: forged")


@pytest.mark.parametrize(
    ("level", "ours", "theirs"),
    [("error", False, False), ("info", True, False), ("debug", True, True), (20, True, False)],
)
def test_others_are_quieter_than_we(level: str, ours: bool, theirs: bool) -> None:
    """httpx would log each URL at INFO: only with DEBUG."""

    def say(text: str) -> None:
        logging.getLogger("fetcher.run").info("ours")
        logging.getLogger("httpx").info("theirs")

    output = logged(say, "", level=level)
    assert ("ours" in output, "theirs" in output) == (ours, theirs)


def test_configuring_again_replaces() -> None:
    """Each record is written once, to the newest stream; handlers that others brought along are gone."""
    first = io.StringIO()
    logging.getLogger("uvicorn.error").addHandler(logging.StreamHandler(first))
    logging.getLogger("uvicorn.error").propagate = False
    configure_logging("info", "text", first, Redactor())
    output = logged(lambda text: logging.getLogger("uvicorn.error").warning(text), "once")
    assert output.count("once") == 1
    assert first.getvalue() == ""


def test_an_unformattable_record_is_told() -> None:
    """Where it is and what was wrong, without its arguments."""
    output = logged(through_broken_record, "value")
    assert "could not be written: TypeError" in output
    assert "test_logs.py" in output
    assert "value" not in output
