"""``ajsschedule``: the runs of a period, by rules and calendar."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from ajs.cli.colour import painter, places
from ajs.cli.common import CONTEXT, filter_options, filters_of, names_of, opened, service_options
from ajs.cli.names import unit_names
from ajs.cli.progress import bar
from ajs.cli.values import typed_date
from ajs.errors import ExitCode
from ajs.operations.targets import one_service


@click.command(context_settings=CONTEXT)
@click.argument("units", nargs=-1, required=True, metavar="UNIT...", shell_complete=unit_names)
@click.option("-b", "--begin", metavar="[[Y/]M/]D", help="First execution date; default today.")
@click.option("-e", "--end", metavar="[[Y/]M/]D", help="Last execution date; default 30 days on.")
@click.option("-k", "--no-title", is_flag=True, help="No title line.")
@filter_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "table", "json"]),
    default="text",
    show_default=True,
    help="How to print the runs.",
)
@service_options
def command(units: tuple[str, ...], **given: Any) -> int:
    """Show all runs of a period by rules and calendar: what is planned before anybody changes anything.

    A job group stands for all root jobnets in it. Runs of a registered root jobnet count from its registration; one
    that is not registered is taken as if it were registered now. Temporary changes are not in it: ajsshow -p has them.
    RULE is the number of the rule; several rules that give the same run are named together, the first one decides.

    \b
    ajsschedule -b 2026/04/01 -e 2027/03/31 /sales/daily-close
    ajsschedule -R -T -b 1 -e 31 /sales    this month, without nested jobnets
    """
    from ajs.operations.schedule import DAYS, schedule
    from ajs.render.schedule import as_json, as_table, as_text

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
    lower = not given["roots_only"]
    if given["form"] == "json":
        text = as_json(found)
    elif given["form"] == "table":
        text = as_table(found, lower=lower)
    else:
        title = not given["no_title"]
        text = as_text(found, title=title, lower=lower, paint=painter(), most=places())
    click.echo(text)
    return ExitCode.DONE
