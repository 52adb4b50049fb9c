"""`fetcher completion`: the script that makes a shell complete commands, options, presets and files."""

from __future__ import annotations

from typing import Final

import click

from fetcher.cli.help import Command

_EXAMPLES: Final = """
eval "$(fetcher completion bash)"                                  # in ~/.bashrc
eval "$(fetcher completion zsh)"                                   # in ~/.zshrc
fetcher completion fish > ~/.config/fish/completions/fetcher.fish
"""


@click.command("completion", cls=Command, examples=_EXAMPLES)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> int:
    """Print the completion script of SHELL: bash (4.4 or newer), zsh or fish."""
    from click.shell_completion import get_completion_class

    known = get_completion_class(shell)
    assert known is not None  # click knows these three
    script = known(ctx.find_root().command, {}, "fetcher", "_FETCHER_COMPLETE")
    click.echo((script.source_template % script.source_vars()).rstrip())
    return 0
