"""Options and the settings table say the same."""

from __future__ import annotations

import click
import pytest

from fetcher.cli.options import SettingOption
from fetcher.cli.run import command as run
from fetcher.settings import FIELDS, GROUPS
from tests.cli.conftest import CommandLine, RunNotes

ROWS = {row.name: row for row in FIELDS if row.flag}
OPTIONS = {option.name: option for option in run.params if isinstance(option, SettingOption)}


def test_every_row_with_a_flag_is_an_option_and_no_other() -> None:
    """The run's options are the table's flags, -o, and the hidden refusals of secrets."""
    assert set(OPTIONS) == set(ROWS)
    others = [each for each in run.params if isinstance(each, click.Option) and each not in OPTIONS.values()]
    assert sorted(each.opts[-1] for each in others) == ["--access-token", "--app-secret", "--output", "--refresh-token"]
    assert all(each.hidden for each in others if each.opts[-1] != "--output")


@pytest.mark.parametrize("name", ROWS)
def test_an_option_is_spelt_as_its_row(name: str) -> None:
    """Flag, short form, heading and metavar come from the table."""
    row, option = ROWS[name], OPTIONS[name]
    assert option.opts == [each for each in (row.short, row.flag) if each]
    assert option.heading == row.group
    assert option.is_flag == (row.kind.metavar == "")


def test_the_help_has_every_heading_option_and_variable(fetcher: CommandLine) -> None:
    """Under the headings in their order; no secret is offered as an option."""
    page = fetcher("run", "--help").out
    places = [page.index(f"\n{heading}:\n") for heading in GROUPS]
    assert places == sorted(places)
    words = " ".join(page.split())
    for row in ROWS.values():
        assert f" {row.flag} " in words
        assert row.help.split()[0] in words
        assert row.env is None or row.env in words
    assert "--app-secret" not in page and "--access-token" not in page
    assert "FETCHER_APP_SECRET" in page


@pytest.mark.parametrize(
    "words", [("--app-secret", "s3cret-x"), ("--app-secret=s3cret-x",), ("--access-token", "s3cret-x")]
)
def test_a_secret_as_an_option_is_refused_unseen(fetcher: CommandLine, notes: RunNotes, words: tuple[str, ...]) -> None:
    """It says why and where else, does not repeat the value, and nothing runs, whatever else is wrong."""
    for line in (("run", "ids.txt", *words, "-o", "out.jsonl"), ("run", "--qps", "x", *words)):
        ended = fetcher(*line)
        assert ended.code == 2 and notes.jobs == []
        assert "is not an option: arguments show in the process list" in ended.err
        assert f"FETCHER_{words[0].split('=')[0][2:].upper().replace('-', '_')}" in ended.err
        assert "s3cret-x" not in ended.err


SAMPLES = {
    "N": ("7", 7),
    "S": ("7", 7.0),
    "N|auto": ("7", 7),
    "PCT|auto": ("7%", 7.0),
    "TEXT": ("x", "x"),
    "NAME": ("x", "x"),
    "NAME|INDEX": ("x", "x"),
    "KEY": ("x", "x"),
    "PATH": ("x", "x"),
    "FIELD": ("x.y", "x.y"),
    "GET|POST": ("get", "GET"),
}


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.kind.metavar in SAMPLES])
def test_an_options_value_arrives_as_a_setting(fetcher: CommandLine, notes: RunNotes, tmp_path, name: str) -> None:
    """What is written after the option is what the run is told."""
    row = ROWS[name]
    text, value = SAMPLES[row.kind.metavar]
    if name in ("config", "env_file", "secrets"):
        (tmp_path / "x").touch(mode=0o600)
    if name == "encoding":
        text, value = "gb18030", "gb18030"
    value = (value,) if row.kind.repeats else value
    needed = {"max_cost": ("--price", "0.01"), "processes": ("--qps", "500")}.get(name, ())
    assert fetcher("run", "ids.txt", "-o", "out.jsonl", row.flag, text, *needed).err == ""
    assert getattr(notes.jobs[0].settings, name) == value


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.kind.metavar == "" and name != "sandbox"])
def test_a_switch_arrives_as_a_setting(fetcher: CommandLine, notes: RunNotes, name: str) -> None:
    """Used or not is True or False."""
    needed = {"only_changed": ("--diff", "old.jsonl")}.get(name, ())
    fetcher("run", "ids.txt", "-o", "out.jsonl")
    fetcher("run", "ids.txt", "-o", "out.jsonl", ROWS[name].flag, *needed)
    assert [getattr(job.settings, name) for job in notes.jobs] == [False, True]
