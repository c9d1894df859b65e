"""What the rules plan for nested jobnets in one run of their root, each with its reason (rule book section 5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from ajs.calendar import Calendar
from ajs.choices import NESTED_RELATIVE_TO_UPPER
from ajs.model import Jobnet
from ajs.reasons import Because, Reason, around, not_hit, reason, why_on
from ajs.rules import Rule

NESTED_WINDOW = timedelta(hours=48)
"""How long after the base time of the root's execution date a nested jobnet can start (seed 4.5.3 (1), 4.5)."""

_MIDNIGHT = time()


@dataclass(frozen=True, slots=True)
class NestedStart:
    """What the rules plan for one nested jobnet in one run of the root.

    ``at`` is its wall-clock start, or None: then it either ``follows`` its upper jobnet (rule book 5.1, R19) or has no
    schedule in this run; ``why`` says which rule decided, or why there is no schedule; ``rule`` is its
    number.
    """

    at: datetime | None
    follows: bool
    why: str
    rule: int = 1


@dataclass(frozen=True, slots=True)
class RootRun:
    """A run of the root: the AJS day of the registration, its execution date and start, and the rules that made it."""

    registered: date
    exec_date: date
    start: datetime
    rules: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Upper:
    """A jobnet as its nested jobnets see it: its start (None: no schedule), the rules that planned it, its calendar."""

    start: datetime | None
    rules: frozenset[int]
    calendar: Calendar


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What one rule of a nested jobnet gives in a run of its root: a start or None."""

    rule: Rule
    alive: bool
    start: datetime | None
    inside: bool


@dataclass(frozen=True, slots=True)
class Decided:
    """What the rules decide about a nested jobnet in a run of its root, and from what."""

    jobnet: Jobnet
    planned: NestedStart
    as_upper: _Upper
    attempts: tuple[_Attempt, ...]
    verdict: Reason

    @property
    def scheduled(self) -> bool:
        """Whether the rules give it a start, its own or that of its upper jobnet."""
        return self.as_upper.start is not None


@dataclass(frozen=True, slots=True)
class Nesting:
    """The nested jobnets of one root, under its calendar.

    ``calendars`` are those of the job groups that nested jobnets name, by path, with the root's base time: one root
    does not mix two day boundaries (rule book 1.6).
    """

    root: Jobnet
    calendar: Calendar
    calendars: Mapping[str, Calendar]

    def decided(self, run: RootRun) -> Iterator[tuple[str, Decided]]:
        """Yield every nested jobnet's path relative to the root and what is decided about it, upper before lower."""
        yield from self._inside(self.root, "", _Upper(run.start, run.rules, self.calendar), run)

    def _inside(
        self, jobnet: Jobnet, above: str, upper: _Upper, run: RootRun
    ) -> Iterator[tuple[str, Decided]]:
        own = {
            unit.name: self._by_rules(unit, upper, run)
            for unit in jobnet.units
            if isinstance(unit, Jobnet)
        }
        excluded = _excluded(own)
        for name, by_rules in own.items():
            decided = by_rules
            if name in excluded and by_rules.scheduled:
                unit = by_rules.jobnet
                verdict = reason(Because.EXCLUDED, other=unit.exclusive, exec_date=run.exec_date)
                decided = _unscheduled(unit, by_rules.as_upper.calendar, by_rules.attempts, verdict)
            yield above + name, decided
            yield from self._inside(decided.jobnet, f"{above}{name}/", decided.as_upper, run)

    def _by_rules(self, jobnet: Jobnet, upper: _Upper, run: RootRun) -> Decided:
        """Return what is decided about a jobnet, whatever is exclusive to it."""
        calendar = self.calendars.get(jobnet.calendar_of, upper.calendar)
        until = jobnet.valid_until
        if jobnet.rules is None:
            if upper.start is None:
                verdict = reason(Because.UPPER_UNPLANNED)
            elif until is not None and until < run.exec_date:
                verdict = reason(Because.VALID_UNTIL, day=run.exec_date, until=until)
                return _unscheduled(jobnet, calendar, (), verdict)
            else:
                verdict = reason(Because.FOLLOWS, start=upper.start)
            follows = NestedStart(None, follows=True, why=verdict.text)
            return Decided(jobnet, follows, _Upper(upper.start, upper.rules, calendar), (), verdict)
        attempts = tuple(self._attempt(rule, until, calendar, upper, run) for rule in jobnet.rules)
        start = min((a.start for a in attempts if a.inside and a.start), default=None)
        if start is None:
            verdict = _why_unplanned(attempts, upper, run.exec_date)
            return _unscheduled(jobnet, calendar, attempts, verdict)
        makers = frozenset(a.rule.number for a in attempts if a.inside and a.start == start)
        verdict = reason(Because.NESTED_RUNS, start=start, rule=min(makers))
        planned = NestedStart(start, follows=False, why=verdict.text, rule=min(makers))
        return Decided(jobnet, planned, _Upper(start, makers, calendar), attempts, verdict)

    def _attempt(
        self, rule: Rule, until: date | None, calendar: Calendar, upper: _Upper, run: RootRun
    ) -> _Attempt:
        """Return what a nested rule gives on an execution date (rule book 5.2 to 5.7, 4.5; R15)."""
        alive = rule.link in upper.rules
        ended = until is not None and until < run.exec_date
        if not alive or upper.start is None or ended or not _runs(rule, calendar, run):
            return _Attempt(rule, alive, None, inside=False)
        if rule.start_time.relative and NESTED_RELATIVE_TO_UPPER:
            start = upper.start + timedelta(minutes=rule.start_time.minutes)
        else:
            minutes = rule.start_time.after_midnight(self.calendar.base_time)
            start = datetime.combine(run.exec_date, _MIDNIGHT) + timedelta(minutes=minutes)
        first = self.calendar.day_begins(run.exec_date)
        return _Attempt(rule, alive, start, inside=first <= start < first + NESTED_WINDOW)


def _excluded(own: Mapping[str, Decided]) -> frozenset[str]:
    """Return the jobnets whose exclusive jobnet is scheduled, of jobnets beside one another by name (rule book 3.15).

    An exclusive jobnet that is excluded itself excludes nobody. Definitions with a circle are refused; should there be
    one, it is entered at its first jobnet.
    """
    found: dict[str, bool] = {}
    for first in own:
        name, way = first, list[str]()
        while name in own and name not in found:
            found[name] = False
            way.append(name)
            name = own[name].jobnet.exclusive
        for one in reversed(way):
            other = own[one].jobnet.exclusive
            found[one] = other in own and own[other].scheduled and not found[other]
    return frozenset(name for name, is_so in found.items() if is_so)


def explained(decided: Decided, run: RootRun) -> Iterator[Reason]:
    """Yield why a nested jobnet starts as was decided: rule by rule, then the outcome."""
    for attempt in decided.attempts:
        yield from _explain_attempt(decided, attempt, run)
    yield decided.verdict


def _explain_attempt(decided: Decided, attempt: _Attempt, run: RootRun) -> Iterator[Reason]:
    rule, calendar, until = attempt.rule, decided.as_upper.calendar, decided.jobnet.valid_until
    linked = Because.LINKED if attempt.alive else Because.NOT_LINKED
    yield reason(linked, rule=rule.number, link=rule.link)
    if not attempt.alive:
        return
    found, following = around(
        rule,
        calendar,
        run.registered,
        run.exec_date,
        run.registered.__le__,
        lambda o: run.exec_date in {o.day, o.substituted, o.runs_on},
    )
    for occurrence in found:
        yield from why_on(occurrence, calendar)
        if until is not None and occurrence.runs_on is not None and until < occurrence.runs_on:
            yield reason(Because.VALID_UNTIL, day=occurrence.runs_on, until=until)
    if not found:
        yield from not_hit(rule, run.exec_date, following, until)
    if attempt.start is not None:
        yield reason(Because.NESTED_START, start=attempt.start)


def _runs(rule: Rule, calendar: Calendar, run: RootRun) -> bool:
    """Return whether a nested rule gives the run's execution date, before its start time (rule book 5.3)."""
    found, _ = around(
        rule,
        calendar,
        run.registered,
        run.exec_date,
        run.registered.__le__,
        lambda occurrence: occurrence.runs_on == run.exec_date,
    )
    return bool(found)


def _unscheduled(
    jobnet: Jobnet, calendar: Calendar, attempts: tuple[_Attempt, ...], verdict: Reason
) -> Decided:
    planned = NestedStart(None, follows=False, why=verdict.text)
    return Decided(jobnet, planned, _Upper(None, frozenset(), calendar), attempts, verdict)


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
