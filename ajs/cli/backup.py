"""``ajs backup``: copy a service's state into a file."""

from __future__ import annotations

import click

from ajs.cli.common import CONTEXT, service_options
from ajs.errors import ExitCode


@click.command(context_settings=CONTEXT)
@click.argument("file")
@service_options
def command(file: str, home: str | None, service: str | None) -> int:
    """Back up the state of a scheduler service into a new FILE.

    The manager and commands go on meanwhile. The file holds definitions, plans, results and the operation log; what
    jobs wrote lies in the folder spool beside the database and is copied with ordinary tools.

    \b
    ajs backup -F sales /backup/sales-2026-11-23.db
    """
    from ajs.operations.setup import backup

    done = backup(home, service, file)
    click.echo(f"backed up service {done.service.name} to {done.file} ({done.size} bytes)")
    return ExitCode.DONE
