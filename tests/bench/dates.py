"""The dates of a year for 1,000 and 10,000 jobnets, and the next run of each, against other ways to count dates.

    python -m tests.bench.dates

Rules that recurrences and cron expressions can say too are timed side by side, and the floor is a sorted list of the
open days as plain numbers. Every comparison first makes sure that both give the same dates. All seconds are those of
the processor, so that others who work on the machine count less.
"""

from __future__ import annotations

import statistics
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import takewhile
from random import Random
from typing import TypeVar

from croniter import croniter  # type: ignore[import-untyped]
from cronsim import CronSim
from dateutil.rrule import DAILY, MONTHLY, WEEKLY, rrule, weekday

from ajs.calendar import Calendar, CalendarSettings
from ajs.model import Jobnet
from ajs.rules import Rule, dates
from ajs.schedule import DayMode, Timetable
from tests.notation import rule

T = TypeVar("T")

ROUNDS = 7
FIRST, END = date(2026, 4, 1), date(2027, 4, 1)
REGISTERED = datetime(2026, 4, 1)
END_OF_LAST = datetime(2027, 4, 1)
DAYS = range(FIRST.toordinal(), END.toordinal())
PLAIN = Calendar()


def weekends_and_holidays(seed: int) -> Calendar:
    """Weekends and sixteen other days a year closed."""
    random = Random(seed)
    closed = {
        date(year, 1, 1) + timedelta(random.randrange(365))
        for year in range(2025, 2029)
        for _ in range(16)
    }
    own = CalendarSettings(
        weekdays=((5, False), (6, False)), dates=tuple((day, False) for day in sorted(closed))
    )
    return Calendar.effective([("/g", own)])


# -- side by side on rules that others can say --

SIDE_BY_SIDE: list[tuple[str, str, dict, str]] = [
    # what | rule | recurrence | cron expression
    ("every day", "sd=en cy=1,d sh=no st=3:00", {"freq": DAILY}, "0 3 * * *"),
    (
        "every Friday",
        "sd=2026/04/fr cy=1,w sh=no st=3:00",
        {"freq": WEEKLY, "byweekday": 4},
        "0 3 * * 5",
    ),
    (
        "the 15th",
        "sd=2026/04/15 cy=1,m sh=no st=3:00",
        {"freq": MONTHLY, "bymonthday": 15},
        "0 3 15 * *",
    ),
    (
        "last day",
        "sd=2026/04/b cy=1,m sh=no st=3:00",
        {"freq": MONTHLY, "bymonthday": -1},
        "0 3 L * *",
    ),
    (
        "2nd Thursday",
        "sd=2026/04/th:2 cy=1,m sh=no st=3:00",
        {"freq": MONTHLY, "byweekday": weekday(3, 2)},
        "0 3 * * 4#2",
    ),
]


def dates_of(made: Rule, calendar: Calendar = PLAIN) -> list[date]:
    """Return the dates that a rule runs on in the year, without times."""
    found = dates(made, calendar, FIRST, FIRST, FIRST.__le__)
    return [runs_on for _, runs_on in takewhile(lambda hit: hit[0] < END, found)]


def starts_of(table: Timetable) -> list:
    """Return the starts of the year, with execution date and the rules that made them."""
    return list(takewhile(lambda s: s.slot.start < END_OF_LAST, table.starts(REGISTERED, FIRST)))


def explained(table: Timetable) -> int:
    """Return how many links the chains of reasons of all runs of the year have."""
    return sum(len(table.explain(REGISTERED, s.slot.exec_date)) for s in starts_of(table))


def until_end(times: Iterable[datetime]) -> list[datetime]:
    """Return the times of the year."""
    return list(takewhile(lambda at: at < END_OF_LAST, times))


def timed(times: int, ways: Sequence[Callable[[], object]]) -> list[float]:
    """Return the median seconds of each way, taken in turns and so many times at once."""
    taken: list[list[float]] = [[] for _ in ways]
    for _ in range(ROUNDS):
        for way, seconds in zip(ways, taken, strict=True):
            before = time.process_time()
            for _ in range(times):
                way()
            seconds.append((time.process_time() - before) / times)
    return [statistics.median(seconds) for seconds in taken]


def side_by_side(what: str, text: str, recurrence: dict, expression: str) -> None:
    """Print how fast a rule is against a recurrence and a cron expression that give the same times."""
    made = rule(text)
    table = Timetable(Jobnet(name="R", rules=(made,)), PLAIN, DayMode.H24)
    before = REGISTERED - timedelta(minutes=1)

    def recurring() -> list[datetime]:
        return until_end(rrule(dtstart=datetime(2026, 4, 1, 3), **recurrence))

    def cronsim() -> list[datetime]:
        return until_end(CronSim(expression, before))

    def croniters() -> list[datetime]:
        return until_end(croniter(expression, before, ret_type=datetime))

    found = [s.slot.start for s in starts_of(table)]
    assert found == recurring() == cronsim() == croniters()
    assert [at.date() for at in found] == dates_of(made)
    bare, starts, *others = timed(
        10,
        [lambda: dates_of(made), lambda: starts_of(table), recurring, cronsim, croniters],
    )
    (why,) = timed(1, [lambda: explained(table)])
    ratios = [
        f"{name} {other / bare:.1f} / {other / starts:.1f}"
        for name, other in zip(("rrule", "cronsim", "croniter"), others, strict=True)
    ]
    print(
        f"  {what}: {len(found)} runs, {bare * 1e6:.0f} us / {starts * 1e6:.0f} us; {', '.join(ratios)}; "
        f"every chain of reasons {why / len(found) * 1e6:.0f} us a run"
    )


def open_days_side_by_side(
    what: str, text: str, floor: Callable[[list[int]], list[int]], filtered: Callable[..., list]
) -> None:
    """Print how fast the dates on open days are against recurrences that are filtered, and against the floor."""
    calendar = weekends_and_holidays(0)
    opened = [n for n in DAYS if calendar.is_open(date.fromordinal(n))]
    closed = {date.fromordinal(n) for n in DAYS} - {date.fromordinal(n) for n in opened}
    made = rule(text)
    found = dates_of(made, calendar)
    assert found == [date.fromordinal(n) for n in floor(opened)] == filtered(closed)
    ours, bare, others = timed(
        20, [lambda: dates_of(made, calendar), lambda: floor(opened), lambda: filtered(closed)]
    )
    print(
        f"  {what}: {len(found)} dates, {ours * 1e6:.0f} us; rrule with a filter {others / ours:.1f}, "
        f"the floor {bare / ours:.3f}"
    )


def each_open_day(closed: set[date]) -> list[date]:
    """Return the open days by a recurrence of weekdays and a filter."""
    times = until_end(rrule(DAILY, REGISTERED, byweekday=range(5)))
    return [at.date() for at in times if at.date() not in closed]


def last_open_days(closed: set[date]) -> list[date]:
    """Return the last open day of every month in the same way."""
    return list({(day.year, day.month): day for day in each_open_day(closed)}.values())


ENDS = [date(2026 + n // 12, n % 12 + 1, 1).toordinal() for n in range(4, 16)]
OPEN_DAYS: list[tuple[str, str, Callable[[list[int]], list[int]], Callable[..., list]]] = [
    ("each open day", "sd=2026/04/*1 cy=1,d", lambda opened: opened[:], each_open_day),
    (
        "last open day",
        "sd=2026/04/*b cy=1,m",
        lambda opened: [opened[bisect_left(opened, end) - 1] for end in ENDS],
        last_open_days,
    ),
]


# -- many jobnets --

MIX = [
    # how many of 20 | rules
    (4, "sd=en cy=1,d sh=no st={h}:{m:02}"),
    (4, "sd=2026/04/*1 cy=1,d st={h}:{m:02}"),
    (2, "sd=2026/04/{wd} cy=1,w sh=af shd=5 st={h}:{m:02}"),
    (2, "sd=2026/04/{d} cy=1,m sh=be shd=5 st={h}:{m:02}"),
    (2, "sd=2026/04/*b cy=1,m st={h}:{m:02}"),
    (1, "sd=2026/04/*{n} cy=1,m st={h}:{m:02}"),
    (1, "sd=2026/04/{wd}:2 cy=1,m sh=af shd=5 cftd=af,1 st={h}:{m:02}"),
    (1, "sd=2026/04/{d} cy=1,y sh=be shd=9 st={h}:{m:02}"),
    (2, "n=1 sd=en cy=1,d sh=ca st={h}:{m:02};n=2 sd=2026/04/b cy=1,m sh=be shd=5 st={h}:{m:02}"),
    (
        1,
        "n=1 sd=2026/04/mo cy=1,w sh=ca st={h}:{m:02};n=2 sd=2026/04/th cy=1,w sh=ca st={h}:{m:02}",
    ),
]
WEEKDAYS = ("mo", "tu", "we", "th", "fr")


def mixed(count: int) -> list[Timetable]:
    """Return so many jobnets of mixed rules; a hundred of them share a group and its calendar."""
    random = Random(count)
    texts = [text for many, text in MIX for _ in range(many)]
    calendars = [weekends_and_holidays(seed) for seed in range(max(1, count // 100))]
    made = []
    for number in range(count):
        values = {
            "h": random.randrange(30),
            "m": random.randrange(60),
            "d": random.randint(1, 31),
            "n": random.randint(1, 20),
            "wd": random.choice(WEEKDAYS),
        }
        text = texts[number % len(texts)].format(**values)
        jobnet = Jobnet(name=f"net{number}", rules=tuple(rule(one) for one in text.split(";")))
        made.append(Timetable(jobnet, calendars[number % len(calendars)], DayMode.H48))
    return made


def once(way: Callable[[], T]) -> tuple[float, T]:
    """Return the seconds of a way and what it gives."""
    before = time.process_time()
    found = way()
    return time.process_time() - before, found


def many(count: int) -> float:
    """Print what a year, and the next run, of so many jobnets cost; return the seconds for one run."""
    tables = mixed(count)
    # Cold: no calendar was asked anything yet, as in a command.
    cold, _ = once(lambda: [next(t.starts(REGISTERED, FIRST), None) for t in tables])
    warm, _ = once(lambda: [next(t.starts(REGISTERED, FIRST), None) for t in tables])
    year, count_of = once(lambda: sum(len(starts_of(t)) for t in tables))
    print(
        f"  {count}: {count_of} runs in {year:.2f} s, {year / count_of * 1e6:.2f} us each; "
        f"next run of each jobnet in {cold:.3f} s, asked again {warm:.3f} s"
    )
    return year / count_of


def main() -> None:
    """Print all of it."""
    print("one rule, one year: dates / starts; how many times as long others take for them:")
    for example in SIDE_BY_SIDE:
        side_by_side(*example)
    print("on open days; how many times as long others take:")
    for kind in OPEN_DAYS:
        open_days_side_by_side(*kind)
    print("a year of so many jobnets:")
    few, ten_times = many(1_000), many(10_000)
    print(f"  a run of ten times as many jobnets takes {ten_times / few:.2f} times as long")


if __name__ == "__main__":
    main()
