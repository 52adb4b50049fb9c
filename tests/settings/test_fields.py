"""The table and the records made of it: they agree, they check themselves, and they show no secret."""

from __future__ import annotations

import dataclasses
import pickle
import re
from typing import Any

import pytest

from fetcher.errors import UsageError
from fetcher.secret import Redactor, Secret
from fetcher.settings import FIELDS, GROUPS, CommandSettings, Field, Settings, field_named, known_secrets

BY_ROW = pytest.mark.parametrize("row", FIELDS, ids=lambda row: row.name)


def test_the_table_is_the_records() -> None:
    """Every field of the records is a row, no row is anything else, and library rows are `Settings`' own."""
    assert {row.name for row in FIELDS} == {field.name for field in dataclasses.fields(CommandSettings)}
    assert {row.name for row in FIELDS if not row.command_only} == {
        field.name for field in dataclasses.fields(Settings)
    }


def test_the_defaults_are_possible() -> None:
    """Made without arguments, each record has the table's defaults."""
    settings = CommandSettings()
    assert {row.name: getattr(settings, row.name) for row in FIELDS} == {row.name: row.default for row in FIELDS}


def test_outside_names_are_unique() -> None:
    """No two settings share an option, a variable or a key."""
    for outside in ("flag", "short", "env", "key"):
        names = [getattr(row, outside) for row in FIELDS if getattr(row, outside)]
        assert len(names) == len(set(names))


@BY_ROW
def test_a_row_says_what_it_must(row: Field) -> None:
    """Each has a heading and a phrase, and can be set somehow."""
    assert row.group in GROUPS
    assert row.help and not row.help.endswith(".")
    assert row.flag or row.env or row.key
    assert row.flag is None or re.fullmatch(r"--[a-z0-9]+(-[a-z0-9]+)*", row.flag)
    assert row.env is None or re.fullmatch(r"FETCHER_[A-Z0-9_]+", row.env)


@BY_ROW
def test_a_default_survives_its_own_kind(row: Field) -> None:
    """What is kept is accepted again, unchanged."""
    assert row.kind.accept(row.default) == row.default


def test_secrets_are_never_options() -> None:
    """Each secret can be given by variable and file, and by no option."""
    secrets = [row for row in FIELDS if row.secret]
    assert [row.name for row in secrets] == ["app_secret", "access_token", "refresh_token"]
    for row in secrets:
        assert row.flag is None and row.short is None
        assert row.env and row.key and row.private


def test_units_are_in_the_names() -> None:
    """Seconds and bytes are told by the name's ending, and outside names do without."""
    assert field_named("timeout_s").unit == "s"
    assert field_named("timeout_s").flag == "--timeout"
    assert field_named("timeout_s").env == "FETCHER_TIMEOUT"
    assert field_named("max_body_bytes").unit == "bytes"
    assert field_named("retries").unit == ""


def test_a_library_user_gives_plain_values() -> None:
    """Text becomes a secret, whole numbers are rates, tables are parameters."""
    settings = Settings(app_key="1234567", app_secret="s3cret", qps=20, params={"scene": "1688"}, max_errors="5%")
    assert settings.app_secret == Secret("s3cret")
    assert settings.qps == 20.0 and isinstance(settings.qps, float)
    assert settings.params == (("scene", "1688"),)
    assert settings.max_errors is not None and settings.max_errors.percent == 5.0


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("qps", 0, "qps must be a number above 0 and at most 100000, not 0"),
        ("qps", "20", "qps must be a number above 0 and at most 100000, not '20'"),
        ("qps", None, "qps must not be None"),
        ("concurrency", 0, "concurrency must be a whole number at least 1 and at most 100000 or 'auto', not 0"),
        ("headroom", 51, "headroom must be a number at least 0 and at most 50 or 'auto', not 51"),
        ("retries", -1, "retries must be a whole number at least 0 and at most 1000, not -1"),
        ("timeout_s", 0, "timeout_s must be a number above 0 and at most 86400, not 0"),
        ("protocol", "guid", "protocol must be param2 or guide or top, not 'guid'; did you mean 'guide'?"),
        ("overwrite", "yes", "overwrite must be true or false, not 'yes'"),
        ("limit", 0, "limit must be a whole number at least 1 or 'none', not 0"),
    ],
)
def test_impossible_values_are_refused_when_made(name: str, value: object, sentence: str) -> None:
    """The sentence names the setting, what it may be, and what it was."""
    with pytest.raises(UsageError) as caught:
        Settings(**{name: value})
    assert str(caught.value) == sentence


def test_http_goes_to_this_machine_only() -> None:
    """Secrets do not travel in the clear unless somebody said so."""
    Settings(gateway="http://127.0.0.1:8600")
    Settings(gateway="http://gateway.example", allow_http=True)
    with pytest.raises(UsageError, match="in the clear") as caught:
        Settings(gateway="http://gateway.example")
    assert "--allow-http" in caught.value.advice


def test_what_does_not_go_together() -> None:
    """HTTP/2 without an engine that speaks it, quiet with detail: refused with both names."""
    with pytest.raises(UsageError, match="HTTP/2"):
        Settings(http2=True, transport="fast")
    with pytest.raises(UsageError, match="quiet and verbose"):
        CommandSettings(quiet=True, verbose=True)
    with pytest.raises(UsageError, match="needs the price"):
        Settings(max_cost=5)


@pytest.mark.parametrize(
    ("limits", "allowed"),
    [
        ({}, None),
        ({"max_calls": 7}, 7),
        ({"price": 0.1, "max_cost": 0.3}, 3),  # 0.3 / 0.1 is 2.9999999999999996
        ({"price": 0.03, "max_cost": 0.1}, 3),
        ({"price": 1, "max_cost": 0.5}, 0),
        ({"price": 0.01, "max_cost": 1, "max_calls": 12}, 12),
        ({"price": 0.01, "max_cost": 0.1, "max_calls": 12}, 10),
        ({"price": 0.01}, None),
    ],
)
def test_calls_that_the_limits_allow(limits: dict[str, Any], allowed: int | None) -> None:
    """The tighter of `max_calls` and `max_cost`, reckoned in decimals as a person would."""
    assert Settings(**limits).calls_allowed == allowed


@pytest.mark.parametrize(
    ("options", "notes"),
    [
        ({}, False),
        ({"price": 0.01}, True),
        ({"max_calls": 9}, True),
        ({"attempt_journal": "on"}, True),
        ({"price": 0.01, "attempt_journal": "off"}, False),
    ],
)
def test_attempts_are_noted_where_calls_are_worth_something(options: dict[str, Any], notes: bool) -> None:
    """A price or a limit, or a wish."""
    assert Settings(**options).notes_attempts is notes


def test_settings_are_frozen_and_changed_by_replacing() -> None:
    """Nobody changes them under a run; a changed copy is checked like a new one."""
    settings = Settings(qps=20)
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.qps = 30.0
    assert dataclasses.replace(settings, qps=30).qps == 30.0
    with pytest.raises(UsageError):
        dataclasses.replace(settings, qps=-1)


def test_nothing_secret_is_shown() -> None:
    """Neither `repr` nor a pickle has a secret or a proxy's password."""
    settings = Settings(
        app_secret="s3cret-app",
        access_token="s3cret-access",
        refresh_token="s3cret-refresh",
        proxy="http://u:s3cret-p@h",
    )
    assert "s3cret" not in repr(settings)
    with pytest.raises(TypeError):
        pickle.dumps(settings)


def test_redactors_learn_every_secret() -> None:
    """`known_secrets` has all of them, a proxy's password included."""
    settings = Settings(
        app_secret="s3cret-app",
        access_token="s3cret-access",
        refresh_token="s3cret-refresh",
        proxy="http://u:s3cret-p@h",
    )
    text = "s3cret-app s3cret-access s3cret-refresh s3cret-p"
    assert "s3cret" not in Redactor(known_secrets(settings)).redact(text)
    assert known_secrets(Settings()) == ()


@pytest.mark.parametrize(
    ("options", "missing"),
    [({"skip_fresh_s": "7d"}, "--skip-fresh needs"), ({"only_changed": True}, "--only-changed needs")],
)
def test_an_option_that_needs_another_says_so(options: dict[str, Any], missing: str) -> None:
    """With what to add."""
    with pytest.raises(UsageError, match=missing):
        CommandSettings(**options)
