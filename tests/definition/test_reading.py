"""What right texts mean: text | value."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date

import pytest

from ajs.agents import Agent, AgentGroup, Agents, Destination, Member, Trust
from ajs.calendar import BaseDate, BaseWeekday, CalendarSettings, MonthClass
from ajs.definition.reader import read
from ajs.model import (
    Definitions,
    HoldIf,
    Job,
    JobGroup,
    Jobnet,
    Overlap,
    RootDefinition,
    Script,
    StoredUnits,
)
from ajs.rules import Cycle, CycleUnit, DaysFromStart, FromStart, Rule, StartTime, Substitute
from ajs.start_days import Counting, DayFromEnd, DayNumber, Nth, RegisteredDay, WeekdayOfMonth
from tests.definition.texts import SCRIPT, SHA, STORED, one_script, problems, public_key, reads

ABSOLUTE, RELATIVE, OPEN, CLOSED = Counting


def number(counting, n, year=None, month=None):
    return DayNumber(counting=counting, number=n, year=year, month=month)


def end(counting, back, year=None, month=None):
    return DayFromEnd(counting=counting, back=back, year=year, month=month)


def weekday(day, nth=Nth.ANY, counting=ABSOLUTE, year=None, month=None):
    return WeekdayOfMonth(counting=counting, weekday=day, nth=nth, year=year, month=month)


def root(text):
    """The root jobnet /g/r of a mapping."""
    return reads(f"group: /g\njobnets:\n  r: {text}\n").roots[0].jobnet


def rule(text):
    (found,) = root(f"{{schedule: [{{{text}}}], units: {{}}}}").rules
    return found


def job(text):
    (found,) = root(f"{{units: {{j: {{{text}}}}}}}").units
    return found


def calendar(text):
    return reads(f"group: /g\ncalendar: {{{text}}}\n").groups[0].calendar


START_DAYS = (
    ("registered", RegisteredDay()),
    ("5", number(ABSOLUTE, 5)),
    ("05", number(ABSOLUTE, 5)),
    ("'5'", number(ABSOLUTE, 5)),
    ("31", number(ABSOLUTE, 31)),
    ("{absolute: 5}", number(ABSOLUTE, 5)),
    ("08-13", number(ABSOLUTE, 13, month=8)),
    ("8/13", number(ABSOLUTE, 13, month=8)),
    ("{absolute: 13, month: 8}", number(ABSOLUTE, 13, month=8)),
    ("2026-08-13", number(ABSOLUTE, 13, 2026, 8)),
    ("2026/08/13", number(ABSOLUTE, 13, 2026, 8)),
    # The last day of February, then each 31st.
    ("{absolute: 31, month: 2, year: 2026}", number(ABSOLUTE, 31, 2026, 2)),
    ("02-31", number(ABSOLUTE, 31, month=2)),
    ("{absolute: 13, month: 8, year: 2026}", number(ABSOLUTE, 13, 2026, 8)),
    ("last", end(ABSOLUTE, 0)),
    ("last-30", end(ABSOLUTE, 30)),
    ("{absolute: last}", end(ABSOLUTE, 0)),
    ("{absolute: last, month: 2, year: 2028}", end(ABSOLUTE, 0, 2028, 2)),
    ("{relative: 1}", number(RELATIVE, 1)),
    ("{relative: last-34}", end(RELATIVE, 34)),
    ("{open: 35}", number(OPEN, 35)),
    ("{open: last}", end(OPEN, 0)),
    ("{open: 1, month: 4}", number(OPEN, 1, month=4)),
    ("{closed: last-1}", end(CLOSED, 1)),
    ("fri", weekday(4)),
    ("Friday", weekday(4)),
    ("{weekday: fri}", weekday(4)),
    ("{weekday: mon, nth: 2}", weekday(0, Nth.SECOND)),
    ("{weekday: su, nth: last}", weekday(6, Nth.LAST)),
    (
        "{weekday: mon, nth: 5, counting: relative, year: 2026, month: 8}",
        weekday(0, Nth.FIFTH, RELATIVE, 2026, 8),
    ),
)


@pytest.mark.parametrize(("text", "day"), START_DAYS, ids=[row[0] for row in START_DAYS])
def test_start_days(text, day):
    assert rule(f"start_day: {text}").start_day == day


RULES = (
    ("", Rule()),
    ("start_time: 08:00", Rule(start_time=StartTime(480, relative=False))),
    ("start_time: 22:00", Rule(start_time=StartTime(1320, relative=False))),
    ("start_time: 25:00", Rule(start_time=StartTime(1500, relative=False))),
    ("start_time: 47:59", Rule(start_time=StartTime(2879, relative=False))),
    ("start_time: '0:00'", Rule(start_time=StartTime(0, relative=False))),
    ("start_time: +01:00", Rule(start_time=StartTime(60, relative=True))),
    ("cycle: 1 day", Rule(cycle=Cycle(1, CycleUnit.DAY))),
    ("cycle: every day", Rule(cycle=Cycle(1, CycleUnit.DAY))),
    ("cycle: 31 days", Rule(cycle=Cycle(31, CycleUnit.DAY))),
    ("cycle: every 5 weeks", Rule(cycle=Cycle(5, CycleUnit.WEEK))),
    ("cycle: 12 months", Rule(cycle=Cycle(12, CycleUnit.MONTH))),
    ("cycle: 9 years", Rule(cycle=Cycle(9, CycleUnit.YEAR))),
    ("substitute: before", Rule(substitute=Substitute.BEFORE)),
    ("substitute: AFTER", Rule(substitute=Substitute.AFTER)),
    ("substitute: run", Rule(substitute=Substitute.RUN)),
    ("shift_days: 31", Rule(shift_days=31)),
    (
        "start_day: {closed: 1}",  # ruling R3
        Rule(start_day=number(CLOSED, 1), substitute=Substitute.RUN),
    ),
    (
        "start_day: {closed: 1}, substitute: after",
        Rule(start_day=number(CLOSED, 1), substitute=Substitute.AFTER),
    ),
    ("days_from_start: {open: 1}", Rule(days_from_start=DaysFromStart(FromStart.OPEN_AFTER))),
    (
        "days_from_start: {open: -3, within: 31}",
        Rule(days_from_start=DaysFromStart(FromStart.OPEN_BEFORE, 3, 31)),
    ),
    (
        "days_from_start: {plain: +2}",
        Rule(days_from_start=DaysFromStart(FromStart.PLAIN_AFTER, 2)),
    ),
    (
        "days_from_start: {plain: -31}",
        Rule(days_from_start=DaysFromStart(FromStart.PLAIN_BEFORE, 31)),
    ),
    (
        "start_day: {open: 1}, cycle: 1 day",
        Rule(start_day=number(OPEN, 1), cycle=Cycle(1, CycleUnit.DAY)),
    ),
    ("rule: 0144", Rule(number=144)),
)


@pytest.mark.parametrize(("text", "expected"), RULES, ids=[row[0] for row in RULES])
def test_rules(text, expected):
    assert rule(text) == expected


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ("{}", [1]),
        ("{}, {}, {}", [1, 2, 3]),
        ("{rule: 2}, {}, {}", [1, 2, 3]),
        ("{}, {rule: 1}", [1, 2]),
        ("{rule: 144}, {rule: 7}", [7, 144]),
    ],
)
def test_a_rule_without_number_takes_the_smallest_free_one(numbers, expected):
    rules = root(f"{{schedule: [{numbers}], units: {{}}}}").rules
    assert [r.number for r in rules] == expected


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        # The last time is included when the steps hit it, and no start comes after it.
        ("{start_time: 08:00, repeat: {every: 30 min, until: 09:00}}", {1: 480, 2: 510, 3: 540}),
        ("{start_time: 08:00, repeat: {every: 30 min, until: 08:59}}", {1: 480, 2: 510}),
        ("{start_time: 08:00, repeat: {every: 2h, until: 08:01}}", {1: 480}),
        ("{start_time: 46:59, repeat: {every: 1h, until: 47:59}}", {1: 2819, 2: 2879}),
        # The rules that were written keep their numbers; those made take the smallest free ones.
        (
            "{rule: 2, start_time: 08:00, repeat: {every: 30 min, until: 09:00}}, {start_time: 1:00}, {rule: 3}",
            {1: 60, 2: 480, 3: 0, 4: 510, 5: 540},
        ),
    ],
)
def test_a_repetition_makes_rules(rules, expected):
    found = root(f"{{schedule: [{rules}], units: {{}}}}").rules
    assert {rule.number: rule.start_time.minutes for rule in found} == expected


def test_the_rules_of_a_repetition_are_like_the_first_one_and_follow_the_rule_that_it_follows():
    made = "link: 2, start_day: fri, start_time: +01:00, repeat: {every: 1h, until: +03:00}, cycle: 1 week"
    (nested,) = root(
        f"{{schedule: [{{}}, {{}}], units: {{n: {{schedule: {{{made}}}, units: {{}}}}}}}}"
    ).units
    first = nested.rules[0]
    assert [replace(r, number=1, start_time=first.start_time) for r in nested.rules] == [first] * 3
    assert [r.start_time for r in nested.rules] == [StartTime(m) for m in (60, 120, 180)]
    assert {r.link for r in nested.rules} == {2}
    unlinked = "start_time: +01:00, repeat: {every: 1h, until: +02:00}"
    (nested,) = root(f"{{units: {{n: {{schedule: {{{unlinked}}}, units: {{}}}}}}}}").units
    assert [(r.number, r.link) for r in nested.rules] == [(1, 1), (2, 1)]


def test_a_repetition_may_fill_a_schedule():
    found = root("{schedule: {start_time: 0:00, repeat: {every: 10 min, until: 23:50}}, units: {}}")
    assert [rule.number for rule in found.rules] == list(range(1, 145))


JOBNETS = (
    ("", Jobnet(name="r", rules=(Rule(),))),
    ("valid_until: 2027/03/31", {"valid_until": date(2027, 3, 31)}),
    ("calendar_of: /head-office", {"calendar_of": "/head-office"}),
    ("calendar_of: /", {"calendar_of": "/"}),
    ("exclusive: month-close", {"exclusive": "month-close"}),
    ("overlap: multi", {"overlap": Overlap.MULTI}),
    ("overlap: concurrent", {"overlap": Overlap.CONCURRENT}),
    ("logs_to_keep: 999", {"logs_to_keep": 999}),
    ("hold: yes", {"hold": True}),
    ("priority: 5", {"priority": 5}),
    ("required_time: 1h 30min", {"required_time": 90}),
    ("hold: no", {"hold": False}),
    ("hold: If Abnormal", {"hold_if": HoldIf.ABNORMAL}),
    ("hold: if warning", {"hold_if": HoldIf.WARNING}),
)


@pytest.mark.parametrize(("text", "expected"), JOBNETS, ids=[row[0] for row in JOBNETS])
def test_what_a_root_jobnet_says_besides_its_rules(text, expected):
    plain = Jobnet(name="r", rules=(Rule(),))
    wanted = replace(plain, **expected) if isinstance(expected, dict) else expected
    assert root(f"{{{text}{', ' * bool(text)}units: {{}}}}") == wanted


TWO = {"/a/s": "t", "/a/t": "s"}


def said(text, units):
    return [p.message for p in problems(text, units=units)]


def test_what_is_named_may_stand_in_another_file_or_be_stored():
    first = "group: /a\njobnets:\n  r: {exclusive: s, calendar_of: /b/c, units: {}}\n"
    second = "groups:\n  - {group: /a, jobnets: {s: {units: {}}}}\n  - {group: /b/c/d}\n"
    assert problems(first, second) == ()
    assert {p.value for p in problems(first)} == {"s", "/b/c"}
    assert said(first, StoredUnits(groups={"/b/c": True}, roots={"/a/s": ""})) == []


def test_a_circle_may_close_over_what_is_stored_and_a_renamed_jobnet_is_gone():
    stored = StoredUnits(roots={"/a/s": "t", "/a/t": "r"})
    circle = "group: /a\njobnets:\n  r: {exclusive: s, units: {}}\n"
    assert said(circle, stored) == [
        "these jobnets exclude one another in a circle: r, s, t, r",
    ]
    assert said(circle + "  t: {units: {}}\n", stored) == []
    # A circle that is stored already is not this text's mistake.
    assert said("group: /a\njobnets:\n  x: {units: {}}\n", StoredUnits(roots=TWO)) == []
    renamed = "group: /a\njobnets:\n  r: {exclusive: s, units: {}}\n  v: {was: s, units: {}}\n"
    assert said(renamed, stored) == [
        "exclusive names 's', and there is no such jobnet beside this one",
    ]


def test_a_planning_group_is_known_by_what_is_stored_too():
    stored = StoredUnits(groups={"/a": True, "/b/c": False})
    inside = "job group {} stands in the planning group {}"
    assert said("group: /a/x\n", stored) == [inside.format("'/a/x'", "'/a'")]
    assert said("group: /b\nplanning: yes\n", stored) == [inside.format("'/b/c'", "'/b'")]
    # What is not given stays as it is.
    assert said("group: /a\njobnets: {r: {units: {}}}\n", stored) == []
    also = "groups:\n  - {group: /a, comment: x}\n  - {group: /a/x}\n"
    assert said(also, stored) == [inside.format("'/a/x'", "'/a'")]
    both = "groups:\n  - {group: /a, planning: no}\n  - {group: /a/x}\n"
    assert said(both, stored) == []


def test_144_rules_are_the_most():
    assert len(root("{schedule: [" + "{}," * 144 + "], units: {}}").rules) == 144


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("", (Rule(),)),  # AJS3's default: rule 1 on the registered day
        ("schedule: undefined,", ()),
        ("schedule: {start_time: 22:00},", (Rule(start_time=StartTime(1320, relative=False)),)),
    ],
)
def test_the_schedule_of_a_root(schedule, expected):
    assert root(f"{{{schedule} units: {{}}}}").rules == expected


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("", None),  # it depends on the jobnet above (rule book 5.1)
        ("schedule: undefined,", ()),
        ("schedule: [{rule: 5}],", (Rule(number=5, link=5),)),
        ("schedule: [{rule: 1, link: 5}],", (Rule(number=1, link=5),)),
        (
            "schedule: [{rule: 2, link: 5}, {link: 5}],",
            (Rule(number=1, link=5), Rule(number=2, link=5)),
        ),
    ],
)
def test_the_schedule_of_a_nested_jobnet(schedule, expected):
    upper = root(f"{{schedule: [{{rule: 5}}], units: {{n: {{{schedule} units: {{}}}}}}}}")
    assert upper.units[0].rules == expected


def test_a_link_reaches_through_jobnets_that_depend_on_the_one_above():
    text = "{schedule: [{rule: 5}], units: {m: {units: {n: {schedule: [{link: 5}], units: {}}}}}}"
    assert root(text).units[0].units[0].rules == (Rule(link=5),)


SAT_CLOSED = CalendarSettings(weekdays=((5, False),))
CALENDARS = (
    ("", CalendarSettings()),
    ("base_time: 08:00", CalendarSettings(base_time=480)),
    ("base_time: 0:00", CalendarSettings(base_time=0)),
    ("base_time: 11:59", CalendarSettings(base_time=719)),
    ("base_day: 31", CalendarSettings(base_day=BaseDate(31))),
    ("base_day: {weekday: mon, nth: 2}", CalendarSettings(base_day=BaseWeekday(0, 2))),
    ("month: this", CalendarSettings(month=MonthClass.THIS)),
    ("month: next", CalendarSettings(month=MonthClass.NEXT)),
    ("closed: [sat]", SAT_CLOSED),
    ("closed: sat", SAT_CLOSED),
    ("closed: []", CalendarSettings()),
    ("closed: [sun, sat]", CalendarSettings(weekdays=((5, False), (6, False)))),
    ("closed: [sat], open: [sun]", CalendarSettings(weekdays=((5, False), (6, True)))),
    ("open: [2026-12-26]", CalendarSettings(dates=((date(2026, 12, 26), True),))),
    ("open: [2026/1/2]", CalendarSettings(dates=((date(2026, 1, 2), True),))),
    (
        "closed: [1994-01-01, 2099-12-31]",
        CalendarSettings(dates=((date(1994, 1, 1), False), (date(2099, 12, 31), False))),
    ),
    ("open: [2026-08 sat]", CalendarSettings(month_weekdays=((2026, 8, 5, True),))),
    ("open: [2026/08 saturday]", CalendarSettings(month_weekdays=((2026, 8, 5, True),))),
    (
        "closed: [sat], open: [2026-08 sat, 2026-08-01]",
        CalendarSettings(
            weekdays=((5, False),),
            month_weekdays=((2026, 8, 5, True),),
            dates=((date(2026, 8, 1), True),),
        ),
    ),
)


@pytest.mark.parametrize(("text", "expected"), CALENDARS, ids=[row[0] for row in CALENDARS])
def test_calendars(text, expected):
    assert calendar(text) == expected


JOBS = (
    ("command: python total.py", Job(name="j", command="python total.py")),
    ("type: job, command: x", Job(name="j", command="x")),
    ("command: 0755", Job(name="j", command="0755")),
    ("command: 1_000", Job(name="j", command="1_000")),
    ("command: no", Job(name="j", command="no")),
    ("command: 22:00", Job(name="j", command="22:00")),
    ("command: null", Job(name="j", command="null")),
    ("command: x, comment: on", Job(name="j", command="x", comment="on")),
    ("command: x, comment: ''", Job(name="j", command="x")),
    ("script: run.sh", Job(name="j", script=SHA)),
    ("script: run.sh, parameters: --all 1", Job(name="j", script=SHA, command="--all 1")),
    (f"script: sha256:{SHA}", Job(name="j", script=SHA)),
    ("command: x, work_dir: /srv", Job(name="j", command="x", work_dir="/srv")),
    (
        "command: x, environment: {B: 0755, A: ''}",
        Job(name="j", command="x", environment=(("A", ""), ("B", "0755"))),
    ),
    ("command: x, timeout: 2h", Job(name="j", command="x", timeout_s=7200)),
    ("command: x, timeout: 90s", Job(name="j", command="x", timeout_s=90)),
    ("command: x, timeout: 10 min", Job(name="j", command="x", timeout_s=600)),
    ("command: x, timeout: 1h 30m", Job(name="j", command="x", timeout_s=5400)),
    ("command: x, timeout: 31 days", Job(name="j", command="x", timeout_s=31 * 86400)),
    ("command: x, abnormal_above: 007", Job(name="j", command="x", abnormal_above=7)),
    ("command: x, abnormal_above: 1_000", Job(name="j", command="x", abnormal_above=1000)),
    (
        "command: x, warning_above: 3, abnormal_above: 7",
        Job(name="j", command="x", warning_above=3, abnormal_above=7),
    ),
    ("command: x, priority: 1", Job(name="j", command="x", priority=1)),
    ("command: x, hold: yes", Job(name="j", command="x", hold=True)),
    ("command: x, hold: On", Job(name="j", command="x", hold=True)),
    ("command: x, hold: 'true'", Job(name="j", command="x", hold=True)),
    ("command: x, hold: no", Job(name="j", command="x")),
    ("command: x, hold: off", Job(name="j", command="x")),
    ("command: x, after: []", Job(name="j", command="x")),
)


@pytest.mark.parametrize(("text", "expected"), JOBS, ids=[row[0] for row in JOBS])
def test_jobs(text, expected):
    assert job(text) == expected


def test_units_keep_their_order_and_names_are_texts_of_any_look():
    units = root(
        "{units: {no: {command: x}, 22: {command: x, after: no}, 1.5: {command: x, after: [22, no]}}}"
    ).units
    assert [(unit.name, unit.after) for unit in units] == [
        ("no", ()),
        ("22", ("no",)),
        ("1.5", ("22", "no")),
    ]


def test_names_that_look_equal_are_equal():
    composed, decomposed = "が", "が"
    (_, after) = root(
        f"{{units: {{{composed}: {{command: x}}, b: {{command: x, after: {decomposed}}}}}}}"
    ).units
    assert after.after == (composed,)


def test_a_recovery_unit_may_follow_a_recovery_unit():
    first = "a: {command: x}, b: {command: x, after: a, recovery: yes}"
    second = "c: {units: {}, after: b, recovery: yes}"
    assert [unit.recovery for unit in root(f"{{units: {{{first}, {second}}}}}").units] == [
        False,
        True,
        True,
    ]


def test_a_command_of_several_lines_is_kept_as_written():
    lines = "|\n          set -e\n          echo 'a: b' # c\n"
    text = f"group: /g\njobnets:\n  r:\n    units:\n      j:\n        command: {lines}"
    (found,) = reads(text).roots[0].jobnet.units
    assert found == Job(name="j", command="set -e\necho 'a: b' # c\n")


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_endings_and_a_byte_order_mark_change_nothing(ending):
    text = "group: /g\ncomment: 売上\njobnets:\n  r:\n    units: {}\n"
    plain = read([("a", text.encode())], one_script)
    assert read([("a", text.replace("\n", ending).encode("utf-8-sig"))], one_script) == plain


# -- groups and files --


def test_the_example_of_the_design():
    text = """\
group: /sales
calendar: {base_time: 08:00, base_day: 1, closed: [sat, sun, 2026-12-31], open: [2026-12-26]}
jobnets:
  daily-close:
    comment: Totals the day's sales once the shops have reported
    schedule:
      - {rule: 1, start_day: registered, start_time: 22:00, cycle: 1 day, substitute: skip}
      - {rule: 2, start_day: {open: last}, start_time: 27:30, cycle: 1 month, days_from_start: {open: -1, within: 10}}
    units:
      collect: {type: flexible, destination: LB1, relay: RELAYS, command: ./collect.sh, timeout: 2h}
      total:   {after: collect, command: python total.py, warning_above: 3, abnormal_above: 7}
      report:  {after: total, schedule: [{rule: 1, link: 1, start_time: +01:00}], units: {print: {command: ./print.sh}}}
      apology: {after: total, recovery: true, command: ./mail-sales.sh}
"""
    jobnet = Jobnet(
        name="daily-close",
        comment="Totals the day's sales once the shops have reported",
        rules=(
            Rule(
                number=1,
                start_time=StartTime(22 * 60, relative=False),
                cycle=Cycle(1, CycleUnit.DAY),
            ),
            Rule(
                number=2,
                start_day=end(OPEN, 0),
                start_time=StartTime(27 * 60 + 30, relative=False),
                cycle=Cycle(1, CycleUnit.MONTH),
                days_from_start=DaysFromStart(FromStart.OPEN_BEFORE, 1, 10),
            ),
        ),
        units=(
            Job(
                name="collect",
                command="./collect.sh",
                timeout_s=7200,
                destination="LB1",
                relay="RELAYS",
            ),
            Job(
                name="total",
                after=("collect",),
                command="python total.py",
                warning_above=3,
                abnormal_above=7,
            ),
            Jobnet(
                name="report",
                after=("total",),
                rules=(Rule(number=1, link=1, start_time=StartTime(60, relative=True)),),
                units=(Job(name="print", command="./print.sh"),),
            ),
            Job(name="apology", after=("total",), recovery=True, command="./mail-sales.sh"),
        ),
    )
    group = JobGroup(
        path="/sales",
        calendar=CalendarSettings(
            dates=((date(2026, 12, 26), True), (date(2026, 12, 31), False)),
            weekdays=((5, False), (6, False)),
            base_day=BaseDate(1),
            base_time=480,
        ),
    )
    found = reads(text, stored=STORED)
    assert found == Definitions((group,), (RootDefinition("/sales/daily-close", jobnet),))


def test_several_groups_stand_in_one_file():
    text = "groups:\n  - group: /b\n    comment: B\n  - group: /a\n    jobnets: {r: {units: {}}}\n"
    found = reads(text)
    assert [group.path for group in found.groups] == ["/b"]
    assert [root.path for root in found.roots] == ["/a/r"]


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("group: /g\n", ["/g"]),
        ("group: /g\ncomment: x\njobnets: {r: {units: {}}}\n", ["/g"]),
        ("group: /g\ncalendar: {}\njobnets: {r: {units: {}}}\n", ["/g"]),
        ("group: /g\njobnets: {r: {units: {}}}\n", []),
        ("group: /\ncalendar: {closed: [sat]}\n", ["/"]),
    ],
    ids=["alone", "comment", "calendar", "jobnets only", "the service"],
)
def test_an_entry_that_only_adds_jobnets_does_not_describe_its_group(text, groups):
    assert [group.path for group in reads(text).groups] == groups


def test_several_files_add_jobnets_to_one_group():
    files = [
        ("a", b"group: /g\ncomment: x\njobnets: {r: {units: {}}}\n"),
        ("b", b"group: /g\njobnets: {s: {units: {}}}\n"),
        ("c", b"group: /\njobnets: {t: {units: {}}}\n"),
    ]
    found = read(files, one_script)
    assert [root.path for root in found.roots] == ["/g/r", "/g/s", "/t"]


def test_nothing_defines_nothing():
    assert read([], one_script) == Definitions((), ())


@pytest.mark.parametrize(
    ("was", "expected"), [("old", "/g/old"), ("/h/old", "/h/old"), ("/old", "/old")]
)
def test_an_earlier_name_becomes_a_full_path(was, expected):
    text = f"group: /g\njobnets: {{r: {{was: {was}, units: {{}}}}}}\n"
    assert reads(text).roots[0].was == expected


# -- scripts --


def test_scripts_are_asked_for_once_by_the_file_that_names_them_and_kept_by_hash():
    asked = []

    def scripts(file, path):
        asked.append((file, path))
        return b"other" if file == "b" else SCRIPT

    text = b"group: /%s\njobnets: {r: {units: {j: {script: run.sh}, k: {script: run.sh}}}}\n"
    found = read([("a", text % b"a"), ("b", text % b"b")], scripts)
    assert asked == [("a", "run.sh"), ("b", "run.sh")]
    other = Script(hashlib.sha256(b"other").hexdigest(), b"other")
    assert set(found.scripts) == {Script(SHA, SCRIPT), other}


def test_a_stored_script_must_have_the_content_it_is_named_by():
    text = f"group: /g\njobnets: {{r: {{units: {{j: {{script: sha256:{SHA}}}}}}}}}\n"
    (found,) = problems(text, scripts=lambda *_: b"other")
    assert found.message.endswith("has another content than its name says")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PermissionError(13, "Permission denied"), "permission denied"),
        (OSError("not below the folder"), "not below the folder"),
        (OSError(), "oserror"),
    ],
)
def test_why_a_script_cannot_be_read_is_passed_on(error, reason):
    def scripts(file, path):
        raise error

    (found,) = problems("group: /g\njobnets: {r: {units: {j: {script: x}}}}\n", scripts=scripts)
    assert found.message == f"script 'x' cannot be read: {reason}"


# -- agents --

KEY, CA = public_key(), public_key("ecdsa-sha2-nistp256", 7)
AGENT = f"host: h, user: u, trust: {{host_keys: {KEY}}}"


def agent(text):
    (found,) = reads(f"agents: {{A: {{{text}}}}}\n").agents.agents
    return found


def test_what_an_agent_has_when_nothing_is_said():
    assert agent(AGENT) == Agent(name="A", host="h", user="u", trust=Trust(host_keys=(KEY,)))
    assert (agent(AGENT).port, agent(AGENT).key, agent(AGENT).limit) == (22, "", 5)


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("port: 2222", "port", 2222),
        ("limit: 20", "limit", 20),
        ("key: ~/.ssh/ajs", "key", "~/.ssh/ajs"),  # expanded by the manager, not here
        ("key: /etc/ajs/key", "key", "/etc/ajs/key"),
        ("key: ~ajs/key", "key", "~ajs/key"),
        ("comment: In the DMZ", "comment", "In the DMZ"),
    ],
)
def test_the_keys_of_an_agent(text, key, value):
    assert getattr(agent(f"{AGENT}, {text}"), key) == value


@pytest.mark.parametrize(
    "host", ["h", "relay1.example.com", "10.0.0.1", "'::1'", "2001:db8::7", "22"]
)
def test_hosts(host):
    assert agent(AGENT.replace("host: h", f"host: {host}")).host == host.strip("'")


@pytest.mark.parametrize(
    ("text", "trust"),
    [
        (f"host_keys: {KEY}", Trust(host_keys=(KEY,))),
        (f"host_keys: [{KEY}, {CA}]", Trust(host_keys=(KEY, CA))),
        (f"host_keys: '  {KEY}   root@relay1  old '", Trust(host_keys=(f"{KEY} root@relay1 old",))),
        (
            f"host_ca: {CA}, principals: sales",
            Trust(host_ca=(CA,), principals=("sales",)),
        ),
        (
            f"host_keys: {KEY}, host_ca: [{CA}], principals: [a, b]",
            Trust(host_keys=(KEY,), host_ca=(CA,), principals=("a", "b")),
        ),
    ],
    ids=range(5),
)
def test_trust(text, trust):
    assert agent(f"host: h, user: u, trust: {{{text}}}").trust == trust


@pytest.mark.parametrize(
    "kind",
    ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"],
)
def test_every_type_of_host_key(kind):
    key = public_key(kind)
    assert agent(f"host: h, user: u, trust: {{host_keys: {key}}}").trust.host_keys == (key,)


def test_agents_stand_in_any_file_and_refer_to_one_another_in_any_order():
    files = [
        ("a", b"group: /g\njobnets: {r: {units: {}}}\nagent_groups: {R: {members: [B, A:1]}}\n"),
        ("b", f"groups: [{{group: /h}}]\nagents: {{A: {{{AGENT}}}}}\n".encode()),
        ("c", f"destinations: {{D: {{{AGENT}, agent_port: 22, job_folder: /x}}}}\n".encode()),
        ("d", f"agents: {{B: {{{AGENT}}}}}\n".encode()),
    ]
    found = read(files, one_script).agents
    assert [one.name for one in found] == ["A", "B", "R", "D"]
    assert found.groups == (AgentGroup(name="R", members=(Member("B", 16), Member("A", 1))),)
    assert found.destinations == (
        Destination(
            name="D",
            host="h",
            user="u",
            trust=Trust(host_keys=(KEY,)),
            agent_port=22,
            job_folder="/x",
        ),
    )


def test_two_relays_may_have_the_same_address():
    found = reads(f"agents: {{A: {{{AGENT}}}, B: {{{AGENT}}}}}\n").agents
    assert [one.host for one in found.agents] == ["h", "h"]


def test_stored_agents_are_known_and_not_repeated():
    found = reads("agent_groups: {R: {members: [AGT1]}}\n", stored=STORED)
    assert found.agents == Agents(groups=(AgentGroup(name="R", members=(Member("AGT1"),)),))


def test_a_job_may_be_reached_directly_through_an_agent_or_through_a_group():
    units = "a: {%s}, b: {%s, relay: AGT1}, c: {%s, relay: RELAYS}".replace(
        "%s", "type: flexible, destination: LB1, command: x"
    )
    text = f"group: /g\njobnets: {{r: {{units: {{{units}}}}}}}\n"
    found = reads(text, stored=STORED).roots[0].jobnet.units
    assert found == tuple(
        Job(name=name, command="x", destination="LB1", relay=relay)
        for name, relay in zip("abc", ("", "AGT1", "RELAYS"), strict=True)
    )
