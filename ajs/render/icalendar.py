"""The runs of a period as iCalendar (RFC 5545), for the calendar programs that people have.

Starts are written in UTC, so that every program shows the instant at which the run really starts, also where clocks
change. An event takes no time and blocks none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime

from ajs.clock import SystemClock
from ajs.operations.schedule import RootSchedule, Run, Schedule
from ajs.render.schedule import moved_text

MOST = 75
"""How many octets a line has at most, without its end (RFC 5545, 3.1)."""
PRODUCT = "-//ajs//ajsschedule//EN"


def as_icalendar(found: Schedule) -> str:
    r"""Return one event for each run of a root jobnet; lines end with ``\r\n``."""
    clock = SystemClock(found.time_zone)
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", "CALSCALE:GREGORIAN"]
    stamp = _utc(found.at.utc)
    for root in found.roots:
        whose = hashlib.sha256(f"{found.service}:{root.unit.path}".encode()).hexdigest()[:16]
        for run in root.runs:
            start = _utc(clock.first_instant(run.slot.start))
            lines += _event(root, run, f"{whose}@{_escaped(found.service)}", (stamp, start))
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _event(root: RootSchedule, run: Run, whose: str, at: tuple[str, str]) -> Iterator[str]:
    first = run.occurrences[0]
    yield "BEGIN:VEVENT"
    # The rule and the date on which it falls name a run for good, wherever the calendar puts it.
    yield f"UID:{first.rule.number}-{first.day:%Y%m%d}-{whose}"
    yield f"DTSTAMP:{at[0]}"
    yield f"DTSTART:{at[1]}"
    yield f"SUMMARY:{_escaped(root.unit.path)}"
    yield f"DESCRIPTION:{_escaped(_description(root, run))}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _description(root: RootSchedule, run: Run) -> str:
    numbers = ", ".join(str(one.rule.number) for one in run.occurrences)
    lines = [root.unit.comment] if root.unit.comment else []
    lines.append(f"execution date {run.slot.exec_date:%Y-%m-%d}, rule {numbers}")
    lines += dict.fromkeys(filter(None, map(moved_text, run.occurrences)))
    lines += [
        f"{one.path}: {'does not run' if one.start is None else f'{one.start:%Y-%m-%d %H:%M}'}"
        for one in run.nested
        if not one.follows
    ]
    return "\n".join(lines)


def _utc(at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    r"""Return a text as the value of a property (RFC 5545, 3.3.11).

    >>> _escaped("a, b; c\nd")
    'a\\, b\\; c\\nd'
    """
    text = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    text = text.replace("\r\n", "\n").replace("\n", "\\n")
    return "".join(char for char in text if char == "\t" or char.isprintable())


def _folded(line: str) -> Iterator[str]:
    """Yield a line in parts of at most ``MOST`` octets, each but the first behind a blank; no character is cut."""
    part, octets = "", 0
    for char in line:
        size = len(char.encode())
        if octets + size > MOST:
            yield part
            part, octets = " ", 1
        part += char
        octets += size
    yield part
