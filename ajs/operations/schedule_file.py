"""A schedule information file as ``ajsentry -p`` takes it: what it tells of each root jobnet, and its runs."""

from __future__ import annotations

from datetime import datetime

from ajs.definition.schedule_text import PlannedRun, from_text
from ajs.errors import BadValue, Refused
from ajs.files import MIB, open_regular, read_whole
from ajs.model import Jobnet
from ajs.plan import Generation, Method, NestedPlan, nested_without_rules
from ajs.schedule import Slot, Timetable

MOST_TEXT = 16 * MIB
"""How large a schedule information file can be."""


def read_runs(name: str) -> dict[str, list[PlannedRun]]:
    """Return the runs of a file by root jobnet; raises BadValue, with the place in it, when it has none."""
    try:
        with open_regular(name) as file:
            text = read_whole(file, MOST_TEXT).decode()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise BadValue(
            f"-p {name} cannot be read: {why}",
            hint="ajsschedule --format schedule writes such a file",
            value=name,
        ) from error
    found: dict[str, list[PlannedRun]] = {}
    for run in from_text(text, name):
        found.setdefault(run.root.name, []).append(run)
    return found


def planned(root: str, run: PlannedRun, timetable: Timetable, now: datetime) -> Generation:
    """Return a run as a file tells it (commands.md 4.1); its dates are execution dates.

    Nested jobnets that it leaves out have the root's time.
    """
    slot = Slot(now.replace(microsecond=0), timetable.day_of(now))
    if run.root.start is not None:
        slot = timetable.typed(run.root.start.day, run.root.start.minutes)
    jobnets = {path for path, unit in timetable.jobnet.walk() if isinstance(unit, Jobnet)}
    first, end = timetable.window(slot.exec_date)
    nested = nested_without_rules(timetable)
    for line in run.nested:
        start = None if line.start is None else line.start.instant
        if line.name not in jobnets or (start is not None and not first <= start < end):
            what = (
                "is no nested jobnet" if line.name not in jobnets else "starts outside its 48 hours"
            )
            raise Refused(
                f"{root}/{line.name} {what} in the run of {slot.exec_date}",
                hint="take its line out of the schedule information file, or change it",
                unit=f"{root}/{line.name}",
            )
        nested[line.name] = NestedPlan(start=start, original=start)
    holds = {line.name: True for line in run.nested if line.hold}
    if run.root.hold:
        holds[""] = True
    return Generation(method=Method.FIXED, slot=slot, original=slot, nested=nested, holds=holds)
