"""A unit's rules and its upper units' → ordered starts, each with its reason.

The order of rule book section 3: start day, cycle, substitute, days from start give a date (``rules``); here it gets
its start time, execution date, and place among the other rules' runs. What limits dates, such as a last valid day,
belongs between the two (``_planned``, ruling R15); what limits nested jobnets, such as an exclusive jobnet, into
``_decide``. Which groups' calendar counts is the business of the one who makes the ``Calendar``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from heapq import merge
from itertools import groupby, takewhile
from operator import itemgetter
from typing import NamedTuple

from ajs.calendar import LAST_YEAR, Calendar
from ajs.model import Jobnet
from ajs.reasons import Because, Reason, reason, why_on
from ajs.rules import Occurrence, Rule, StartTime, hits, occurrences, reach

EARLY_TIME_IS_NEXT_DAY = True
"""Whether an absolute time of a rule below the base time means the next clock day (rule book 4.4 [decide], R7)."""
NESTED_RELATIVE_TO_UPPER = True
"""Whether a nested relative start time counts from the upper jobnet's start (rule book 4.1 [memory]), not from the
base time of the execution date."""
NESTED_WINDOW = timedelta(hours=48)
"""How long after the base time of the root's execution date a nested jobnet can start (seed 4.5.3 (1), 4.5)."""

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


@dataclass(frozen=True, slots=True)
class Slot:
    """When a run lies: its clock start (wall-clock) and its execution date.

    Neither is derived from the other. Slots are ordered by clock start, then execution date (ruling R26).
    """

    start: datetime
    exec_date: date

    def __lt__(self, other: Slot) -> bool:
        """Order by (clock start, execution date)."""
        return (self.start, self.exec_date) < (other.start, other.exec_date)


class Start(NamedTuple):
    """One run that the rules plan: when it lies and the occurrences that were merged into it.

    ``ties`` is ordered by rule number; the first one supplies the attributes of the run (rule book 2.2, R8).
    """

    slot: Slot
    ties: tuple[Tie, ...]


@dataclass(frozen=True, slots=True)
class NestedStart:
    """What the rules plan for one nested jobnet in one run of the root.

    ``at`` is its wall-clock start, or None: then it either ``follows`` its upper jobnet (rule book 5.1, R19) or has no
    schedule in this run; ``why`` says which rule decided, or why there is no schedule.
    """

    at: datetime | None
    follows: bool
    why: str


@dataclass(frozen=True, slots=True)
class _Registration:
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


@dataclass(frozen=True, slots=True)
class _Upper:
    """A jobnet as its nested jobnets see it: its start, None without schedule, and the rules that planned it."""

    start: datetime | None
    rules: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What one rule of a nested jobnet gives in a run of its root: a start or None."""

    rule: Rule
    alive: bool
    start: datetime | None
    inside: bool


@dataclass(frozen=True, slots=True)
class _Decided:
    """What the rules decide about a nested jobnet in a run of its root, and from what."""

    planned: NestedStart
    as_upper: _Upper
    attempts: tuple[_Attempt, ...]
    verdict: Reason


@dataclass(frozen=True, slots=True)
class Timetable:
    """When a root jobnet and what is nested in it run by their rules, under one calendar."""

    jobnet: Jobnet
    calendar: Calendar
    mode: DayMode

    # -- the root --

    def starts(
        self, registered: datetime, since: date, *, catch_up: bool = True
    ) -> Iterator[Start]:
        """Yield the planned starts with an execution date not before ``since``, in slot order, up to ``LAST_YEAR``.

        ``registered`` is the wall-clock moment of the registration: runs that start before it do not count (R10),
        except those of its own AJS day when ``catch_up`` (6.5, R22). Runs of equal start and execution date are one
        (R8). Lazy: one run of each rule is looked for before the first start is known.
        """
        registration = self._registration(registered, catch_up=catch_up)
        rules = self._rules
        streams = [self._planned(rule, registration, since) for rule in rules]
        if len(rules) == 1 and reach(rules[0]) == (0, 0):
            # No two runs of a rule that never shifts are equal, so the one after need not be looked for.
            for start, exec_date, rule, day in streams[0]:
                yield Start(Slot(start, exec_date), (Tie(rule, day),))
            return
        for (start, exec_date), merged in groupby(merge(*streams), key=itemgetter(0, 1)):
            ties = tuple(Tie(rule, day) for _, _, rule, day in merged)
            yield Start(Slot(start, exec_date), ties)

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

    def _planned(
        self, rule: Rule, registration: _Registration, since: date
    ) -> Iterator[tuple[datetime, date, int, date]]:
        """Yield (start, execution date, rule number, unshifted day) of one rule's runs, never one before another."""
        clock = self._clock(rule.start_time)
        _, ahead = reach(rule)
        # Before its registration day a rule can only matter by a 48-hour time or a shift.
        since_day = max(since, registration.day - _ONE_DAY)
        first = since_day - timedelta(days=ahead) - clock.exec_date
        found = hits(
            rule,
            self.calendar,
            registration.day,
            first,
            lambda runs_on: registration.counts(*clock.placed(runs_on)),
        )
        placed, at, number = clock.placed, registration.at, rule.number
        for day, runs_on in found:
            if runs_on is None:
                continue
            start, exec_date = placed(runs_on)
            if exec_date > _LAST_DAY:
                return
            if exec_date >= since and (start >= at or registration.counts(start, exec_date)):
                yield start, exec_date, number, day

    def _clock(self, at: StartTime) -> _Clock:
        """Return where a start time puts a root's run, or an absolute one a nested jobnet's start."""
        base_time = self.calendar.base_time
        minutes = at.minutes
        if at.relative:
            minutes += base_time
        elif EARLY_TIME_IS_NEXT_DAY and minutes < base_time:
            minutes += _DAY_MINUTES
        days, of_day = divmod(minutes, _DAY_MINUTES)
        on_day = time(*divmod(of_day, 60))
        match self.mode:
            case DayMode.H24:
                exec_days = (minutes - base_time) // _DAY_MINUTES
                return _Clock(timedelta(days), on_day, timedelta(exec_days))
            case DayMode.H48:
                return _Clock(timedelta(days), on_day, timedelta())

    def _explain_rule(self, rule: Rule, registration: _Registration, day: date) -> Iterator[Reason]:
        clock = self._clock(rule.start_time)

        def concerns(occurrence: Occurrence) -> bool:
            exec_date = occurrence.runs_on and clock.placed(occurrence.runs_on)[1]
            return day in {occurrence.day, occurrence.substituted, occurrence.runs_on, exec_date}

        def counts(runs_on: date) -> bool:
            return registration.counts(*clock.placed(runs_on))

        found, following = self._around(rule, registration.day, day, counts, concerns)
        for occurrence in found:
            yield from why_on(occurrence, self.calendar)
            if occurrence.runs_on is not None:
                start, exec_date = clock.placed(occurrence.runs_on)
                yield reason(Because.STARTS, start=start, exec_date=exec_date)
                if not registration.counts(start, exec_date):
                    yield reason(Because.PAST, registered=registration.at)
                elif start < registration.at:
                    yield reason(Because.PAST_TODAY, registered=registration.at)
                elif exec_date.year > LAST_YEAR:
                    yield reason(Because.TOO_LATE, year=LAST_YEAR)
        if not found:
            yield _not_hit(rule, day, following)

    def _around(
        self,
        rule: Rule,
        registered: date,
        day: date,
        counts: Callable[[date], bool],
        concerns: Callable[[Occurrence], bool],
    ) -> tuple[list[Occurrence], date | None]:
        """Return the occurrences that concern a day, and the next unshifted day after it."""
        back, ahead = reach(rule)
        # A start time of the day before can reach into this one.
        first = day - timedelta(days=ahead + 1)
        last = day + timedelta(days=back)
        found: list[Occurrence] = []
        following = None
        for occurrence in occurrences(rule, self.calendar, registered, first, counts):
            if occurrence.day > day and following is None:
                following = occurrence.day
            if occurrence.day > last:
                break
            if concerns(occurrence):
                found.append(occurrence)
        return found, following

    # -- nested jobnets --

    def nested(
        self, registered: datetime, exec_date: date, root_start: datetime, ties: tuple[Tie, ...]
    ) -> dict[str, NestedStart]:
        """Return what the rules plan for every nested jobnet in a run of the root, by relative path.

        ``ties`` are the occurrences of the root's rules that made the run: nested rules linked to any of them are
        alive (rule book 5.2, R5), and of their starts the earliest inside the 48 hours counts (R24).
        """
        found = self._nested(registered, exec_date, root_start, ties)
        return {path: decided.planned for path, decided in found}

    def explain_nested(
        self, registered: datetime, exec_date: date, root_start: datetime, ties: tuple[Tie, ...]
    ) -> dict[str, tuple[Reason, ...]]:
        """Return for every nested jobnet why it starts as ``nested`` says: rule by rule, then the outcome."""
        registered_day = self.calendar.ajs_day(registered)
        chains = {}
        for path, decided in self._nested(registered, exec_date, root_start, ties):
            chain: list[Reason] = []
            for attempt in decided.attempts:
                chain += self._explain_attempt(attempt, registered_day, exec_date)
            chains[path] = (*chain, decided.verdict)
        return chains

    def _nested(
        self, registered: datetime, exec_date: date, root_start: datetime, ties: tuple[Tie, ...]
    ) -> Iterator[tuple[str, _Decided]]:
        """Yield every nested jobnet's relative path and what is decided about it, upper before lower."""
        registered_day = self.calendar.ajs_day(registered)
        uppers = {"": _Upper(root_start, frozenset(tie.rule for tie in ties))}
        for path, unit in self.jobnet.walk():
            if isinstance(unit, Jobnet):
                upper = uppers[path.rpartition("/")[0]]
                decided = self._decide(unit, upper, registered_day, exec_date)
                uppers[path] = decided.as_upper
                yield path, decided

    def _decide(self, jobnet: Jobnet, upper: _Upper, registered: date, exec_date: date) -> _Decided:
        if jobnet.rules is None:
            if upper.start is None:
                verdict = reason(Because.UPPER_UNPLANNED)
            else:
                verdict = reason(Because.FOLLOWS, start=upper.start)
            return _Decided(NestedStart(None, follows=True, why=verdict.text), upper, (), verdict)
        attempts = tuple(self._attempt(rule, upper, registered, exec_date) for rule in jobnet.rules)
        start = min((a.start for a in attempts if a.inside and a.start), default=None)
        makers = frozenset(a.rule.number for a in attempts if a.inside and a.start == start)
        if start is not None:
            verdict = reason(Because.NESTED_RUNS, start=start, rule=min(makers))
        else:
            verdict = _why_unplanned(attempts, upper, exec_date)
        planned = NestedStart(start, follows=False, why=verdict.text)
        return _Decided(planned, _Upper(start, makers), attempts, verdict)

    def _attempt(self, rule: Rule, upper: _Upper, registered: date, exec_date: date) -> _Attempt:
        """Return what a nested rule gives on an execution date (rule book 5.2 to 5.7, 4.5)."""
        alive = rule.link in upper.rules
        if not alive or upper.start is None or not self._runs_on(rule, registered, exec_date):
            return _Attempt(rule, alive, None, inside=False)
        if rule.start_time.relative and NESTED_RELATIVE_TO_UPPER:
            start = upper.start + timedelta(minutes=rule.start_time.minutes)
        else:
            start, _ = self._clock(rule.start_time).placed(exec_date)
        first, end = self.window(exec_date)
        return _Attempt(rule, alive, start, inside=first <= start < end)

    def _runs_on(self, rule: Rule, registered: date, day: date) -> bool:
        """Return whether a nested rule gives a date, before its start time (rule book 5.3)."""
        found, _ = self._around(
            rule, registered, day, registered.__le__, lambda occurrence: occurrence.runs_on == day
        )
        return bool(found)

    def _explain_attempt(
        self, attempt: _Attempt, registered: date, exec_date: date
    ) -> Iterator[Reason]:
        rule = attempt.rule
        linked = Because.LINKED if attempt.alive else Because.NOT_LINKED
        yield reason(linked, rule=rule.number, link=rule.link)
        if not attempt.alive:
            return
        found, following = self._around(
            rule,
            registered,
            exec_date,
            registered.__le__,
            lambda o: exec_date in {o.day, o.substituted, o.runs_on},
        )
        for occurrence in found:
            yield from why_on(occurrence, self.calendar)
        if not found:
            yield _not_hit(rule, exec_date, following)
        if attempt.start is not None:
            yield reason(Because.NESTED_START, start=attempt.start)


def _not_hit(rule: Rule, day: date, following: date | None) -> Reason:
    if following is None:
        return reason(Because.HITS_NO_MORE, rule=rule.number, day=day)
    return reason(Because.HITS_LATER, rule=rule.number, day=day, next=following)


def _why_unplanned(attempts: tuple[_Attempt, ...], upper: _Upper, exec_date: date) -> Reason:
    """Return why no rule of a nested jobnet gives it a start; a start outside the 48 hours comes first (5.7)."""
    if not attempts:
        return reason(Because.UNDEFINED)
    if upper.start is None:
        return reason(Because.UPPER_UNPLANNED)
    for attempt in attempts:
        if attempt.start is not None:
            return reason(
                Because.OUTSIDE_WINDOW, rule=attempt.rule.number, start=attempt.start, day=exec_date
            )
    return reason(Because.NESTED_NO_RUN, day=exec_date)
