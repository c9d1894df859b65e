"""What ``ajskill`` and ``ajsintrpt`` have in common: their options, and the way from them to an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

from ajs.cli.common import (
    dry_run_option,
    filter_options,
    filters_of,
    format_option,
    names_of,
    opened,
    reason_option,
    service_options,
    this_command,
    warn,
    without_manager,
)
from ajs.errors import ExitCode
from ajs.operations.targets import one_service

F = TypeVar("F", bound=Callable[..., object])


def ending_options(function: F) -> F:
    """Add the options of both commands."""
    for option in (service_options, format_option, reason_option, dry_run_option, filter_options):
        function = option(function)
    function = click.option(
        "--keep-going/--all-or-nothing",
        default=True,
        show_default=True,
        help="What a refused target means.",
    )(function)
    return click.option(
        "-B", "--registration-number", metavar="YYYYMMDDNNN", help="The run that is meant."
    )(function)


def ended(units: Sequence[str], given: Mapping[str, Any], *, interrupts: bool) -> int:
    """Kill or interrupt what was named, print what that means, and return the exit code."""
    from ajs.operations.kill import Ending, interrupt, kill
    from ajs.render.kill import as_json, as_text

    names = names_of(units)
    dry_run = given["dry_run"]
    with opened(
        given["home"], one_service(names, given["service"]), changing=True, ending=True
    ) as service:
        done = (interrupt if interrupts else kill)(
            service,
            Ending(
                names=names,
                filters=filters_of(given),
                registration_number=given["registration_number"] or "",
                keep_going=given["keep_going"],
            ),
            command=this_command(),
            reason=given["reason"],
            dry_run=dry_run,
        )
        what = "interrupted" if interrupts else "killed"
        notes = () if dry_run else without_manager(service, f"nothing is {what} until one does")
    code = ExitCode.PARTLY if done.refused else ExitCode.DONE
    if given["form"] == "json":
        click.echo(as_json(done, service.name, notes))
        return code
    click.echo(as_text(done, interrupts=interrupts, dry_run=dry_run))
    for path, error in done.refused:
        click.echo(f"{path}: {error.code}: {error.message}", err=True)
    for note in notes:
        warn(note)
    return code
