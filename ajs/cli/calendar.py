"""``ajs calendar``: what a group's calendar says; a country's holidays as YAML."""

from __future__ import annotations

import re

import click

from ajs.cli.common import CONTEXT, opened, service_options
from ajs.cli.values import typed_date
from ajs.errors import BadValue, ExitCode


@click.command(context_settings=CONTEXT)
@click.argument("group", default="/", metavar="[GROUP]")
@click.option("--from", "first", metavar="[[Y/]M/]D", help="First day to list; default today.")
@click.option(
    "--days", type=click.IntRange(1, 3660), default=31, show_default=True, help="How many."
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
    holidays: str | None,
    years: str | None,
    into: str,
    home: str | None,
    service: str | None,
) -> int:
    """Show the calendar that a job group uses, and where each closed day comes from.

    With --holidays: print a country's public and bank holidays as a definition file. They are written into definitions
    once, reviewed, and loaded with ajsdefine; nothing looks holidays up when jobs run. Needs the holidays package.

    \b
    ajs calendar /sales --days 60
    ajs calendar --holidays JP --years 2026-2028 > jobnets/japan.yaml
    """
    if holidays is not None:
        from ajs.operations.holidays import holidays_of
        from ajs.render.holidays import definition_text

        found = holidays_of(holidays, *_years(years))
        click.echo(definition_text(found, into, ("sat", "sun")), nl=False)
        return ExitCode.DONE
    from ajs.operations.calendar import calendar_days
    from ajs.render.calendar import as_text

    with opened(home, service) as opened_service:
        start = None if first is None else typed_date("--from", first, opened_service.today)
        click.echo(as_text(calendar_days(opened_service, group, start, days)))
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
