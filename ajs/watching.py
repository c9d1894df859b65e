"""Which limits count in a run, and which of them have gone by (rule book 7.8; commands.md 3.8)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from ajs.attributes import NOTHING_SET
from ajs.delays import (
    NOT_MONITORED,
    NOT_WATCHED,
    Delay,
    Limit,
    Since,
    Starts,
    Watch,
    limit_at,
)
from ajs.lifecycle import NOT_LET_GO, Status, UnitRun
from ajs.model import Job, Jobnet
from ajs.moment import Moment
from ajs.plan import Generation


def defined(jobnet: Jobnet, generation: Generation, path: str) -> dict[str, Limit | None]:
    """Return the limits of a jobnet by definition: of the rule that supplies the run's attributes, and its own."""
    number: int | None = None
    if path:
        nested = generation.nested.get(path)
        number = None if nested is None or nested.depends else nested.rule
    else:
        ties = generation.kept.ties if generation.kept is not None else generation.ties
        number = ties[0].rule if ties else None
    rule = None if number is None else jobnet.rule(number)
    required = jobnet.required_time
    return {
        "start_delay": None if rule is None else rule.start_delay,
        "end_delay": None if rule is None else rule.end_delay,
        "required_time": None if required is None else Limit(required, Since.STARTED),
    }


def watches(root: Jobnet, generation: Generation, base_time: int) -> dict[str, Watch]:
    """Return the limits of every jobnet that is monitored in a run, temporary ones before those of the definition."""
    found: dict[str, Watch] = {}
    starts = {"": generation.slot.start}
    units: dict[str, Jobnet | Job] = {"": root, **dict(root.walk())}
    for path, unit in units.items():
        if isinstance(unit, Job):
            continue
        upper = path.rpartition("/")[0]
        if path:
            nested = generation.nested.get(path)
            if upper not in starts or (nested is not None and not nested.scheduled):
                continue  # Neither it nor what is below it runs.
            own = None if nested is None else nested.start
            starts[path] = starts[upper] if own is None else own
        said = defined(unit, generation, path)
        set_now = generation.attributes.get(path, NOTHING_SET)
        limits = {
            name: getattr(set_now, name) or limit or NOT_MONITORED for name, limit in said.items()
        }
        if all(limit is NOT_MONITORED for limit in limits.values()):
            continue
        at = Starts(starts[""], starts[upper], starts[path], generation.slot.exec_date, base_time)
        within = limits["required_time"]
        watch = Watch(
            limit_at(limits["start_delay"], at),
            limit_at(limits["end_delay"], at),
            within.minutes if within.since is Since.STARTED else None,
        )
        if watch != NOT_WATCHED:
            found[path] = watch
    return found


def deadline(run: UnitRun) -> datetime | None:
    """Return the instant at which a jobnet that runs has taken as long as it may."""
    if run.watch.within is None or run.started is None or run.status.ended:
        return None
    return run.started + timedelta(minutes=run.watch.within)


def open_limits(run: UnitRun, now: Moment) -> Mapping[Delay, datetime]:
    """Return the wall-clock times that still count for a unit of a run that has started."""
    watch, status = run.watch, run.status
    if watch is NOT_WATCHED or status.ended or status is Status.NOPLAN:
        return {}
    ends = [] if watch.end is None else [watch.end]
    taken = deadline(run)
    if taken is not None:
        ends.append(now.wall + (taken - now.utc))
    found = {Delay.END: min(ends)} if ends else {}
    if watch.start is not None and status in NOT_LET_GO:
        found[Delay.START] = watch.start
    return found


def of_waiting(watch: Watch) -> Mapping[Delay, datetime]:
    """Return the wall-clock times that count for a unit of a run that waits."""
    sides = {Delay.START: watch.start, Delay.END: watch.end}
    return {delay: at for delay, at in sides.items() if at is not None}
