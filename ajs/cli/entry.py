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
from ajs.cli.values import typed_duration
from ajs.errors import ExitCode, GenerationNotFound, NoManager, TimedOut, UsageError
from ajs.operations.targets import one_service

if TYPE_CHECKING:
    from ajs.operations.entry import Entry
    from ajs.operations.service import Service


@click.command(context_settings=CONTEXT)
@click.argument("units", nargs=-1, required=True, metavar="UNIT...", shell_complete=unit_names)
@click.option("-s", "--planned", is_flag=True, help="Planned; today's past run counts (default).")
@click.option("-f", "--planned-from-now", is_flag=True, help="Planned; only coming runs count.")
@click.option("-n", "--immediate", is_flag=True, help="Run at once, without rules and calendar.")
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

    Planned registration follows rules and calendar; -n runs the jobnet once, at once. With -w the command returns when
    the runs have ended and prints a line for each; its exit code then speaks of the command alone unless --fail-on is
    given. Where --timeout or Ctrl-C end the wait, the runs go on, and the lines say how far they are.

    \b
    ajsentry /sales/daily-close                             run it by its rules from now on
    ajsentry -n -w --fail-on abnormal /sales/daily-close    run it once, in a pipeline
    """
    from ajs.operations.entry import Registering, entry
    from ajs.plan import Method
    from ajs.render.entry import entry_json, entry_text

    _check(given)
    names = names_of(units)
    method = Method.IMMEDIATE if given["immediate"] else Method.PLANNED
    how = Registering(method=method, catch_up=not given["planned_from_now"], hold=given["hold"])
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


def _check(given: dict[str, Any]) -> None:
    if sum(map(bool, (given["planned"], given["planned_from_now"], given["immediate"]))) > 1:
        raise UsageError("-s, -f and -n exclude each other", hint="give one of them")
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
