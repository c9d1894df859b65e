"""``ajscalendar``: what a group's calendar says; a country's holidays as YAML."""

from __future__ import annotations

import re

import click

from ajs.cli.colour import painter, places
from ajs.cli.common import CONTEXT, opened, service_options
from ajs.cli.names import unit_names
from ajs.cli.values import typed_date
from ajs.errors import BadValue, ExitCode, UsageError


@click.command(context_settings=CONTEXT)
@click.argument("group", default="/", metavar="[GROUP]", shell_complete=unit_names)
@click.option("--from", "first", metavar="[[Y/]M/]D", help="First day to list; default today.")
@click.option(
    "--days", type=click.IntRange(1, 3660), default=31, show_default=True, help="How many."
)
@click.option("--months", is_flag=True, help="Draw months instead of a list.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print the calendar.",
)
@click.option(
    "--holidays", metavar="COUNTRY", help="Print this country's holidays as YAML: JP, DE-BY."
)
@click.option("--years", metavar="FROM-TO", help="With --holidays: which years.")
@click.option(
    "--group", "into", default="/", show_default=True, help="With --holidays: whose calendar."
)
@service_options
def command(
    group: str,
    first: str | None,
    days: int,
    months: bool,
    form: str,
    holidays: str | None,
    years: str | None,
    into: str,
    home: str | None,
    service: str | None,
) -> int:
    """Show the calendar that a job group uses: where each day's setting, base day and base time come from.

    AJS3's ajscalendar changes calendars too (-lt, -ld, -md, -op, -cl, ...). Here they are part of the definitions: edit
    the YAML and load it with ajsdefine.

    With --holidays: print a country's public and bank holidays as a definition file. They are written into definitions
    once, reviewed, and loaded with ajsdefine; nothing looks holidays up when jobs run. Needs the holidays package.

    \b
    ajscalendar /sales --days 60
    ajscalendar /sales --months --from 2027/01/01 --days 365
    ajscalendar --holidays JP --years 2026-2028 > jobnets/japan.yaml
    """
    if holidays is not None:
        from ajs.operations.holidays import holidays_of
        from ajs.render.holidays import definition_text

        found = holidays_of(holidays, *_years(years))
        click.echo(definition_text(found, into, ("sat", "sun")), nl=False)
        return ExitCode.DONE
    from ajs.operations.calendar import calendar_days
    from ajs.render.calendar import as_json, as_months, as_text

    if months and form != "text":
        raise UsageError("--months draws text", hint="leave out --format, or --months")
    with opened(home, service) as opened_service:
        start = None if first is None else typed_date("--from", first, opened_service.today)
        calendar = calendar_days(opened_service, group, start, days)
    if form == "json":
        click.echo(as_json(calendar))
    elif months:
        click.echo(as_months(calendar, paint=painter(), most=places()))
    else:
        click.echo(as_text(calendar, paint=painter()))
    if len(calendar.days) < days:
        click.echo(f"calendars end with the year {calendar.days[-1][0].year}", err=True)
    return ExitCode.DONE


def _years(text: str | None) -> tuple[int, int]:
    parts = re.fullmatch(r"([0-9]{4})(?:-([0-9]{4}))?", text or "")
    if parts is None:
        raise BadValue(
            f"--years {text or ''!r} is not a range of years",
            hint="write --years 2026-2028",
            value=text or "",
        )
    return int(parts[1]), int(parts[2] or parts[1])
