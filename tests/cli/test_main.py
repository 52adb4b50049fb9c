"""The program: help, version, and every way in which a command can end."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from fetcher import __version__, errors
from fetcher.cli.main import COMMANDS
from tests.cli.conftest import CommandLine, RunNotes

ROOT = Path(__file__).parents[2]
RUN = ("run", "ids.txt", "-o", "out.jsonl")


def raising(error: BaseException) -> Callable[[], NoReturn]:
    """A run that ends with that."""

    def end() -> NoReturn:
        raise error

    return end


def test_help_leads_with_examples(fetcher: CommandLine) -> None:
    """A reader sees what to type before what can be typed."""
    ended = fetcher("--help")
    assert ended.code == 0 and ended.err == ""
    assert ended.out.index("Examples:") < ended.out.index("Usage:") < ended.out.index("Commands:")
    for command in COMMANDS:
        assert f"\n  {command} " in ended.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(fetcher: CommandLine, name: str) -> None:
    """Each names its usage and begins with the sentence that the list shows."""
    ended = fetcher(name, "-h")
    assert ended.code == 0
    assert f"Usage: fetcher {name}" in ended.out
    assert ended.out.isascii()  # terminals of any locale can show it
    command = importlib.import_module(f"fetcher.cli.{name}").command
    assert command.name == name
    assert COMMANDS[name].split()[:2] == command.help.split()[:2]


def test_the_version_is_the_packages(fetcher: CommandLine) -> None:
    """`fetcher --version` says it on stdout."""
    assert fetcher("--version").out == f"fetcher {__version__}\n"


def test_without_a_command_help_is_an_error(fetcher: CommandLine) -> None:
    """A script that forgot the command must not look successful."""
    ended = fetcher()
    assert ended.code == 2
    assert ended.out == "" and "Examples:" in ended.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("rnu", "ids.txt"), "error: there is no command 'rnu'; did you mean 'run'?\n\nhint: "),
        (("ids.txt", "-o", "x"), "error: there is no command 'ids.txt'\n\nhint: To fetch: fetcher run IDS"),
        (("run", "--qsp", "20"), "--qsp"),
        (("run", "--qps"), "--qps"),
        ((*RUN, "more"), "more"),
        (("--qps", "20"), "--qps"),
    ],
)
def test_wrong_words_end_with_2(fetcher: CommandLine, words: tuple[str, ...], sentence: str) -> None:
    """The error is one line, the hint follows after a blank one."""
    ended = fetcher(*words)
    assert ended.code == 2 and ended.out == ""
    assert ended.err.startswith("error: ") and sentence in ended.err
    assert "\n\nhint: " in ended.err


@pytest.mark.parametrize(
    "error_class",
    [
        errors.UsageError,
        errors.InputError,
        errors.OutputMismatch,
        errors.Refused,
        errors.LimitReached,
        errors.TooManyErrors,
        errors.OutputError,
        errors.OutputBusy,
        errors.Defect,
    ],
)
def test_each_error_has_its_exit_code(
    fetcher: CommandLine, notes: RunNotes, error_class: type[errors.FetcherError]
) -> None:
    """The class says the code, the sentence and the advice are printed."""
    notes.end = raising(error_class("it did not work", "Try this.\nOr that."))
    ended = fetcher(*RUN)
    assert ended.code == error_class.exit_code
    assert ended.err == "error: it did not work\n\nhint: Try this.\n      Or that.\n"


@pytest.mark.parametrize("code", [0, 1, 3, 4, 130, 143])
def test_the_runs_code_is_the_programs(fetcher: CommandLine, notes: RunNotes, code: int) -> None:
    """What the run returns is the exit code, and nothing is added to what it said."""
    notes.end = lambda: code
    ended = fetcher(*RUN)
    assert (ended.code, ended.out, ended.err) == (code, "", "")


def test_an_error_cannot_play_with_the_terminal(fetcher: CommandLine, notes: RunNotes) -> None:
    """Control characters in a message are shown, not sent."""
    notes.end = raising(errors.InputError("no column \x1b[2J\r'x\u202e'", "hint\x07"))
    ended = fetcher(*RUN)
    assert not set(ended.err) & set("\x1b\r\x07\u202e")


def test_an_error_shows_no_secret(fetcher: CommandLine, notes: RunNotes) -> None:
    """The settings' secrets and anything signed are cut out, in sentence and advice."""
    notes.end = raising(errors.Refused("secret s3cret-of-app", "GET /x?_aop_signature=ABCDEF"))
    ended = fetcher(*RUN)
    assert "s3cret-of-app" not in ended.err and "ABCDEF" not in ended.err
    assert "secret ***" in ended.err


def test_a_secret_of_the_environment_is_known_before_settings_are(
    fetcher: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even a wrong command line does not repeat it."""
    monkeypatch.setenv("FETCHER_ACCESS_TOKEN", "s3cret-token")
    ended = fetcher("run", "ids.txt", "s3cret-token")
    assert ended.code == 2 and "s3cret-token" not in ended.err


def test_a_defect_is_short_and_long_only_when_asked(fetcher: CommandLine, notes: RunNotes) -> None:
    """Exit 70, one sentence; with -v the traceback too, redacted."""
    notes.end = raising(ValueError("broken at s3cret-of-app"))
    short = fetcher(*RUN)
    assert short.code == 70
    assert short.err.startswith("error: a defect of fetcher (ValueError: broken at ***)\n\nhint: ")
    assert "Traceback" not in short.err and "-v" in short.err
    long = fetcher(*RUN, "-v")
    assert long.code == 70
    assert "Traceback" in long.err and "test_main.py" in long.err
    assert "s3cret-of-app" not in long.err


def test_a_defect_before_the_settings_is_traced_too(
    fetcher: CommandLine, notes: RunNotes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """-v counts from the first line on."""

    def broken(_flags: object) -> NoReturn:
        raise RuntimeError("early")

    monkeypatch.setattr("fetcher.cli.run.load", broken)
    assert "Traceback" not in fetcher(*RUN).err
    assert "Traceback" in fetcher(*RUN, "-v").err


def test_an_interrupt_is_130(fetcher: CommandLine, notes: RunNotes) -> None:
    """Ctrl-C outside the run's own care ends without a traceback."""
    notes.end = raising(KeyboardInterrupt())
    ended = fetcher(*RUN)
    assert ended.code == 130
    assert "Traceback" not in ended.err


def test_a_reader_that_left_is_6_and_silent(fetcher: CommandLine, notes: RunNotes) -> None:
    """A broken pipe is an output that could not be written, not a defect."""
    notes.end = raising(BrokenPipeError(32, "Broken pipe"))
    ended = fetcher(*RUN)
    assert (ended.code, ended.err) == (6, "")


def test_help_into_a_closed_pipe_has_no_traceback() -> None:
    """`fetcher --help | true` says nothing on stderr, not even when Python ends."""
    code = (
        "import os, sys; r, w = os.pipe(); os.close(r); os.dup2(w, 1)\n"
        "from fetcher.cli import main; sys.exit(main(['--help']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.stderr == ""
    assert done.returncode < 2


def test_warnings_are_lines_or_objects(fetcher: CommandLine, notes: RunNotes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt variable is warned of, as JSON where logs are JSON, and not at all with -q."""
    monkeypatch.setenv("FETCHER_QSP", "20")
    assert fetcher(*RUN).err.startswith("warning: environment: FETCHER_QSP is not a setting")
    entry = json.loads(fetcher(*RUN, "--log-format", "json").err)
    assert entry["level"] == "warning" and "FETCHER_QSP" in entry["message"]
    assert fetcher(*RUN, "-q").err == ""


def test_python_m_is_the_same_program() -> None:
    """`python -m fetcher` calls itself fetcher and ends with the command's code."""
    done = subprocess.run(
        [sys.executable, "-m", "fetcher", "rnu"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 2
    assert "did you mean 'run'" in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(fetcher: CommandLine, monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    """The command prints what click's variable does, a script for each shell."""
    ended = fetcher("completion", shell)
    assert ended.code == 0 and ended.err == ""
    assert f"_FETCHER_COMPLETE={shell}_complete" in ended.out
    monkeypatch.setenv("_FETCHER_COMPLETE", f"{shell}_source")
    assert fetcher().out.strip() == ended.out.strip()


def test_completion_knows_the_words_of_a_setting(fetcher: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--protocol <TAB>` proposes the protocols."""
    monkeypatch.setenv("_FETCHER_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "fetcher run --protocol ")
    monkeypatch.setenv("COMP_CWORD", "3")
    assert fetcher().out.split() == ["plain,param2", "plain,guide", "plain,top"]


def test_completion_knows_the_presets(fetcher: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`--api <TAB>` proposes them, the user's own too; a broken file does not spoil it."""
    monkeypatch.setenv("_FETCHER_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "fetcher run --api or")
    monkeypatch.setenv("COMP_CWORD", "3")
    config = tmp_path / "fetcher.toml"
    config.write_text('[apis.orchids]\napi = "a.b/c/1"\nid_param = "id"\n')
    assert {"plain,order-buyer", "plain,orchids"} <= set(fetcher().out.split())
    config.write_text("[[[")
    assert "plain,order-buyer" in fetcher().out.split()
