"""``ajsleave``: cancel registrations."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from ajs.cli.common import (
    CONTEXT,
    dry_run_option,
    filter_options,
    filters_of,
    format_option,
    names_of,
    opened,
    reason_option,
    service_options,
    this_command,
)
from ajs.cli.names import unit_names
from ajs.cli.values import typed_day
from ajs.errors import BadValue, ExitCode, UsageError
from ajs.operations.targets import one_service

if TYPE_CHECKING:
    from ajs.operations.leave import Leaving


@click.command(context_settings=CONTEXT)
@click.argument("units", nargs=-1, required=True, metavar="UNIT...", shell_complete=unit_names)
@click.option(
    "-B",
    "--part",
    metavar="all|schedule|result|YYYYMMDD[NNN]",
    help="Everything with its results, coming runs, results, or runs by registration number.",
)
@click.option(
    "-b", "--begin", metavar="DATE", help="Runs that start on this day or later (with -e)."
)
@click.option("-e", "--end", metavar="DATE", help="Last day of the starts.")
@click.option(
    "-v", "--execution-from", metavar="DATE", help="Runs of this execution date or later."
)
@click.option("-w", "--execution-to", metavar="DATE", help="Last execution date (with -v).")
@filter_options
@dry_run_option
@reason_option
@format_option
@service_options
def command(units: tuple[str, ...], **given: Any) -> int:
    """Cancel the registration of root jobnets or a part of it, all or none.

    Their coming runs go; results of ended runs stay, unless -B all or -B result deletes them. What runs is refused.
    -b -e count a day as 24 hours from the base time. Cancelling the last run that waits ends the registration.

    \b
    ajsleave /sales/daily-close     one root jobnet
    ajsleave -v 12/24 -w 12/31 /sales/daily-close    the runs of these execution dates
    ajsleave -B 20261224001 /sales/daily-close       one run
    ajsleave -R -T -E /sales        every registered root jobnet below a job group
    """
    from ajs.operations.leave import leave
    from ajs.render.entry import left_json, left_text

    names, what = names_of(units), _what(given)
    with opened(
        given["home"], one_service(names, given["service"]), changing=True, ending=True
    ) as service:
        done = leave(
            service,
            names,
            filters_of(given),
            what,
            command=this_command(),
            reason=given["reason"],
            dry_run=given["dry_run"],
        )
    click.echo(
        left_json(done) if given["form"] == "json" else left_text(done, service=service.name)
    )
    return ExitCode.DONE


def _what(given: dict[str, Any]) -> Leaving:
    """Return what of the registrations is to be cancelled."""
    from ajs.operations.leave import Leaving, Part

    ways = [
        names
        for names, keys in (
            ("-B", ("part",)),
            ("-b -e", ("begin", "end")),
            ("-v -w", ("execution_from", "execution_to")),
        )
        if any(given[key] is not None for key in keys)
    ]
    if len(ways) > 1:
        raise UsageError(f"{ways[0]} and {ways[1]} exclude each other", hint="give one of them")
    for one, other, keys in (
        ("-b", "-e", ("begin", "end")),
        ("-v", "-w", ("execution_from", "execution_to")),
    ):
        first, last = (given[key] for key in keys)
        if (first is None) is not (last is None):
            raise UsageError(
                f"{one} and {other} go together", hint="give the first and the last day"
            )
        if first is not None:
            part = Part.STARTS if one == "-b" else Part.DATES
            return Leaving(part, period=(typed_day(one, first), typed_day(other, last)))
    if given["part"] is None:
        return Leaving()
    part_text = str(given["part"])
    if part_text in ("all", "schedule", "result"):
        return Leaving(Part(part_text))
    if re.fullmatch(r"[0-9]{8}(?:[0-9]{3,})?", part_text) is None:
        raise BadValue(
            f"-B {part_text!r} names nothing that can be cancelled",
            hint="write all, schedule, result, an execution date (20261224), or a registration number (20261224001)",
            value=part_text,
        )
    return Leaving(Part.NUMBER, number=part_text)
