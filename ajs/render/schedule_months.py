"""The runs of a period in drawn months, one root jobnet after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date

from ajs.operations.schedule import RootSchedule, Schedule
from ajs.render.columns import Paint, shown, unpainted
from ajs.render.months import CLOSED, Day, drawn_months, legend
from ajs.render.schedule import remarks

RUN, SEVERAL, MOVED, LEFT = "*", "+", "~", "x"
MEANINGS = {
    f"{RUN}d": "a run",
    f"{SEVERAL}d": "several runs",
    f"{MOVED}d": "a run that comes instead of a closed day",
    f"{LEFT}d": "a closed day whose run comes on another day",
    f"d{CLOSED}": "closed",
}
"""The marks with what they mean; ``d`` stands for the number of the day."""


def as_months(found: Schedule, *, paint: Paint = unpainted, most: int = 0) -> str:
    """Return the months of every root jobnet below its name, then what the marks mean and what limits the runs."""
    lines: list[str] = []
    for root in found.roots:
        count = len(root.runs)
        lines += [f"{shown(root.unit.path)}: {count or 'no'} run{'' if count == 1 else 's'}", ""]
        lines += drawn_months(found.first, found.last, _look(root), paint=paint, most=most)
        lines.append("")
    lines += legend(list(MEANINGS.items()), paint=paint, most=most)
    return "\n".join([*lines, *remarks(found)])


def _look(root: RootSchedule) -> Callable[[date], Day]:
    """Return what gives the look of a day in the months of one root jobnet."""
    runs = Counter(run.slot.exec_date for run in root.runs)
    moved = {run.slot.exec_date for run in root.runs if run.substituted}
    left = {one.day for run in root.runs for one in run.occurrences if one.substituted != one.day}
    calendar = root.timetable.calendar

    def look(day: date) -> Day:
        behind = " " if calendar.is_open(day) else CLOSED
        if runs[day] > 1:
            return Day(SEVERAL, behind, "good")
        if day in moved:
            return Day(MOVED, behind, "warning")
        if runs[day]:
            return Day(RUN, behind, "good")
        return Day(LEFT if day in left else " ", behind, "dim" if behind == CLOSED else "")

    return look
