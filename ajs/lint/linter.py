"""What is suspicious in definitions and calendars that are right: rules that never run, runs that are dropped, ...

Everything is looked at as if the jobnets were registered at the beginning of today. A finding is data: a stable code,
where it is, and facts; its text and its hint are for people. *Warn*: a run is lost or doubled, and probably nobody
meant it. *Note*: in order, but better known.
"""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import chain, takewhile

from ajs.calendar import Calendar
from ajs.lint.findings import (
    ENDS_SOON,
    LEAP_YEAR,
    NEAR_LIMIT,
    YEAR,
    YEARS,
    Finding,
    Lint,
    OddHour,
    found,
)
from ajs.lint.nested import Case, of_rule
from ajs.model import PATH_BYTES, Jobnet
from ajs.reasons import Because
from ajs.rules import CycleUnit, FromStart, Occurrence, Rule, StartTime, Substitute, occurrences
from ajs.schedule import DayMode, Slot, Start, Timetable
from ajs.start_days import Counting, DayFromEnd, DayNumber, Nth, RegisteredDay, WeekdayOfMonth

_DEAD = {Lint.RULE_NEVER_RUNS, Lint.RULE_NO_DAY, Lint.RULE_OVER}


@dataclass(slots=True)
class _Calls:
    """Who uses a calendar: the group nearest to its jobnets, and how many of their rules depend on open days."""

    group: str
    rules: int = 0


@dataclass(frozen=True, slots=True)
class _Fate:
    """What becomes of a rule's days: how many it falls on, its first run, and what is dropped."""

    hits: int
    first_run: date | None
    dropped: tuple[Occurrence, ...]
    last_past: date | None


class Linter:
    """Looks at root jobnets one by one, and at the calendars that they used at the end."""

    def __init__(self, today: date) -> None:
        """Begin with none."""
        self._today = today
        self._year_end = today + YEAR
        self._end = today + timedelta(days=YEARS * 366)
        self._fates: dict[tuple[int, Rule, date | None], _Fate] = {}
        self._calls: dict[int, tuple[Calendar, _Calls]] = {}

    # -- one root jobnet --

    def root(self, path: str, timetable: Timetable) -> Iterator[Finding]:
        """Yield what is found about a root jobnet and what is nested in it."""
        jobnet = timetable.jobnet
        rules = (Rule(),) if jobnet.rules is None else jobnet.rules
        nested = (unit.rules or () for _, unit in jobnet.walk() if isinstance(unit, Jobnet))
        self._count(path, timetable.calendar, [*rules, *chain.from_iterable(nested)])
        yield from _names(path, jobnet)
        if jobnet.valid_until is not None and jobnet.valid_until < self._today:
            yield found(Lint.VALID_UNTIL_OVER, path, day=jobnet.valid_until)
            return
        alive = []
        for rule in rules:
            findings = list(self._rule(path, rule, timetable))
            yield from findings
            if not any(f.lint in _DEAD for f in findings):
                alive.append(rule)
        yield from self._together(path, alive, timetable)
        if alive:
            yield from self._nested(path, timetable)

    def _count(self, path: str, calendar: Calendar, rules: Iterable[Rule]) -> None:
        group = calendar.settings[0][0] if calendar.settings else path
        _, calls = self._calls.setdefault(id(calendar), (calendar, _Calls(group)))
        calls.rules += sum(_depends_on_days(rule) for rule in rules)

    def _rule(self, path: str, rule: Rule, timetable: Timetable) -> Iterator[Finding]:
        calendar, until = timetable.calendar, timetable.jobnet.valid_until
        why = _why_registration_day(rule)
        if why:
            yield found(Lint.REGISTRATION_DAY, path, rule.number, why=why)
        yield from _clamped(path, rule)
        fate = self._fate(rule, calendar, until)
        if fate.first_run is None:
            yield self._never(path, rule, fate)
        elif self._excluded(rule, timetable):
            yield found(
                Lint.RULE_NEVER_RUNS,
                path,
                rule.number,
                years=YEARS,
                hits=self._run_days(rule, timetable),
                first=fate.first_run,
                why=f"its exclusive jobnet {timetable.jobnet.exclusive} runs on each of them",
            )
        elif _limited(rule) and fate.dropped:
            days = tuple(one.day for one in fate.dropped)
            yield found(
                Lint.RUNS_DROPPED, path, rule.number, count=len(days), hits=fate.hits, dates=days
            )

    def _excluded(self, rule: Rule, timetable: Timetable) -> bool:
        """Return whether the exclusive jobnet leaves a rule, which has days to run on, no run."""
        if timetable.exclusive is None:
            return False
        return next(self._starts(_alone(rule, timetable), self._end), None) is None

    def _run_days(self, rule: Rule, timetable: Timetable) -> int:
        """Return how many runs a rule would have without the exclusive jobnet."""
        alone = replace(_alone(rule, timetable), exclusive=None)
        return sum(1 for _ in self._starts(alone, self._end))

    def _never(self, path: str, rule: Rule, fate: _Fate) -> Finding:
        if fate.dropped:
            first = fate.dropped[0]
            why = "closed, and the rule skips closed days"
            if rule.substitute is not Substitute.SKIP or first.substituted is not None:
                why = "no open day in reach"
            return found(
                Lint.RULE_NEVER_RUNS,
                path,
                rule.number,
                years=YEARS,
                hits=fate.hits,
                first=first.day,
                why=why,
            )
        if fate.last_past is not None:
            return found(Lint.RULE_OVER, path, rule.number, day=fate.last_past)
        return found(Lint.RULE_NO_DAY, path, rule.number, years=YEARS)

    def _fate(self, rule: Rule, calendar: Calendar, until: date | None) -> _Fate:
        """Return what becomes of a rule's days; equal rules under one calendar are looked at once."""
        key = (id(calendar), replace(rule, number=1, link=1, start_time=StartTime()), until)
        known = self._fates.get(key)
        if known is None:
            known = self._fates[key] = self._followed(rule, calendar, until)
        return known

    def _followed(self, rule: Rule, calendar: Calendar, until: date | None) -> _Fate:
        hits, first_run, last_past = 0, None, None
        dropped = []
        limited = _limited(rule)
        for one in self._days(rule, calendar):
            if one.day > self._end or (
                first_run is not None and (not limited or one.day > self._year_end)
            ):
                break
            runs_on = one.runs_on
            if runs_on is not None and (runs_on < self._today or one.day < self._today):
                last_past = runs_on if runs_on < self._today else last_past
            if one.day < self._today and (runs_on is None or runs_on < self._today):
                continue
            hits += 1
            if runs_on is None:
                dropped.append(one)
            elif until is not None and runs_on > until:
                break
            elif first_run is None:
                first_run = runs_on
        return _Fate(hits, first_run, tuple(dropped), last_past)

    def _days(self, rule: Rule, calendar: Calendar) -> Iterator[Occurrence]:
        return occurrences(rule, calendar, self._today, self._today, self._today.__le__)

    # -- rules that meet --

    def _together(
        self, path: str, rules: Sequence[Rule], timetable: Timetable
    ) -> Iterator[Finding]:
        """Yield which rules give the same run, and which runs of two execution dates start at the same time."""
        meeting = _of_equal_times(rules, timetable.calendar.base_time)
        if not meeting:
            return
        table = replace(timetable, jobnet=replace(timetable.jobnet, rules=tuple(meeting)))
        together: Counter[tuple[int, ...]] = Counter()
        firsts: dict[tuple[int, ...], date] = {}
        at_once: list[date] = []
        before: Slot | None = None
        for start in self._starts(table, self._year_end):
            numbers = tuple(dict.fromkeys(tie.rule for tie in start.ties))
            if len(numbers) > 1:
                together[numbers] += 1
                firsts.setdefault(numbers, start.slot.exec_date)
            if before is not None and before.start == start.slot.start:
                at_once.append(start.slot.start.date())
            before = start.slot
        for numbers, count in together.items():
            named = f"{', '.join(str(n) for n in numbers[:-1])} and {numbers[-1]}"
            first = firsts[numbers]
            yield found(
                Lint.RULES_TOGETHER, path, numbers[0], rules=named, count=count, first=first
            )
        if at_once and timetable.mode is DayMode.H48:
            yield found(Lint.RUNS_AT_ONE_TIME, path, count=len(at_once), first=at_once[0])

    def _starts(self, timetable: Timetable, end: date) -> Iterator[Start]:
        registered = timetable.calendar.day_begins(self._today)
        starts = timetable.starts(registered, self._today)
        return takewhile(lambda start: start.slot.exec_date <= end, starts)

    # -- nested jobnets --

    def _nested(self, path: str, timetable: Timetable) -> Iterator[Finding]:
        """Yield the rules of nested jobnets that never take part in a run of the root."""
        open_cases = {}
        rules_of = {"": timetable.jobnet.rules}
        for below, unit in timetable.jobnet.walk():
            if not isinstance(unit, Jobnet):
                continue
            upper = rules_of[below.rpartition("/")[0]]
            rules_of[below] = upper if unit.rules is None else unit.rules
            for rule in unit.rules or ():
                full = f"{path}/{below}"
                why = _why_registration_day(rule)
                if why and unit.rules:
                    yield found(Lint.REGISTRATION_DAY, full, rule.number, why=why)
                numbers = (1,) if upper is None else tuple(r.number for r in upper)
                if rule.link not in numbers:
                    yield found(Lint.LINK_MISSING, full, rule.number, link=rule.link)
                    continue
                days = None if unit.calendar_of else self._days(rule, timetable.calendar)
                open_cases[below, rule.number] = Case(full, rule, unit.exclusive, days)
        if not open_cases:
            return
        self._try_on_runs(timetable, open_cases)
        for case in open_cases.values():
            yield case.finding()

    def _try_on_runs(self, timetable: Timetable, cases: dict[tuple[str, int], Case]) -> None:
        """Go along the root's runs until every rule took part in one; take those that did out of the cases."""
        registered = timetable.calendar.day_begins(self._today)
        for start in self._starts(timetable, self._end):
            day = start.slot.exec_date
            hit = [key for key, case in cases.items() if case.falls_on(day)]
            if not hit:
                continue
            chains = timetable.explain_nested(registered, day, start.slot.start, start.ties)
            window = timetable.window(day)
            for key in hit:
                below, number = key
                reasons = chains[below]
                excluded = any(one.because is Because.EXCLUDED for one in reasons)
                if cases[key].runs(day, window, of_rule(reasons, number), excluded=excluded):
                    del cases[key]
            if not cases:
                return

    # -- calendars --

    def calendars(self) -> Iterator[Finding]:
        """Yield what is found about the calendars of all jobnets that were looked at."""
        ends: dict[tuple[str, date], int] = {}
        for calendar, calls in self._calls.values():
            if not calls.rules:
                continue
            day = calendar.nth_from(self._today, 1, open_days=True)
            if day is None or day > self._end:
                yield found(
                    Lint.NO_OPEN_DAY, calls.group, years=YEARS, rules=calls.rules, group=calls.group
                )
            last = _last_closed(calendar)
            if last is not None:
                ends[last] = ends.get(last, 0) + calls.rules
        for (group, day), rules in sorted(ends.items()):
            soon = day < self._today + ENDS_SOON
            lint = Lint.CLOSED_DAYS_END if soon else Lint.CLOSED_DAYS_KNOWN
            yield found(lint, group, last=day, rules=rules)

    # -- clock changes --

    def clock_changes(
        self, path: str, timetable: Timetable, odd: Sequence[OddHour]
    ) -> Iterator[Finding]:
        """Yield the starts by rule, nested ones too, that fall into hours that the clocks leave out or show twice."""
        registered = timetable.calendar.day_begins(self._today)
        for span in odd:
            first = max(self._today, span.first.date() - timedelta(days=2))
            for start in timetable.starts(registered, first):
                if start.slot.start >= span.end:
                    break
                nested = timetable.nested(
                    registered, start.slot.exec_date, start.slot.start, start.ties
                )
                at = {"": start.slot.start} | {
                    f"/{below}": one.at for below, one in nested.items() if one.at is not None
                }
                yield from in_odd_hours(path, at, (span,))


def in_odd_hours(
    root: str, starts: dict[str, datetime], odd: Sequence[OddHour]
) -> Iterator[Finding]:
    """Yield a finding for each start, by what follows the root's path, that lies in an odd hour."""
    for below, start in starts.items():
        for span in odd:
            if span.first <= start < span.end:
                yield found(Lint.CLOCK_CHANGE, root + below, start=start, what=span.what)


def _alone(rule: Rule, timetable: Timetable) -> Timetable:
    """Return the timetable with this rule as its only one."""
    return replace(timetable, jobnet=replace(timetable.jobnet, rules=(rule,)))


def _names(path: str, jobnet: Jobnet) -> Iterator[Finding]:
    for full in (path, *(f"{path}/{below}" for below, _ in jobnet.walk())):
        size = len(full.encode())
        if size > PATH_BYTES * NEAR_LIMIT:
            yield found(Lint.NAME_NEAR_LIMIT, full, bytes=size, limit=PATH_BYTES)


def _clamped(path: str, rule: Rule) -> Iterator[Finding]:
    """Yield a finding when a rule names a day that its only month has in no year (rule book 3.3)."""
    day = rule.start_day
    if not isinstance(day, DayNumber) or day.month is None or day.counting is not Counting.ABSOLUTE:
        return
    if rule.cycle is not None and rule.cycle.unit is not CycleUnit.YEAR:
        return  # other months have it
    days = monthrange(LEAP_YEAR if day.year is None or rule.cycle else day.year, day.month)[1]
    if day.number > days:
        yield found(
            Lint.DAY_CLAMPED, path, rule.number, number=day.number, month=day.month, days=days
        )


def _depends_on_days(rule: Rule) -> bool:
    """Return whether open and closed days decide anything about a rule."""
    start_day = rule.start_day
    counted = isinstance(start_day, (DayNumber, DayFromEnd)) and start_day.counting in {
        Counting.OPEN,
        Counting.CLOSED,
    }
    return counted or rule.substitute is not Substitute.RUN or _counts_open_days(rule)


def _counts_open_days(rule: Rule) -> bool:
    moved = rule.days_from_start
    return moved is not None and moved.kind in {FromStart.OPEN_BEFORE, FromStart.OPEN_AFTER}


def _limited(rule: Rule) -> bool:
    """Return whether a rule looks for an open day within some days, so that it may find none."""
    return rule.substitute in {Substitute.BEFORE, Substitute.AFTER} or _counts_open_days(rule)


def _why_registration_day(rule: Rule) -> str:
    """Return how a repeated rule's dates follow from the day of registration (R12, R25), "" where they do not."""
    start_day, cycle = rule.start_day, rule.cycle
    if cycle is None or (cycle.every == 1 and cycle.unit is CycleUnit.DAY):
        return ""
    if isinstance(start_day, RegisteredDay):
        return "that is its first date"
    dated = start_day.month is not None and (start_day.year is not None or cycle.every == 1)
    each_month = cycle.unit is CycleUnit.MONTH and cycle.every == 1
    any_weekday = isinstance(start_day, WeekdayOfMonth) and start_day.nth is Nth.ANY
    each_week = any_weekday and cycle.unit is CycleUnit.WEEK and cycle.every == 1
    if each_month or each_week or (dated and cycle.unit in {CycleUnit.MONTH, CycleUnit.YEAR}):
        return ""
    if start_day.month is not None and start_day.year is not None:
        return ""
    return "its first month or year is taken from that"


def _of_equal_times(rules: Sequence[Rule], base_time: int) -> list[Rule]:
    """Return the rules that share their time of day with another one; only these can meet."""
    times = {}
    for rule in rules:
        at = rule.start_time
        times[rule.number] = (at.minutes + base_time * at.relative) % (24 * 60)
    shared = Counter(times.values())
    return [rule for rule in rules if shared[times[rule.number]] > 1]


def _last_closed(calendar: Calendar) -> tuple[str, date] | None:
    """Return the last single day that a calendar closes, and which group sets it; None when there is none."""
    last = [
        (max(closed), group)
        for group, own in calendar.settings
        if (closed := [day for day, is_open in own.dates if not is_open])
    ]
    if not last:
        return None
    day, group = max(last)
    return group, day
