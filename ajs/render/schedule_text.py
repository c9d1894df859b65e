"""The runs of a period as schedule information text, which ``ajsentry -p`` takes back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from ajs.definition.schedule_text import LAST_HOUR, At, Line, PlannedRun, to_text
from ajs.model import Jobnet
from ajs.operations.schedule import RootSchedule, Run, Schedule

FORM = "name, start YYYYMMDDHHMM (execution date, hours 00 to 47) or -, hold or -"
_LATE = (LAST_HOUR + 1) * 60


def as_schedule_text(found: Schedule) -> tuple[str, tuple[str, ...]]:
    """Return the text, and what it cannot say: runs later than 47:59 of their execution date."""
    runs, lost = [], []
    for root in found.roots:
        for run in root.runs:
            if _at(run.slot.start, run.slot.exec_date).minutes < _LATE:
                runs.append(_planned(root, run))
            else:
                lost.append(
                    f"{root.unit.path}: the run of {run.slot.start:%Y-%m-%d %H:%M}, execution date "
                    f"{run.slot.exec_date}, is left out: the text has no hours after 47"
                )
    zone = f"service {found.service}, {found.time_zone}"
    heading = (f"schedule of {found.first} to {found.last}, {zone}", FORM)
    return to_text(runs, heading), tuple(lost)


def _planned(root: RootSchedule, run: Run) -> PlannedRun:
    slot = run.slot
    numbers = ", ".join(str(one.rule.number) for one in run.occurrences)
    return PlannedRun(
        Line(root.unit.path, _at(slot.start, slot.exec_date), root.timetable.jobnet.hold),
        tuple(_nested(root, run)),
        note=f"{slot.exec_date:%a %Y-%m-%d}, rule {numbers}",
    )


def _nested(root: RootSchedule, run: Run) -> Iterator[Line]:
    """Yield the nested jobnets that have a time of their own, or none; the others follow their upper jobnet."""
    held = {
        path
        for path, unit in root.timetable.jobnet.walk()
        if isinstance(unit, Jobnet) and unit.hold
    }
    for one in run.nested:
        if one.follows:
            continue
        start = None if one.start is None else _at(one.start, run.slot.exec_date)
        if start is not None and start.minutes >= _LATE:
            # The execution date is the root's, so any date with the same clock time will do.
            start = At(start.day + timedelta(days=1), start.minutes - 24 * 60)
        yield Line(one.path, start, one.path in held)


def _at(start: datetime, exec_date: date) -> At:
    begin = datetime(exec_date.year, exec_date.month, exec_date.day)
    return At(exec_date, (start - begin) // timedelta(minutes=1))
