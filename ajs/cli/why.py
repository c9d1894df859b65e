"""``ajs why``: why a unit runs, waits, or does not run."""

from __future__ import annotations

import click

from ajs.cli.common import CONTEXT, format_option, names_of, opened, service_options
from ajs.cli.names import unit_names
from ajs.cli.values import typed_date
from ajs.errors import ExitCode, UsageError
from ajs.operations.targets import one_service


@click.command(context_settings=CONTEXT)
@click.argument("unit", metavar="UNIT[:@ID]", shell_complete=unit_names)
@click.argument("day", required=False, metavar="[DATE]")
@click.option("-B", "--registration-number", metavar="NUMBER", help="The run with this number.")
@format_option
@service_options
def command(
    unit: str,
    day: str | None,
    registration_number: str | None,
    form: str,
    home: str | None,
    service: str | None,
) -> int:
    """Say why a unit runs, waits, ended as it did, or does not run on DATE, an execution date.

    One chain of reasons: registration, rule, calendar, substitution, time, temporary changes with who made them and
    why, predecessors, results. Without DATE: the run that goes on, else the next one, else the last one.

    \b
    ajs why /sales/daily-close               the present or next run
    ajs why /sales/daily-close 2026/08/15    that day, whether it runs or not
    ajs why /sales/daily-close/report:@A12   one unit in one run
    """
    from ajs.operations.why import why
    from ajs.render.why import as_json, as_text

    (name,) = names_of([unit])
    said = [given for given in (day, registration_number, name.execution_id) if given]
    if len(said) > 1:
        raise UsageError(
            "a date, -B and an execution ID each name the run", hint="give one of them"
        )
    with opened(home, one_service([name], service)) as open_service:
        on = None if day is None else typed_date("DATE", day, open_service.today)
        found = why(open_service, name, on, registration_number or "")
        label = open_service.name
    click.echo(as_json(label, found) if form == "json" else as_text(found))
    return ExitCode.DONE
