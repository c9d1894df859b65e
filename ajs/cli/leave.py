"""``ajsleave``: cancel registrations."""

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
    """Cancel the registration of root jobnets, all or none.

    Their coming runs go; results of ended runs stay. A jobnet with a running generation is refused.

    \b
    ajsleave /sales/daily-close     one root jobnet
    ajsleave -R -T -E /sales        every registered root jobnet below a job group
    """
    from ajs.operations.entry import leave
    from ajs.render.entry import left_json, left_text

    names = names_of(units)
    with opened(
        given["home"], one_service(names, given["service"]), changing=True, ending=True
    ) as service:
        done = leave(
            service,
            names,
            filters_of(given),
            command=this_command(),
            reason=given["reason"],
            dry_run=given["dry_run"],
        )
    click.echo(
        left_json(done) if given["form"] == "json" else left_text(done, service=service.name)
    )
    return ExitCode.DONE
