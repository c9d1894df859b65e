"""Last valid days, exclusive jobnets, calendars of other groups, searches that end: dates and their reasons.

August 2025 begins on a Friday; everything is registered on 7/31 at noon.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice, takewhile

import pytest

from ajs import rules as rules_module
from ajs import schedule
from ajs.calendar import Calendar
from ajs.model import Job, Jobnet
from ajs.nested import NESTED_WINDOW
from ajs.reasons import Because
from ajs.rules import Cycle, CycleUnit, Rule
from ajs.schedule import DayMode, Tie, Timetable
from ajs.start_days import Counting, Nth, WeekdayOfMonth
from tests.notation import calendar, clock, day, rule

AT = clock("2025/07/31 12:00")
OPEN, WEEKENDS, CLOSED = calendar(), calendar("sa su"), calendar("su mo tu we th fr sa")
AT_8 = calendar(base_time="8:00")
MODES = {"24h": DayMode.H24, "48h": DayMode.H48}


def rules(text):
    return tuple(rule(line) for line in text.split(";") if line.strip())


def table(text, seen=OPEN, mode="24h", exclusive=None, units=(), calendars=None, **said):
    name = "X" if exclusive else ""
    jobnet = Jobnet(name="R", rules=rules(text), exclusive=name, units=units, **said)
    return Timetable(jobnet, seen, MODES[mode], exclusive, calendars or {})


def runs(found, first="2025/07/31", last="2025/08/20"):
    end = datetime.combine(day(last), datetime.min.time()) + timedelta(days=1)
    starts = takewhile(lambda s: s.slot.start < end, found.starts(AT, day(first)))
    return [f"{s.slot.start:%d %H:%M} {s.slot.exec_date:%d}" for s in starts]


VALID = [
    # mode | calendar | rules | valid until | start and execution date of each run
    ("24h", OPEN, "sd=2025/08/01 cy=1,d", "2025/08/02", ["01 00:00 01", "02 00:00 02"]),
    # The rule's date is compared, before the time is added: 25:00 on the last valid day runs (R15).
    ("24h", OPEN, "sd=2025/08/01 cy=1,d st=25:00", "2025/08/01", ["02 01:00 02"]),
    ("48h", OPEN, "sd=2025/08/01 cy=1,d st=25:00", "2025/08/01", ["02 01:00 01"]),
    ("24h", AT_8, "sd=2025/08/01 cy=1,d st=7:00", "2025/08/01", ["02 07:00 01"]),
    # It is compared after substitution: Sunday 8/3 moves to Monday, or back to Friday.
    ("24h", WEEKENDS, "sd=2025/08/03 sh=af", "2025/08/03", []),
    ("24h", WEEKENDS, "sd=2025/08/03 sh=af", "2025/08/04", ["04 00:00 04"]),
    ("24h", WEEKENDS, "sd=2025/08/03 sh=be", "2025/08/01", ["01 00:00 01"]),
    # And after the days from start.
    ("24h", OPEN, "sd=2025/08/01 cftd=da,2", "2025/08/02", []),
    ("24h", OPEN, "sd=2025/08/05 cftd=db,2", "2025/08/03", ["03 00:00 03"]),
    # All days were over before the registration.
    ("24h", OPEN, "sd=en cy=1,d", "2025/07/30", []),
    # It counts for each rule.
    (
        "24h",
        OPEN,
        "n=1 sd=2025/08/01 cy=1,d st=8:00; n=2 sd=2025/08/02 st=9:00; n=3 sd=2025/08/03",
        "2025/08/02",
        ["01 08:00 01", "02 08:00 02", "02 09:00 02"],
    ),
]


@pytest.mark.parametrize(("mode", "seen", "text", "until", "expected"), VALID)
def test_the_last_valid_day(mode, seen, text, until, expected):
    assert runs(table(text, seen, mode, valid_until=day(until))) == expected


DAILY = "sd=2025/08/01 cy=1,d st=22:00"
EXCLUSIVE = [
    # mode | rules of the exclusive jobnet | rules | start and execution date of each run up to 8/05
    ("24h", "sd=2025/08/02 cy=2,d st=3:00", DAILY, ["01 22:00 01", "03 22:00 03", "05 22:00 05"]),
    # Execution dates are compared, not hours: 25:00 of 8/01 is scheduled on 8/02 with 24 hours, on 8/01 with 48.
    (
        "24h",
        "sd=2025/08/01 st=25:00",
        DAILY,
        ["01 22:00 01", "03 22:00 03", "04 22:00 04", "05 22:00 05"],
    ),
    (
        "48h",
        "sd=2025/08/01 st=25:00",
        DAILY,
        ["02 22:00 02", "03 22:00 03", "04 22:00 04", "05 22:00 05"],
    ),
    # Two runs on a day, in any order.
    (
        "48h",
        "sd=2025/08/03 st=47:00",
        "n=1 sd=2025/08/02 st=25:00; n=2 sd=2025/08/03 st=1:00; n=3 sd=2025/08/04 st=0:30",
        ["03 01:00 02", "04 00:30 04"],
    ),
    # One that is never scheduled takes nothing away; one that always is takes all.
    ("24h", "", "sd=2025/08/01", ["01 00:00 01"]),
    ("24h", "sd=en cy=1,d", DAILY, []),
    # The past of the registration's own day counts for the day; a run of the day before does not.
    ("24h", "sd=en st=9:00", "sd=en cy=1,d st=22:00", [f"0{n} 22:00 0{n}" for n in range(1, 6)]),
]


@pytest.mark.parametrize(("mode", "other", "text", "expected"), EXCLUSIVE)
def test_exclusive_jobnets(mode, other, text, expected):
    found = table(text, mode=mode, exclusive=table(other, mode=mode))
    assert runs(found, last="2025/08/05") == expected


def test_exclusion_goes_one_way_and_an_excluded_jobnet_excludes_nobody():
    first = table("sd=2025/08/01 cy=3,d")
    second = table("sd=2025/08/01 cy=1,d", exclusive=first)
    third = table("sd=2025/08/01 cy=1,d", exclusive=second)
    assert [line[:2] for line in runs(second, last="2025/08/06")] == ["02", "03", "05", "06"]
    assert [line[:2] for line in runs(third, last="2025/08/08")] == ["01", "04", "07"]


def test_an_exclusive_jobnet_that_is_valid_no_more_takes_nothing_away():
    other = table("sd=2025/08/01 cy=1,d", valid_until=day("2025/08/03"))
    found = table("sd=2025/08/01 cy=1,d", exclusive=other)
    assert [line[:2] for line in runs(found, last="2025/08/05")] == ["04", "05"]


def said(chain):
    return [reason.text for reason in chain]


def test_why_a_day_is_behind_the_last_valid_one():
    found = table("sd=2025/08/01 cy=2,d", valid_until=day("2025/08/03"))
    assert said(found.explain(AT, day("2025/08/05"))) == [
        "rule 1 falls on 2025-08-05",
        "2025-08-05 is open: no calendar sets it",
        "2025-08-05 lies after the last valid day 2025-08-03: no run",
        "by the rules no run has the execution date 2025-08-05",
    ]
    assert said(found.explain(AT, day("2025/08/04"))) == [
        "rule 1 does not fall on 2025-08-04; the next day it falls on is 2025-08-05",
        "2025-08-05 lies after the last valid day 2025-08-03: no run",
        "by the rules no run has the execution date 2025-08-04",
    ]
    assert said(found.explain(AT, day("2025/08/02")))[0].endswith("falls on is 2025-08-03")
    last_day = found.explain(AT, day("2025/08/03"))
    assert last_day[-1].because is Because.RUNS
    assert Because.VALID_UNTIL not in {reason.because for reason in last_day}


def test_why_an_exclusive_jobnet_takes_a_day_away_or_not():
    found = table("sd=2025/08/01 cy=1,d", exclusive=table("sd=2025/08/02"))
    assert said(found.explain(AT, day("2025/08/02")))[-3:] == [
        "its start time gives 2025-08-02 00:00, execution date 2025-08-02",
        "the exclusive jobnet X is scheduled on 2025-08-02: no run",
        "by the rules no run has the execution date 2025-08-02",
    ]
    assert said(found.explain(AT, day("2025/08/03")))[-2:] == [
        "the exclusive jobnet X is not scheduled on 2025-08-03",
        "a run starts at 2025-08-03 00:00 by rule 1",
    ]


# -- nested jobnets --


def net(name, text=None, *units, **more):
    own = None if text is None else rules(text)
    return Jobnet(name=name, rules=own, units=units, **more)


def nested(found, exec_date, start):
    """Path → start by the clock, ``follows`` or ``-``; and the last reason of each."""
    given = (AT, day(exec_date), clock(start), (Tie(1, day(exec_date)),))
    starts, chains = found.nested(*given), found.explain_nested(*given)
    assert {path: chain[-1].text for path, chain in chains.items()} == {
        path: start.why for path, start in starts.items()
    }
    return {
        path: "follows" if s.follows else f"{s.at:%d %H:%M}" if s.at else "-"
        for path, s in starts.items()
    }, chains


UNTIL_4, UNTIL_3 = {"valid_until": day("2025/08/04")}, {"valid_until": day("2025/08/03")}
NESTED = [
    # units | what is planned in the run of Monday 8/04 9:00
    ([net("A", "sd=en cy=1,d st=+1:00", **UNTIL_4)], {"A": "04 10:00"}),
    ([net("A", "sd=en cy=1,d st=+1:00", **UNTIL_3)], {"A": "-"}),
    # The root's execution date is compared, not the start (R15).
    ([net("A", "sd=en cy=1,d st=25:00", **UNTIL_4)], {"A": "05 01:00"}),
    # One that depends on its upper jobnet ends too, and what is inside goes with it.
    ([net("A", None, net("B"), **UNTIL_4)], {"A": "follows", "A/B": "follows"}),
    ([net("A", None, net("C", "sd=en cy=1,d"), **UNTIL_3)], {"A": "-", "A/C": "-"}),
    # Exclusive ones beside one another: by the run, whichever stands first.
    ([net("A", exclusive="B"), net("B")], {"A": "-", "B": "follows"}),
    ([net("B"), net("A", exclusive="B")], {"A": "-", "B": "follows"}),
    ([net("A", exclusive="B"), net("B", "sd=2025/08/05")], {"A": "follows", "B": "-"}),
    ([net("A", "sd=en cy=1,d", exclusive="B"), net("B", "sd=2025/08/04")], None),
    # One that is excluded itself excludes nobody; one outside its 48 hours neither.
    (
        [net("A", exclusive="B"), net("B", exclusive="C"), net("C")],
        {"A": "follows", "B": "-", "C": "follows"},
    ),
    (
        [net("A", exclusive="B"), net("B", "sd=en cy=1,d st=+40:00")],
        {"A": "follows", "B": "-"},
    ),
    ([net("A", exclusive="B"), Job(name="B", command="x")], {"A": "follows"}),
    # Definitions with a circle are refused; one that got in otherwise still has an answer.
    ([net("A", exclusive="B"), net("B", exclusive="A")], {"A": "follows", "B": "-"}),
]


@pytest.mark.parametrize(("units", "expected"), NESTED, ids=range(len(NESTED)))
def test_nested_jobnets_by_last_valid_day_and_exclusive_jobnet(units, expected):
    found, _ = nested(table("sd=en cy=1,d", units=units), "2025/08/04", "2025/08/04 9:00")
    assert found == (expected or {"A": "-", "B": "04 09:00"})


def test_why_a_nested_jobnet_is_excluded_or_valid_no_more():
    units = [
        net("A", "sd=en cy=1,d", exclusive="B"),
        net("B"),
        net("C", "sd=en cy=1,d", **UNTIL_3),
        net("D", **UNTIL_3),
        net("E", "sd=2025/08/06", **UNTIL_3),
    ]
    _, chains = nested(table("sd=en cy=1,d", units=units), "2025/08/04", "2025/08/04 9:00")
    assert said(chains["A"])[-2:] == [
        "its start time gives 2025-08-04 09:00",
        "the exclusive jobnet B is scheduled on 2025-08-04: no run",
    ]
    assert said(chains["C"])[-2:] == [
        "2025-08-04 lies after the last valid day 2025-08-03: no run",
        "no rule gives it a start on the execution date 2025-08-04",
    ]
    assert said(chains["D"]) == ["2025-08-04 lies after the last valid day 2025-08-03: no run"]
    assert "2025-08-06 lies after the last valid day 2025-08-03: no run" in said(chains["E"])


def test_why_a_nested_jobnet_runs_on_its_last_valid_day_by_the_first_of_two_rules():
    units = [net("A", "n=1 sd=en cy=1,d; n=2 ln=1 sd=2025/08/04", **UNTIL_4)]
    _, chains = nested(table("sd=en cy=1,d", units=units), "2025/08/04", "2025/08/04 9:00")
    assert not any("last valid day" in text for text in said(chains["A"]))
    assert said(chains["A"])[-1] == "it starts at 2025-08-04 09:00 by rule 1"


def test_what_is_inside_follows_the_earliest_rule_only():
    inside = net("B", "n=1 ln=1 sd=en cy=1,d st=+1:00; n=2 ln=2 sd=en cy=1,d st=+2:00")
    units = [net("A", "n=1 sd=en cy=1,d st=+4:00; n=2 ln=1 sd=en cy=1,d st=+2:00", inside)]
    found, chains = nested(table("sd=en cy=1,d", units=units), "2025/08/04", "2025/08/04 9:00")
    assert found == {"A": "04 11:00", "A/B": "04 13:00"}
    assert said(chains["A"])[-1] == "it starts at 2025-08-04 11:00 by rule 2"


def test_a_long_row_of_exclusive_jobnets_is_decided():
    units = [net(f"N{n}", exclusive=f"N{n + 1}") for n in range(3000)]
    found, _ = nested(table("sd=en", units=units), "2025/07/31", "2025/07/31 12:00")
    assert [found[f"N{n}"] for n in (2999, 2998, 2997)] == ["follows", "-", "follows"]


def test_a_nested_jobnet_uses_the_days_of_another_group_and_the_base_time_of_its_root():
    other = calendar("mo", base_day="4", base_time="11:00").with_base_time(8 * 60)
    units = [
        net("A", "sd=en cy=1,d st=7:00", calendar_of="/other"),
        # The first day of the other group's month is 8/04; below it the same calendar counts.
        net("B", "sd=+01 cy=1,m sh=no", net("C", "sd=+01 cy=1,m sh=no"), calendar_of="/other"),
        net("D", "sd=+04 cy=1,m sh=no", net("E", "sd=+01 cy=1,m sh=no", calendar_of="/gone")),
    ]
    found = table("sd=en cy=1,d", AT_8, units=units, calendars={"/other": other})
    monday, chains = nested(found, "2025/08/04", "2025/08/04 9:00")
    assert monday == {"A": "-", "B": "04 09:00", "B/C": "04 09:00", "D": "04 09:00", "D/E": "-"}
    assert "2025-08-04 is closed: weekday setting of /g" in said(chains["A"])
    tuesday, _ = nested(found, "2025/08/05", "2025/08/05 9:00")
    # 7:00 lies before the root's base time, so it is that of the next clock day.
    assert tuesday["A"] == "06 07:00"


def test_a_calendar_with_another_base_time_is_the_same_otherwise():
    assert WEEKENDS.with_base_time(0) is WEEKENDS
    moved = WEEKENDS.with_base_time(600)
    assert moved == replace(WEEKENDS, base_time=600)
    assert not moved.is_open(day("2025/08/02"))


# -- searches end --

ENDLESS = {
    "no open day": table("sd=en cy=1,d", CLOSED),
    "no open day in reach": table("sd=en cy=1,d sh=be shd=31", CLOSED),
    "no open day from start": table("sd=en cy=1,d sh=no cftd=af,3,31", CLOSED),
    "no closed day": table("sd=@35 cy=1,m sh=no", OPEN),
    "no open day of a month": table("sd=*35 cy=1,m", OPEN),
    "never valid": table("sd=en cy=1,d", valid_until=day("2000/01/01")),
    "always excluded": table("sd=en cy=1,d", exclusive=table("sd=en cy=1,d")),
}


@pytest.mark.parametrize("found", ENDLESS.values(), ids=ENDLESS)
def test_a_search_for_a_run_that_never_comes_looks_at_few_days(found, monkeypatch):
    looked = 0
    real = rules_module.shifted

    def counted(*args):
        nonlocal looked
        looked += 1
        return real(*args)

    monkeypatch.setattr(rules_module, "shifted", counted)
    assert list(islice(found.starts(AT, day("2025/07/31")), 1)) == []
    assert looked <= 2 * schedule.MOST_EXCLUDED + 10


def test_the_search_goes_on_behind_a_long_time_without_open_days():
    seen = calendar("su mo tu we th fr sa +2040/02/29 +2060/01/01")
    daily = Cycle(1, CycleUnit.DAY)
    for text, expected in {
        "sd=en cy=1,d": ["2040-02-29", "2060-01-01"],
        "sd=en cy=1,d sh=be shd=3": ["2040-02-29", "2060-01-01"],
        "sd=en cy=2,d sh=af shd=1": ["2040-02-29", "2060-01-01"],
        "sd=29 cy=1,m": ["2040-02-29"],
        "sd=*1 cy=1,d": ["2040-02-29", "2060-01-01"],
        "sd=en cy=1,d sh=no cftd=be,1,2": ["2040-02-29", "2060-01-01"],
    }.items():
        found = {f"{s.slot.exec_date}" for s in table(text, seen).starts(AT, day("2025/07/31"))}
        assert sorted(found) == expected, text
    thursdays = WeekdayOfMonth(counting=Counting.ABSOLUTE, weekday=2, nth=Nth.ANY)
    one = Timetable(
        Jobnet(name="R", rules=(Rule(start_day=thursdays, cycle=daily),)), seen, DayMode.H24
    )
    assert [s.slot.exec_date for s in one.starts(AT, day("2025/07/31"))] == [
        day("2040/02/29"),
        day("2060/01/01"),
    ]


def test_an_exclusive_jobnet_may_take_away_many_runs_in_a_row_but_not_for_ever(monkeypatch):
    monkeypatch.setattr(schedule, "MOST_EXCLUDED", 5)
    other = table("sd=2025/08/01 cy=1,d", valid_until=day("2025/08/04"))
    found = table("sd=2025/08/01 cy=1,d", exclusive=other)
    assert runs(found, last="2025/08/05") == ["05 00:00 05"]
    longer = table("sd=2025/08/01 cy=1,d", valid_until=day("2025/08/05"))
    assert runs(table("sd=2025/08/01 cy=1,d", exclusive=longer)) == []


def test_the_window_is_48_hours():
    assert timedelta(days=2) == NESTED_WINDOW
    assert Calendar().with_base_time(0) == Calendar()
