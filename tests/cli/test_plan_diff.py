"""What ``ajsdefine`` says of registrations that do not follow, and of many plans at once."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from ajs.operations.plan_diff import PlanDiff
from ajs.render.define import PLANS, _plan
from ajs.schedule import Slot
from tests.cli.conftest import JOBNETS


def _note(home, definitions):
    """Return the notes that new definitions of /g give to /g/daily, which is registered for 10 to 14 August."""
    home.ajs("ajsentry -b 11 -e 14 /g/daily")
    home.file("later.yaml", definitions)
    (plan,) = json.loads(home.ajs("ajsdefine --format json later.yaml"))["plans"]
    assert plan["appear"] == plan["vanish"] == plan["move"] == plan["nested"] == []
    return plan["notes"]


ANEW = "; register it anew to pick the changes up"


@pytest.mark.parametrize(
    ("old", "new", "note"),
    [
        ("sun]", "sun, 2026-08-13]", "still runs on 2026-08-13, which the rules now leave out"),
        (
            "22:00, cycle: 1 day",
            "23:00, cycle: 1 day",
            "still runs at 22:00 on 2026-08-11, where the rules now plan 23:00 first, 4 days in all",
        ),
        (
            "+01:00",
            "+01:30",
            "nested jobnets run as they were planned on 2026-08-11, 2026-08-12, 2026-08-13 and 1 more",
        ),
    ],
)
def test_a_fixed_registration_says_where_it_is_behind_the_rules(home, old, new, note):
    assert _note(home, JOBNETS.replace(old, new)) == [
        f"registered for fixed execution: {note}{ANEW}"
    ]


def test_a_day_that_a_fixed_registration_does_not_have_yet_is_named(home):
    closed = JOBNETS.replace("sun]", "sun, 2026-08-13]")
    home.file("closed.yaml", closed)
    home.ajs("ajsdefine closed.yaml")
    note = "does not run on 2026-08-13, which the rules now plan"
    assert _note(home, JOBNETS) == [f"registered for fixed execution: {note}{ANEW}"]


def test_a_fixed_registration_that_the_rules_would_plan_alike_is_not_told_of(home):
    home.ajs("ajsentry -b 11 -e 14 /g/daily")
    home.ajs("ajsentry -d 2026/08/13 -t 9:00 /g/never")
    home.ajs("ajsentry -d 2026/08/13 -t 9:00 /g/weekly")
    home.ajs("ajsplan -d 2026/08/12 -t 20:00 /g/daily")
    home.file("later.yaml", JOBNETS.replace("sun]", "sun, 2026-08-20]"))
    assert json.loads(home.ajs("ajsdefine --format json later.yaml"))["plans"] == []


def test_a_group_that_is_given_without_its_calendar_keeps_it(home):
    home.ajs("ajsdefine g.yaml")
    home.ajs("ajsentry /g/daily")
    before = home.ajs("ajsschedule -b 2026/08/10 -e 2026/08/31 /g/daily")
    home.file("g.yaml", "group: /g\ncomment: Ours\n")
    assert "plan     " not in home.ajs("ajsdefine --dry-run g.yaml")
    home.ajs("ajsdefine g.yaml")
    assert home.ajs("ajsschedule -b 2026/08/10 -e 2026/08/31 /g/daily") == before
    out = home.ajs("ajsdefine --dry-run g.yaml")
    assert "nothing" in out


def test_many_plans_are_told_in_short_and_all_of_them_as_json(home):
    text = ["group: /many", "jobnets:"]
    text += [
        f"  n{number:02}: {{schedule: [{{start_time: 22:00, cycle: 1 day}}], units: {{x: {{command: x}}}}}}"
        for number in range(25)
    ]
    home.file("many.yaml", "\n".join(text))
    home.ajs("ajsdefine many.yaml")
    home.ajs(["ajsentry", "/many/*"])
    home.file("many.yaml", "\n".join(text).replace("22:00", "23:00"))
    out = home.ajs("ajsdefine --dry-run many.yaml")
    assert out.count("plan     /many/") == PLANS < 25
    assert "plan     ... and 5 more; --format json lists all" in out
    assert "in all   runs of 25 root jobnets: 0 appear, 0 vanish, 700 move, 0 change inside" in out
    found = json.loads(home.ajs("ajsdefine --dry-run --format json many.yaml"))
    assert len(found["plans"]) == 25


def test_a_run_whose_time_alone_was_changed_keeps_what_is_nested_under_another_calendar(home):
    home.ajs("ajsentry /g/daily")
    home.ajs("ajsplan -t 23:15 /g/daily")
    home.file("top.yaml", "group: /\ncalendar: {closed: [2026-12-31]}\n")
    found = json.loads(home.ajs("ajsdefine --format json top.yaml"))
    assert found["plans"] == []


FAR = """
group: /far
jobnets:
  y:
    schedule: [{start_day: 04-01, start_time: 9:00}]
    units: {x: {command: 'true'}}
"""


def _far(home, change="04-02", at="10:00", options=""):
    """Register a jobnet that runs next April, and return what ``ajsdefine --dry-run`` says of another date."""
    home.file("far.yaml", FAR.replace("04-01", "2027-04-01"))
    home.ajs("ajsdefine far.yaml")
    home.ajs("ajsentry /far/y")
    home.file("far.yaml", FAR.replace("04-01", f"2027-{change}").replace("9:00", at))
    return home.ajs(f"ajsdefine --dry-run {options} far.yaml")


def test_the_next_run_is_compared_however_far_it_is(home):
    out = _far(home)
    assert "vanishes 2027-04-01 09:00" in out
    assert "appears  2027-04-02 10:00" in out
    found = json.loads(home.ajs("ajsdefine --format json far.yaml"))
    (plan,) = found["plans"]
    assert [slot["start"][:10] for slot in plan["vanish"]] == ["2027-04-01"]
    assert [slot["start"][:10] for slot in plan["appear"]] == ["2027-04-02"]


def test_a_far_run_that_gets_another_time_moves(home):
    assert "moves    2027-04-01 09:00 -> 2027-04-01 10:00" in _far(home, "04-01")


def test_a_far_run_that_was_moved_by_hand_is_told_whole(home):
    home.file("far.yaml", FAR.replace("04-01", "2027-04-01"))
    home.ajs("ajsdefine far.yaml")
    home.ajs("ajsentry /far/y")
    home.ajs("ajsplan -d 2027/04/01 -t 12:00 /far/y")
    out = _far(home)
    assert "vanishes 2027-04-01 12:00" in out
    assert "appears  2027-04-02 10:00" in out
    assert "the start changed to 2027-04-01 12:00 is lost" in out


def test_a_far_run_that_becomes_a_dummy_does_not_vanish(home):
    home.file("far.yaml", FAR.replace("04-01", "2027-04-01"))
    home.ajs("ajsdefine far.yaml")
    home.ajs("ajsentry /far/y")
    more = "[{start_day: 2027-04-01, start_time: 9:00}, {start_day: 2027-02-01, start_time: 9:00}]"
    home.file("far.yaml", FAR.replace("[{start_day: 04-01, start_time: 9:00}]", more))
    found = json.loads(home.ajs("ajsdefine --format json far.yaml"))
    (plan,) = found["plans"]
    assert [slot["start"][:10] for slot in plan["appear"]] == ["2027-02-01"]
    assert plan["vanish"] == plan["move"] == []


def test_until_compares_dummies_farther(home):
    home.ajs("ajsentry /g/weekly")
    home.file("top.yaml", "group: /g\ncalendar: {closed: [sat, sun, 2026-12-25]}\n")
    near = json.loads(home.ajs("ajsdefine --dry-run --format json top.yaml"))
    assert near["plans"] == []
    out = home.ajs("ajsdefine --dry-run --until 2026/12/25 top.yaml")
    assert "vanishes 2026-12-25 10:00" in out
    assert "runs were compared up to 2026-12-25" in out
    assert "vanishes" not in home.ajs("ajsdefine --dry-run --until 12/24 top.yaml")
    assert "--until 2026-08-09 is over" in home.ajs("ajsdefine --dry-run --until 8/9 top.yaml")


def test_another_base_time_under_registered_jobnets_is_warned_of(home):
    home.ajs("ajsentry /g/daily /g/weekly")
    group = "group: /g\ncalendar: {closed: [sat, sun]}\n"
    home.file("base.yaml", group.replace("]}", "], base_time: '05:00'}"))
    out = home.ajs("ajsdefine --dry-run base.yaml")
    assert "warn  /g: the base time changes under 2 registered root jobnets" in out
    found = json.loads(home.ajs("ajsdefine --format json base.yaml"))
    assert found["rebased"] == [{"group": "/g", "what": "base time", "roots": 2}]
    home.file("base.yaml", group.replace("]}", "], base_day: 10}"))
    found = json.loads(home.ajs("ajsdefine --format json base.yaml"))
    assert [one["what"] for one in found["rebased"]] == ["base day", "base time"]
    assert "base day" not in home.ajs("ajsdefine base.yaml")


def test_another_base_time_without_registrations_is_not_warned_of(home):
    home.file("base.yaml", "group: /g\ncalendar: {closed: [sat, sun], base_time: '05:00'}\n")
    assert "warn" not in home.ajs("ajsdefine base.yaml")


@pytest.mark.parametrize(
    ("runs", "line"),
    [
        (1, "stays    2026-08-14 03:00, execution date 2026-08-14 -> 2026-08-13"),
        (3, "3 runs get another execution date, 2026-08-14 -> 2026-08-13 first"),
    ],
)
def test_an_execution_date_that_changes_alone_is_told_so(runs, line):
    starts = [datetime(2026, 8, 14 + n, 3) for n in range(runs)]
    move = [(Slot(at, at.date()), Slot(at, at.date() - timedelta(days=1))) for at in starts]
    lines = _plan(PlanDiff("/g/early", move=tuple(move)))
    assert [text.strip() for text in lines] == ["plan     /g/early", line]


def test_many_runs_of_one_day_are_one_line(home):
    hours = ", ".join(
        f"{{start_day: registered, start_time: {h}:00, cycle: 1 day}}" for h in range(24)
    )
    text = (
        f"group: /h\njobnets: {{hourly: {{schedule: [{hours}], units: {{x: {{command: x}}}}}}}}\n"
    )
    home.file("hourly.yaml", text)
    home.ajs("ajsdefine hourly.yaml")
    home.ajs("ajsentry /h/hourly")
    home.file("h.yaml", "group: /h\ncalendar: {closed: [2026-08-12, 2026-08-13]}\n")
    out = home.ajs("ajsdefine --dry-run h.yaml")
    assert "vanishes 24 runs of 2026-08-12, 00:00 to 23:00" in out
    assert out.count("vanishes") == 2
