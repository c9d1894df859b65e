"""Lints: what is suspicious in right definitions, by code, as a table that a domain person can read."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from ajs.calendar import Calendar, CalendarSettings
from ajs.lint import Linter, OddHour, Severity
from ajs.lint.linter import _why_registration_day
from ajs.model import Jobnet
from ajs.schedule import DayMode, Timetable
from tests.notation import calendar, rule, settings

TODAY = date(2026, 8, 10)  # a Monday
WEEKEND = "sa su"


def jobnet(rules: str | None, **nested: str) -> Jobnet:
    units = tuple(
        Jobnet(name=name, rules=tuple(map(rule, text.split(";")))) for name, text in nested.items()
    )
    own = None if rules is None else tuple(map(rule, filter(None, rules.split(";"))))
    return Jobnet(name="r", rules=own, units=units)


def lints(made: Jobnet, used: Calendar, mode: DayMode = DayMode.H24) -> list[tuple]:
    linter = Linter(TODAY)
    found = [*linter.root("/g/r", Timetable(made, used, mode)), *linter.calendars()]
    assert all(one.text and "{" not in one.text + one.hint for one in found)
    return [(one.lint.name, one.unit.removeprefix("/g/r"), one.rule) for one in found]


ROOTS = [
    # rules of the root, closed days, what is found
    ("cy=1,d", WEEKEND, []),
    (None, "", []),
    ("", "", []),
    ("sd=5 cy=1,m sh=be", WEEKEND, []),
    # Saturday the 15th with one shift day reaches Sunday only.
    ("sd=15 cy=1,m sh=af shd=1", WEEKEND, [("RUNS_DROPPED", 1)]),
    ("sd=15 cy=1,m sh=af shd=2", WEEKEND, []),
    ("sd=15 cy=1,m sh=no cftd=af,1,1", WEEKEND, [("RUNS_DROPPED", 1)]),
    ("sd=sa:1 cy=1,m", WEEKEND, [("RULE_NEVER_RUNS", 1)]),
    ("sd=sa:1 cy=1,m sh=be shd=1", "fr sa su", [("RULE_NEVER_RUNS", 1)]),
    ("sd=2026/08/10", "", []),
    ("sd=2026/08/09", "", [("RULE_OVER", 1)]),
    ("sd=2026/08/08 cftd=da,2", "", []),
    ("sd=2040/01/05", "", [("RULE_NO_DAY", 1)]),
    ("sd=+35 cy=1,m", "", [("RULE_NO_DAY", 1)]),
    ("sd=*25 cy=1,m", WEEKEND, [("RULE_NO_DAY", 1)]),
    ("cy=1,d st=22:00; n=2 sd=25 cy=1,m st=22:00", "", [("RULES_TOGETHER", 1)]),
    ("cy=1,d st=22:00; n=2 sd=25 cy=1,m st=22:01", "", []),
    ("cy=1,d st=25:00; n=2 sd=25 cy=1,m st=1:00", "", [("RULES_TOGETHER", 1)]),
    ("n=3 sd=sa:1 cy=1,m; n=4 sd=sa:1 cy=1,m", WEEKEND, [("RULE_NEVER_RUNS", 3), ("RULE_NEVER_RUNS", 4)]),
    ("cy=2,w", "", [("REGISTRATION_DAY", 1)]),
    # 31 April is 30 April; 31 April and then every month is the end of each.
    ("sd=04/31", "", [("DAY_CLAMPED", 1)]),
    ("sd=04/31 cy=1,y", "", [("DAY_CLAMPED", 1)]),
    ("sd=02/30 cy=1,y", "", [("DAY_CLAMPED", 1)]),
    ("sd=02/29 cy=1,y", "", []),
    ("sd=04/31 cy=1,m", "", []),
    ("sd=2027/02/29", "", [("DAY_CLAMPED", 1)]),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "closed", "found"), ROOTS)
def test_what_is_found_about_a_root(rules, closed, found):
    expected = [(code, "", number) for code, number in found]
    assert lints(jobnet(rules), calendar(closed)) == expected


NESTED = [
    # rules of the root, rules of the nested jobnet, what is found
    ("cy=1,d", "cy=1,d st=+1:00", []),
    ("cy=1,d", "sd=12/31 cy=1,y", []),
    ("cy=1,d", "sd=sa cy=1,w", [("NESTED_OFF_DAYS", 1)]),
    ("cy=1,d", "cy=1,d ln=2", [("LINK_MISSING", 1)]),
    ("cy=1,d; n=2 sd=1 cy=1,m st=3:00", "ln=2 sd=2 cy=1,m", [("LINK_DEAD", 1)]),
    ("cy=1,d; n=2 sd=2 cy=1,m st=3:00", "ln=2 sd=2 cy=1,m", []),
    ("cy=1,d st=22:00", "cy=1,d st=+25:59", []),
    ("cy=1,d st=22:00", "cy=1,d st=+26:00", [("NESTED_OUTSIDE", 1)]),
    ("cy=1,d", "cy=1,d; n=2 ln=1 sd=sa cy=1,w", [("NESTED_OFF_DAYS", 2)]),
    # A root that never runs says it once; what is nested is not told besides.
    ("sd=sa:1 cy=1,m", "sd=3 cy=1,m", []),
]


@pytest.mark.parametrize(("rules", "nested", "found"), NESTED)
def test_what_is_found_about_a_nested_jobnet(rules, nested, found):
    expected = [(code, "/n", number) for code, number in found]
    told = lints(jobnet(rules, n=nested), calendar(WEEKEND))
    assert [one for one in told if one[1]] == expected


HOSTILE = [
    # Searches that find nothing: they end, at the latest in the last year that can be planned.
    "sd=2027/02/+35",
    "sd=02/+30 cy=1,y",
    "sd=*1 cy=9,y",
    "sd=*b-34 cy=1,m",
    "sd=*1 cy=31,d",
    "sd=5 cy=1,m sh=be shd=31",
    "sd=5 cy=1,m sh=no cftd=be,31,31",
    "sd=@35 cy=1,m",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_search_for_a_run_that_there_is_not_ends(text):
    shut = calendar("mo tu we th fr sa su")
    told = lints(jobnet(f"{text}; n=2 cy=1,d sh=no", n="ln=1 cy=1,d sh=no"), shut)
    assert {("", 1), ("/n", 1)} <= {(unit, number) for _, unit, number in told}


def test_one_clock_time_of_two_execution_dates_is_two_runs_on_a_48_hour_service():
    twice = jobnet("cy=1,d st=25:00; n=2 cy=1,d st=1:00")
    assert lints(twice, calendar(), DayMode.H48) == [("RUNS_AT_ONE_TIME", "", None)]


CALENDARS = [
    # closed days, what is found about the calendar
    ("sa su", []),
    ("sa su 2026/12/31", ["CLOSED_DAYS_KNOWN"]),
    ("sa su 2026/11/07", ["CLOSED_DAYS_END"]),
    ("sa su 2026/11/08", ["CLOSED_DAYS_KNOWN"]),
    ("sa su +2026/08/15", []),
    ("mo tu we th fr sa su", ["NO_OPEN_DAY"]),
]


@pytest.mark.parametrize(("closed", "found"), CALENDARS)
def test_what_is_found_about_a_calendar(closed, found):
    told = lints(jobnet("cy=1,d"), calendar(closed))
    assert [code for code, unit, _ in told if unit == "/g"] == found


def test_rules_that_run_on_closed_days_too_do_not_depend_on_a_calendar():
    assert lints(jobnet("cy=1,d sh=no"), calendar("mo tu we th fr sa su 2026/08/12")) == []


def test_closed_days_of_an_upper_group_are_told_once_with_all_rules_that_depend_on_them():
    upper = ("/", settings("sa su 2026/12/31"))
    linter = Linter(TODAY)
    for group in ("/a", "/b"):
        used = Calendar.effective([(group, CalendarSettings()), upper])
        table = Timetable(jobnet("cy=1,d; n=2 st=1:00 cy=1,d", n="cy=1,d"), used, DayMode.H24)
        assert list(linter.root(f"{group}/r", table)) == []
    (found,) = linter.calendars()
    assert (found.unit, dict(found.facts)["rules"]) == ("/", 6)


REGISTERED = [
    # rule, whether its dates depend on the day of registration
    ("cy=1,d", False),
    ("cy=2,d", True),
    ("cy=1,w", True),
    ("cy=1,m", True),
    ("sd=5 cy=1,m", False),
    ("sd=5 cy=2,m", True),
    ("sd=8/5 cy=2,m", True),
    ("sd=2026/8/5 cy=2,m", False),
    ("sd=8/5 cy=1,y", False),
    ("sd=5 cy=1,y", True),
    ("sd=fr cy=1,w", False),
    ("sd=fr cy=2,w", True),
    ("sd=*1 cy=1,d", False),
    ("sd=*1 cy=3,d", True),
    ("sd=5", False),
]


@pytest.mark.parametrize(("text", "depends"), REGISTERED)
def test_which_rules_depend_on_the_day_of_registration(text, depends):
    assert bool(_why_registration_day(rule(text))) == depends


def test_nested_starts_in_an_odd_hour_are_found_too():
    span = OddHour(datetime(2026, 10, 25, 2), datetime(2026, 10, 25, 3), "twice")
    table = Timetable(jobnet("cy=1,d st=22:00", n="cy=1,d st=+4:30"), calendar(), DayMode.H24)
    found = list(Linter(TODAY).clock_changes("/g/r", table, [span]))
    assert [(one.unit, dict(one.facts)["start"]) for one in found] == [
        ("/g/r/n", datetime(2026, 10, 25, 2, 30))
    ]


def test_names_near_the_limit_and_an_end_of_validity():
    long = Jobnet(name="x" * 30, rules=(rule("cy=1,d"),), valid_until=date(2026, 8, 9))
    path = "/" + "/".join(["x" * 30] * 28)
    found = list(Linter(TODAY).root(path, Timetable(long, calendar(), DayMode.H24)))
    assert [one.lint.name for one in found] == ["NAME_NEAR_LIMIT", "VALID_UNTIL_OVER"]
    assert {one.lint.severity for one in found} == {Severity.NOTE}


@pytest.mark.parametrize(
    ("rules", "other", "found"),
    [
        ("cy=1,d", "cy=1,d", [("RULE_NEVER_RUNS", "", 1)]),
        ("sd=15 cy=1,m st=10:00", "cy=1,d st=22:00", [("RULE_NEVER_RUNS", "", 1)]),
        ("cy=1,d", "sd=15 cy=1,m", []),
        ("n=1 cy=1,d; n=2 sd=15 cy=1,m st=9:00", "sd=15 cy=1,m", [("RULE_NEVER_RUNS", "", 2)]),
    ],
)
def test_a_rule_that_an_exclusive_jobnet_always_excludes(rules, other, found):
    one = Jobnet(name="r", exclusive="other", rules=jobnet(rules).rules)
    beside = Timetable(jobnet(other), calendar(WEEKEND), DayMode.H24)
    table = Timetable(one, beside.calendar, DayMode.H24, beside)
    told = list(Linter(TODAY).root("/g/r", table))
    assert [(f.lint.name, f.unit.removeprefix("/g/r"), f.rule) for f in told] == found
    assert all("its exclusive jobnet other runs on each of them" in f.text for f in told)


@pytest.mark.parametrize(
    ("out", "other", "found"),
    [
        ("cy=1,d", "cy=1,d", [("RULE_NEVER_RUNS", "/out", 1)]),
        ("cy=1,d", "sd=15 cy=1,m", []),
    ],
)
def test_a_nested_rule_that_an_exclusive_jobnet_always_excludes(out, other, found):
    units = (
        Jobnet(name="out", exclusive="other", rules=jobnet(out).rules),
        Jobnet(name="other", rules=jobnet(other).rules),
    )
    root = Jobnet(name="r", rules=jobnet("cy=1,d").rules, units=units)
    told = list(Linter(TODAY).root("/g/r", Timetable(root, calendar(), DayMode.H24)))
    assert [(f.lint.name, f.unit.removeprefix("/g/r"), f.rule) for f in told] == found
    assert all("its exclusive jobnet other runs on each of them" in f.text for f in told)


def test_one_rule_that_depends_on_closed_days_is_one():
    linter = Linter(TODAY)
    used = calendar("2026/12/24")
    made = jobnet("cy=1,m sd=15 sh=be")
    told = [*linter.root("/g/r", Timetable(made, used, DayMode.H24)), *linter.calendars()]
    assert [one.text for one in told] == [
        "closed days are known until 2026-12-24; 1 rule depends on them"
    ]
