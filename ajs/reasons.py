"""Why a run is planned, or why none is: one chain from rule to calendar, substitution, days from start and time.

A reason is data; its text is for people. The chain is read off the very values from which the dates were made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum

from ajs.calendar import Calendar, Layer
from ajs.rules import (
    DaysFromStart,
    FromStart,
    Occurrence,
    Rule,
    Substitute,
    occurrences,
    reach,
)

Fact = str | int | date | datetime
"""What a reason tells besides its code."""


class Because(Enum):
    """What one link of the chain says; the name is stable, the value is how it reads."""

    UNDEFINED = "the schedule is undefined: no run is ever planned"
    HITS = "rule {rule} falls on {day}"
    HITS_LATER = "rule {rule} does not fall on {day}; the next day it falls on is {next}"
    HITS_NO_MORE = "rule {rule} does not fall on {day} and on no day after it"
    OPEN = "{day} is open: {layer} setting of {group}"
    OPEN_UNSET = "{day} is open: no calendar sets it"
    CLOSED = "{day} is closed: {layer} setting of {group}"
    CLOSED_UNSET = "{day} is closed: no calendar sets it"
    SKIPPED = "the rule does not run on closed days"
    RUNS_CLOSED = "the rule runs on closed days too"
    SUBSTITUTED = "it moves to the nearest open day {way} it: {to}"
    NO_SUBSTITUTE = "no open day {way} it within the shift days ({within}): no run"
    DAYS_FROM_START = "days from start ({kind} {way}: {days}) give {to}"
    NO_DAYS_FROM_START = (
        "days from start ({kind} {way}: {days}) find none within {within} plain days: no run"
    )
    STARTS = "its start time gives {start:%Y-%m-%d %H:%M}, execution date {exec_date}"
    PAST = "that is before the registration at {registered:%Y-%m-%d %H:%M}: no run"
    PAST_TODAY = "that was earlier on the day of the registration at {registered:%Y-%m-%d %H:%M}"
    TOO_LATE = "no runs are planned after the year {year}"
    VALID_UNTIL = "{day} lies after the last valid day {until}: no run"
    EXCLUDED = "the exclusive jobnet {other} is scheduled on {exec_date}: no run"
    NOT_EXCLUDED = "the exclusive jobnet {other} is not scheduled on {exec_date}"
    RUNS = "a run starts at {start:%Y-%m-%d %H:%M} by rule {rule}"
    MERGED = "rule {rule} gives the same execution date and start: one run"
    NO_RUN = "by the rules no run has the execution date {day}"
    # Nested jobnets (rule book section 5).
    FOLLOWS = "it depends on its upper jobnet and starts with it at {start:%Y-%m-%d %H:%M}"
    UPPER_UNPLANNED = "its upper jobnet has no schedule in this run"
    LINKED = "rule {rule} is linked to rule {link} of the upper jobnet, which planned this run"
    NOT_LINKED = (
        "rule {rule} is linked to rule {link} of the upper jobnet, which did not plan this run"
    )
    NESTED_START = "its start time gives {start:%Y-%m-%d %H:%M}"
    OUTSIDE_WINDOW = "rule {rule} gives {start:%Y-%m-%d %H:%M}, outside the 48 hours of {day}"
    NESTED_RUNS = "it starts at {start:%Y-%m-%d %H:%M} by rule {rule}"
    NESTED_NO_RUN = "no rule gives it a start on the execution date {day}"


@dataclass(frozen=True, slots=True)
class Reason:
    """One link of a chain of reasons: its code and the facts that its text names, as (name, value)."""

    because: Because
    facts: tuple[tuple[str, Fact], ...]

    @property
    def text(self) -> str:
        """The reason as people read it.

        >>> reason(Because.HITS, rule=2, day=date(2026, 8, 13)).text
        'rule 2 falls on 2026-08-13'
        """
        return self.because.value.format(**dict(self.facts))


def reason(because: Because, **facts: Fact) -> Reason:
    """Return a reason from its code and facts."""
    return Reason(because, tuple(facts.items()))


def around(
    rule: Rule,
    calendar: Calendar,
    registered: date,
    day: date,
    counts: Callable[[date], bool],
    concerns: Callable[[Occurrence], bool],
) -> tuple[list[Occurrence], date | None]:
    """Return the occurrences of a rule that concern a day, and the next unshifted day after it.

    ``registered`` and ``counts`` are those of ``occurrences``.
    """
    back, ahead = reach(rule)
    # A start time of the day before can reach into this one.
    first = day - timedelta(days=ahead + 1)
    last = day + timedelta(days=back)
    found: list[Occurrence] = []
    following = None
    for occurrence in occurrences(rule, calendar, registered, first, counts):
        if occurrence.day > day and following is None:
            following = occurrence.day
        if occurrence.day > last:
            break
        if concerns(occurrence):
            found.append(occurrence)
    return found, following


def not_hit(
    rule: Rule, day: date, following: date | None, until: date | None
) -> tuple[Reason, ...]:
    """Return why a rule that falls on a later day, or on none, does not fall on a day; ``until`` is the last valid."""
    if following is None:
        return (reason(Because.HITS_NO_MORE, rule=rule.number, day=day),)
    later = reason(Because.HITS_LATER, rule=rule.number, day=day, next=following)
    if until is None or following <= until:
        return (later,)
    return (later, reason(Because.VALID_UNTIL, day=following, until=until))


def why_on(occurrence: Occurrence, calendar: Calendar) -> tuple[Reason, ...]:
    """Return why an occurrence of a rule runs on the date that it does, or on none (rule book 3.10 to 3.12)."""
    rule, day, substituted = occurrence.rule, occurrence.day, occurrence.substituted
    chain = [reason(Because.HITS, rule=rule.number, day=day), why_open(day, calendar)]
    if not calendar.is_open(day):
        chain.append(_why_substituted(rule, substituted))
    if substituted is not None and rule.days_from_start is not None:
        chain.append(_why_from_start(rule.days_from_start, occurrence.runs_on))
    return tuple(chain)


def why_open(day: date, calendar: Calendar) -> Reason:
    """Return which setting of which group makes a day open or closed (ruling R2)."""
    setting = calendar.setting(day)
    if setting.layer is Layer.UNSET:
        unset = Because.OPEN_UNSET if setting.is_open else Because.CLOSED_UNSET
        return reason(unset, day=day)
    because = Because.OPEN if setting.is_open else Because.CLOSED
    return reason(because, day=day, layer=setting.layer.value, group=setting.group)


def _why_substituted(rule: Rule, to: date | None) -> Reason:
    match rule.substitute:
        case Substitute.SKIP:
            return reason(Because.SKIPPED)
        case Substitute.RUN:
            return reason(Because.RUNS_CLOSED)
        case Substitute.BEFORE | Substitute.AFTER:
            way = rule.substitute.value
            if to is None:
                return reason(Because.NO_SUBSTITUTE, way=way, within=rule.shift_days)
            return reason(Because.SUBSTITUTED, way=way, to=to)


def _why_from_start(moved: DaysFromStart, to: date | None) -> Reason:
    kind, way = _COUNTED[moved.kind]
    if to is None:
        return reason(
            Because.NO_DAYS_FROM_START, days=moved.days, kind=kind, way=way, within=moved.within
        )
    return reason(Because.DAYS_FROM_START, days=moved.days, kind=kind, way=way, to=to)


_COUNTED = {
    FromStart.OPEN_BEFORE: ("open days", "before"),
    FromStart.OPEN_AFTER: ("open days", "after"),
    FromStart.PLAIN_BEFORE: ("plain days", "before"),
    FromStart.PLAIN_AFTER: ("plain days", "after"),
}
