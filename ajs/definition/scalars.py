"""Single words ↔ values: times, dates, durations, cycles, names.

Each ``parse_`` function takes the text of one scalar and returns its value or raises ``NotThis``; the ``_text``
function beside it writes the one canonical spelling, which parses to the same value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, timedelta

from ajs.calendar import FIRST_YEAR, LAST_YEAR
from ajs.definition.problems import shown
from ajs.delays import MOST_MINUTES, Limit, Since
from ajs.model import NAME_BYTES, PATH_BYTES
from ajs.rules import Cycle, CycleUnit, StartTime

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""Canonical names of the weekdays; 0 = Monday as in ``datetime``."""
_WEEKDAY_NAMES = {
    name: number
    for number, long in enumerate(
        ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    )
    for name in (long, long[:3], long[:2])
}
WEEKDAY_PATTERN = "(mon(day)?|tue(sday)?|wed(nesday)?|thu(rsday)?|fri(day)?|sat(urday)?|sun(day)?)"
"""The weekdays as a regular expression of JSON Schema."""
YEAR_PATTERN = "(199[4-9]|20[0-9]{2})"
MONTH_PATTERN = "(0?[1-9]|1[0-2])"
DAY_PATTERN = "(0?[1-9]|[12][0-9]|3[01])"
CYCLE_PATTERN = (
    "^(every (day|week|month|year)"
    "|(every )?(([1-9]|[12][0-9]|3[01]) ?day|[1-5] ?week|([1-9]|1[0-2]) ?month|[1-9] ?year)s?)$"
)
"""The cycles within ``CYCLE_LIMITS``."""
SINCE = {Since.ROOT: "root", Since.UPPER: "upper", Since.OWN: "own"}
"""The words for the scheduled starts that limits count from."""
_FLAGS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
LAST_MINUTE = 47 * 60 + 59
"""The latest time of a 48-hour day, in minutes (rule book 2.3)."""
LAST_BASE_TIME = 11 * 60 + 59
"""The latest base time, in minutes (rule book 1.10)."""
MAX_TIMEOUT_S = 31 * 24 * 3600
"""The longest timeout of a job, 31 days in seconds."""
CYCLE_LIMITS = {CycleUnit.YEAR: 9, CycleUnit.MONTH: 12, CycleUnit.WEEK: 5, CycleUnit.DAY: 31}
"""The largest n of a cycle for each unit (rule book 2.3)."""
NAME_EXCLUDES = "\"&'*?[]^{|}~;,/:@"
"""Characters that no unit name has: AJS3's, and those that separate paths and execution IDs (execution.md 4.2)."""
RESERVED_NAMES = (".", "..", ".CONDITION")

_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,12}|[0-9]{1,3}(?:_[0-9]{3}){1,3})")
_DATE = re.compile(r"([0-9]{4})([-/])([0-9]{1,2})\2([0-9]{1,2})")
_DURATION = re.compile(r"(?:[0-9]{1,7} ?[a-z]+ ?)+")
_DURATION_PART = re.compile(r"([0-9]+) ?([a-z]+)")
_SECONDS = {"d": 86_400, "h": 3_600, "min": 60, "s": 1}
_DURATION_UNITS = {
    spelling: unit
    for unit, spellings in {
        "d": "d day days",
        "h": "h hour hours",
        "min": "m min mins minute minutes",
        "s": "s sec secs second seconds",
    }.items()
    for spelling in spellings.split()
}
_CYCLE = re.compile(r"(?:every )?(?:([0-9]{1,4}) ?)?(year|month|week|day)s?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,255}")

_OTHER_YEARS = f"lies outside the years {FIRST_YEAR} to {LAST_YEAR}"


class NotThis(Exception):
    """The text is not such a value; ``why`` replaces the usual sentence, ``hint`` says what to write.

    A ``secret`` text is not repeated in any message.
    """

    def __init__(self, hint: str = "", why: str = "", *, secret: bool = False) -> None:
        """Keep the hint and the reason."""
        super().__init__(why or hint)
        self.hint = hint
        self.why = why
        self.secret = secret


def parse_flag(text: str) -> bool:
    """Return what ``yes``, ``true``, ``on``, ``no``, ``false`` or ``off`` means."""
    try:
        return _FLAGS[text.lower()]
    except KeyError:
        raise NotThis from None


def parse_number(text: str, low: int, high: int) -> int:
    """Return a whole number from ``low`` to ``high``; leading zeros and ``1_000`` are decimal."""
    if not _NUMBER.fullmatch(text):
        raise NotThis
    number = int(text)
    if not low <= number <= high:
        raise NotThis
    return number


def parse_clock(text: str, high: int) -> int:
    """Return the minutes after 0:00 of ``H:MM`` or ``HH:MM`` up to ``high``."""
    match = _CLOCK.fullmatch(text)
    if not match:
        raise NotThis(hint="write hours and minutes, such as 08:00")
    hours, minutes = int(match[1]), int(match[2])
    if minutes > 59 or hours * 60 + minutes > high:  # noqa: PLR2004 - minutes of an hour
        raise NotThis
    return hours * 60 + minutes


def clock_text(minutes: int) -> str:
    """Return minutes after 0:00 as ``HH:MM``."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def parse_start_time(text: str) -> StartTime:
    """Return an absolute ``22:00`` or relative ``+01:00`` start time up to 47:59 (rule book 4.1)."""
    relative = text.startswith("+")
    return StartTime(parse_clock(text.removeprefix("+"), LAST_MINUTE), relative=relative)


def start_time_text(time: StartTime) -> str:
    """Return a start time as it is written."""
    return ("+" if time.relative else "") + clock_text(time.minutes)


def parse_duration(text: str) -> int:
    """Return the seconds of ``2h``, ``90s``, ``10 min`` or ``1h 30min``."""
    if not _DURATION.fullmatch(text):
        raise NotThis(hint="write a number with its unit: d, h, min or s, such as 90s or 10 min")
    total = 0
    for amount, spelling in _DURATION_PART.findall(text):
        if spelling not in _DURATION_UNITS:
            raise NotThis(hint=f"{shown(spelling)} is no unit of time; write d, h, min or s")
        total += int(amount) * _SECONDS[_DURATION_UNITS[spelling]]
    if not 1 <= total <= MAX_TIMEOUT_S:
        raise NotThis
    return total


def duration_text(seconds: int) -> str:
    """Return seconds in the largest unit that divides them, ``2h`` or ``90s``."""
    unit = next(unit for unit, size in _SECONDS.items() if seconds % size == 0)
    return f"{seconds // _SECONDS[unit]}{unit}"


def parse_limit(text: str, since: Mapping[str, Since]) -> Limit:
    """Return a limit such as ``27:30`` or ``own + 90 min``; ``since`` are the words that can stand before the plus."""
    word, plus, length = (part.strip() for part in text.partition("+"))
    if not plus:
        return Limit(parse_clock(text, LAST_MINUTE), Since.CLOCK)
    if word not in since:
        raise NotThis
    minutes, seconds = divmod(parse_duration(length), 60)
    if seconds or not 1 <= minutes <= MOST_MINUTES:
        raise NotThis
    return Limit(minutes, since[word])


def limit_text(limit: Limit) -> str:
    """Return a limit as it is written."""
    if limit.since is Since.CLOCK:
        return clock_text(limit.minutes)
    return f"{SINCE[limit.since]} + {limit.minutes} min"


def parse_weekday(text: str) -> int:
    """Return the weekday (0 = Monday) of ``sat``, ``saturday`` or ``sa``."""
    try:
        return _WEEKDAY_NAMES[text.lower()]
    except KeyError:
        raise NotThis from None


def parse_year(text: str) -> int:
    """Return a year that can be planned (rule book 1.5)."""
    try:
        return parse_number(text, FIRST_YEAR, LAST_YEAR)
    except NotThis:
        raise NotThis(why=_OTHER_YEARS) from None


def parse_date(text: str) -> date:
    """Return the day ``2026-12-31`` or ``2026/12/31``."""
    match = _DATE.fullmatch(text)
    if not match:
        raise NotThis
    year = int(match[1])
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise NotThis(why=_OTHER_YEARS)
    try:
        return date(year, int(match[3]), int(match[4]))
    except ValueError:
        hint = "write year, month and day, such as 2026-12-31"
        if 1 <= (month := int(match[3])) <= 12:  # noqa: PLR2004 - months of a year
            last = (date(year, month, 28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
            hint = f"the last day of that month is {last}"
        raise NotThis(why="is a day that does not exist", hint=hint) from None


def parse_cycle(text: str) -> Cycle:
    """Return ``1 day``, ``2 weeks``, ``every month`` as a processing cycle (rule book 2.3)."""
    match = _CYCLE.fullmatch(text.lower())
    if not match or not (match[1] or text.lower().startswith("every")):
        raise NotThis
    unit, every = CycleUnit(match[2]), int(match[1] or 1)
    if not 1 <= every <= CYCLE_LIMITS[unit]:
        raise NotThis(why=f"is not a cycle of 1 to {CYCLE_LIMITS[unit]} {unit.value}s")
    return Cycle(every, unit)


def cycle_text(cycle: Cycle) -> str:
    """Return a cycle as it is written, ``2 weeks``."""
    return f"{cycle.every} {cycle.unit.value}{'' if cycle.every == 1 else 's'}"


def parse_text(text: str) -> str:
    """Return a text of one or more lines that a command line and a terminal can bear."""
    for character in text:
        if unicodedata.category(character) in {"Cc", "Cs"} and character not in "\n\t":
            raise NotThis(why=f"contains the control character {character!a}")
    return text


def parse_filled(text: str) -> str:
    """Return a text that is not empty."""
    if not text.strip():
        raise NotThis(why="is empty")
    return parse_text(text)


def parse_line(text: str) -> str:
    """Return a text of one line that is not empty."""
    if "\n" in text:
        raise NotThis(why="has more than one line")
    return parse_filled(text)


def parse_variable(text: str) -> str:
    """Return the name of an environment variable."""
    if not _VARIABLE.fullmatch(text):
        raise NotThis(hint="use letters, digits and _, beginning with a letter or _")
    return text


def parse_name_of(what: str, text: str, most: int) -> str:
    """Return a name of at most so many bytes, composed as Unicode NFC so that it equals what looks equal."""
    name = unicodedata.normalize("NFC", text)
    if not name:
        raise NotThis(why="is empty", hint=f"{what} has 1 to {most} bytes")
    if bad := next((c for c in name if c in NAME_EXCLUDES or c == " " or not c.isprintable()), ""):
        kind = "a space" if bad.isspace() else f"the character {shown(bad)}"
        raise NotThis(
            why=f"contains {kind}",
            hint=f"{what} has no spaces and none of {' '.join(NAME_EXCLUDES)}",
        )
    if len(name.encode()) > most:
        raise NotThis(
            why=f"is {len(name.encode())} bytes long", hint=f"{what} has 1 to {most} bytes"
        )
    return name


def parse_name(text: str) -> str:
    """Return a unit name (execution.md 4.2)."""
    name = parse_name_of("a unit name", text, NAME_BYTES)
    if name.startswith("-") or name in RESERVED_NAMES:
        raise NotThis(
            why="cannot be the name of a unit",
            hint=f"names do not begin with '-', and {', '.join(RESERVED_NAMES)} are reserved",
        )
    return name


def parse_path(text: str) -> str:
    """Return the full path of a job group or unit: ``/sales``, or ``/`` for the scheduler service."""
    if text == "/":
        return text
    if not text.startswith("/"):
        raise NotThis(hint=f"write the full path: {'/' + text[:NAME_BYTES]}")
    path = "/" + "/".join(parse_name(name) for name in text[1:].removesuffix("/").split("/"))
    if len(path.encode()) > PATH_BYTES:
        raise NotThis(why=f"is longer than {PATH_BYTES} bytes")
    return path
