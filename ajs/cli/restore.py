"""``ajs restore``: bring a service's state back."""

from __future__ import annotations

import click

from ajs.cli.common import CONTEXT, service_options
from ajs.errors import ExitCode


@click.command(context_settings=CONTEXT)
@click.argument("file")
@service_options
def command(file: str, home: str | None, service: str | None) -> int:
    """Put a backup FILE in place of the state of a scheduler service.

    Refused while a manager runs. The backup is checked first, and the state that it replaces is kept beside it.

    \b
    ajsstop -F sales
    ajs restore -F sales /backup/sales-2026-11-23.db
    """
    from ajs.operations.setup import restore

    done = restore(home, service, file)
    click.echo(f"restored service {done.service.name} from {file}")
    if done.aside:
        click.echo(f"the state that was there is kept in {done.aside}")
    return ExitCode.DONE
