"""``ajs demo``: the main job, to watch and to retype."""

from __future__ import annotations

import click

from ajs.cli.common import CONTEXT
from ajs.errors import ExitCode


@click.command(context_settings=CONTEXT)
@click.option(
    "--copy-jobnets", metavar="FOLDER", help="Only copy the example jobnets into this folder."
)
@click.pass_context
def command(context: click.Context, copy_jobnets: str | None) -> int:
    """Play the main job in a fresh folder, printing every command so that it can be retyped.

    Two departments define, register, move and run their jobnets; one job fails and is recovered. The folder is left
    behind.

    \b
    ajs demo                      play it, below the current folder
    ajs demo --copy-jobnets .     only copy the example jobnets
    """
    from ajs.demo import play

    if copy_jobnets is not None:
        play.copy_jobnets(copy_jobnets)
        return ExitCode.DONE
    from ajs.cli.boundary import run

    return play.play(
        lambda verb, program, arguments: run(verb, program, arguments, clock=context.obj.clock),
        click.echo,
    )
