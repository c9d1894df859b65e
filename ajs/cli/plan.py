"""``ajsplan``: temporary changes of planned runs."""

from __future__ import annotations

from typing import Any

import click

from ajs.changes import (
    Cancel,
    Change,
    Hold,
    MoveBy,
    MoveTo,
    Prohibit,
    RunNow,
    SetDelays,
    SetPriority,
)
from ajs.changes.move import MAX_DAYS, MAX_MINUTES
from ajs.cli.colour import places
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
from ajs.cli.values import (
    typed_day,
    typed_length,
    typed_limit,
    typed_priority,
    typed_shift,
    typed_time,
)
from ajs.delays import Limit
from ajs.errors import ExitCode, UsageError
from ajs.operations.targets import one_service

SCHEDULE_FORMS = "-d/-t, -b/-c, -q, -p alone, and -u exclude each other"


@click.command(context_settings=CONTEXT)
@click.argument("units", nargs=-1, required=True, metavar="UNIT...", shell_complete=unit_names)
@click.option("-d", "--date", "day", metavar="[[Y/]M/]D", help="New start date.")
@click.option("-t", "--time", metavar="H[:MM]", help="New start time, hours 0 to 47.")
@click.option("-b", "--days", metavar="DAYS", help="So many days later; -1 is a day earlier.")
@click.option("-c", "--minutes", metavar="MINUTES", help="So many minutes later; -30 is earlier.")
@click.option("-q", "--run-now", is_flag=True, help="Run at once.")
@click.option(
    "-p",
    "letter_p",
    is_flag=True,
    help="With a new time or -q: --move. Alone: --prohibit.",
)
@click.option("--move", is_flag=True, help="Give up the original run when the new time is earlier.")
@click.option("--prohibit", is_flag=True, help="Do not execute this run, or this unit in it.")
@click.option("-u", "--undo", is_flag=True, help="Take back the change of time or the prohibition.")
@click.option("-h", "--hold", is_flag=True, help="Hold the unit when its turn comes.")
@click.option("-r", "--release", is_flag=True, help="Release the unit from hold.")
@click.option(
    "-n", "--priority", metavar="1..5|none", help="Priority: 5 is highest; none: as defined."
)
@click.option(
    "-s",
    "--start-delay",
    metavar="LIMIT",
    help="By when to have started: H:MM, M-, U- or C-MINUTES after the start of root, upper or itself; none.",
)
@click.option("-e", "--end-delay", metavar="LIMIT", help="By when to have ended; like -s.")
@click.option(
    "-f", "--required-time", metavar="MINUTES|none", help="How long a run may take, 1 to 2879."
)
@click.option("-i", "--pass-on", is_flag=True, help="Move all jobnets below by the same amount.")
@click.option("-B", "--registration-number", metavar="YYYYMMDDNNN", help="The run to change.")
@click.option("--keep-going/--all-or-nothing", default=None, help="What a refused target means.")
@click.option("--if-plan", metavar="TOKEN", default="", help="Only if the plan is as previewed.")
@filter_options
@dry_run_option
@reason_option
@format_option
@service_options
def command(units: tuple[str, ...], **given: Any) -> int:
    """Change one planned run without touching its rules.

    Without -B or unit:@ID the next run is changed. An earlier time without --move keeps the original run too, so the
    jobnet then runs twice. Changes of time, prohibition and --undo are all or nothing over several units; --hold and
    --release go on and end with exit code 16.

    \b
    ajsplan -t 21:00 --move -i /sales/daily-close    tonight at 21:00, with everything below it
    ajsplan -c 120 /sales/daily-close --dry-run      what two hours later would mean
    ajsplan --prohibit /sales/daily-close/report     skip one nested jobnet once
    ajsplan -r /sales/daily-close:@A12               release one run
    """
    from ajs.operations.change import Request, change
    from ajs.render.change import as_json, as_text, refused_lines, without_lines

    names = names_of(units)
    with opened(given["home"], one_service(names, given["service"]), changing=True) as service:
        request = Request(
            names=names,
            changes=_changes(given),
            filters=filters_of(given),
            registration_number=given["registration_number"] or "",
            keep_going=_keep_going(given),
        )
        dry_run = given["dry_run"]
        with bar() as progress:
            done = change(
                service,
                request,
                command=this_command(),
                reason=given["reason"],
                dry_run=dry_run,
                if_plan=given["if_plan"],
                progress=progress,
            )
        notes = () if dry_run else without_manager(service)
    code = ExitCode.PARTLY if done.refused else ExitCode.DONE
    if given["form"] == "json":
        click.echo(as_json(done, notes))
        return code
    click.echo(as_text(done, service=service.name, dry_run=dry_run, most=places()))
    for note in dict.fromkeys(n for root in done.roots for n in root.notes):
        click.echo(note, err=True)
    for line in (*refused_lines(done), *without_lines(done)):
        click.echo(line, err=True)
    for note in notes:
        warn(note)
    return code


def _changes(given: dict[str, Any]) -> tuple[Change, ...]:
    """Return the changes that the options mean, in the order in which they are made."""
    schedule = _schedule_change(given)
    if given["hold"] and given["release"]:
        raise UsageError("-h and -r exclude each other", hint="hold or release, not both")
    changes: list[Change] = [schedule] if schedule is not None else []
    if given["hold"] or given["release"]:
        changes.append(Hold(on=bool(given["hold"])))
    delays = SetDelays(
        start_delay=_limit("-s", given["start_delay"]),
        end_delay=_limit("-e", given["end_delay"]),
        required_time=None
        if given["required_time"] is None
        else typed_length("-f", str(given["required_time"])),
    )
    if delays != SetDelays():
        changes.append(delays)
    if given["priority"] is not None:
        changes.append(SetPriority(typed_priority("-n", str(given["priority"]))))
    if not changes:
        raise UsageError(
            "no change was given",
            hint="say what to change: -d, -t, -b, -c, -q, -p, -u, -h, -r, -n, -s, -e or -f",
        )
    return tuple(changes)


def _limit(option: str, text: str | None) -> Limit | None:
    return None if text is None else typed_limit(option, text)


def _schedule_change(given: dict[str, Any]) -> Change | None:
    absolute = given["day"] is not None or given["time"] is not None
    relative = given["days"] is not None or given["minutes"] is not None
    timed = absolute or relative or bool(given["run_now"])
    move = bool(given["move"]) or (bool(given["letter_p"]) and timed)
    prohibit = bool(given["prohibit"]) or (bool(given["letter_p"]) and not timed)
    if sum((absolute, relative, bool(given["run_now"]), prohibit, bool(given["undo"]))) > 1:
        raise UsageError(SCHEDULE_FORMS, hint="run two commands, one after the other")
    if move and not timed:
        raise UsageError("--move needs a new time", hint="give -d, -t, -b, -c or -q with it")
    pass_on = bool(given["pass_on"])
    if pass_on and not timed:
        raise UsageError("-i needs a new time", hint="give -d, -t, -b, -c or -q with it")
    if absolute:
        return MoveTo(
            day=None if given["day"] is None else typed_day("-d", str(given["day"])),
            minutes=None if given["time"] is None else typed_time("-t", str(given["time"])),
            also=not move,
            pass_on=pass_on,
        )
    if relative:
        days = "0" if given["days"] is None else str(given["days"])
        minutes = "0" if given["minutes"] is None else str(given["minutes"])
        return MoveBy(
            days=typed_shift("-b", days, "days", MAX_DAYS),
            minutes=typed_shift("-c", minutes, "minutes", MAX_MINUTES),
            also=not move,
            pass_on=pass_on,
        )
    if given["run_now"]:
        return RunNow(also=not move, pass_on=pass_on)
    if prohibit:
        return Prohibit()
    return Cancel() if given["undo"] else None


def _keep_going(given: dict[str, Any]) -> bool:
    """Hold and release go on by default, all else is all or nothing (design.md, Commands)."""
    if given["keep_going"] is not None:
        return bool(given["keep_going"])
    return not any(
        given[o]
        for o in ("day", "time", "days", "minutes", "run_now", "letter_p", "prohibit", "undo")
    )
