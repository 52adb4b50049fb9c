"""`fetcher run`: what reaches the run, and what is refused before it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from fetcher.secret import Secret
from tests.cli.conftest import CommandLine, RunNotes

RUN = ("run", "ids.txt", "-o", "out.jsonl")


def test_the_run_is_told_what_to_do(fetcher: CommandLine, notes: RunNotes) -> None:
    """Settings, input, output and the words to say how to go on."""
    words = (*RUN, "--qps", "20", "--param", "scene=1", "--param", "b=2", "--max-errors", "5%")
    assert fetcher(*words).code == 0
    [job] = notes.jobs
    assert (job.ids, job.out, job.command) == ("ids.txt", "out.jsonl", ("fetcher", *words))
    assert job.settings.qps == 20.0
    assert job.settings.params == (("scene", "1"), ("b", "2"))
    assert str(job.settings.max_errors) == "5%"
    assert job.settings.app_secret == Secret("s3cret-of-app")


def test_stdin_and_stdout_are_dashes(fetcher: CommandLine, notes: RunNotes) -> None:
    """`-` is passed on for both."""
    assert fetcher("run", "-", "-o", "-").code == 0
    assert (notes.jobs[0].ids, notes.jobs[0].out) == ("-", "-")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("run", "-o", "out.jsonl"), "error: which IDs? IDS is missing"),
        (("run", "ids.txt"), "error: where should the products go? -o OUT is missing"),
        ((*RUN, "--qps", "0"), "error: flag --qps must be a number above 0"),
        ((*RUN, "--protocol", "guid"), "did you mean 'guide'?"),
        ((*RUN, "--gateway", "http://example.com"), "in the clear"),
        ((*RUN, "--secrets", "missing"), "error: missing cannot be read"),
        ((*RUN, "-q", "-v"), "quiet and verbose"),
    ],
)
def test_what_is_wrong_ends_before_the_run(
    fetcher: CommandLine, notes: RunNotes, words: tuple[str, ...], sentence: str
) -> None:
    """Exit 2, one sentence, nothing was started."""
    ended = fetcher(*words)
    assert ended.code == 2 and sentence in ended.err
    assert notes.jobs == []


def test_missing_credentials_are_named(fetcher: CommandLine, notes: RunNotes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is opened; a rehearsal sends nothing and is let through."""
    monkeypatch.delenv("FETCHER_APP_SECRET")
    ended = fetcher(*RUN)
    assert ended.code == 2
    assert "FETCHER_APP_SECRET is not set" in ended.err and "fetcher run --sandbox" in ended.err
    assert notes.jobs == []
    assert fetcher(*RUN, "--dry-run").code == 0


def test_a_plan_needs_no_out(fetcher: CommandLine, notes: RunNotes) -> None:
    """What it would take is asked before one knows where it will go."""
    assert fetcher("run", "ids.txt").code == 2 and notes.jobs == []
    assert fetcher("run", "ids.txt", "--dry-run").code == 0
    assert [job.out for job in notes.jobs] == ["-"]


def test_detail_says_where_settings_came_from(fetcher: CommandLine, notes: RunNotes, tmp_path: Path) -> None:
    """With -v each setting that is not a default is shown with its place, secrets and proxies as stars."""
    (tmp_path / "fetcher.toml").write_text('proxy = "http://u:s3cret-p@h"\n')
    said = fetcher(*RUN, "-v", "--qps", "20").err.splitlines()
    assert "info: qps = 20 (flag --qps)" in said
    assert "info: app_secret = *** (environment FETCHER_APP_SECRET)" in said
    assert "info: proxy = *** (fetcher.toml)" in said
    assert 'info: app_key = "1234567" (environment FETCHER_APP_KEY)' in said


class FakeSandbox(ModuleType):
    """Stands in for `fetcher.sandbox`: an address, credentials, examples, and whether it is running."""

    def __init__(self) -> None:
        super().__init__("fetcher.sandbox")
        self.SandboxSettings = SimpleNamespace
        self.running = False

    @contextmanager
    def spawn(self, settings: Any) -> Iterator[Any]:
        """Pretend to run for the length of the block."""
        self.running = True
        yield SimpleNamespace(url="http://127.0.0.1:8600/openapi", app_key="2222222", app_secret=Secret("published"))
        self.running = False

    def example_ids(self, count: int) -> list[str]:
        """So many IDs."""
        return [str(number) for number in range(count)]


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> FakeSandbox:
    """The sandbox's stand-in."""
    fake = FakeSandbox()
    monkeypatch.setitem(sys.modules, "fetcher.sandbox", fake)
    return fake


def test_the_sandbox_needs_nothing(
    fetcher: CommandLine, notes: RunNotes, sandbox: FakeSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without IDs, output and credentials it fetches examples into products.jsonl, while the gateway runs."""
    monkeypatch.delenv("FETCHER_APP_KEY")
    notes.end = lambda: 0 if sandbox.running else 70
    assert fetcher("run", "--sandbox").code == 0
    [job] = notes.jobs
    assert job.out == "products.jsonl"
    assert len(job.ids) == 50
    assert job.settings.gateway == "http://127.0.0.1:8600/openapi"
    assert not sandbox.running


def test_the_sandbox_gets_no_credential_of_the_users(
    fetcher: CommandLine, notes: RunNotes, sandbox: FakeSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Key, secret, tokens and proxy are the user's; the sandbox has its own."""
    monkeypatch.setenv("FETCHER_ACCESS_TOKEN", "s3cret-token")
    monkeypatch.setenv("FETCHER_PROXY", "http://proxy:3128")
    fetcher("run", "ids.txt", "-o", "other.jsonl", "--sandbox", "--qps", "50")
    [job] = notes.jobs
    settings = job.settings
    assert (job.ids, job.out, settings.qps) == ("ids.txt", "other.jsonl", 50.0)
    assert (settings.app_key, settings.app_secret) == ("2222222", Secret("published"))
    assert settings.access_token is None and settings.proxy is None


def test_the_sandbox_has_as_many_examples_as_asked_for(
    fetcher: CommandLine, notes: RunNotes, sandbox: FakeSandbox
) -> None:
    """`--limit` above the usual number brings more examples."""
    fetcher("run", "--sandbox", "--limit", "80")
    assert len(notes.jobs[0].ids) == 80
