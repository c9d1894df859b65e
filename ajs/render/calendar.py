"""A calendar as lines: every day, whether it is open, and what says so."""

from __future__ import annotations

from ajs.calendar import Layer
from ajs.operations.calendar import CalendarDays

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def as_text(found: CalendarDays) -> str:
    """Return a heading and one line a day."""
    base = found.calendar.base_time
    lines = [f"calendar of {found.group}, base time {base // 60}:{base % 60:02}"]
    for day, setting in found.days:
        state = "open" if setting.is_open else "closed"
        source = (
            "nothing set"
            if setting.layer is Layer.UNSET
            else f"{setting.layer.value} in {setting.group}"
        )
        lines.append(f"{day} {WEEKDAYS[day.weekday()]}  {state:<6}  {source}")
    return "\n".join(lines)
