"""``ajsentry``: register jobnets for execution."""

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
    warn_without_manager,
)
from ajs.cli.progress import bar
from ajs.cli.values import typed_duration
from ajs.errors import ExitCode, NoManager, UsageError
from ajs.operations.targets import one_service


@click.command(context_settings=CONTEXT)
@click.argument("units", nargs=-1, required=True, metavar="UNIT...")
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
    the runs have ended; its exit code then speaks of the command alone unless --fail-on is given.

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
        click.echo(entry_json(done) if given["form"] == "json" else entry_text(done))
        if given["dry_run"]:
            return ExitCode.DONE
        if not given["wait"]:
            warn_without_manager(service)
            return ExitCode.DONE
        from ajs.operations.manager import wait_for

        runs = [e.generation.id for e in done.entered if e.generation is not None]
        ended = wait_for(service, runs, timeout)
        return _exit_code([status.name for status in ended.values()], given["fail_on"])


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
