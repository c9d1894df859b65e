"""``ajsentry``: register jobnets for execution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    warn,
    without_manager,
)
from ajs.cli.names import unit_names
from ajs.cli.progress import bar
from ajs.cli.values import typed_day, typed_duration, typed_time
from ajs.errors import ExitCode, GenerationNotFound, NoManager, TimedOut, UsageError
from ajs.operations.targets import one_service

if TYPE_CHECKING:
    from ajs.operations.entry import Entry, Registering
    from ajs.operations.service import Service


@click.command(context_settings=CONTEXT)
@click.argument("units", nargs=-1, required=True, metavar="UNIT...", shell_complete=unit_names)
@click.option("-s", "--planned", is_flag=True, help="Planned; today's past run counts (default).")
@click.option("-f", "--planned-from-now", is_flag=True, help="Planned; only coming runs count.")
@click.option("-n", "--immediate", is_flag=True, help="Run at once, without rules and calendar.")
@click.option(
    "-b", "--begin", metavar="DATE", help="Fixed: the runs of a period of execution dates."
)
@click.option("-e", "--end", metavar="DATE", help="Last execution date of the period.")
@click.option(
    "-g",
    "--generations",
    metavar="NUMBER",
    type=click.IntRange(1, 99),
    help="Fixed: so many future runs, and one more whenever one has started.",
)
@click.option("-d", "--date", metavar="DATE", help="Fixed: one run on this date, without rules.")
@click.option("-t", "--time", metavar="TIME", help="Its start time, hours 0 to 47 (with -d).")
@click.option("-p", "--schedule-file", metavar="FILE", help="Fixed: the runs that a file tells.")
@click.option(
    "-o", "--skip-overdue", is_flag=True, help="Leave out starts missed while no manager ran."
)
@click.option("-h", "--hold", is_flag=True, help="Register in held state.")
@click.option("-w", "--wait", is_flag=True, help="With -n: wait until the runs have ended.")
@click.option("--timeout", metavar="TIME", help="With -w: give up waiting after 90s, 15m, 2h.")
@click.option(
    "--fail-on",
    type=click.Choice(["warning", "abnormal"]),
    help="With -w: exit 32 warning, 36 abnormal, 40 unknown when a run ended so or worse.",
)
@filter_options
@dry_run_option
@reason_option
@format_option
@service_options
def command(units: tuple[str, ...], **given: Any) -> int:
    """Register root jobnets for execution, all or none.

    Planned registration follows rules and calendar; fixed registration takes the runs that they give now, for a period,
    a number of runs, or one date and time; -n runs the jobnet once, at once. With -w the command returns when
    the runs have ended and prints a line for each; its exit code then speaks of the command alone unless --fail-on is
    given. Where --timeout or Ctrl-C end the wait, the runs go on, and the lines say how far they are.

    \b
    ajsentry /sales/daily-close                             run it by its rules from now on
    ajsentry -b 2026/12/01 -e 2026/12/31 /sales/daily-close fixed: the runs of December
    ajsentry -d 12/24 -t 25:30 /sales/daily-close           fixed: one run, at 1:30 of 12/25
    ajsentry -n -w --fail-on abnormal /sales/daily-close    run it once, in a pipeline
    """
    from ajs.operations.entry import entry
    from ajs.render.entry import entry_json, entry_text

    _check(given)
    names = names_of(units)
    how = _how(given)
    timeout = None if given["timeout"] is None else typed_duration("--timeout", given["timeout"])
    with opened(given["home"], one_service(names, given["service"]), changing=True) as service:
        if given["wait"] and not service.manager_runs():
            raise NoManager(
                f"no manager runs for the scheduler service {service.name}, so the wait would not end",
                hint=f"start it: ajsstart -F {service.name}",
            )
        with bar() as progress:
            done = entry(
                service,
                names,
                filters_of(given),
                how,
                command=this_command(),
                reason=given["reason"],
                dry_run=given["dry_run"],
                progress=progress,
            )
        json, waits = given["form"] == "json", given["wait"] and not given["dry_run"]
        notes = done.notes
        if not waits and not given["dry_run"]:
            notes += without_manager(service)
        if not json:
            click.echo(entry_text(done))
            for note in notes:
                warn(note)
        elif not waits:
            click.echo(entry_json(done, service.name, notes))
        if waits:
            return _wait(service, done, timeout, json=json, fail_on=given["fail_on"])
        return ExitCode.DONE


def _wait(
    service: Service, done: Entry, timeout: float | None, *, json: bool, fail_on: str | None
) -> int:
    """Wait until the runs have ended, say how they stand, also when the wait ends before, and return the exit code."""
    from ajs.operations.manager import wait_for
    from ajs.operations.outcome import outcomes
    from ajs.render.entry import entry_json, outcome_text

    def say() -> None:
        found = outcomes(service, runs)
        click.echo(
            entry_json(done, service.name, done.notes, found) if json else outcome_text(found)
        )

    runs = [e.generation.id for e in done.entered if e.generation is not None]
    try:
        ended = wait_for(service, runs, timeout)
    except (TimedOut, NoManager, GenerationNotFound):
        say()
        raise
    except KeyboardInterrupt:
        say()
        if not json:
            warn("nobody waits any more; the runs go on, ajskill ends them")
        raise
    say()
    return _exit_code([status.name for status in ended.values()], fail_on)


def _how(given: dict[str, Any]) -> Registering:
    """Return what the options say of the registration; they have been checked."""
    from ajs.operations.entry import Registering
    from ajs.operations.schedule_file import read_runs
    from ajs.plan import Method

    period = at = runs = None
    if given["schedule_file"] is not None:
        runs = read_runs(given["schedule_file"])
    if given["begin"] is not None:
        period = typed_day("-b", given["begin"]), typed_day("-e", given["end"])
    if given["date"] is not None:
        at = typed_day("-d", given["date"]), typed_time("-t", given["time"])
    method = Method.PLANNED
    if given["immediate"]:
        method = Method.IMMEDIATE
    elif period or at or given["generations"] or runs is not None:
        method = Method.FIXED
    return Registering(
        method=method,
        catch_up=not given["planned_from_now"],
        hold=given["hold"],
        period=period,
        count=given["generations"] or 0,
        at=at,
        runs=runs,
        skip_overdue=given["skip_overdue"],
    )


WAYS = {
    "-s": ("planned",),
    "-f": ("planned_from_now",),
    "-n": ("immediate",),
    "-b -e": ("begin", "end"),
    "-g": ("generations",),
    "-d -t": ("date", "time"),
    "-p": ("schedule_file",),
}
"""The ways to register, each by the options that say it: one at a time (commands.md 4)."""


def _check(given: dict[str, Any]) -> None:
    ways = [way for way, keys in WAYS.items() if any(given[key] for key in keys)]
    if len(ways) > 1:
        raise UsageError(f"{ways[0]} and {ways[1]} exclude each other", hint="give one of them")
    for way, keys in WAYS.items():
        if len(keys) > 1 and sum(given[key] is not None for key in keys) == 1:
            one, other = way.split()
            raise UsageError(f"{one} and {other} go together", hint=f"give {one} and {other}")
    if given["skip_overdue"] and given["immediate"]:
        raise UsageError("-n and -o exclude each other", hint="an immediate run is never overdue")
    if given["wait"] and not given["immediate"]:
        raise UsageError("-w goes with -n only", hint="a planned run is watched with ajsshow")
    for option in ("timeout", "fail_on"):
        if given[option] is not None and not given["wait"]:
            raise UsageError(f"--{option.replace('_', '-')} goes with -w only", hint="add -n -w")


def _exit_code(statuses: list[str], fail_on: str | None) -> int:
    """Return the exit code for ended runs: the worst that ``--fail-on`` asks for."""
    if fail_on is None:
        return ExitCode.DONE
    if "UNKNOWN" in statuses:
        return ExitCode.ENDED_UNKNOWN
    if any(s not in {"NORMAL", "WARNING"} for s in statuses):
        return ExitCode.ENDED_ABNORMAL
    if fail_on == "warning" and "WARNING" in statuses:
        return ExitCode.ENDED_WARNING
    return ExitCode.DONE
