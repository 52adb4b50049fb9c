"""What the README says is so: its Python example runs, its options exist, its commands are commands."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import click

from fetcher.cli.main import COMMANDS, program
from fetcher.sandbox import SandboxSettings, spawn

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_python_example_runs(tmp_path: Path) -> None:
    """As it stands, with the sandbox's key in place of the dots."""
    [example] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    with spawn(SandboxSettings(absent=0.0)) as sandbox:
        program = example.replace(
            'app_key="…", app_secret="…"',
            f'app_key="{sandbox.app_key}", app_secret="{sandbox.app_secret.reveal()}", gateway="{sandbox.url}"',
        )
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=30
        )
    assert done.returncode == 0, done.stderr
    assert {line.split()[0] for line in done.stdout.splitlines()} == {"610947572360", "610947572361"}


def test_every_option_that_is_named_exists() -> None:
    """No option in the README that no command knows; pytest's own aside."""
    known = {"--dist", *program.params[0].opts}
    for name in COMMANDS:
        known |= options_of(importlib.import_module(f"fetcher.cli.{name}").command)
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", README))
    assert named <= known, named - known


def options_of(command: click.Command) -> set[str]:
    """Of it and of the commands within it."""
    ctx = click.Context(command, **command.context_settings)
    found = {option for param in command.get_params(ctx) for option in param.opts}
    for name in command.list_commands(ctx) if isinstance(command, click.Group) else ():
        found |= options_of(command.get_command(ctx, name))
    return found
