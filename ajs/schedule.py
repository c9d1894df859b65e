"""A unit's rules and its upper units' → ordered starts, each with its reason.

The order of rule book section 3: start day, cycle, substitute, days from start give a date (``rules``); here it gets
its start time, execution date, and place among the other rules' runs. The last valid day counts between the two (R15),
an exclusive jobnet after both (3.15). What is nested in a run is decided in ``nested``. Which groups' calendar counts
is the business of the one who makes the ``Calendar``.

Every search ends: with ``LAST_YEAR``, behind the last valid day, when no open day comes any more, or after
``MOST_EXCLUDED`` runs of a rule in a row that an exclusive jobnet took away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import Enum
from functools import cache
from heapq import merge
from itertools import takewhile
from typing import NamedTuple

from ajs.calendar import LAST_YEAR, Calendar
from ajs.model import Jobnet
from ajs.nested import NESTED_WINDOW, NestedStart, Nesting, RootRun, explained
from ajs.reasons import Because, Reason, around, not_hit, reason, why_on
from ajs.rules import Occurrence, Rule, StartTime, dates, occurrences, reach

MOST_EXCLUDED = 4000
"""Runs of a rule in a row that an exclusive jobnet took away, after which the rule is taken to give none any more:
of a daily rule about eleven years."""

_DAY_MINUTES = 24 * 60
_ONE_DAY = timedelta(days=1)
_LAST_DAY = date(LAST_YEAR, 12, 31)


class DayMode(Enum):
    """How long the day of a root jobnet is: a setting of the scheduler service (rule book 4.2, 4.3)."""

    H24 = "24h"
    H48 = "48h"


class Tie(NamedTuple):
    """What ties a run to its rule: the rule number and the occurrence's date before any shift (design.md)."""

    rule: int
    day: date


class Slot(NamedTuple):
    """When a run lies: its clock start (wall-clock) and its execution date.

    Neither is derived from the other. Slots are ordered by clock start, then execution date (ruling R26).
    """

    start: datetime
    exec_date: date


class Start(NamedTuple):
    """One run that the rules plan: when it lies and the occurrences that were merged into it.

    ``ties`` is ordered by rule number; the first one supplies the attributes of the run (rule book 2.2, R8).
    """

    slot: Slot
    ties: tuple[Tie, ...]


class _Registration(NamedTuple):
    """What decides whether a run comes after the registration: the moment, its AJS day, whether today's past counts."""

    at: datetime
    day: date
    catch_up: bool

    def counts(self, start: datetime, exec_date: date) -> bool:
        """Return whether a run counts: it starts later, or is one of today's past starts (R10, 6.5, R22)."""
        return start >= self.at or (self.catch_up and exec_date == self.day)


@dataclass(frozen=True, slots=True)
class _Clock:
    """A start time under a base time: where start and execution date lie, seen from the rule's date."""

    days: timedelta
    time: time
    exec_date: timedelta

    def placed(self, runs_on: date) -> tuple[datetime, date]:
        """Return start and execution date of a run on a date (rule book 4.1 to 4.4; R6, R7)."""
        at = runs_on + self.days if self.days else runs_on
        exec_date = runs_on + self.exec_date if self.exec_date else runs_on
        return datetime.combine(at, self.time), exec_date


@cache
def _clock(minutes: int, base_time: int, mode: DayMode) -> _Clock:
    """Return where a time puts a run: minutes after 0:00 of the rule's date, in a day that begins at the base time."""
    days, of_day = divmod(minutes, _DAY_MINUTES)
    on_day = time(*divmod(of_day, 60))
    match mode:
        case DayMode.H24:
            exec_days = (minutes - base_time) // _DAY_MINUTES
            return _Clock(timedelta(days), on_day, timedelta(exec_days))
        case DayMode.H48:
            return _Clock(timedelta(days), on_day, timedelta())


def _merged(starts: Iterator[Start]) -> Iterator[Start]:
    """Yield starts that come in slot order, those of equal slots as one (rule book 2.2, R8)."""
    last = next(starts, None)
    if last is None:
        return
    for start in starts:
        if start.slot == last.slot:
            last = Start(last.slot, last.ties + start.ties)
        else:
            yield last
            last = start
    yield last


class _ExecDates:
    """The execution dates on which a root jobnet is scheduled by its rules; asked for in about ascending order."""

    def __init__(self, timetable: Timetable, registered: datetime, since: date) -> None:
        # All of the registration's own day counts, its past too: the day is what the other one is compared by.
        self._starts = timetable.starts(registered, since)
        self._window = timetable.window
        self._next = next(self._starts, None)
        self._found: set[date] = set()

    def __contains__(self, day: date) -> bool:
        """Whether a run has this execution date."""
        if self._next is not None and day not in self._found:
            _, end = self._window(day)
            while self._next is not None and self._next.slot.start < end:
                self._found.add(self._next.slot.exec_date)
                self._next = next(self._starts, None)
        return day in self._found


@dataclass(frozen=True, slots=True)
class Timetable:
    """When a root jobnet and what is nested in it run by their rules, under one calendar.

    ``exclusive`` is the timetable of its exclusive jobnet: on an execution date on which that one is scheduled, this
    one is not. What counts are the rules and the calendar of the other, as if it had been registered at the same
    moment, not whether it is registered. ``calendars`` are those of job groups that nested jobnets name
    (``calendar_of``), by path, with the base time of ``calendar``.
    """

    jobnet: Jobnet
    calendar: Calendar
    mode: DayMode
    exclusive: Timetable | None = None
    calendars: Mapping[str, Calendar] = field(default_factory=dict)

    # -- the root --

    def starts(
        self, registered: datetime, since: date, *, catch_up: bool = True
    ) -> Iterator[Start]:
        """Return the planned starts with an execution date not before ``since``, in slot order, up to ``LAST_YEAR``.

        ``registered`` is the wall-clock moment of the registration: runs that start before it do not count (R10),
        except those of its own AJS day when ``catch_up`` (6.5, R22). Runs of equal start and execution date are one
        (R8). Lazy: one run of each rule is looked for before the first start is known.
        """
        registration = self._registration(registered, catch_up=catch_up)
        rules = self._rules
        taken = self._taken(registered, since)
        streams = [self._planned(rule, registration, since, taken) for rule in rules]
        if len(rules) != 1:
            return _merged(merge(*streams))
        # No two runs of a rule that never shifts are equal, so the one after need not be looked for.
        return streams[0] if reach(rules[0]) == (0, 0) else _merged(streams[0])

    def typed(self, day: date, minutes: int) -> Slot:
        """Return what a command's date and time mean, ``minutes`` 0..2879 after 0:00 of ``day`` (R7, R30).

        >>> Timetable(Jobnet(name="close"), Calendar(), DayMode.H48).typed(date(2026, 8, 11), 36 * 60)
        Slot(start=datetime.datetime(2026, 8, 12, 12, 0), exec_date=datetime.date(2026, 8, 11))
        """
        start = datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)
        match self.mode:
            case DayMode.H24:
                return Slot(start, self.calendar.ajs_day(start))
            case DayMode.H48:
                return Slot(start, day if minutes >= self.calendar.base_time else day - _ONE_DAY)

    def day_of(self, at: datetime) -> date:
        """Return the execution date of a plain clock instant: its AJS day (seed 4.5.3 (2), rule book 7.2)."""
        return self.calendar.ajs_day(at)

    def window(self, exec_date: date) -> tuple[datetime, datetime]:
        """Return the 48 hours of an execution date: first instant, and the first one after (rule book 4.5)."""
        first = self.calendar.day_begins(exec_date)
        return first, first + NESTED_WINDOW

    def dateless(self, registered: datetime) -> tuple[int, ...]:
        """Return the numbers of the root's rules that fall on no day at all when registered then (R14)."""
        day = self.calendar.ajs_day(registered)
        return tuple(
            rule.number
            for rule in self._rules
            if next(occurrences(rule, self.calendar, day, day, day.__le__), None) is None
        )

    def explain(
        self, registered: datetime, day: date, *, catch_up: bool = True
    ) -> tuple[Reason, ...]:
        """Return why the root runs on an execution date, or why it does not: rule by rule, then the outcome."""
        if not self._rules:
            return (reason(Because.UNDEFINED),)
        registration = self._registration(registered, catch_up=catch_up)
        chain: list[Reason] = []
        for rule in sorted(self._rules, key=lambda rule: rule.number):
            chain += self._explain_rule(rule, registration, day)
        chain += self._explain_exclusive(registered, day)
        _, end = self.window(day)
        coming = self.starts(registered, day, catch_up=catch_up)
        found = [
            s for s in takewhile(lambda s: s.slot.start < end, coming) if s.slot.exec_date == day
        ]
        for start in found:
            first, *others = dict.fromkeys(tie.rule for tie in start.ties)
            chain.append(reason(Because.RUNS, start=start.slot.start, rule=first))
            chain += [reason(Because.MERGED, rule=other) for other in others]
        if not found:
            chain.append(reason(Because.NO_RUN, day=day))
        return tuple(chain)

    @property
    def _rules(self) -> tuple[Rule, ...]:
        """The rules of the root; rule 1 on the registered day when it has none (rule book 2.3)."""
        return (Rule(),) if self.jobnet.rules is None else self.jobnet.rules

    def _registration(self, at: datetime, *, catch_up: bool) -> _Registration:
        return _Registration(at, self.calendar.ajs_day(at), catch_up)

    def _taken(self, registered: datetime, since: date) -> _ExecDates | None:
        """Return the execution dates that the exclusive jobnet takes away, if there is one."""
        if self.exclusive is None:
            return None
        return _ExecDates(self.exclusive, registered, since)

    def _planned(
        self, rule: Rule, registration: _Registration, since: date, taken: _ExecDates | None
    ) -> Iterator[Start]:
        """Yield what one rule plans, in slot order; shifts may have put several on the same slot."""
        clock = self._clock(rule.start_time)

        def counts(runs_on: date) -> bool:
            return registration.counts(*clock.placed(runs_on))

        # Before its registration day a rule can only matter by a 48-hour time or a shift.
        first = max(since, registration.day - _ONE_DAY) - clock.exec_date
        until = self.jobnet.valid_until
        number = rule.number
        # From the first run on that counts all do: none of them starts before it.
        coming = False
        excluded = 0
        for day, runs_on in dates(rule, self.calendar, registration.day, first, counts):
            if until is not None and until < runs_on:
                return
            start, exec_date = clock.placed(runs_on)
            if exec_date > _LAST_DAY:
                return
            if not coming:
                if exec_date < since or not registration.counts(start, exec_date):
                    continue
                coming = True
            if taken is not None:
                if exec_date in taken:
                    excluded += 1
                    if excluded == MOST_EXCLUDED:
                        return
                    continue
                excluded = 0
            yield Start(Slot(start, exec_date), (Tie(number, day),))

    def _clock(self, at: StartTime) -> _Clock:
        """Return where a start time puts a root's run."""
        base_time = self.calendar.base_time
        return _clock(at.after_midnight(base_time), base_time, self.mode)

    def _explain_rule(self, rule: Rule, registration: _Registration, day: date) -> Iterator[Reason]:
        clock = self._clock(rule.start_time)

        def concerns(occurrence: Occurrence) -> bool:
            exec_date = occurrence.runs_on and clock.placed(occurrence.runs_on)[1]
            return day in {occurrence.day, occurrence.substituted, occurrence.runs_on, exec_date}

        def counts(runs_on: date) -> bool:
            return registration.counts(*clock.placed(runs_on))

        found, following = around(rule, self.calendar, registration.day, day, counts, concerns)
        until = self.jobnet.valid_until
        for occurrence in found:
            yield from why_on(occurrence, self.calendar)
            if occurrence.runs_on is None:
                continue
            if until is not None and until < occurrence.runs_on:
                yield reason(Because.VALID_UNTIL, day=occurrence.runs_on, until=until)
                continue
            start, exec_date = clock.placed(occurrence.runs_on)
            yield reason(Because.STARTS, start=start, exec_date=exec_date)
            if not registration.counts(start, exec_date):
                yield reason(Because.PAST, registered=registration.at)
            elif start < registration.at:
                yield reason(Because.PAST_TODAY, registered=registration.at)
            elif exec_date.year > LAST_YEAR:
                yield reason(Because.TOO_LATE, year=LAST_YEAR)
        if not found:
            yield from not_hit(rule, day, following, until)

    def _explain_exclusive(self, registered: datetime, day: date) -> Iterator[Reason]:
        """Yield whether the exclusive jobnet takes an execution date away."""
        taken = self._taken(registered, day)
        if taken is not None:
            because = Because.EXCLUDED if day in taken else Because.NOT_EXCLUDED
            yield reason(because, other=self.jobnet.exclusive, exec_date=day)

    # -- nested jobnets --

    def nested(
        self, registered: datetime, exec_date: date, root_start: datetime, ties: tuple[Tie, ...]
    ) -> dict[str, NestedStart]:
        """Return what the rules plan for every nested jobnet in a run of the root, by relative path.

        ``ties`` are the occurrences of the root's rules that made the run: nested rules linked to any of them are
        alive (rule book 5.2, R5), and of their starts the earliest inside the 48 hours counts (R24).
        """
        run = self._run(registered, exec_date, root_start, ties)
        return {path: decided.planned for path, decided in self._nesting.decided(run)}

    def explain_nested(
        self, registered: datetime, exec_date: date, root_start: datetime, ties: tuple[Tie, ...]
    ) -> dict[str, tuple[Reason, ...]]:
        """Return for every nested jobnet why it starts as ``nested`` says: rule by rule, then the outcome."""
        run = self._run(registered, exec_date, root_start, ties)
        return {
            path: tuple(explained(decided, run)) for path, decided in self._nesting.decided(run)
        }

    @property
    def _nesting(self) -> Nesting:
        return Nesting(self.jobnet, self.calendar, self.calendars)

    def _run(
        self, registered: datetime, exec_date: date, root_start: datetime, ties: tuple[Tie, ...]
    ) -> RootRun:
        rules = frozenset(tie.rule for tie in ties)
        return RootRun(self.calendar.ajs_day(registered), exec_date, root_start, rules)
