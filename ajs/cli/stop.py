"""``ajsstop``: stop the manager of a scheduler service."""

from __future__ import annotations

import click

from ajs.cli.common import CONTEXT, opened, service_options
from ajs.cli.values import typed_duration
from ajs.errors import ExitCode


@click.command(context_settings=CONTEXT)
@click.option("--no-wait", is_flag=True, help="Do not wait until the manager has ended.")
@click.option(
    "--timeout",
    metavar="TIME",
    default="60s",
    show_default=True,
    help="Give up waiting after 90s, 15m, 2h.",
)
@service_options
def command(*, no_wait: bool, timeout: str, service: str | None, home: str | None) -> int:
    """Stop the manager of a scheduler service, and wait until it has ended.

    Jobs run on, and the next manager takes in how they end. Nothing starts until then.

    \b
    ajsstop -F sales            stop it and wait, for 60 seconds at most
    ajsstop --no-wait           only ask it to stop
    """
    from ajs.operations.manager import stop_manager

    with opened(home, service, changing=True, ending=True) as found:
        timeout_s = typed_duration("--timeout", timeout)
        pid = stop_manager(found, wait=not no_wait, timeout_s=timeout_s)
        done = "was asked to stop" if no_wait else "has ended"
        click.echo(f"the manager of {found.name}, process {pid}, {done}")
    return ExitCode.DONE
