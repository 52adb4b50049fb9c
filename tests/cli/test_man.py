"""The manual page: in step with the program, and fit for troff."""

from __future__ import annotations

import re
from pathlib import Path

from fetcher.cli.main import COMMANDS
from fetcher.cli.man import man_page
from fetcher.settings import FIELDS

PAGE = Path(__file__).parents[2] / "docs" / "fetcher.1"


def test_the_published_page_is_in_step() -> None:
    """Else: python -m fetcher.cli.man docs/fetcher.1"""
    assert PAGE.read_text(encoding="utf-8") == man_page(), "python -m fetcher.cli.man docs/fetcher.1"


def test_it_has_every_command_and_option() -> None:
    """With the help's own words; dashes that can be copied into a shell."""
    page = man_page()
    for name in COMMANDS:
        assert f"\n.SS fetcher {name}" in page
    for row in FIELDS:
        if row.flag:
            assert row.flag.replace("-", r"\-") in page
    assert not re.search(r"(?<!\\)-", page.replace('.TH FETCHER 1 ""', ""))


def test_no_line_is_taken_for_a_command_of_troff() -> None:
    """Only those that are meant."""
    commands = {line.split()[0] for line in man_page().splitlines() if line.startswith((".", "'"))}
    assert commands <= {".TH", ".SH", ".SS", ".PP", ".TP", ".B", ".I", ".nf", ".fi"}
