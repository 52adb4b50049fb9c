"""Every example of the README and of docs/ that needs no network runs as it stands."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fetcher.sandbox import SandboxHandle, SandboxSettings, spawn
from tests.docs.forked import commands
from tests.docs.pages import PAGES, READERS, ROOT, Block, blocks, without_numbers

pytestmark = pytest.mark.slow
IDS = [str(610947572360 + number) for number in range(4)]
TRANSLATED = "README.zh-CN.md"
_OWN = ("app_key", "app_secret", "gateway")
READING = [block for page in PAGES for block in blocks(page) if block.runs and block.needs]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxHandle]:
    """One for all pages. Everything that is asked for is there."""
    with spawn(SandboxSettings(absent=0.0)) as handle:
        yield handle


@pytest.fixture(scope="module")
def environment(sandbox: SandboxHandle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """`fetcher` on the PATH, the sandbox behind the usual variables."""
    with commands(tmp_path_factory.mktemp("bin")) as folder:
        yield {
            **os.environ,
            "PATH": os.pathsep.join([str(folder), str(Path(sys.executable).parent), os.environ["PATH"]]),
            "FETCHER_APP_KEY": sandbox.app_key,
            "FETCHER_APP_SECRET": sandbox.app_secret.reveal(),
            "FETCHER_GATEWAY": sandbox.url,
            "FETCHER_QPS": "100",
            "COLUMNS": "100",
            "PYTHONIOENCODING": "utf-8",
        }


@pytest.fixture(scope="module")
def fetched(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a user has at hand when he reads a page: inputs, and the files of one small run."""
    folder = tmp_path_factory.mktemp("fetched")
    (folder / "ids.txt").write_text("\n".join(IDS) + "\n", encoding="utf-8")
    (folder / "orders.txt").write_text("181112061430\n", encoding="utf-8")
    (folder / "offers.csv").write_bytes(("货号,offerId\n甲,610947572360\n乙,610947572361\n").encode("gb18030"))
    run = "fetcher run ids.txt -q -o products.jsonl --summary run.json"
    subprocess.run(["bash", "-c", run], cwd=folder, env=environment, check=True, timeout=30)
    for name in ("old", "last-week", "w1"):
        shutil.copy(folder / "products.jsonl", folder / f"{name}.jsonl")
    (folder / "products.failed.jsonl").touch()
    shutil.copy(folder / "run.json", folder / "sunday.json")
    return folder


@pytest.fixture
def folder(fetched: Path, tmp_path: Path) -> Path:
    """A copy of it, for one page."""
    return Path(shutil.copytree(fetched, tmp_path / "here"))


@pytest.mark.parametrize("page", [page for page in PAGES if page != TRANSLATED])
def test_the_examples_of_a_page_run(page: str, folder: Path, environment: dict[str, str]) -> None:
    """One after the other, in one folder, with the output that the page shows."""
    printed = ""
    for block in blocks(page):
        where = f"{page} line {block.line}"
        if block.is_output:
            wanted, seen = without_numbers(block.text), without_numbers(printed)
            assert [line for line in wanted if line not in seen] == [], f"{where} is not what is printed:\n{printed}"
        elif block.runs and not block.needs:
            done = _run(block, folder, environment)
            printed = done.stdout + done.stderr
            assert done.returncode == block.exit_code, f"{where} ends with {done.returncode}:\n{printed}"


@pytest.mark.parametrize("block", READING, ids=lambda block: f"{block.needs}-{block.line}")
def test_the_output_is_read_by(block: Block, folder: Path, environment: dict[str, str]) -> None:
    """Packages that fetcher does not need itself."""
    assert block.needs is not None
    if importlib.util.find_spec(block.needs) is None:
        pytest.skip(f"{block.needs} is not installed")
    done = _run(block, folder, environment)
    assert done.returncode == 0 and done.stdout.strip(), done.stderr


def test_the_translation_has_the_commands_of_the_original() -> None:
    """Word for word, so that what is run there is run here."""
    known = {_command(line) for page in PAGES if page != TRANSLATED for block in blocks(page) for line in block.lines}
    assert {_command(line) for block in blocks(TRANSLATED) if block.runs for line in block.lines} - known == set()


def test_all_readers_have_an_example() -> None:
    """None is skipped because it is not there."""
    assert {block.needs for block in READING} == set(READERS)


def test_links_lead_somewhere() -> None:
    """To a file that is there, and a heading in it."""
    dead = []
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", (ROOT / page).read_text(encoding="utf-8")):
            name, _, heading = target.partition("#")
            path = ((ROOT / page).parent / name) if name else ROOT / page
            if not path.exists() or (heading and heading not in _anchors(path)):
                dead.append(f"{page}: {target}")
    assert dead == []


def test_every_page_stands_in_the_index() -> None:
    """docs/README.md names each page beside it."""
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in ROOT.glob("docs/*.md") if f"({path.name})" not in index] == ["README.md"]


def test_python_that_is_not_run_is_python() -> None:
    """At least that."""
    for block in (block for page in PAGES for block in blocks(page)):
        if block.language == "python":
            compile(block.text, f"{block.page} line {block.line}", "exec")


def _anchors(path: Path) -> set[str]:
    """Of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _command(line: str) -> str:
    return line.partition("  #")[0].strip() if not line.startswith("#") else ""


def _run(block: Block, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    if block.language == "sh":
        if "jq" in block.text and shutil.which("jq") is None:
            pytest.skip(f"{block.page} line {block.line}: jq is not installed")
        command = ["bash", "-euo", "pipefail", "-c", block.text]
    else:
        # Where an example has credentials of its own, the sandbox's stand in place of the dots.
        own = ", ".join(f'{name}="{environment[f"FETCHER_{name.upper()}"]}"' for name in _OWN)
        command = [sys.executable, "-c", block.text.replace('app_key="…", app_secret="…"', own)]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=50
    )
