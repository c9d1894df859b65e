"""``ajsdelete``: delete units."""

from __future__ import annotations

from typing import Any

import click

from ajs.cli.common import (
    CONTEXT,
    dry_run_option,
    filter_options,
    filters_of,
    format_option,
    names_of,
    opened,
    reason_option,
    service_options,
    this_command,
)
from ajs.cli.names import unit_names
from ajs.cli.progress import bar
from ajs.errors import ExitCode
from ajs.operations.targets import one_service


@click.command(context_settings=CONTEXT)
@click.argument("units", nargs=-1, required=True, metavar="UNIT...", shell_complete=unit_names)
@filter_options
@dry_run_option
@reason_option
@format_option
@service_options
def command(units: tuple[str, ...], **given: Any) -> int:
    """Delete root jobnets with everything below them, and job groups, all or none.

    A root jobnet must not be registered; a job group goes with what is in it only with -R. What ran stays readable with
    ajs history, ajs why, ajs output and ajsshow -g a. A unit that is defined again under the same name goes on with
    that history. A unit inside a root jobnet is deleted by loading the definition without it.

    \b
    ajsdelete /sales/daily-close     one root jobnet
    ajsdelete -R /sales --dry-run    what deleting a job group with everything in it would mean
    ajsdelete -R -T -L /sales        every root jobnet below it that is not registered
    """
    from ajs.operations.delete import delete
    from ajs.render.delete import as_json, as_text

    names = names_of(units)
    with (
        opened(given["home"], one_service(names, given["service"]), changing=True) as service,
        bar() as progress,
    ):
        done = delete(
            service,
            names,
            filters_of(given),
            command=this_command(),
            reason=given["reason"],
            dry_run=given["dry_run"],
            progress=progress,
        )
    click.echo(as_json(done) if given["form"] == "json" else as_text(done, service=service.name))
    return ExitCode.DONE
