"""``ajs restore``: bring a service's state back."""

from __future__ import annotations

import click

from ajs.cli.common import CONTEXT, service_options
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
    state that it replaces is kept beside it.

    \b
    ajsstop -F sales
    ajs restore -F sales /backup/sales-2026-11-23.db
    ajs restore -F drill --other-service /backup/sales-2026-11-23.db    a copy, to try things out
    """
    from ajs.operations.setup import restore

    done = restore(home, service, file, other_service=other_service)
    click.echo(f"restored service {done.service.name} from {file}")
    if done.aside:
        click.echo(f"the state that was there is kept in {done.aside}")
    return ExitCode.DONE
