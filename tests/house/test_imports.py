"""What is imported when: help and the package itself stay light, in an interpreter that knows nothing yet."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import fetcher

ROOT = Path(__file__).parents[2]
HEAVY = {
    "httpx",
    "rich",
    "uvloop",
    "httptools",
    "uvicorn",
    "asyncio",
    "anyio",
    "aiolimiter",
    "zstandard",
    "orjson",
    "fsspec",
    "ray",
    "ssl",
}

SHOW_MODULES = "import sys, json; print(json.dumps(sorted(sys.modules)), file=sys.stderr)"


def modules_after(code: str) -> set[str]:
    """Names of all modules that a fresh interpreter has after the code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{SHOW_MODULES}"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    "words",
    [
        *("--help", "--version", "run --help", "init --help", "verify --help", "sandbox --help", "explain --help"),
        "report --help",
        *("cluster --help", "cluster run --help", "cluster status --help"),
    ],
)
def test_help_loads_nothing_heavy(words: str) -> None:
    """Help is there at once: no HTTP client, no event loop, no terminal library."""
    loaded = modules_after(f"from fetcher.cli import main; assert main({words.split()!r}) == 0")
    assert HEAVY & loaded == set()


def test_the_list_of_commands_loads_none_of_them() -> None:
    """`fetcher --help` knows commands by name only."""
    loaded = modules_after("from fetcher.cli import main; assert main(['--help']) == 0")
    assert {name for name in loaded if name.startswith("fetcher.")} <= {
        "fetcher._version",
        "fetcher.cli",
        "fetcher.cli.console",
        "fetcher.cli.help",
        "fetcher.cli.main",
        "fetcher.cli.process",
        "fetcher.doors",
        "fetcher.errors",
        "fetcher.secret",
    }


@pytest.mark.parametrize(
    "code", ["import fetcher", "from fetcher import Settings; Settings()", "from fetcher import Product"]
)
def test_the_package_is_light_until_it_is_used(code: str) -> None:
    """Words and settings come without an HTTP client."""
    assert HEAVY & modules_after(code) == set()


NOT_IN_A_PLAIN_RUN = {
    *("httpx", "rich", "uvicorn", "zstandard", "prometheus_client", "html", "tomllib", "xml", "zoneinfo"),
    *("fetcher.gateway.own_tables", "fetcher.gateway.xml_answers", "fetcher.ids.damage", "fetcher.ids.delimited"),
    *("fetcher.ids.jsonl", "fetcher.output.comparison", "fetcher.output.find", "fetcher.output.known"),
    *("fetcher.output.verify", "fetcher.report.document", "fetcher.report.page", "fetcher.report.prometheus"),
    *("fetcher.run.documents", "fetcher.run.dry_run", "fetcher.run.shards", "fetcher.settings.env_file"),
    *("fetcher.metrics.plan", "fetcher.pacing.foresight", "fetcher.pacing.leased", "fetcher.policy.minimisation"),
    *("fetcher.run.leasing", "fetcher.run.quota_book"),
    *("fetcher.cluster", "fetcher.sandbox", "fetcher.sharing", "fetcher.transport.httpx_lane"),
}
"""What is there for options, formats and answers that this run has not."""


def test_a_plain_run_loads_only_what_it_needs(tmp_path: Path) -> None:
    """A start costs what it loads, and for a hundred IDs the start is the run."""
    (tmp_path / "ids.txt").write_text("")
    words = ["run", "ids.txt", "-o", "out.jsonl", "--gateway", "http://127.0.0.1:9/openapi", "--app-key", "1234567"]
    loaded = modules_after(
        f"import os; os.chdir({str(tmp_path)!r}); os.environ['FETCHER_APP_SECRET'] = 'not-shown'\n"
        f"from fetcher.cli import main; assert main({words!r}) == 0"
    )
    assert loaded > {"fetcher.run.loop", "fetcher.transport.exchange"}
    assert NOT_IN_A_PLAIN_RUN & loaded == set()


def test_python_does_not_look_for_cycles_while_a_run_loads() -> None:
    """Each look would go over whatever is there already."""
    code = (
        "import gc; from fetcher.cycles import look_seldom, spare_modules; look_seldom()\n"
        "before = gc.get_stats()[0]['collections']; import fetcher.run.command, fetcher.transport.fast\n"
        "assert gc.get_stats()[0]['collections'] == before; spare_modules(); assert gc.get_freeze_count() > 10_000"
    )
    modules_after(code)


@pytest.mark.parametrize("name", fetcher.__all__)
def test_every_public_name_can_be_had(name: str) -> None:
    """Names that are imported when first used are there, and are the same object ever after."""
    assert getattr(fetcher, name) is getattr(fetcher, name)
    assert name in dir(fetcher)


def test_type_checkers_see_what_is_there() -> None:
    """What type checkers are shown is what is let out."""
    source = ast.parse((ROOT / "fetcher" / "__init__.py").read_text(encoding="utf-8"))
    shown = {alias.name for node in ast.walk(source) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert shown - {"TYPE_CHECKING", "Final", "annotations", "lazy"} == set(fetcher.__all__)


def test_every_error_is_public() -> None:
    """Whatever can be raised can be caught by name."""
    errors = importlib.import_module("fetcher.errors")
    tree = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert tree <= set(fetcher.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A misspelt name fails as with any module."""
    with pytest.raises(AttributeError, match="has no attribute 'Fetchr'"):
        _ = fetcher.Fetchr
