"""``ajs upgrade``: bring a service's state to this version of ajs."""

from __future__ import annotations

import click

from ajs.cli.common import CONTEXT, service_options
from ajs.errors import ExitCode


@click.command(context_settings=CONTEXT)
@service_options
def command(home: str | None, service: str | None) -> int:
    """Bring the state of a scheduler service to this version of ajs.

    Refused while a manager runs; makes a backup first. Every other command refuses a state of another version, so this
    is the one command that changes its form.

    \b
    ajsstop -F sales
    ajs upgrade -F sales
    """
    from ajs.operations.setup import upgrade

    done = upgrade(home, service)
    if done.before == done.after:
        click.echo(f"nothing to do: the state has schema version {done.after}, which this ajs uses")
    else:
        click.echo(f"upgraded from schema version {done.before} to {done.after}")
        click.echo(f"the state as it was: {done.backup}")
    return ExitCode.DONE
