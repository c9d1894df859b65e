"""``ajsstart``: run the manager of a scheduler service."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from ajs.cli.common import CONTEXT, opened, service_line, service_options
from ajs.errors import AjsError, ExitCode

if TYPE_CHECKING:
    from ajs.runner.manager import Happened, Missed


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

    def happened(seen: Sequence[Happened | Missed]) -> None:
        if seen and not quiet:
            _say("\n".join(map(happened_line, seen)))

    def trouble(error: AjsError) -> None:
        _say(f"warning: {error.message}; trying again ({error.hint})", err=True)

    with opened(home, service) as found:
        _say(service_line(found), err=True)
        found.hold_to_day()

        def begun() -> None:
            _say(f"the manager of {found.name} runs, process {os.getpid()}", err=True)

        viewers = Viewers(begun=begun, happened=happened, trouble=trouble)
        running = run_manager(found, viewers, until_idle=until_idle)
        _say(stopped_line(found.name, running), err=True)
    return ExitCode.DONE


def _say(text: str, *, err: bool = False) -> None:
    """Print lines; a log that is full, or that nobody reads any more, keeps no job from starting."""
    stream = sys.stderr if err else sys.stdout
    with suppress(OSError):
        if stream in (sys.__stdout__, sys.__stderr__):
            # Past its buffer, which would keep what a full disk refuses and fail with it for ever.
            os.write(2 if err else 1, f"{text}\n".encode(errors="backslashreplace"))
        else:
            click.echo(text, err=err)
