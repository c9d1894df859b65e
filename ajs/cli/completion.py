"""``ajs completion``: what a shell needs to complete commands and options."""

from __future__ import annotations

import importlib

import click

from ajs.cli import SCRIPTS, VERBS
from ajs.cli.common import CONTEXT
from ajs.errors import ExitCode


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
    every = click.Group("ajs", commands={verb: click.Command(verb) for verb in VERBS})
    click.echo(maker(every, {}, "ajs", "_AJS_COMPLETE").source())
    return ExitCode.DONE
