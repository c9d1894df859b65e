"""``ajsshow``: status, results and schedule of units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from ajs.cli.colour import painter, places
from ajs.cli.common import (
    CONTEXT,
    filter_options,
    filters_of,
    format_option,
    names_of,
    opened,
    service_options,
)
from ajs.cli.names import unit_names
from ajs.cli.show_options import check, which_of
from ajs.errors import ExitCode
from ajs.operations.targets import Filters, Name, one_service

if TYPE_CHECKING:
    from ajs.operations.service import Service


@click.command(context_settings=CONTEXT)
@click.argument("units", nargs=-1, metavar="[UNIT]...", shell_complete=unit_names)
@click.option("-p", "--schedule", is_flag=True, help="The coming runs, dummies included.")
@click.option("--days", type=click.IntRange(1, 3700), help="With -p: how far ahead; default 14.")
@click.option("-l", "--long", is_flag=True, help="Everything about each unit, attempts and causes.")
@click.option("-f", "--layout", metavar="FORMAT", help="One line each; %J full name, %C status ...")
@click.option("-i", "--quoted-layout", metavar="FORMAT", help="The same, %JJ %CC ..., 'quoted'.")
@click.option("--indicators", is_flag=True, help="List what a FORMAT may hold, and what it means.")
@click.option("-t", "--title", metavar="FORMAT", help="With -f, -i: a title line; %X is now.")
@click.option("-k", "--no-title", is_flag=True, help="No title line.")
@click.option("-g", "--generations", metavar="N|a", help="The newest N runs of each, or all.")
@click.option("-b", "--begin", metavar="DATE", help="Runs that start on this day or later.")
@click.option("-e", "--end", metavar="DATE", help="With -b: on this day or earlier.")
@click.option("-v", "--begin-exec-date", metavar="DATE", help="As -b, by execution date.")
@click.option("-w", "--end-exec-date", metavar="DATE", help="As -e, by execution date.")
@click.option("-B", "--registration-number", metavar="NUMBER", help="The run with this number.")
@filter_options
@format_option
@service_options
def command(units: tuple[str, ...], **given: Any) -> int:
    """Show status, results and schedule of units; without a unit, of all.

    Shows for each unit the run that goes on, else the next one that waits, else the last one. START is when it really
    started, or is to start; START and END name the day only where it is another one.

    \b
    ajsshow -R /sales                      everything below /sales
    ajsshow -l /sales/daily-close/total    one job in full: attempts, output, causes
    ajsshow -p --days 31 /sales            what comes this month
    ajsshow -f '%J %C %R' -g a '/sales/*'  all runs, one line each, for scripts
    """
    if given["indicators"]:
        from ajs.render.indicators import listing

        click.echo(listing())
        return ExitCode.DONE
    check(given)
    names = names_of(units or ("/",))
    filters = filters_of(given)
    if not units:
        filters = filters._replace(recursive=True)
    with opened(given["home"], one_service(names, given["service"])) as service:
        if given["schedule"]:
            text = _schedule(service, names, filters, given)
        elif given["long"]:
            text = _long(service, names, filters, given)
        else:
            text = _page(service, names, filters, given)
    click.echo(text)
    return ExitCode.DONE


def _page(
    service: Service, names: Sequence[Name], filters: Filters, given: Mapping[str, Any]
) -> str:
    from ajs.operations.show import show

    which = which_of(given, service)
    if given["layout"] is not None or given["quoted_layout"] is not None:
        from ajs.render.indicators import as_text as in_layout
        from ajs.render.indicators import one_letter, title, two_letters

        layout = (
            one_letter(given["layout"])
            if given["layout"] is not None
            else two_letters(given["quoted_layout"])
        )
        heading = None if given["title"] is None else title(given["title"])
        needs = layout.needs

        def now() -> str:
            return service.clock.now().wall.isoformat()

        page = show(
            service,
            names,
            filters,
            which,
            attempts="attempts" in needs,
            following="following" in needs,
        )
        return in_layout(page, layout, heading, now)
    from ajs.render.show import as_json, as_table, as_text

    page = show(service, names, filters, which)
    if given["form"] == "json":
        return as_json(page)
    if given["form"] == "table":
        return as_table(page)
    if not page.lines:
        click.echo("nothing is defined yet: ajsdefine loads definitions", err=True)
    return as_text(page, title=not given["no_title"], paint=painter(), most=places())


def _long(
    service: Service, names: Sequence[Name], filters: Filters, given: Mapping[str, Any]
) -> str:
    from ajs.operations.show_long import show_long
    from ajs.render.show_long import as_json, as_text

    page, longs = show_long(service, names, filters, which_of(given, service))
    return as_json(page, longs) if given["form"] == "json" else as_text(longs, paint=painter())


def _schedule(
    service: Service, names: Sequence[Name], filters: Filters, given: Mapping[str, Any]
) -> str:
    from ajs.operations.coming import DAYS, coming_runs
    from ajs.render.coming import as_json, as_table, as_text

    found = coming_runs(service, names, filters, given["days"] or DAYS)
    if given["form"] == "json":
        return as_json(found)
    if given["form"] == "table":
        return as_table(found)
    return as_text(found, title=not given["no_title"], paint=painter(), most=places())
