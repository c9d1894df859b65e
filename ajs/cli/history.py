"""``ajs history``: who changed what, when and why."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import click

from ajs.cli.common import CONTEXT, format_option, names_of, opened, service_options
from ajs.cli.values import typed_date
from ajs.errors import ExitCode, UsageError
from ajs.operations.targets import one_service

NEWEST = 20
"""How many operations are listed when nothing is said."""


@click.command(context_settings=CONTEXT)
@click.argument("arguments", nargs=-1, metavar="[NUMBER | UNIT...]")
@click.option(
    "-n", "--newest", type=click.IntRange(min=1), help="How many; default 20, or all in a period."
)
@click.option("--since", metavar="DATE", help="On this day or later.")
@click.option("--until", metavar="DATE", help="On this day or earlier.")
@click.option("--user", metavar="NAME", help="What this user did.")
@click.option("--verb", metavar="VERB", help="What was done with this command: plan, entry, ...")
@format_option
@service_options
def command(arguments: tuple[str, ...], **given: Any) -> int:
    """List operations, the newest first; with a NUMBER show that one in full, before and after.

    With units, only what touched them is listed; a job group stands for everything in it.

    \b
    ajs history --since 2026/08/01 --user hanako     what one person did this month
    ajs history /sales/daily-close                   what was done to one jobnet
    ajs history 42                                   one operation in full; ajs undo 42 takes it back
    """
    from ajs.operations.history import entry, history
    from ajs.render.history import as_json, as_table, as_text, entry_json, entry_text

    number = next((int(a) for a in arguments if a.isdecimal() and a.isascii()), None)
    narrowed = [
        key for key in ("newest", "since", "until", "user", "verb") if given[key] is not None
    ]
    if number is not None and (len(arguments) > 1 or narrowed):
        raise UsageError(
            f"operation {number} is shown alone, without units or other options",
            hint=f"ajs history {number}",
        )
    names = names_of(() if number is not None else arguments)
    with opened(given["home"], one_service(names, given["service"])) as service:
        if number is not None:
            found = entry(service, number)
            as_asked = (
                entry_json(service.name, found) if given["form"] == "json" else entry_text(found)
            )
            click.echo(as_asked)
            return ExitCode.DONE
        whole = given["since"] is not None or given["until"] is not None
        operations = history(
            service,
            names,
            since=_day("--since", given["since"], service.today),
            until=_day("--until", given["until"], service.today, days=1),
            verb=given["verb"],
            user=given["user"],
            newest=given["newest"] or (-1 if whole else NEWEST),
        )
        match given["form"]:
            case "json":
                text = as_json(service.name, operations)
            case "table":
                text = as_table(operations)
            case _:
                text = as_text(operations)
    click.echo(text)
    return ExitCode.DONE


def _day(option: str, text: str | None, today: date, days: int = 0) -> str | None:
    """Return the first instant of the day that was typed, so many days later, as stored text."""
    if text is None:
        return None
    return f"{typed_date(option, text, today) + timedelta(days=days)}T00:00:00"
