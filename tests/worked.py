"""Worked tables in the explanations: a definition, and under it the runs that the engine plans for it.

A comment `<!-- runs: 4 from 2026-08-03 09:00, 24h -->` stands before a YAML block with one root jobnet, and a table
after it. The jobnet is registered at that moment, and the table lists its next runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from ajs.calendar import Calendar
from ajs.definition.reader import read
from ajs.model import Definitions, groups_above
from ajs.nested import NestedStart
from ajs.schedule import DayMode, Start, Timetable

EXAMPLE = re.compile(
    r"(?P<head><!-- runs: (?P<count>\d+) from (?P<at>\d{4}-\d\d-\d\d \d\d:\d\d), (?P<mode>24h|48h) -->\n"
    r"```yaml\n(?P<yaml>.*?)```\n\n)(?:\|[^\n]*\n)*\n*",
    re.DOTALL,
)


def with_tables(page: str) -> str:
    """Return the page with every table worked out anew."""
    return EXAMPLE.sub(lambda found: found["head"] + table(found) + "\n", page)


def table(found: re.Match[str]) -> str:
    """Return the table that belongs under an example."""
    definitions = read((("page.yaml", found["yaml"].encode()),), _no_script)
    timetable = _timetable(definitions, DayMode(found["mode"]))
    registered = datetime.fromisoformat(found["at"])
    since = timetable.day_of(registered)
    starts = islice(timetable.starts(registered, since, catch_up=False), int(found["count"]))
    rows = [dict(_row(timetable, registered, start)) for start in starts]
    columns = list(rows[0])
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    lines += ["| " + " | ".join(row.values()) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _timetable(definitions: Definitions, mode: DayMode) -> Timetable:
    (root,) = definitions.roots
    settings = {g.path: g.calendar for g in definitions.groups if g.calendar is not None}
    above = [(g, settings[g]) for g in groups_above(root.path) if g in settings]
    return Timetable(root.jobnet, Calendar.effective(above), mode)


def _row(timetable: Timetable, registered: datetime, start: Start) -> Iterator[tuple[str, str]]:
    slot = start.slot
    yield "execution date", f"{slot.exec_date:%a %Y-%m-%d}"
    yield "start by the clock", f"{slot.start:%a %Y-%m-%d %H:%M}"
    yield "rule", " and ".join(dict.fromkeys(str(tie.rule) for tie in start.ties))
    nested = timetable.nested(registered, slot.exec_date, slot.start, start.ties)
    for path, below in nested.items():
        yield path, _nested(below)


def _nested(below: NestedStart) -> str:
    if below.at is not None:
        return f"{below.at:%a %H:%M}"
    return "with its upper jobnet" if below.follows else "does not run"


def _no_script(file: str, path: str) -> bytes:
    raise FileNotFoundError(f"{file}: {path}")
