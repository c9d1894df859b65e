"""``ajsstart``: run the manager of a scheduler service."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ajs.cli.common import CONTEXT, opened, service_options, warn
from ajs.errors import AjsError, ExitCode

if TYPE_CHECKING:
    from ajs.runner.manager import Happened


@click.command(context_settings=CONTEXT)
@click.option(
    "--until-idle",
    is_flag=True,
    help="End when nothing runs, waits for a predecessor, or is due now.",
)
@click.option("--quiet", is_flag=True, help="Do not print what starts and ends.")
@service_options
def command(*, until_idle: bool, quiet: bool, service: str | None, home: str | None) -> int:
    """Run the manager of a scheduler service, in the foreground, until it is told to stop.

    It starts what is due, at first what has become due without a manager. SIGTERM, Ctrl-C or ajsstop end it; jobs
    run on, and the next manager takes in how they end. One manager runs per scheduler service.

    \b
    ajsstart -F sales           until ajsstop
    ajsstart --until-idle       run what is due, then end: for trying out, for CI
    """
    from ajs.operations.manager import run_manager
    from ajs.render.manager import happened_line, stopped_line
    from ajs.runner.serve import Viewers

    def happened(seen: Sequence[Happened]) -> None:
        if not quiet:
            click.echo("\n".join(map(happened_line, seen)))

    def trouble(error: AjsError) -> None:
        warn(f"{error.message}; trying again ({error.hint})")

    with opened(home, service, changing=True) as found:

        def begun() -> None:
            click.echo(f"the manager of {found.name} runs, process {os.getpid()}", err=True)

        viewers = Viewers(begun=begun, happened=happened, trouble=trouble)
        running = run_manager(found, viewers, until_idle=until_idle)
        click.echo(stopped_line(found.name, running), err=True)
    return ExitCode.DONE
