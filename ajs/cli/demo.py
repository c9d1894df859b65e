"""``ajs demo``: the main job, to watch and to retype; and a cloud to try it in."""

from __future__ import annotations

import click

from ajs.cli.common import CONTEXT
from ajs.errors import ExitCode, UsageError


@click.command(context_settings=CONTEXT)
@click.argument(
    "what", metavar="[cloud|records]", type=click.Choice(["cloud", "records"]), required=False
)
@click.option(
    "--copy-jobnets", metavar="FOLDER", help="Only copy the example jobnets into this folder."
)
@click.pass_context
def command(context: click.Context, what: str | None, copy_jobnets: str | None) -> int:
    """Play the main job in a fresh folder, printing every command so that it can be retyped.

    Two departments define, register, move and run their jobnets; one job fails and is recovered. Then they run flexible
    jobs on cloud agents, and a relay agent dies meanwhile. The folder is left behind.

    With the word cloud it starts relays, load balancers and agents on this machine instead, as processes that speak
    SSH, in the folder cloud below the current one, and keeps them up until Ctrl-C. With the word records it shows what
    those agents have on record.

    \b
    ajs demo                      play it, below the current folder
    ajs demo --copy-jobnets .     only copy the example jobnets
    ajs demo cloud                a cloud to play with
    ajs demo records              which attempts its agents have begun and ended
    """
    from ajs.demo import play

    if copy_jobnets is not None:
        if what is not None:
            raise UsageError(
                f"{what} and --copy-jobnets exclude each other", hint="give one of them"
            )
        play.copy_jobnets(copy_jobnets)
        return ExitCode.DONE
    if what == "cloud":
        return _keep_cloud()
    if what == "records":
        return _show_records()
    from ajs.cli.boundary import run

    return play.play(
        lambda verb, program, arguments: run(verb, program, arguments, clock=context.obj.clock),
        click.echo,
    )


def _keep_cloud() -> int:
    """Keep a cloud up below the current folder until Ctrl-C or SIGTERM."""
    import signal

    from ajs.demo.cloud.cloud import Cloud
    from ajs.demo.cloud.show import described

    ends = {signal.SIGINT, signal.SIGTERM}
    with Cloud.start(".") as cloud:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ends)
        click.echo("\n".join(described(cloud)))
        signal.sigwait(ends)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    click.echo("the cloud is switched off; its folder is left behind", err=True)
    return ExitCode.DONE


def _show_records() -> int:
    """Show what the agents of the cloud below the current folder have on record."""
    from ajs.demo.cloud.cloud import FOLDER
    from ajs.demo.cloud.records import records
    from ajs.demo.cloud.show import recorded

    click.echo("\n".join(recorded(records(FOLDER))))
    return ExitCode.DONE
