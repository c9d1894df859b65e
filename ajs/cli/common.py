"""Options that commands share, by one mechanism each."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ajs.cli.names import service_names

if TYPE_CHECKING:
    from ajs.operations.service import Service
    from ajs.operations.targets import Filters, Name
    from ajs.ports import Clock

F = TypeVar("F", bound=Callable[..., object])


class Call:
    """One call of a command: its exact words, and what gives the clock for a time zone where it is not the system's.

    ``service`` is the scheduler service that it works on, once that is opened, where commands need ``-F`` to find it.
    """

    def __init__(self, words: tuple[str, ...], clock: Callable[[str], Clock] | None = None) -> None:
        self.words = words
        self.clock = clock
        self.service = ""


CONTEXT = {"help_option_names": ["--help"], "max_content_width": 100}
"""Settings of every command: ``-h`` is hold where AJS3 has it, so help is ``--help`` everywhere."""


def service_options(function: F) -> F:
    """Add ``-F`` and ``--home``: which scheduler service, and where its configuration is."""
    function = click.option(
        "-F",
        "--service",
        metavar="NAME",
        shell_complete=service_names,
        help="Scheduler service; default: AJSCONF, then default_service in ajs.toml.",
    )(function)
    return click.option(
        "--home",
        metavar="FOLDER",
        help="Folder with ajs.toml; default: AJS_HOME, then upward from here, then /etc/ajs.",
    )(function)


def format_option(function: F) -> F:
    """Add ``--format``: text for people, table for wide screens, JSON for machines."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "table", "json"]),
        default="text",
        show_default=True,
        help="How to print the answer.",
    )(function)


def reason_option(function: F) -> F:
    """Add ``--reason``: why this is done, kept in the operation log."""
    return click.option("--reason", metavar="TEXT", default="", help="Why, for the operation log.")(
        function
    )


def dry_run_option(function: F) -> F:
    """Add ``--dry-run``: the same work, shown and then rolled back."""
    return click.option(
        "--dry-run", is_flag=True, help="Show what would change, and change nothing."
    )(function)


def filter_options(function: F) -> F:
    """Add the unit filters of commands.md section 2; several narrow each other."""
    for letters, name, text in (
        ("-G", "--job-groups-only", "Job groups only."),
        ("-J", "--jobs-only", "Jobs only."),
        ("-N", "--jobnets-only", "Jobnets only."),
        ("-L", "--unregistered", "Only units that are not registered."),
        ("-T", "--roots-only", "Root jobnets only."),
        ("-E", "--registered", "Only units registered for execution."),
        ("-R", "--recursive", "Everything below the named units too."),
    ):
        function = click.option(letters, name, is_flag=True, help=text)(function)
    return function


def opened(
    home: str | None, service: str | None, *, changing: bool = False, ending: bool = False
) -> Service:
    """Return the opened scheduler service; a changing command names it and its configuration on stderr, for people.

    A changing command is refused where ajs.toml gives the plans' times another meaning, unless it only ends something.
    """
    from ajs.operations.service import open_service

    call = click.get_current_context().find_object(Call)
    found = open_service(home=home, name=service, clock_of=call.clock if call else None)
    if call is not None and not found.default:
        call.service = found.name
    if changing:
        if not wants_json():
            click.echo(service_line(found), err=True)
        if not ending:
            found.hold_to_day()
    return found


def service_line(service: Service) -> str:
    """Return which scheduler service is worked on, and whose configuration it is."""
    near = os.path.relpath(service.configuration)
    file = near if len(near) < len(service.configuration) else service.configuration
    return f"service {service.name} ({file})"


def filters_of(given: Mapping[str, Any]) -> Filters:
    """Return the unit filters among a command's options."""
    from ajs.operations.targets import Filters

    return Filters(
        recursive=given["recursive"],
        registered=given["registered"],
        unregistered=given["unregistered"],
        roots=given["roots_only"],
        jobnets=given["jobnets_only"],
        jobs=given["jobs_only"],
        groups=given["job_groups_only"],
    )


def names_of(units: Sequence[str]) -> tuple[Name, ...]:
    """Return the targets that were typed; relative ones are below AJSPATH."""
    from ajs.operations.targets import parse

    return tuple(parse(unit, os.environ.get("AJSPATH", "")) for unit in units)


def this_command() -> tuple[str, ...]:
    """Return the exact words of the command that runs, for the operation log."""
    call = click.get_current_context().find_object(Call)
    return call.words if call is not None else ()


def without_manager(service: Service, so: str = "nothing will start") -> tuple[str, ...]:
    """Return what to say when no manager runs: nothing comes of what was asked for."""
    if service.manager_runs():
        return ()
    return (f"no manager runs, so {so}: ajsstart -F {service.name}",)


def wants_json() -> bool:
    """Whether the command that runs was asked for JSON: stderr is then for an error alone."""
    return click.get_current_context().params.get("form") == "json"


def warn(text: str) -> None:
    """Say something on stderr that the person should know; the command goes on."""
    click.echo(f"warning: {text}", err=True)
