"""``ajsschedule``: the runs of a period, by rules and calendar."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from ajs.cli.colour import painter, places
from ajs.cli.common import (
    CONTEXT,
    filter_options,
    filters_of,
    names_of,
    opened,
    service_options,
    warn,
)
from ajs.cli.names import unit_names
from ajs.cli.progress import bar
from ajs.cli.values import typed_date
from ajs.errors import ExitCode, UsageError
from ajs.operations.targets import one_service

if TYPE_CHECKING:
    from ajs.operations.schedule import Schedule


@click.command(context_settings=CONTEXT)
@click.argument("units", nargs=-1, required=True, metavar="UNIT...", shell_complete=unit_names)
@click.option("-b", "--begin", metavar="[[Y/]M/]D", help="First execution date; default today.")
@click.option("-e", "--end", metavar="[[Y/]M/]D", help="Last execution date; default 30 days on.")
@click.option("-k", "--no-title", is_flag=True, help="No title line.")
@filter_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "table", "json", "ical", "schedule"]),
    default="text",
    show_default=True,
    help="How to print the runs; ical: iCalendar, schedule: text for ajsentry -p.",
)
@click.option("--calendar", "months", is_flag=True, help="Draw months: runs, open and closed days.")
@service_options
def command(units: tuple[str, ...], **given: Any) -> int:
    """Show all runs of a period by rules and calendar: what is planned before anybody changes anything.

    A job group stands for all root jobnets in it. Runs of a registered root jobnet count from its registration; one
    that is not registered is taken as if it were registered now. Temporary changes are not in it: ajsshow -p has them.
    RULE is the number of the rule; several rules that give the same run are named together, the first one decides.

    \b
    ajsschedule -b 2026/04/01 -e 2027/03/31 /sales/daily-close
    ajsschedule -T -b 1 /sales    31 days from the first of this month, without nested jobnets
    ajsschedule --calendar -b 1/1 -e 12/31 /sales/daily-close
    ajsschedule --format ical -e 2027/03/31 /sales > sales.ics
    """
    from ajs.operations.schedule import DAYS, schedule

    if given["months"] and given["form"] != "text":
        raise UsageError("--calendar draws text", hint="leave out --format, or --calendar")
    names = names_of(units)
    with opened(given["home"], one_service(names, given["service"])) as service:
        today = service.today
        first = today if given["begin"] is None else typed_date("-b", given["begin"], today)
        last = (
            first + timedelta(days=DAYS - 1)
            if given["end"] is None
            else typed_date("-e", given["end"], today)
        )
        with bar() as progress:
            found = schedule(service, names, filters_of(given), (first, last), progress=progress)
    click.echo(_rendered(found, given), nl=given["form"] not in ("ical", "schedule"))
    if given["form"] != "json":
        for note in (note for root in found.roots for note in root.notes):
            warn(note)
    return ExitCode.DONE


def _rendered(found: Schedule, given: Mapping[str, Any]) -> str:
    form = given["form"]
    if given["months"]:
        from ajs.render.schedule_months import as_months

        return as_months(found, paint=painter(), most=places())
    if form == "ical":
        from ajs.render.icalendar import as_icalendar

        return as_icalendar(found)
    if form == "schedule":
        from ajs.render.schedule_text import as_schedule_text

        text, lost = as_schedule_text(found)
        for one in lost:
            warn(one)
        return text
    from ajs.render.schedule import as_json, as_table, as_text

    if form == "json":
        return as_json(found)
    lower = not given["roots_only"]
    if form == "table":
        return as_table(found, lower=lower)
    title = not given["no_title"]
    return as_text(found, title=title, lower=lower, paint=painter(), most=places())
