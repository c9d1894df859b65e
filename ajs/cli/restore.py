"""``ajs restore``: bring a service's state back."""

from __future__ import annotations

import click

from ajs.cli.common import CONTEXT, Call, service_options, this_command
from ajs.errors import ExitCode


@click.command(context_settings=CONTEXT)
@click.argument("file")
@click.option(
    "--other-service",
    is_flag=True,
    help="Take a backup of another scheduler service too; its state becomes that of this one.",
)
@service_options
def command(*, file: str, other_service: bool, home: str | None, service: str | None) -> int:
    """Put a backup FILE in place of the state of a scheduler service.

    Refused while a manager runs, and for a backup of another scheduler service. The backup is checked first, and the
    state that it replaces is kept beside it. Operation numbers and execution IDs that the replaced state had given out
    are not given out again.

    \b
    ajsstop -F sales
    ajs restore -F sales /backup/sales-2026-11-23.db
    ajs restore -F drill --other-service /backup/sales-2026-11-23.db    a copy, to try things out
    """
    from ajs.operations.setup import restore

    call = click.get_current_context().find_object(Call)
    done, operation = restore(
        home,
        service,
        file,
        command=this_command(),
        other_service=other_service,
        clock_of=call.clock if call else None,
    )
    entry = f" (operation {operation})" if operation else ""
    click.echo(f"restored service {done.service.name} from {file}{entry}")
    if done.aside:
        click.echo(f"the state that was there is kept in {done.aside}")
    if done.goes_on:
        click.echo("operations and runs are numbered on behind those of that state")
    else:
        click.echo(
            "no state was there that could be read: operation numbers and execution IDs that were given out after the "
            "backup may be given out again"
        )
    if not operation:
        click.echo("it was written by an older version of ajs: ajs upgrade brings it up to date")
    return ExitCode.DONE
