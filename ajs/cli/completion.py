"""``ajs completion``: what a shell needs to complete commands and options."""

from __future__ import annotations

import importlib

import click

from ajs.cli import SCRIPTS, VERBS
from ajs.cli.common import CONTEXT
from ajs.errors import ExitCode

OF_AJS = "_AJS_COMPLETE"
"""The variable in which a shell asks what can follow ``ajs``."""


class Verbs(click.Group):
    """``ajs`` as a shell sees it: every verb with its own options, each loaded when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs."""
        return list(VERBS)

    def get_command(
        self,
        ctx: click.Context,
        cmd_name: str,
    ) -> click.Command | None:
        """Return the command of a verb."""
        if cmd_name not in VERBS:
            return None
        found: click.Command = importlib.import_module(f"ajs.cli.{cmd_name}").command
        return found


@click.command(context_settings=CONTEXT)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print the completion of all commands for a shell.

    \b
    eval "$(ajs completion bash)"                                       in ~/.bashrc
    ajs completion fish > ~/.config/fish/completions/ajs.fish           once
    """
    from click.shell_completion import get_completion_class

    maker = get_completion_class(shell)
    if maker is None:
        return ExitCode.USAGE
    for verb in SCRIPTS:
        own: click.Command = importlib.import_module(f"ajs.cli.{verb}").command
        name = f"ajs{verb}"
        click.echo(maker(own, {}, name, f"_{name.upper()}_COMPLETE").source())
    click.echo(maker(Verbs("ajs"), {}, "ajs", OF_AJS).source())
    return ExitCode.DONE
