"""From dates to starts: times, execution dates, merged runs, nested jobnets, and the reasons.

Saturdays and Sundays are closed in ``WEEKENDS``. August 2025 begins on a Friday.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice, takewhile

import pytest

from ajs import nested as nested_module
from ajs import rules as rules_module
from ajs.model import Job, Jobnet
from ajs.reasons import Because
from ajs.schedule import DayMode, Slot, Tie, Timetable
from tests.notation import calendar, clock, day, minutes, rule

WEEKENDS = calendar("sa su")
AT_8 = calendar(base_time="8:00")
MODES = {"24h": DayMode.H24, "48h": DayMode.H48}


def rules(text):
    return tuple(rule(line) for line in text.split(";") if line.strip())


def timetable(text, *units, seen=WEEKENDS, mode="24h"):
    return Timetable(Jobnet(name="R", rules=rules(text), units=units), seen, MODES[mode])


def planned(table, registered, span, **options):
    """Lines ``start, execution date, rules`` of the runs of a span of execution dates."""
    first, last = map(day, span.split())
    end = datetime(last.year, last.month, last.day) + timedelta(days=4)
    found = table.starts(clock(registered), first, **options)
    return [
        f"{s.slot.start:%d %H:%M} {s.slot.exec_date:%d} {','.join(str(t.rule) for t in s.ties)}"
        for s in takewhile(lambda s: s.slot.start < end, found)
        if s.slot.exec_date <= last
    ]


TIMES = [
    # mode | calendar | rules | start, execution date, rule of each run. Registered on 7/31 at noon.
    ("24h", WEEKENDS, "sd=2025/08/01", ["01 00:00 01 1"]),
    ("24h", WEEKENDS, "sd=2025/08/01 st=23:59", ["01 23:59 01 1"]),
    # 24 hours: 25:00 is 1:00 of the next execution date; open or closed is judged on the rule's day (4.2).
    ("24h", WEEKENDS, "sd=2025/08/01 st=25:00", ["02 01:00 02 1"]),
    ("24h", WEEKENDS, "sd=2025/08/02 st=25:00", []),
    ("24h", WEEKENDS, "sd=2025/08/01 st=+24:00", ["02 00:00 02 1"]),
    # 48 hours: it stays on its execution date (4.3).
    ("48h", WEEKENDS, "sd=2025/08/01 st=25:00", ["02 01:00 01 1"]),
    ("48h", WEEKENDS, "sd=2025/08/01 st=47:59", ["02 23:59 01 1"]),
    # Base time 8:00: relative times count from it, absolute ones below it are the next clock day (4.1, R7).
    ("24h", AT_8, "sd=2025/08/01 st=+0:00", ["01 08:00 01 1"]),
    ("24h", AT_8, "sd=2025/08/01 st=+23:59", ["02 07:59 01 1"]),
    ("24h", AT_8, "sd=2025/08/01 st=+24:00", ["02 08:00 02 1"]),
    ("24h", AT_8, "sd=2025/08/01 st=8:00", ["01 08:00 01 1"]),
    ("24h", AT_8, "sd=2025/08/01 st=7:59", ["02 07:59 01 1"]),
    # 31:00 names the same moment; 33:00 lies on the next AJS day of a 24-hour root (R6).
    (
        "24h",
        AT_8,
        "n=1 sd=2025/08/01 st=31:00; n=2 sd=2025/08/01 st=7:00; n=3 sd=2025/08/01 st=33:00",
        ["02 07:00 01 1,2", "02 09:00 02 3"],
    ),
    ("48h", AT_8, "sd=2025/08/01 st=33:00", ["02 09:00 01 1"]),
    ("48h", AT_8, "sd=2025/08/01 st=7:00", ["02 07:00 01 1"]),
    ("48h", AT_8, "sd=2025/08/01 st=+47:59", ["03 07:59 01 1"]),
    # Several rules: the earliest first; equal ones are one run, the lowest number first (2.2).
    (
        "24h",
        WEEKENDS,
        "n=1 sd=2025/08/15 st=18:00; n=2 sd=2025/08/15 st=9:00",
        ["15 09:00 15 2", "15 18:00 15 1"],
    ),
    (
        "24h",
        WEEKENDS,
        "n=5 sd=2025/08/15 st=9:00; n=3 sd=2025/08/15 st=9:00",
        ["15 09:00 15 3,5"],
    ),
    # 48 hours: the same moment on two execution dates is two runs, the earlier date first (R8, R26).
    (
        "48h",
        calendar(),
        "n=1 sd=2025/08/02 st=1:00; n=2 sd=2025/08/01 st=25:00",
        ["02 01:00 01 2", "02 01:00 02 1"],
    ),
    # Two days of one rule moved to the same day: one run, both named (3.13).
    (
        "24h",
        WEEKENDS,
        "sd=2025/08/14 cy=2,d sh=af st=10:00",
        ["14 10:00 14 1", "18 10:00 18 1,1", "20 10:00 20 1", "22 10:00 22 1"],
    ),
]


@pytest.mark.parametrize(("mode", "seen", "text", "expected"), TIMES)
def test_start_times_and_execution_dates(mode, seen, text, expected):
    table = timetable(text, seen=seen, mode=mode)
    assert planned(table, "2025/07/31 12:00", "2025/07/30 2025/08/22") == expected


REGISTRATIONS = [
    # mode | rules | registered | catch up | runs of 8/01..9/30
    # Today's past starts come, for the caller to decide about (6.5); those of earlier days do not.
    ("24h", "sd=2025/08/11 st=10:00", "2025/08/11 12:00", True, ["11 10:00 11 1"]),
    ("24h", "sd=2025/08/11 st=10:00", "2025/08/11 12:00", False, []),
    ("24h", "sd=2025/08/11 st=10:00", "2025/08/12 00:00", True, []),
    ("24h", "sd=2025/08/11 st=12:00", "2025/08/11 12:00", False, ["11 12:00 11 1"]),
    # Moved to today, and past: it comes too (R22).
    ("24h", "sd=2025/08/09 st=10:00 sh=af", "2025/08/11 12:00", True, ["11 10:00 11 1"]),
    # The final start decides, not the unshifted date (R10).
    ("24h", "sd=2025/08/09 st=13:00 sh=af", "2025/08/11 12:00", True, ["11 13:00 11 1"]),
    ("24h", "sd=2025/08/10 st=25:00 sh=no", "2025/08/11 00:30", True, ["11 01:00 11 1"]),
    ("48h", "sd=2025/08/10 st=25:00 sh=no", "2025/08/11 00:30", True, ["11 01:00 10 1"]),
    ("48h", "sd=2025/08/10 st=25:00 sh=no", "2025/08/11 01:30", True, []),
    # The registered day is the AJS day of the registration; nothing of it lies before.
    ("24h", "sd=en cy=1,d st=25:00", "2025/09/29 00:30", True, ["30 01:00 30 1"]),
    # A past start of today is the month's run when it is caught up, else the next month's comes (R38).
    ("24h", "sd=11 st=10:00", "2025/08/11 12:00", True, ["11 10:00 11 1"]),
    ("24h", "sd=11 st=10:00", "2025/08/11 12:00", False, ["11 10:00 11 1"]),
]


@pytest.mark.parametrize(("mode", "text", "registered", "catch_up", "expected"), REGISTRATIONS)
def test_what_counts_after_the_registration(mode, text, registered, catch_up, expected):
    table = timetable(text, mode=mode)
    span = "2025/08/01 2025/09/30"
    assert planned(table, registered, span, catch_up=catch_up) == expected


def test_a_run_of_this_month_that_cannot_be_caught_up_gives_way_to_the_next_month():
    table = timetable("sd=11 st=10:00")
    starts = table.starts(clock("2025/08/11 12:00"), day("2025/08/01"), catch_up=False)
    assert [s.slot.exec_date for s in starts] == [day("2025/09/11")]


def test_a_run_of_yesterday_s_date_lies_on_the_registration_day_where_its_time_is_past_midnight():
    table = timetable("sd=2025/08/01 cy=1,d sh=no st=25:00")
    starts = table.starts(clock("2025/08/11 00:30"), day("2025/08/11"))
    assert [str(s.slot.start) for s in islice(starts, 2)] == [
        "2025-08-11 01:00:00",
        "2025-08-12 01:00:00",
    ]


def test_a_start_at_the_very_moment_of_the_registration_is_not_past():
    chain = timetable("sd=en st=12:00").explain(clock("2025/08/11 12:00"), day("2025/08/11"))
    assert Because.PAST_TODAY not in {reason.because for reason in chain}
    assert chain[-1].because is Because.RUNS


def test_an_ajs_day_decides_what_is_today():
    """Base time 8:00: at 7:00 it is still the 10th, so rule day 10 is the registered day."""
    table = timetable("sd=en st=6:00", seen=AT_8)
    span = "2025/08/01 2025/08/31"
    assert planned(table, "2025/08/11 07:00", span) == ["11 06:00 10 1"]


def test_the_tie_is_the_date_before_any_shift():
    first = next(
        timetable("sd=2025/08/16 sh=af").starts(clock("2025/08/01 00:00"), day("2025/08/01"))
    )
    assert first.ties == (Tie(1, day("2025/08/16")),)
    assert first.slot.exec_date == day("2025/08/18")


def test_a_root_without_rules_runs_on_the_registered_day_and_an_undefined_one_never():
    default = Timetable(Jobnet(name="R"), WEEKENDS, DayMode.H24)
    assert planned(default, "2025/08/11 00:00", "2025/08/11 2025/08/20") == ["11 00:00 11 1"]
    undefined = timetable("")
    assert planned(undefined, "2025/08/11 00:00", "2025/08/11 2025/08/20") == []
    texts = [r.text for r in undefined.explain(clock("2025/08/11 00:00"), day("2025/08/11"))]
    assert texts == ["the schedule is undefined: no run is ever planned"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Neither June nor July has a fifth Friday; with a cycle the months go on (R14).
        ("sd=fr:5", (1,)),
        ("sd=fr:5 cy=1,m", ()),
        ("sd=2025/06/fr:5;n=2 sd=13;n=3 sd=2025/07/fr:5 cy=1,w", (1,)),
        # A day that is past is a day all the same.
        ("sd=2025/05/01", ()),
        ("sd=en", ()),
        # No month has so many open days.
        ("sd=*25 cy=1,m", (1,)),
    ],
)
def test_rules_that_fall_on_no_day(text, expected):
    assert timetable(text).dateless(clock("2025/06/10 12:00")) == expected


def test_the_first_of_144_rules_is_found_without_generating_years():
    table = timetable(";".join(f"n={n} cy=1,d st=+{n // 60}:{n % 60:02}" for n in range(1, 145)))
    found = list(islice(table.starts(clock("2025/08/11 00:00"), day("2090/01/01")), 2))
    assert [s.slot.start for s in found] == [clock("2090/01/02 00:01"), clock("2090/01/02 00:02")]


def test_an_absolute_time_below_the_base_time_can_be_made_to_mean_the_same_clock_day(monkeypatch):
    monkeypatch.setattr(rules_module, "EARLY_TIME_IS_NEXT_DAY", False)
    table = timetable("sd=2025/08/05 st=7:00", seen=AT_8)
    assert planned(table, "2025/07/31 12:00", "2025/08/01 2025/08/10") == ["05 07:00 04 1"]


def test_no_start_is_planned_after_the_last_year():
    table = timetable("sd=2099/12/30 cy=1,d st=25:00", seen=calendar())
    starts = list(table.starts(clock("2025/08/01 00:00"), day("2025/08/01")))
    assert [s.slot.exec_date for s in starts] == [day("2099/12/31")]
    chain = table.explain(clock("2025/08/01 00:00"), day("2100/01/01"))
    assert [r.because for r in chain[-2:]] == [Because.TOO_LATE, Because.NO_RUN]


TYPED = [
    # mode | calendar | typed date and time | clock start | execution date (R6, R7, R30)
    ("24h", WEEKENDS, "2025/08/11 22:00", "2025/08/11 22:00", "2025/08/11"),
    ("24h", WEEKENDS, "2025/08/11 36:00", "2025/08/12 12:00", "2025/08/12"),
    # The seed's example: the same moment, two execution dates.
    ("48h", WEEKENDS, "2025/08/11 36:00", "2025/08/12 12:00", "2025/08/11"),
    ("48h", WEEKENDS, "2025/08/12 12:00", "2025/08/12 12:00", "2025/08/12"),
    # The clock time is the typed one; before that date's base time it belongs to the day before.
    ("24h", AT_8, "2025/08/12 07:00", "2025/08/12 07:00", "2025/08/11"),
    ("24h", AT_8, "2025/08/11 31:00", "2025/08/12 07:00", "2025/08/11"),
    ("24h", AT_8, "2025/08/11 33:00", "2025/08/12 09:00", "2025/08/12"),
    ("48h", AT_8, "2025/08/12 07:00", "2025/08/12 07:00", "2025/08/11"),
    ("48h", AT_8, "2025/08/11 33:00", "2025/08/12 09:00", "2025/08/11"),
    ("48h", AT_8, "2025/08/11 08:00", "2025/08/11 08:00", "2025/08/11"),
]


@pytest.mark.parametrize(("mode", "seen", "text", "start", "exec_date"), TYPED)
def test_what_a_typed_date_and_time_mean(mode, seen, text, start, exec_date):
    table = timetable("sd=en", seen=seen, mode=mode)
    on, at = text.split()
    assert table.typed(day(on), minutes(at)) == Slot(clock(start), day(exec_date))


def test_a_plain_instant_belongs_to_its_ajs_day_also_on_48_hours():
    """Seed: 22:00 on 8/1 and 12 hours later is 10:00 on 8/2, execution date 8/2."""
    assert timetable("", mode="48h").day_of(clock("2025/08/02 10:00")) == day("2025/08/02")
    assert timetable("", seen=AT_8).day_of(clock("2025/08/02 07:59")) == day("2025/08/01")


def test_the_window_of_an_execution_date_is_48_hours_from_its_base_time():
    window = timetable("", seen=AT_8).window(day("2025/08/11"))
    assert window == (clock("2025/08/11 08:00"), clock("2025/08/13 08:00"))


# -- nested jobnets --


def net(name, text=None, *units):
    return Jobnet(name=name, rules=None if text is None else rules(text), units=units)


def nested(table, exec_date, start, made_by="1"):
    ties = tuple(Tie(int(n), day(exec_date)) for n in made_by.split(","))
    at = clock("2025/08/01 12:00")
    return table.nested(at, day(exec_date), clock(start), ties)


NESTED = [
    # mode | calendar | nested rules | root: execution date, start, rules that made it | nested start
    ("24h", WEEKENDS, "sd=2025/08/11 cy=1,d st=10:00", "2025/08/11, 11 09:00, 1", "11 10:00"),
    # Thinned out by its own rule, never added to the root's days (5.3).
    ("24h", WEEKENDS, "sd=2025/08/fr:1 cy=1,w st=10:00", "2025/08/14, 14 09:00, 1", None),
    ("24h", WEEKENDS, "sd=2025/08/fr:1 cy=1,w st=10:00", "2025/08/15, 15 09:00, 1", "15 10:00"),
    # Relative: after the start of the upper jobnet (4.1). Without a time: with it.
    ("24h", WEEKENDS, "sd=2025/08/11 st=+2:00", "2025/08/11, 11 09:00, 1", "11 11:00"),
    ("24h", WEEKENDS, "sd=2025/08/11", "2025/08/11, 11 09:00, 1", "11 09:00"),
    # Earlier than the root: it keeps that time and waits (5.6).
    ("24h", WEEKENDS, "sd=2025/08/11 st=8:00", "2025/08/11, 11 10:00, 1", "11 08:00"),
    # Alive only when linked to a rule that made the root's run, to any of them (5.2, R5).
    ("24h", WEEKENDS, "ln=2 sd=2025/08/11 st=18:00", "2025/08/11, 11 09:00, 1", None),
    ("24h", WEEKENDS, "ln=2 sd=2025/08/11 st=18:00", "2025/08/11, 11 09:00, 1,2", "11 18:00"),
    # Moved by its own substitution to the root's date.
    ("24h", WEEKENDS, "sd=2025/08/09 sh=af st=18:00", "2025/08/11, 11 09:00, 1", "11 18:00"),
    ("24h", WEEKENDS, "sd=2025/08/16 sh=ca st=18:00", "2025/08/16, 16 09:00, 1", None),
    # Hours after midnight stay on the root's date in both modes (4.5).
    ("24h", WEEKENDS, "sd=2025/08/11 st=25:00", "2025/08/11, 11 09:00, 1", "12 01:00"),
    ("48h", WEEKENDS, "sd=2025/08/11 st=47:59", "2025/08/11, 11 09:00, 1", "12 23:59"),
    # Outside the 48 hours: no schedule (5.7); the earliest inside counts (R24).
    ("48h", WEEKENDS, "sd=2025/08/11 st=+20:00", "2025/08/11, 12 06:00, 1", None),
    (
        "48h",
        WEEKENDS,
        "n=1 sd=2025/08/11 st=+20:00; n=2 ln=1 sd=2025/08/11 st=46:00; n=3 ln=1 sd=2025/08/11 st=45:00",
        "2025/08/11, 12 06:00, 1",
        "12 21:00",
    ),
    # Base time 8:00: the window is the 11th 8:00 to the 13th 8:00; 7:00 means the next clock day (R7).
    ("48h", AT_8, "sd=2025/08/11 st=7:00", "2025/08/11, 12 09:00, 1", "12 07:00"),
    ("48h", AT_8, "sd=2025/08/12 st=12:00", "2025/08/11, 12 09:00, 1", None),
    ("24h", AT_8, "sd=2025/08/11 st=47:59", "2025/08/11, 11 09:00, 1", "12 23:59"),
    # An undefined schedule is never planned (2.6).
    ("24h", WEEKENDS, "", "2025/08/11, 11 09:00, 1", None),
]


@pytest.mark.parametrize(("mode", "seen", "text", "root", "expected"), NESTED)
def test_nested_starts(mode, seen, text, root, expected):
    table = timetable("sd=en", net("B", text), seen=seen, mode=mode)
    exec_date, start, made_by = root.split(", ")
    found = nested(table, exec_date, f"2025/08/{start}", made_by)["B"]
    assert not found.follows
    assert found.at == (clock(f"2025/08/{expected}") if expected else None)


def test_nested_jobnets_below_nested_jobnets():
    """What lies below sees the rule that planned its upper jobnet, and counts relative times from that one's start."""
    table = timetable(
        "sd=en",
        Job(name="J"),
        net(
            "report",
            "n=1 ln=2 sd=2025/08/11 st=12:00; n=2 ln=1 sd=2025/08/11 cy=1,d st=+1:00",
            net("by-1", "ln=1 sd=2025/08/11 cy=1,d st=+0:30"),
            net("by-2", "ln=2 sd=2025/08/11 cy=1,d st=+0:30", net("inner")),
        ),
        net("follower", None, net("late", "sd=2025/08/11 cy=1,d st=+3:00")),
        net("friday", "sd=2025/08/fr:1 cy=1,w", net("below"), net("own", "sd=2025/08/11 cy=1,d")),
    )
    found = nested(table, "2025/08/11", "2025/08/11 09:00", made_by="1")
    assert {path: (s.at and f"{s.at:%H:%M}", s.follows) for path, s in found.items()} == {
        "report": ("10:00", False),
        "report/by-1": (None, False),
        "report/by-2": ("10:30", False),
        "report/by-2/inner": (None, True),
        "follower": (None, True),
        "follower/late": ("12:00", False),
        "friday": (None, False),
        "friday/below": (None, True),
        "friday/own": (None, False),
    }
    assert found["report"].why == "it starts at 2025-08-11 10:00 by rule 2"
    assert found["follower"].why.startswith("it depends on its upper jobnet")
    assert found["friday"].why == "no rule gives it a start on the execution date 2025-08-11"
    assert found["friday/below"].why == "its upper jobnet has no schedule in this run"
    assert found["friday/own"].why == "its upper jobnet has no schedule in this run"


def test_equal_nested_starts_of_two_rules_keep_what_is_linked_to_either_alive():
    table = timetable(
        "sd=en",
        net(
            "B",
            "n=1 sd=2025/08/11 st=10:00; n=2 ln=1 sd=2025/08/11 st=10:00",
            net("C", "ln=2 sd=2025/08/11 st=11:00"),
        ),
    )
    found = nested(table, "2025/08/11", "2025/08/11 09:00")
    assert found["B/C"].at == clock("2025/08/11 11:00")


def test_a_relative_nested_start_can_be_made_to_count_from_the_base_time(monkeypatch):
    monkeypatch.setattr(nested_module, "NESTED_RELATIVE_TO_UPPER", False)
    table = timetable("sd=en", net("B", "sd=2025/08/11 st=+2:00"), seen=AT_8)
    found = nested(table, "2025/08/11", "2025/08/11 09:00")
    assert found["B"].at == clock("2025/08/11 10:00")


# -- reasons --

EXPLAINED = [
    # rules | execution date | what explain says. Registered on Monday 8/11 at 12:00.
    (
        "sd=2025/08/11 cy=1,d st=22:00",
        "2025/08/12",
        [
            "rule 1 falls on 2025-08-12",
            "2025-08-12 is open: no calendar sets it",
            "its start time gives 2025-08-12 22:00, execution date 2025-08-12",
            "a run starts at 2025-08-12 22:00 by rule 1",
        ],
    ),
    (
        "sd=2025/08/11 cy=1,d",
        "2025/08/16",
        [
            "rule 1 falls on 2025-08-16",
            "2025-08-16 is closed: weekday setting of /g",
            "the rule does not run on closed days",
            "by the rules no run has the execution date 2025-08-16",
        ],
    ),
    (
        "sd=2025/08/fr:3 cy=1,w",
        "2025/08/18",
        [
            "rule 1 does not fall on 2025-08-18; the next day it falls on is 2025-08-22",
            "by the rules no run has the execution date 2025-08-18",
        ],
    ),
    (
        "sd=2025/08/15",
        "2025/08/18",
        [
            "rule 1 does not fall on 2025-08-18 and on no day after it",
            "by the rules no run has the execution date 2025-08-18",
        ],
    ),
    (
        "sd=2025/08/16 sh=af cftd=af,2,10 st=25:00",
        "2025/08/16",
        [
            "rule 1 falls on 2025-08-16",
            "2025-08-16 is closed: weekday setting of /g",
            "it moves to the nearest open day after it: 2025-08-18",
            "days from start (open days after: 2) give 2025-08-20",
            "its start time gives 2025-08-21 01:00, execution date 2025-08-21",
            "by the rules no run has the execution date 2025-08-16",
        ],
    ),
    (
        "sd=2025/08/16 sh=be shd=1 cftd=be,9,3",
        "2025/08/16",
        [
            "rule 1 falls on 2025-08-16",
            "2025-08-16 is closed: weekday setting of /g",
            "it moves to the nearest open day before it: 2025-08-15",
            "days from start (open days before: 9) find none within 3 plain days: no run",
            "by the rules no run has the execution date 2025-08-16",
        ],
    ),
    (
        "sd=2025/08/16 sh=af shd=1",
        "2025/08/16",
        [
            "rule 1 falls on 2025-08-16",
            "2025-08-16 is closed: weekday setting of /g",
            "no open day after it within the shift days (1): no run",
            "by the rules no run has the execution date 2025-08-16",
        ],
    ),
    (
        "sd=2025/08/16 sh=no cftd=da,1 st=9:00",
        "2025/08/17",
        [
            "rule 1 falls on 2025-08-16",
            "2025-08-16 is closed: weekday setting of /g",
            "the rule runs on closed days too",
            "days from start (plain days after: 1) give 2025-08-17",
            "its start time gives 2025-08-17 09:00, execution date 2025-08-17",
            "a run starts at 2025-08-17 09:00 by rule 1",
        ],
    ),
    (
        "sd=2025/08/01 cy=1,d st=9:00",
        "2025/08/08",
        [
            "rule 1 falls on 2025-08-08",
            "2025-08-08 is open: no calendar sets it",
            "its start time gives 2025-08-08 09:00, execution date 2025-08-08",
            "that is before the registration at 2025-08-11 12:00: no run",
            "by the rules no run has the execution date 2025-08-08",
        ],
    ),
    (
        "n=1 sd=en cy=1,d st=9:00; n=2 sd=en st=9:00",
        "2025/08/11",
        [
            "rule 1 falls on 2025-08-11",
            "2025-08-11 is open: no calendar sets it",
            "its start time gives 2025-08-11 09:00, execution date 2025-08-11",
            "that was earlier on the day of the registration at 2025-08-11 12:00",
            "rule 2 falls on 2025-08-11",
            "2025-08-11 is open: no calendar sets it",
            "its start time gives 2025-08-11 09:00, execution date 2025-08-11",
            "that was earlier on the day of the registration at 2025-08-11 12:00",
            "a run starts at 2025-08-11 09:00 by rule 1",
            "rule 2 gives the same execution date and start: one run",
        ],
    ),
]


@pytest.mark.parametrize(("text", "on", "expected"), EXPLAINED)
def test_why_a_root_runs_or_does_not(text, on, expected):
    chain = timetable(text).explain(clock("2025/08/11 12:00"), day(on))
    assert [r.text for r in chain] == expected


def test_reasons_name_the_setting_that_opens_or_closes_a_day():
    seen = calendar("sa +2025/08/sa 2025/08/13")
    table = timetable("sd=2025/08/11 cy=1,d", seen=seen)
    at = clock("2025/08/10 12:00")
    opened = table.explain(at, day("2025/08/16"))[1]
    assert opened.text == "2025-08-16 is open: weekday in one month setting of /g"
    closed = table.explain(at, day("2025/08/13"))[1]
    assert closed.because is Because.CLOSED
    assert dict(closed.facts) == {"day": day("2025/08/13"), "layer": "date", "group": "/g"}


def test_why_nested_jobnets_run_or_do_not():
    table = timetable(
        "sd=en",
        net("B", "n=1 sd=2025/08/fr:1 cy=1,w; n=2 ln=1 sd=2025/08/11 st=+47:00; n=3 sd=2025/08/11"),
        net("C", "sd=2025/08/11 st=10:00"),
        net("D"),
        net("E", ""),
        mode="48h",
    )
    at = clock("2025/08/01 12:00")
    ties = (Tie(1, day("2025/08/11")),)
    chains = table.explain_nested(at, day("2025/08/11"), clock("2025/08/12 09:00"), ties)
    assert {path: [r.text for r in chain] for path, chain in chains.items()} == {
        "B": [
            "rule 1 is linked to rule 1 of the upper jobnet, which planned this run",
            "rule 1 does not fall on 2025-08-11; the next day it falls on is 2025-08-15",
            "rule 2 is linked to rule 1 of the upper jobnet, which planned this run",
            "rule 2 falls on 2025-08-11",
            "2025-08-11 is open: no calendar sets it",
            "its start time gives 2025-08-14 08:00",
            "rule 3 is linked to rule 3 of the upper jobnet, which did not plan this run",
            "rule 2 gives 2025-08-14 08:00, outside the 48 hours of 2025-08-11",
        ],
        "C": [
            "rule 1 is linked to rule 1 of the upper jobnet, which planned this run",
            "rule 1 falls on 2025-08-11",
            "2025-08-11 is open: no calendar sets it",
            "its start time gives 2025-08-11 10:00",
            "it starts at 2025-08-11 10:00 by rule 1",
        ],
        "D": ["it depends on its upper jobnet and starts with it at 2025-08-12 09:00"],
        "E": ["the schedule is undefined: no run is ever planned"],
    }
    starts = table.nested(at, day("2025/08/11"), clock("2025/08/12 09:00"), ties)
    assert {path: s.why for path, s in starts.items()} == {
        path: chain[-1].text for path, chain in chains.items()
    }
