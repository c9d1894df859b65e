"""Jobnets and calendars ↔ the compact form in which the database keeps them.

The text is JSON with sorted keys and without what equals the default: equal definitions give equal texts, the
SHA-256 of the text identifies the definition, and a later version that adds a key with a default leaves it as it is.
What was stored was checked when it was read, so nothing is checked again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from ajs.calendar import BaseDate, BaseWeekday, CalendarSettings, MonthClass
from ajs.delays import limit_from
from ajs.model import HoldIf, Job, JobGroup, Jobnet, Overlap
from ajs.rules import Cycle, CycleUnit, DaysFromStart, FromStart, Rule, StartTime, Substitute
from ajs.start_days import (
    Counting,
    DayFromEnd,
    DayNumber,
    Nth,
    RegisteredDay,
    StartDay,
    WeekdayOfMonth,
)

Stored = dict[str, Any]

_RULE = Rule()
_JOB = Job(name="")
_JOBNET = Jobnet(name="")


def jobnet_to_json(jobnet: Jobnet) -> str:
    """Return the canonical text of a jobnet with everything inside it."""
    return _text(_jobnet(jobnet))


def jobnet_from_json(text: str) -> Jobnet:
    """Return the jobnet of a text that ``jobnet_to_json`` wrote."""
    return _to_jobnet(json.loads(text))


def group_to_json(group: JobGroup, before: str | None = None) -> str | None:
    """Return the canonical text of what a group sets besides its comment, None when that is nothing.

    What is not given stays as in ``before``, the text of the stored group.
    """
    found: Stored = {} if before is None else json.loads(before)
    was_planning = found.pop("planning", False)
    if group.calendar is not None:
        found = _calendar(group.calendar)
    if was_planning if group.planning is None else group.planning:
        found["planning"] = True
    return _text(found) if found else None


def is_planning(text: str | None) -> bool:
    """Return whether the text that ``group_to_json`` wrote is that of a planning group."""
    return text is not None and json.loads(text).get("planning", False) is True


def _calendar(calendar: CalendarSettings) -> Stored:
    found: Stored = {}
    if calendar.dates:
        found["dates"] = [[day.isoformat(), is_open] for day, is_open in calendar.dates]
    if calendar.month_weekdays:
        found["month_weekdays"] = [list(setting) for setting in calendar.month_weekdays]
    if calendar.weekdays:
        found["weekdays"] = [list(setting) for setting in calendar.weekdays]
    match calendar.base_day:
        case BaseDate(day):
            found["base_day"] = day
        case BaseWeekday(weekday, nth):
            found["base_day"] = [weekday, nth]
        case None:
            pass
    if calendar.month is not None:
        found["month"] = calendar.month.value
    if calendar.base_time is not None:
        found["base_time"] = calendar.base_time
    return found


def calendar_from_json(text: str) -> CalendarSettings:
    """Return the settings of a text that ``group_to_json`` wrote."""
    found = json.loads(text)
    base_day = found.get("base_day")
    month = found.get("month")
    return CalendarSettings(
        dates=tuple((date.fromisoformat(day), is_open) for day, is_open in found.get("dates", ())),
        month_weekdays=tuple(
            (y, m, w, is_open) for y, m, w, is_open in found.get("month_weekdays", ())
        ),
        weekdays=tuple((weekday, is_open) for weekday, is_open in found.get("weekdays", ())),
        base_day=BaseWeekday(*base_day)
        if isinstance(base_day, list)
        else None
        if base_day is None
        else BaseDate(base_day),
        month=None if month is None else MonthClass(month),
        base_time=found.get("base_time"),
    )


def _text(found: Stored) -> str:
    """Return the one spelling of a JSON value."""
    return json.dumps(found, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _changed(thing: object, default: object, keys: tuple[str, ...]) -> Stored:
    """Return the plain attributes that differ from their default."""
    return {key: value for key in keys if (value := getattr(thing, key)) != getattr(default, key)}


# -- writing --

_UNIT_KEYS = ("comment", "after", "recovery", "hold", "priority")
_JOBNET_KEYS = (*_UNIT_KEYS, "calendar_of", "exclusive", "logs_to_keep", "required_time")
_JOB_KEYS = (
    *_UNIT_KEYS,
    "command",
    "script",
    "work_dir",
    "environment",
    "timeout_s",
    "warning_above",
    "abnormal_above",
    "destination",
    "relay",
)


def _jobnet(jobnet: Jobnet) -> Stored:
    """Return a jobnet as JSON; ``units`` is always there and tells it from a job."""
    found: Stored = {"name": jobnet.name} | _changed(jobnet, _JOBNET, _JOBNET_KEYS)
    if jobnet.valid_until is not None:
        found["valid_until"] = jobnet.valid_until.isoformat()
    if jobnet.overlap is not _JOBNET.overlap:
        found["overlap"] = jobnet.overlap.value
    if jobnet.hold_if is not None:
        found["hold_if"] = jobnet.hold_if.value
    if jobnet.rules is not None:
        found["rules"] = [_rule(rule) for rule in jobnet.rules]
    found["units"] = [
        _jobnet(unit)
        if isinstance(unit, Jobnet)
        else {"name": unit.name} | _changed(unit, _JOB, _JOB_KEYS)
        for unit in jobnet.units
    ]
    return found


def _rule(rule: Rule) -> Stored:
    """Return a schedule rule as JSON."""
    found = _changed(rule, _RULE, ("shift_days", "link"))
    found["number"] = rule.number
    if not isinstance(rule.start_day, RegisteredDay):
        found["start_day"] = _start_day(rule.start_day)
    if rule.start_time != _RULE.start_time:
        found["start_time"] = [rule.start_time.minutes, rule.start_time.relative]
    if rule.cycle:
        found["cycle"] = [rule.cycle.every, rule.cycle.unit.value]
    if rule.substitute is not _RULE.substitute:
        found["substitute"] = rule.substitute.value
    for key in ("start_delay", "end_delay"):
        if (limit := getattr(rule, key)) is not None:
            found[key] = limit.text
    if move := rule.days_from_start:
        found["days_from_start"] = [move.kind.value, move.days, move.within]
    return found


def _start_day(day: DayNumber | DayFromEnd | WeekdayOfMonth) -> list[Any]:
    """Return a start day other than the default as a list that begins with its kind."""
    match day:
        case DayNumber():
            return ["number", day.counting.value, day.number, day.year, day.month]
        case DayFromEnd():
            return ["end", day.counting.value, day.back, day.year, day.month]
        case WeekdayOfMonth():
            return ["weekday", day.counting.value, day.weekday, day.nth.value, day.year, day.month]


# -- reading --


def _to_jobnet(found: Stored) -> Jobnet:
    """Return a jobnet."""
    rules, valid_until, hold_if = (found.get(key) for key in ("rules", "valid_until", "hold_if"))
    return Jobnet(
        name=found["name"],
        comment=found.get("comment", ""),
        after=tuple(found.get("after", ())),
        recovery=found.get("recovery", False),
        hold=found.get("hold", False),
        priority=found.get("priority"),
        rules=None if rules is None else tuple(_to_rule(rule) for rule in rules),
        units=tuple(
            _to_jobnet(unit) if "units" in unit else _to_job(unit) for unit in found["units"]
        ),
        valid_until=None if valid_until is None else date.fromisoformat(valid_until),
        calendar_of=found.get("calendar_of", ""),
        exclusive=found.get("exclusive", ""),
        overlap=Overlap(found.get("overlap", _JOBNET.overlap.value)),
        logs_to_keep=found.get("logs_to_keep", _JOBNET.logs_to_keep),
        hold_if=None if hold_if is None else HoldIf(hold_if),
        required_time=found.get("required_time"),
    )


def _to_job(found: Stored) -> Job:
    """Return a job."""
    if "after" in found:
        found["after"] = tuple(found["after"])
    if "environment" in found:
        found["environment"] = tuple((key, value) for key, value in found["environment"])
    return Job(**found)


def _to_rule(found: Mapping[str, Any]) -> Rule:
    """Return a schedule rule."""
    cycle, time, move = (found.get(key) for key in ("cycle", "start_time", "days_from_start"))
    return Rule(
        number=found["number"],
        start_day=_to_start_day(found["start_day"]) if "start_day" in found else _RULE.start_day,
        start_time=StartTime(*time) if time else _RULE.start_time,
        cycle=Cycle(cycle[0], CycleUnit(cycle[1])) if cycle else None,
        substitute=Substitute(found.get("substitute", _RULE.substitute.value)),
        shift_days=found.get("shift_days", _RULE.shift_days),
        days_from_start=DaysFromStart(FromStart(move[0]), *move[1:]) if move else None,
        link=found.get("link", _RULE.link),
        start_delay=limit_from(found.get("start_delay", "")),
        end_delay=limit_from(found.get("end_delay", "")),
    )


def _to_start_day(found: list[Any]) -> StartDay:
    """Return a start day other than the registered day, which is the default and never stored."""
    kind, *rest = found
    counting, number, *more = rest
    if kind == "weekday":
        nth, year, month = more
        return WeekdayOfMonth(
            counting=Counting(counting), weekday=number, nth=Nth(nth), year=year, month=month
        )
    year, month = more
    if kind == "end":
        return DayFromEnd(counting=Counting(counting), back=number, year=year, month=month)
    return DayNumber(counting=Counting(counting), number=number, year=year, month=month)
