"""Schedule information text ↔ runs: what ``ajsschedule --format schedule`` writes and ``ajsentry -p`` reads.

One jobnet a line, three fields with blanks between them: name, start ``YYYYMMDDHHMM``, and ``hold`` or ``-``. A root
jobnet is named by its full path at the beginning of a line; below it, indented, stand the nested jobnets of that run by
their path below the root. The date of a start is the execution date, hours go from 0 to 47. A start of ``-`` is the
moment of the registration for a root jobnet, and no schedule for a nested one. A nested jobnet that is not named starts
as its definition says. A name with blanks stands in double quotes, as in JSON. Comments, ``/* ... */``, have lines of
their own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from ajs.calendar import FIRST_YEAR, LAST_YEAR
from ajs.definition.problems import shown
from ajs.errors import BadValue, Place

NOTHING = "-"
HOLD = "hold"
LAST_HOUR = 47
FIELDS = ("name", "start", "hold")

_BARE = re.compile(r'(?!/\*)[^\s"]+')
_FIELD = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s"]\S*')
_START = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})")


@dataclass(frozen=True, slots=True)
class At:
    """A start as it is written: a date, and minutes after its 0:00, 0..2879."""

    day: date
    minutes: int

    @property
    def instant(self) -> datetime:
        """The clock time that is meant."""
        return datetime(self.day.year, self.day.month, self.day.day) + timedelta(
            minutes=self.minutes
        )

    def __str__(self) -> str:
        """``YYYYMMDDHHMM``.

        >>> str(At(date(2026, 5, 4), 25 * 60 + 30))
        '202605042530'
        """
        return f"{self.day:%Y%m%d}{self.minutes // 60:02}{self.minutes % 60:02}"


@dataclass(frozen=True, slots=True)
class Line:
    """One jobnet: its full path, or its path below the root; ``start`` None is written ``-``."""

    name: str
    start: At | None
    hold: bool = False


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One run of a root jobnet, with the nested jobnets named in it; ``note`` is written as a comment above it."""

    root: Line
    nested: tuple[Line, ...] = ()
    note: str = field(default="", compare=False)


def to_text(runs: Iterable[PlannedRun], heading: Sequence[str] = ()) -> str:
    """Return the text of runs below comments; ``from_text`` gives the runs back."""
    lines = [_comment(text) for text in heading]
    for run in runs:
        lines += [_comment(run.note)] if run.note else []
        lines += [_line(run.root), *(f"  {_line(one)}" for one in run.nested)]
    return "".join(f"{line}\n" for line in lines)


def from_text(text: str, file: str = "") -> tuple[PlannedRun, ...]:
    """Return the runs of a text in its order; raises BadValue with file, line and column for the first mistake."""
    runs: list[PlannedRun] = []
    for place, content in _content(text, file):
        line = _read(content, place)
        if not content[0].isspace():
            if not line.name.startswith("/"):
                raise _wrong(
                    place,
                    f"{shown(line.name)} is not the full name of a root jobnet",
                    "write /sales/daily-close, or indent the line of a nested jobnet",
                )
            runs.append(PlannedRun(line))
            continue
        at = place._replace(column=1 + len(content) - len(content.lstrip()))
        if not runs:
            raise _wrong(
                at,
                f"there is no root jobnet above {shown(line.name)}",
                "a line that is not indented, with the full name of the root jobnet, comes first",
            )
        last = runs[-1]
        if line.name.startswith("/") or line.name in {one.name for one in last.nested}:
            raise _wrong(
                at,
                f"{shown(line.name)} cannot stand below {last.root.name}",
                "a nested jobnet is named once a run, by its path below the root jobnet",
            )
        runs[-1] = PlannedRun(last.root, (*last.nested, line))
    return tuple(runs)


def _comment(text: str) -> str:
    return f"/* {text.replace('*/', '* /')} */"


def _line(line: Line) -> str:
    name = line.name if _BARE.fullmatch(line.name) else json.dumps(line.name, ensure_ascii=False)
    return f"{name} {line.start or NOTHING} {HOLD if line.hold else NOTHING}"


def _content(text: str, file: str) -> Iterator[tuple[Place, str]]:
    """Yield the lines that are neither empty nor comments, with their places."""
    opened: Place | None = None
    for number, raw in enumerate(text.split("\n"), 1):
        rest = raw.removesuffix("\r")
        place = Place(file, number, 1)
        if opened is None and rest.lstrip().startswith("/*"):
            opened = place._replace(column=rest.index("/*") + 1)
            rest = " " * (opened.column + 1) + rest[opened.column + 1 :]
        if opened is not None:
            end = rest.find("*/")
            if end < 0:
                continue
            if rest[end + 2 :].strip():
                raise _wrong(
                    place._replace(column=end + 3),
                    "something follows the end of a comment",
                    "a comment has lines of its own",
                )
            opened = None
        elif rest.strip():
            yield place, rest
    if opened is not None:
        raise _wrong(opened, "the comment does not end", "end it with */")


def _read(content: str, place: Place) -> Line:
    found: list[tuple[str, Place]] = []
    at = len(content) - len(content.lstrip())
    while at < len(content):
        match = _FIELD.match(content, at)
        here = place._replace(column=at + 1)
        end = match.end() if match else 0
        if match is None or (end < len(content) and not content[end].isspace()):
            raise _wrong(here, "a quoted name does not end here", 'write "..." with blanks around')
        if len(found) == len(FIELDS):
            raise _wrong(
                here,
                f"{shown(match[0])} is one field too many",
                "a line has a name, a start and hold",
            )
        found.append((match[0], here))
        at = end + len(content[end:]) - len(content[end:].lstrip())
    found += [(NOTHING, place)] * (len(FIELDS) - len(found))
    name, start, hold = found
    return Line(_name(*name), _start(*start), hold=_hold(*hold))


def _name(text: str, place: Place) -> str:
    if not text.startswith('"'):
        return text
    try:
        name = json.loads(text)
    except ValueError:
        raise _wrong(place, f"{text} is not a quoted name", "quote it as JSON does") from None
    return str(name)


def _start(text: str, place: Place) -> At | None:
    if text == NOTHING:
        return None
    parts = _START.fullmatch(text)
    hint = "write YYYYMMDDHHMM with hours 00 to 47, or - for none"
    if parts is None:
        raise _wrong(place, f"{shown(text)} is not a start", hint)
    year, month, day, hour, minute = map(int, parts.groups())
    if not FIRST_YEAR <= year <= LAST_YEAR or hour > LAST_HOUR or minute > 59:  # noqa: PLR2004
        raise _wrong(
            place,
            f"{shown(text)} is not a start",
            f"{hint}; years go from {FIRST_YEAR} to {LAST_YEAR}",
        )
    try:
        return At(date(year, month, day), hour * 60 + minute)
    except ValueError:
        raise _wrong(
            place, f"there is no day {year}-{month:02}-{day:02}", "look at the month's length"
        ) from None


def _hold(text: str, place: Place) -> bool:
    if text in (HOLD, NOTHING):
        return text == HOLD
    raise _wrong(place, f"{shown(text)} is neither hold nor -", "write hold, or - for no hold")


def _wrong(place: Place, message: str, hint: str) -> BadValue:
    where = str(place) if place.file else f"line {place.line}, column {place.column}"
    return BadValue(f"{where}: {message}", hint=hint)
