"""What can be found in definitions, as data with a stable code; its text and its hint are for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import NamedTuple

YEARS = 5
"""How far ahead a run of every rule is looked for, in years."""
YEAR = timedelta(days=366)
"""How far ahead runs that are dropped or fall together are looked for."""
ENDS_SOON = timedelta(days=90)
"""Closed days that are set for less than this are a warning: the next year's are due."""
NEAR_LIMIT = 0.9
"""From which part of the longest full name on a name is near it."""
LEAP_YEAR = 2028
"""A year that has every day that some year has."""
DATES = 5
"""How many dates a text names."""

Fact = str | int | date | datetime | tuple[date, ...]


class Severity(Enum):
    """How much a finding matters; the value stands before its text."""

    WARN = "warn"
    NOTE = "note"


class _Kind(NamedTuple):
    severity: Severity
    text: str
    hint: str


_WARN, _NOTE = Severity.WARN, Severity.NOTE


class Lint(Enum):
    """What can be found; the name is the stable code."""

    RULE_NEVER_RUNS = _Kind(
        _WARN,
        "rule {rule} gives no run in the next {years} years: all {hits} days that it falls on are dropped, "
        "{first} first ({why})",
        "look at the calendar with ajs calendar, at substitute and shift_days of the rule, and at exclusive",
    )
    RULE_NO_DAY = _Kind(
        _WARN,
        "rule {rule} falls on no day in the next {years} years",
        "give it another start day, or remove it",
    )
    DAY_CLAMPED = _Kind(
        _WARN,
        "rule {rule} names day {number} of month {month}, which has only {days}: it falls on the last day",
        "write the day that is meant, or last",
    )
    RULE_OVER = _Kind(
        _NOTE,
        "rule {rule} fell on {day} for the last time",
        "remove it, or give it a cycle or a new date",
    )
    VALID_UNTIL_OVER = _Kind(
        _NOTE,
        "it was valid until {day}: no run is planned any more",
        "set a later valid_until, or remove the jobnet",
    )
    RULES_TOGETHER = _Kind(
        _NOTE,
        "rules {rules} give the same run {count} times in the next year, {first} first: it runs once, as rule {rule} "
        "says",
        "in order where that is meant; else give one of them another time",
    )
    RUNS_AT_ONE_TIME = _Kind(
        _WARN,
        "two execution dates start at the same time {count} times in the next year, {first} first: both run",
        "on a 48-hour schedule 25:00 and 1:00 of the next day are two runs; change or remove one of the rules",
    )
    RUNS_DROPPED = _Kind(
        _WARN,
        "rule {rule} loses {count} of {hits} runs in the next year, with no open day in reach: {dates}",
        "raise shift_days or within, or change the calendar",
    )
    LINK_MISSING = _Kind(
        _WARN,
        "rule {rule} follows rule {link} of the jobnet above, which it does not have",
        "correct link",
    )
    LINK_DEAD = _Kind(
        _WARN,
        "rule {rule} never runs in the next {years} years: on its days rule {link} of the jobnet above plans no run",
        "correct link, or the days of one of the two rules",
    )
    NESTED_OFF_DAYS = _Kind(
        _WARN,
        "rule {rule} never runs in the next {years} years: it falls on no execution date of the root jobnet",
        "a nested jobnet runs only on days of its root; change the rule, or leave out its schedule",
    )
    NESTED_OUTSIDE = _Kind(
        _WARN,
        "rule {rule} never runs in the next {years} years: {start:%Y-%m-%d %H:%M} lies outside the 48 hours of {day}",
        "a nested jobnet starts within 48 hours of the base time of the execution date; change start_time",
    )
    REGISTRATION_DAY = _Kind(
        _NOTE,
        "the dates of rule {rule} depend on the day of registration: {why}",
        "give a full date as start day where they shall not",
    )
    NO_OPEN_DAY = _Kind(
        _WARN,
        "the calendar has no open day in the next {years} years; {rules} {depend} on open days",
        "see what closes them: ajs calendar {group}",
    )
    CLOSED_DAYS_END = _Kind(
        _WARN,
        "closed days are known until {last} only; {rules} {depend} on them",
        "add the next ones; ajs calendar --holidays COUNTRY --years FROM-TO prints a country's",
    )
    CLOSED_DAYS_KNOWN = _Kind(
        _NOTE,
        "closed days are known until {last}; {rules} {depend} on them",
        "",
    )
    CLOCK_CHANGE = _Kind(_NOTE, "starts at {start:%Y-%m-%d %H:%M}: {what}", "")
    NAME_NEAR_LIMIT = _Kind(
        _NOTE,
        "its full name has {bytes} of at most {limit} bytes",
        "use shorter names before units are added below it",
    )

    @property
    def severity(self) -> Severity:
        """How much it matters."""
        return self.value.severity


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: what, on which unit, perhaps in which of its rules, and the facts that its text names."""

    lint: Lint
    unit: str
    rule: int | None
    facts: tuple[tuple[str, Fact], ...]

    @property
    def text(self) -> str:
        """The finding as people read it, without the unit."""
        words = {name: _word(value) for name, value in self.facts}
        words["depend"] = "rule depends" if words.get("rules") == 1 else "rules depend"
        return self.lint.value.text.format(**words, rule=self.rule)

    @property
    def hint(self) -> str:
        """What to do."""
        return self.lint.value.hint.format(**dict(self.facts))


def _word(value: Fact) -> Fact:
    if not isinstance(value, tuple):
        return value
    shown = ", ".join(str(day) for day in value[:DATES])
    return shown if len(value) <= DATES else f"{shown} and {len(value) - DATES} more"


def found(lint: Lint, unit: str, rule: int | None = None, **facts: Fact) -> Finding:
    """Return a finding from its code, where it is, and its facts."""
    return Finding(lint, unit, rule, tuple(facts.items()))


class OddHour(NamedTuple):
    """A wall-clock span that the clocks leave out or show twice: first instant, end, and what happens to a start."""

    first: datetime
    end: datetime
    what: str
