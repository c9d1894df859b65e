"""``ajs check``: is everything in order?"""

from __future__ import annotations

import click

from ajs.cli.common import CONTEXT, Call, format_option, service_options
from ajs.cli.progress import bar
from ajs.errors import ExitCode, UsageError


@click.command(context_settings=CONTEXT)
@click.argument("paths", nargs=-1, metavar="[PATH...]")
@click.option("--strict", is_flag=True, help="Exit code 4 when definitions have warnings.")
@click.option("--all", "every", is_flag=True, help="Each finding in a line of its own.")
@click.option("--time-zone", metavar="ZONE", help="With PATH: IANA name of the zone; default: UTC.")
@click.option(
    "--schedule",
    type=click.Choice(["24h", "48h"]),
    help="With PATH: how long the day of a root jobnet is; default: 24h.",
)
@format_option
@service_options
def command(
    paths: tuple[str, ...],
    *,
    strict: bool,
    every: bool,
    time_zone: str | None,
    schedule: str | None,
    form: str,
    home: str | None,
    service: str | None,
) -> int:
    """Check configuration, state, installation and definitions; say what to mend.

    Looks at ajs.toml, whether another product's commands hide ours on PATH, and for every scheduler service, or the one
    that -F names, at its database, whether its manager runs where there is something for it to do, which runs were
    missed in the last 7 days, the private keys for agents, and which coming starts the change of clocks affects.

    Definitions and calendars are linted: rules that never run, runs that are dropped or fall together, nested rules
    that no run of the root reaches, closed days that end soon. With PATH only the definition files named are, and no
    scheduler service is needed.

    Exit code 0: nothing to mend anywhere; 24: something is to be mended; 4: with --strict, definitions have warnings. A
    service whose folder is closed to this user is not looked at.

    \b
    ajs check                       all scheduler services of ajs.toml
    ajs check -F sales              one of them
    ajs check --strict jobnets/     definition files, for a pull request
    """
    from ajs.operations.check import Part, check
    from ajs.render.check import as_json, as_text

    call = click.get_current_context().find_object(Call)
    clock_of = call.clock if call else None
    if paths and (service or home):
        raise UsageError(
            "PATH and -F or --home exclude each other: files are checked without a scheduler service",
            hint="leave out one; ajsdefine --dry-run compares files with what a service has",
        )
    if not paths and (time_zone or schedule):
        raise UsageError(
            "--time-zone and --schedule go with PATH only",
            hint="a scheduler service has both in ajs.toml",
        )
    with bar() as progress:
        if paths:
            from ajs.clock import SystemClock
            from ajs.operations.lint import lint_files
            from ajs.schedule import DayMode

            zone = time_zone or "UTC"
            clock = (clock_of or SystemClock)(zone)
            mode = DayMode(schedule or "24h")
            lints = lint_files(paths, zone=zone, mode=mode, clock=clock, progress=progress)
            parts: tuple[Part, ...] = (Part("", (), lints),)
        else:
            parts = check(home, service, clock_of, progress)
    click.echo(as_json(parts) if form == "json" else as_text(parts, every=every))
    if not all(finding.fine for part in parts for finding in part.findings):
        return ExitCode.STATE
    warned = any(part.warned for part in parts)
    return ExitCode.BAD_VALUE if strict and warned else ExitCode.DONE
