"""The manual page, made from the texts of `--help`: `python -m fetcher.cli.man docs/fetcher.1` writes it.

For who publishes the program; a run has no need of it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from fetcher._version import __version__
from fetcher.cli.main import program

_FILES: Final = (
    ("fetcher.toml, .env", "settings of the folder that it is started in; fetcher init writes the first"),
    ("OUT", "the products, one JSON object a line"),
    ("OUT with .failed.jsonl", "the failures; .gz and .zst as OUT"),
    ("OUT with .unchanged.jsonl", "with --only-changed: what was the same as before"),
)


def man_page() -> str:
    """In troff's man macros."""
    return "".join(f"{line}\n" for line in _page())


def _page() -> Iterator[str]:
    ctx = _context(program, None, "fetcher")
    yield f'.TH FETCHER 1 "" "fetcher {__version__}" "User Commands"'
    yield from (".SH NAME", rf"fetcher \- {_text(program.help)}")
    yield from (".SH SYNOPSIS", ".B fetcher", r"COMMAND [OPTIONS] [ARGUMENTS]")
    yield ".SH EXAMPLES"
    yield from _as_it_is(getattr(program, "examples", ""))
    yield ".SH COMMANDS"
    for name in program.list_commands(ctx):
        found = program.get_command(ctx, name)
        if found is not None and not found.hidden:
            yield from _command(found, _context(found, ctx, name))
    yield ".SH FILES"
    for place, what in _FILES:
        yield from (".TP", f".B {_text(place)}", _text(what))
    yield ".SH NOTES"
    yield from _as_it_is((program.epilog or "").replace("\b", ""))


def _command(command: click.Command, ctx: click.Context) -> Iterator[str]:
    usage = " ".join(command.collect_usage_pieces(ctx))
    yield f".SS {_text(f'{ctx.command_path} {usage}')}"
    for paragraph in (command.help or "").split("\n\n"):
        yield from (".PP", _text(paragraph))
    yield from _as_it_is(getattr(command, "examples", ""))
    heading = ""
    for param in sorted(command.get_params(ctx), key=lambda param: _place(command, param)):
        record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
        if record is None or "--help" in param.opts:
            continue
        if (its := getattr(param, "heading", "")) != heading:
            heading = its
            yield from (".PP", f".I {_text(heading)}")
        yield from (".TP", f".B {_text(record[0])}", _text(record[1]))
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            inner = command.get_command(ctx, name)
            if inner is not None:
                yield from _command(inner, _context(inner, ctx, name))


def _context(command: click.Command, parent: click.Context | None, name: str) -> click.Context:
    """With the command's own settings: it remembers the help option of the first one that it meets."""
    return click.Context(command, parent=parent, info_name=name, **command.context_settings)


def _place(command: click.Command, param: click.Parameter) -> int:
    """Headings in the order of the help."""
    headings = list(getattr(command, "headings", ()))
    heading = getattr(param, "heading", "")
    return headings.index(heading) if heading in headings else len(headings)


def _as_it_is(text: str) -> Iterator[str]:
    if text.strip():
        yield from (".PP", ".nf", *map(_line, text.strip().splitlines()), ".fi")


def _text(text: str | None) -> str:
    """A paragraph in one line."""
    return _line(" ".join((text or "").replace("\b", "").split()))


def _line(line: str) -> str:
    """What troff would take for a command or a dash of another kind is escaped."""
    line = line.replace("\\", r"\e").replace("-", r"\-")
    return re.sub(r"^(?=[.'])", r"\\&", line)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(man_page(), encoding="utf-8")
