"""``ajs undo``: take back an operation."""

from __future__ import annotations

import click

from ajs.cli.common import (
    CONTEXT,
    dry_run_option,
    format_option,
    opened,
    reason_option,
    service_options,
    this_command,
)
from ajs.errors import ExitCode


@click.command(context_settings=CONTEXT)
@click.argument("number", type=click.IntRange(min=1), metavar="NUMBER")
@dry_run_option
@reason_option
@format_option
@service_options
def command(
    number: int, *, dry_run: bool, reason: str, form: str, home: str | None, service: str | None
) -> int:
    """Take back the operation with this number, whole, as one new operation; ajs history lists them.

    Refused, with nothing changed, when something that the operation changed has changed since: a run has started, or a
    later operation touched it.

    \b
    ajs undo 42 --dry-run                       see what would be taken back
    ajs undo 42 --reason 'the bank is on time'  take it back
    """
    from ajs.operations.undo import undo
    from ajs.render.history import undone_json, undone_text

    with opened(home, service, changing=True) as open_service:
        done = undo(open_service, number, command=this_command(), reason=reason, dry_run=dry_run)
        name = open_service.name
    click.echo(undone_json(name, done) if form == "json" else undone_text(done, dry_run=dry_run))
    return ExitCode.DONE
