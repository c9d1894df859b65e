"""``ajsstart``: run the manager of a scheduler service."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from ajs.cli.common import (
    CONTEXT,
    opened,
    reason_option,
    service_line,
    service_options,
    this_command,
)
from ajs.errors import AjsError, ExitCode, UsageError

if TYPE_CHECKING:
    from ajs.runner.manager import Happened, Missed


@click.command(context_settings=CONTEXT)
@click.option(
    "--until-idle",
    is_flag=True,
    help="End when nothing runs, waits for a predecessor, or is due now.",
)
@click.option(
    "-c", "--cold", is_flag=True, help="First cancel all registrations and delete all results."
)
@click.option(
    "-R", "--hot", is_flag=True, help="Let what runs go on; every start does that (default)."
)
@click.option(
    "-o", "--skip-overdue", is_flag=True, help="Do not start what was missed without a manager."
)
@click.option("-t", "--nothing-today", is_flag=True, help="Start nothing of today.")
@click.option("--quiet", is_flag=True, help="Do not print what starts and ends.")
@reason_option
@service_options
def command(
    *,
    until_idle: bool,
    cold: bool,
    hot: bool,
    skip_overdue: bool,
    nothing_today: bool,
    quiet: bool,
    reason: str,
    service: str | None,
    home: str | None,
) -> int:
    """Run the manager of a scheduler service, in the foreground, until it is told to stop.

    It starts what is due, at first what has become due without a manager. SIGTERM, Ctrl-C or ajsstop end it; jobs
    run on, and the next manager takes in how they end. One manager runs per scheduler service.

    \b
    ajsstart -F sales           until ajsstop
    ajsstart --until-idle       run what is due, then end: for trying out, for CI
    ajsstart -o                 what was missed while no manager ran does not run
    """
    from ajs.operations.cold_start import cold_start
    from ajs.operations.manager import run_manager
    from ajs.render.manager import cold_text, happened_line, stopped_line
    from ajs.runner.serve import Viewers

    def happened(seen: Sequence[Happened | Missed]) -> None:
        if seen and not quiet:
            _say("\n".join(map(happened_line, seen)))

    def trouble(error: AjsError) -> None:
        _say(f"warning: {error.message}; trying again ({error.hint})", err=True)

    for on, options in ((cold and hot, "-c and -R"), (skip_overdue and nothing_today, "-o and -t")):
        if on:
            raise UsageError(f"{options} exclude each other", hint="give one of them")
    overdue = "nothing_today" if nothing_today else "skip" if skip_overdue else "start"
    with opened(home, service) as found:
        _say(service_line(found), err=True)
        if cold:
            _say(cold_text(cold_start(found, command=this_command(), reason=reason)), err=True)
        found.hold_to_day()

        def begun() -> None:
            _say(f"the manager of {found.name} runs, process {os.getpid()}", err=True)

        viewers = Viewers(begun=begun, happened=happened, trouble=trouble)
        running = run_manager(found, viewers, until_idle=until_idle, overdue=overdue)
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
