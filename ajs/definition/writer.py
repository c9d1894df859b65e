"""``Definitions`` → canonical YAML text, which reads back to equal values.

Keys come in the order of the schema, what equals a default is left out, and every value has one spelling.
"""

from __future__ import annotations

import json
import re
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence

from ajs.agents import LIMIT, SSH_PORT, Agent, AgentGroup, Agents, Destination, Trust
from ajs.calendar import BaseDate, BaseWeekday, CalendarSettings
from ajs.definition.agent_scalars import member_text
from ajs.definition.calendar_schema import DaySetting, MonthWeekday, day_setting_text
from ajs.definition.scalars import (
    WEEKDAYS,
    clock_text,
    cycle_text,
    duration_text,
    limit_text,
    start_time_text,
)
from ajs.definition.unit_schema import STORED
from ajs.model import (
    LOGS_TO_KEEP,
    Definitions,
    Job,
    JobGroup,
    Jobnet,
    Overlap,
    RootDefinition,
    parent,
)
from ajs.rules import DaysFromStart, FromStart, Rule, Substitute
from ajs.start_days import (
    Counting,
    DayFromEnd,
    DayNumber,
    Nth,
    RegisteredDay,
    StartDay,
    WeekdayOfMonth,
)

Value = str | int | Sequence["Value"] | Mapping[str, "Value"]
"""What is written: text, a number, a list, a mapping."""

LONG_LIST = 8
"""Lists with more entries get one line each."""
_PLAIN = re.compile(r"(?!.*(?:: | #))[A-Za-z./$_](?:.*[^ :])?")
_PLAIN_IN_FLOW = re.compile(r"[A-Za-z./$_](?:[^:#,\[\]{}]*[^ :#,\[\]{}])?")
_TYPED = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"])
"""Words that YAML itself would take for something else than text."""


class _Raw(str):
    """A text in one of the spellings of ``scalars``, which needs no quotes anywhere."""

    __slots__ = ()


def to_yaml(definitions: Definitions) -> str:
    """Return one text for all the definitions; ``reader.read`` gives equal ones back.

    A stored script is named by its content, ``sha256:...``: what reads the text back must know it.
    """
    groups = {group.path: group for group in definitions.groups}
    roots: dict[str, list[RootDefinition]] = {path: [] for path in groups}
    for root in definitions.roots:
        roots.setdefault(parent(root.path), []).append(root)
    entries = [_group(path, groups.get(path), roots[path]) for path in sorted(roots)]
    found: dict[str, Value] = {}
    if entries:
        found = entries[0] if len(entries) == 1 else {"groups": entries}
    return _block(found | _agents(definitions.agents))


# -- definitions → plain values --


def _group(path: str, group: JobGroup | None, roots: Sequence[RootDefinition]) -> dict[str, Value]:
    """Return one group with what it gives."""
    found: dict[str, Value] = {"group": path}
    if group:
        if group.comment is not None:
            found["comment"] = group.comment
        if group.planning is not None:
            found["planning"] = _Raw("yes" if group.planning else "no")
        if group.calendar is not None:
            found["calendar"] = _calendar(group.calendar)
    if roots:
        found["jobnets"] = {root.jobnet.name: _root(root) for root in roots}
    return found


def _calendar(calendar: CalendarSettings) -> dict[str, Value]:
    """Return a group's calendar settings."""
    found: dict[str, Value] = {}
    if calendar.base_time is not None:
        found["base_time"] = _Raw(clock_text(calendar.base_time))
    match calendar.base_day:
        case BaseDate(day):
            found["base_day"] = day
        case BaseWeekday(weekday, nth):
            found["base_day"] = {"weekday": _Raw(WEEKDAYS[weekday]), "nth": nth}
        case None:
            pass
    if calendar.month is not None:
        found["month"] = calendar.month.value
    for key, wanted in (("closed", False), ("open", True)):
        days: list[DaySetting] = [
            *(weekday for weekday, is_open in calendar.weekdays if is_open is wanted),
            *(
                MonthWeekday(year, month, weekday)
                for year, month, weekday, is_open in calendar.month_weekdays
                if is_open is wanted
            ),
            *(day for day, is_open in calendar.dates if is_open is wanted),
        ]
        if days:
            found[key] = [_Raw(day_setting_text(day)) for day in days]
    return found


def _root(root: RootDefinition) -> dict[str, Value]:
    """Return a root jobnet; the one rule that AJS3 gives a jobnet without a schedule is left out."""
    jobnet = root.jobnet
    found: dict[str, Value] = {}
    if jobnet.comment:
        found["comment"] = jobnet.comment
    if root.was:
        same = parent(root.was) == parent(root.path)
        found["was"] = root.was.rpartition("/")[2] if same else root.was
    if jobnet.hold:
        found["hold"] = _Raw("yes")
    if jobnet.hold_if is not None:
        found["hold"] = f"if {jobnet.hold_if.value}"
    if jobnet.priority is not None:
        found["priority"] = jobnet.priority
    if jobnet.rules != (Rule(),):
        found["schedule"] = _schedule(jobnet.rules or (), nested=False)
    found |= _dates(jobnet)
    if jobnet.overlap is not Overlap.SKIP:
        found["overlap"] = jobnet.overlap.value
    if jobnet.logs_to_keep != LOGS_TO_KEEP:
        found["logs_to_keep"] = jobnet.logs_to_keep
    found["units"] = _units(jobnet)
    return found


def _dates(jobnet: Jobnet) -> dict[str, Value]:
    """Return what a jobnet says about its dates besides its rules, and how long it may take."""
    found: dict[str, Value] = {}
    if jobnet.valid_until is not None:
        found["valid_until"] = _Raw(jobnet.valid_until.isoformat())
    if jobnet.calendar_of:
        found["calendar_of"] = jobnet.calendar_of
    if jobnet.exclusive:
        found["exclusive"] = jobnet.exclusive
    if jobnet.required_time is not None:
        found["required_time"] = _Raw(duration_text(jobnet.required_time * 60))
    return found


def _units(jobnet: Jobnet) -> dict[str, Value]:
    """Return the units of a jobnet by name."""
    return {
        unit.name: _nested(unit) if isinstance(unit, Jobnet) else _job(unit)
        for unit in jobnet.units
    }


def _common(unit: Jobnet | Job) -> dict[str, Value]:
    """Return what nested jobnets and jobs have in common."""
    found: dict[str, Value] = {}
    if unit.comment:
        found["comment"] = unit.comment
    if unit.after:
        found["after"] = unit.after[0] if len(unit.after) == 1 else list(unit.after)
    if unit.recovery:
        found["recovery"] = _Raw("yes")
    if unit.hold:
        found["hold"] = _Raw("yes")
    if unit.priority is not None:
        found["priority"] = unit.priority
    return found


def _nested(jobnet: Jobnet) -> dict[str, Value]:
    """Return a nested jobnet."""
    found = _common(jobnet)
    if jobnet.rules is not None:
        found["schedule"] = _schedule(jobnet.rules, nested=True)
    found |= _dates(jobnet)
    found["units"] = _units(jobnet)
    return found


def _job(job: Job) -> dict[str, Value]:
    """Return a job."""
    found = _common(job)
    if job.destination:
        found = {"type": "flexible"} | found | {"destination": job.destination}
        if job.relay:
            found["relay"] = job.relay
    if job.script:
        found["script"] = _Raw(STORED + job.script)
        if job.command:
            found["parameters"] = job.command
    else:
        found["command"] = job.command
    if job.work_dir:
        found["work_dir"] = job.work_dir
    if job.environment:
        found["environment"] = dict(job.environment)
    if job.timeout_s is not None:
        found["timeout"] = _Raw(duration_text(job.timeout_s))
    if job.warning_above is not None:
        found["warning_above"] = job.warning_above
    if job.abnormal_above:
        found["abnormal_above"] = job.abnormal_above
    return found


def _agents(agents: Agents) -> dict[str, Value]:
    """Return all agents, agent groups and destinations by name, under the keys of a file."""
    found: dict[str, Value] = {
        "agents": {one.name: _host(one) for one in agents.agents},
        "agent_groups": {one.name: _agent_group(one) for one in agents.groups},
        "destinations": {one.name: _host(one) for one in agents.destinations},
    }
    return {key: value for key, value in found.items() if value}


def _host(one: Agent | Destination) -> dict[str, Value]:
    """Return an agent or a destination."""
    found: dict[str, Value] = {}
    if one.comment:
        found["comment"] = one.comment
    found["host"] = one.host
    if one.port != SSH_PORT:
        found["port"] = one.port
    if isinstance(one, Destination) and one.agent_port is not None:
        found["agent_port"] = one.agent_port
    found["user"] = one.user
    if one.key:
        found["key"] = one.key
    found["trust"] = _trust(one.trust)
    if one.limit != LIMIT:
        found["limit"] = one.limit
    if isinstance(one, Destination) and one.job_folder:
        found["job_folder"] = one.job_folder
    return found


def _trust(trust: Trust) -> dict[str, Value]:
    """Return how a host proves itself."""
    found: dict[str, Value] = {
        "host_keys": trust.host_keys,
        "host_ca": trust.host_ca,
        "principals": trust.principals,
    }
    return {key: value for key, value in found.items() if value}


def _agent_group(group: AgentGroup) -> dict[str, Value]:
    """Return an agent group."""
    found: dict[str, Value] = {"comment": group.comment} if group.comment else {}
    return found | {"members": [member_text(member) for member in group.members]}


def _schedule(rules: Sequence[Rule], *, nested: bool) -> Value:
    """Return the rules of a jobnet, or ``undefined``."""
    return [_rule(rule, nested=nested) for rule in rules] or "undefined"


def _rule(rule: Rule, *, nested: bool) -> dict[str, Value]:
    """Return one schedule rule; its number is always given."""
    found: dict[str, Value] = {"rule": rule.number}
    if not isinstance(rule.start_day, RegisteredDay):
        found["start_day"] = _start_day(rule.start_day)
    if rule.start_time != Rule().start_time:
        found["start_time"] = _Raw(start_time_text(rule.start_time))
    if rule.cycle:
        found["cycle"] = _Raw(cycle_text(rule.cycle))
    if rule.substitute is not _usual_substitute(rule.start_day):
        found["substitute"] = rule.substitute.value
    if rule.shift_days != Rule().shift_days:
        found["shift_days"] = rule.shift_days
    if rule.days_from_start:
        found["days_from_start"] = _days_from_start(rule.days_from_start)
    for key in ("start_delay", "end_delay"):
        if (limit := getattr(rule, key)) is not None:
            found[key] = _Raw(limit_text(limit))
    if nested and rule.link != rule.number:
        found["link"] = rule.link
    return found


def _usual_substitute(day: StartDay) -> Substitute:
    """Return the substitute that is not written (ruling R3)."""
    closed = isinstance(day, (DayNumber, DayFromEnd)) and day.counting is Counting.CLOSED
    return Substitute.RUN if closed else Rule().substitute


def _start_day(day: DayNumber | DayFromEnd | WeekdayOfMonth) -> Value:
    """Return a start day in its one spelling: a word where there is one, else a mapping."""
    match day:
        case DayNumber() | DayFromEnd():
            return _counted_day(day)
        case WeekdayOfMonth():
            name = _Raw(WEEKDAYS[day.weekday])
            found: dict[str, Value] = {"weekday": name}
            if day.nth is not Nth.ANY:
                found["nth"] = day.nth.value
            if day.counting is not Counting.ABSOLUTE:
                found["counting"] = day.counting.value
            found |= _month(day)
            return found if len(found) > 1 else name


def _counted_day(day: DayNumber | DayFromEnd) -> Value:
    """Return a start day that has a day number; only absolute ones are ever one word."""
    count: Value = (
        day.number
        if isinstance(day, DayNumber)
        else _Raw(f"last-{day.back}" if day.back else "last")
    )
    if day.counting is Counting.ABSOLUTE:
        if day.month is None:
            return count
        if isinstance(day, DayNumber):
            if day.year is None:
                return _Raw(f"{day.month:02}-{day.number:02}")
            # A day number that the month does not have is no date.
            if day.number <= monthrange(day.year, day.month)[1]:
                return _Raw(f"{day.year}-{day.month:02}-{day.number:02}")
    return {day.counting.value: count} | _month(day)


def _month(day: DayNumber | DayFromEnd | WeekdayOfMonth) -> dict[str, Value]:
    """Return the month and year of a start day, where it has them."""
    found: dict[str, Value] = {}
    if day.month is not None:
        found["month"] = day.month
    if day.year is not None:
        found["year"] = day.year
    return found


def _days_from_start(move: DaysFromStart) -> Value:
    """Return the days from start."""
    match move.kind:
        case FromStart.OPEN_BEFORE:
            return {"open": -move.days, "within": move.within}
        case FromStart.OPEN_AFTER:
            return {"open": move.days, "within": move.within}
        case FromStart.PLAIN_BEFORE:
            return {"plain": -move.days}
        case FromStart.PLAIN_AFTER:
            return {"plain": move.days}


# -- plain values → text --

_ONE_A_LINE = frozenset(("groups", "schedule", "host_keys", "host_ca"))
_IN_ONE_LINE = frozenset(("base_day", "closed", "open", "after", "start_day", "days_from_start"))


def _block(found: Mapping[str, Value]) -> str:
    """Return a mapping as lines."""
    return "".join(f"{line}\n" for line in _lines(found))


def _lines(found: Mapping[str, Value]) -> Iterable[str]:
    """Yield the lines of a mapping; what stands below a key is indented by two spaces."""
    for key, value in found.items():
        name = _scalar(key)
        match value:
            case str() if _fits_literal(value):
                ending = "" if value.endswith("\n") else "-"
                yield f"{name}: |{ending}"
                yield from (
                    f"  {line}" if line else "" for line in value.removesuffix("\n").split("\n")
                )
            case str() | int():
                yield f"{name}: {_scalar(value)}"
            case Mapping() if value and key not in _IN_ONE_LINE:
                yield f"{name}:"
                yield from (f"  {line}" if line else "" for line in _lines(value))
            case Sequence() if key in _ONE_A_LINE or len(value) > LONG_LIST:
                yield f"{name}:"
                for item in value:
                    yield from _item(key, item)
            case _:
                yield f"{name}: {_flow(value)}"


def _item(key: str, item: Value) -> Iterable[str]:
    """Yield the lines of one entry of a list: a group takes several, everything else one."""
    if key == "groups" and isinstance(item, Mapping):
        for number, line in enumerate(_lines(item)):
            yield f"{'    ' if number else '  - '}{line}" if line else ""
    else:
        yield f"  - {_flow(item)}"


def _flow(value: Value) -> str:
    """Return a value in one line."""
    match value:
        case str() | int():
            return _scalar(value, _PLAIN_IN_FLOW)
        case Mapping():
            pairs = (f"{_scalar(k, _PLAIN_IN_FLOW)}: {_flow(v)}" for k, v in value.items())
            return f"{{{', '.join(pairs)}}}"
        case Sequence():
            return f"[{', '.join(_flow(item) for item in value)}]"


def _scalar(value: str | int, plain: re.Pattern[str] = _PLAIN) -> str:
    """Return a word, in quotes unless it is plainly a text."""
    if isinstance(value, (int, _Raw)):
        return str(value)
    if value.isprintable():
        if plain.fullmatch(value) and value.lower() not in _TYPED:
            return value
        if '"' in value or "\\" in value:
            return "'" + value.replace("'", "''") + "'"
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else _escaped(c) for c in quoted)


def _escaped(character: str) -> str:
    """Return a character as YAML's double-quoted texts escape it."""
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - four digits


def _fits_literal(text: str) -> bool:
    """Return whether a text of several lines can stand as it is, indented under its key."""
    lines = text.removesuffix("\n").split("\n")
    return (
        "\n" in text
        and not lines[0].startswith((" ", "\t"))
        and all(line.replace("\t", "").isprintable() for line in lines)
        and bool(lines[0])
        and bool(lines[-1])
    )
