"""``ajs output``: show what a job wrote."""

from __future__ import annotations

import os
import sys

import click

from ajs.cli.common import CONTEXT, opened, service_options
from ajs.cli.names import unit_names
from ajs.errors import ExitCode, UsageError


@click.command(context_settings=CONTEXT)
@click.argument("unit", metavar="JOB[:@ID]", shell_complete=unit_names)
@click.option(
    "-B",
    "registration_number",
    metavar="NUMBER",
    default="",
    help="Registration number of the run.",
)
@click.option("--attempt", type=click.IntRange(min=1), help="Attempt number; default: the newest.")
@click.option("--stdout", "only_out", is_flag=True, help="Standard output only.")
@click.option("--stderr", "only_err", is_flag=True, help="Standard error only.")
@click.option("--follow", is_flag=True, help="Go on until the job has ended.")
@service_options
def command(
    unit: str,
    *,
    registration_number: str,
    attempt: int | None,
    only_out: bool,
    only_err: bool,
    follow: bool,
    service: str | None,
    home: str | None,
) -> int:
    """Show what a job wrote: its stdout on stdout, its stderr on stderr, byte for byte, also while it runs.

    The newest run in which the job was started is meant unless an execution ID or registration number names one.

    \b
    ajs output /sales/daily-close/total                    its newest run
    ajs output --stdout --follow /sales/daily-close/total:@A12
    """
    from ajs.dispatch.messages import Stream
    from ajs.operations.output import Wanted, output
    from ajs.operations.targets import one_service, parse

    if only_out and only_err:
        raise UsageError("--stdout and --stderr exclude each other", hint="both are shown without")
    name = parse(unit, os.environ.get("AJSPATH", ""))
    streams = (Stream.OUT,) if only_out else (Stream.ERR,) if only_err else tuple(Stream)
    wanted = Wanted(
        name=name, registration_number=registration_number, attempt=attempt, streams=streams
    )
    ends = {Stream.OUT: sys.stdout.buffer, Stream.ERR: sys.stderr.buffer}
    with opened(home, one_service([name], service)) as found:
        for piece in output(found, wanted, follow=follow):
            ends[piece.stream].write(piece.content)
            ends[piece.stream].flush()
    return ExitCode.DONE
