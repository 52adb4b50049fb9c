"""How help looks: what it is, examples, usage, then options under headings; and commands that are imported when called.

It must not know single commands or settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Final

import click

from fetcher.errors import OutputError, UsageError

CONTEXT: Final[dict[str, Any]] = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


class Examples:
    """The part of a help page that a command and a group share: examples come before the options."""

    examples: str = ""

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """click's page in another order."""
        page: Any = self
        page.format_help_text(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples.strip().splitlines():
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")
        formatter.write_paragraph()
        page.format_usage(ctx, formatter)
        page.format_options(ctx, formatter)
        page.format_epilog(ctx, formatter)


class Command(Examples, click.Command):
    """A command whose options stand under the headings that they name (`option.heading`)."""

    def __init__(
        self,
        *args: Any,
        examples: str = "",
        headings: Sequence[str] = (),
        remarks: Mapping[str, Sequence[tuple[str, str]]] | None = None,
        **kwargs: Any,
    ) -> None:
        """As `click.Command`, and:

        Args:
            examples: lines shown as they are.
            headings: in their order; options without one follow under "Options".
            remarks: heading → rows that stand first under it and are no options.
        """
        super().__init__(*args, **{"context_settings": CONTEXT, **kwargs})
        self.examples = examples
        self.headings = headings
        self.remarks = remarks or {}

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each heading with its options."""
        rows: dict[str, list[tuple[str, str]]] = {
            heading: [*self.remarks.get(heading, ())] for heading in self.headings
        }
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if record is not None:
                rows.setdefault(getattr(param, "heading", "Options"), []).append(record)
        for heading, records in rows.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records, col_max=28)


class LazyGroup(Examples, click.Group):
    """A group that knows its commands' names and one-line help, and imports one only when it is called."""

    def __init__(
        self, *args: Any, commands_of: Mapping[str, str], package: str, examples: str = "", **kwargs: Any
    ) -> None:
        """As `click.Group`, and:

        Args:
            commands_of: name → one-line help; the command is `command` in `{package}.{name}`.
            package: where the commands' modules are.
            examples: lines shown as they are.
        """
        super().__init__(*args, **{"context_settings": CONTEXT, **kwargs})
        self.commands_of = commands_of
        self.package = package
        self.examples = examples

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of help."""
        return list(self.commands_of)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name not in self.commands_of:
            return None
        found: click.Command = import_module(f"{self.package}.{cmd_name}").command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, with advice when there is no such command.

        Raises:
            UsageError: there is none.
        """
        if args[0] not in self.commands_of and not args[0].startswith("-") and not ctx.resilient_parsing:
            from fetcher.settings import did_you_mean

            raise UsageError(
                f"there is no command {args[0]!r}{did_you_mean(args[0], self.commands_of)}",
                "To fetch: fetcher run IDS -o products.jsonl. All commands: fetcher --help",
            )
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. A reader of stdout that left ends it in silence, as an output that cannot be written."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise click.exceptions.Exit(OutputError.exit_code) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Names and one-line helps, without importing a command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.commands_of.items()))
