"""What jobnets name besides their rules, on stored definitions: an exclusive jobnet, another group's calendar."""

from __future__ import annotations

import pytest

GROUPS = """\
groups:
  - group: /office
    calendar: {closed: [tue]}
  - group: /g
    jobnets:
      close:
        schedule: [{start_time: 22:00, cycle: 1 day}]
        exclusive: big-close
        calendar_of: /office
        units: {total: {command: 'true'}}
      big-close:
        schedule: [{start_day: 2026-08-12, start_time: 23:00}]
        calendar_of: /
        units: {total: {command: 'true'}}
"""


@pytest.fixture
def registered(home):
    """Both jobnets are defined on Monday 8/10; only /g/close is registered."""
    home.file("more.yaml", GROUPS)
    assert "[" not in home.ajs("ajsdefine more.yaml")
    home.ajs("ajsentry /g/close")
    return home


def test_what_a_definition_names_must_be_there(home):
    home.file("bad.yaml", GROUPS.replace("exclusive: big-close", "exclusive: big-clos"))
    out = home.ajs("ajsdefine bad.yaml")
    assert "bad.yaml:8:20: /g/close: exclusive names 'big-clos'" in out
    assert "did you mean 'big-close'?" in out
    home.file("bad.yaml", GROUPS.replace("calendar_of: /office", "calendar_of: /offices"))
    assert "bad.yaml:9:22: /g/close: calendar_of names '/offices'" in home.ajs("ajsdefine bad.yaml")


def test_what_is_stored_can_be_named_by_later_files(registered):
    registered.file(
        "later.yaml",
        "group: /g\njobnets: {late: {exclusive: close, calendar_of: /office, units: {}}}\n",
    )
    assert "[" not in registered.ajs("ajsdefine later.yaml")
    registered.file(
        "circle.yaml", "group: /g\njobnets: {big-close: {exclusive: late, units: {}}}\n"
    )
    assert "exclude one another in a circle: big-close, late, close, big-close" in registered.ajs(
        "ajsdefine circle.yaml"
    )


WHY = [
    ("2026-08-10", "a run starts at 2026-08-10 22:00 by rule 1"),
    ("2026-08-11", "2026-08-11 is closed: weekday setting of /office"),
    ("2026-08-12", "the exclusive jobnet big-close is scheduled on 2026-08-12: no run"),
    ("2026-08-13", "the exclusive jobnet big-close is not scheduled on 2026-08-13"),
]


@pytest.mark.parametrize(("day", "expected"), WHY)
def test_why_on_a_day(registered, day, expected):
    assert expected in " ".join(registered.ajs(f"ajs why /g/close {day}").split())


def test_the_manager_plans_the_next_run_by_them(registered):
    registered.run("2026-08-10T22:30")
    assert "2026-08-13" in registered.ajs("ajs why /g/close 2026-08-13")
    out = registered.ajs("ajsshow -g a -R --format json /g/close")
    assert "2026-08-13T22:00" in out
    assert "2026-08-12T22:00" not in out
    assert "2026-08-11T22:00" not in out


def test_a_plan_follows_new_rules_of_the_exclusive_jobnet(registered):
    registered.file("more.yaml", GROUPS.replace("2026-08-12, start", "2026-08-10, start"))
    out = registered.ajs("ajsdefine more.yaml")
    assert "/g/close" in out
    assert "the exclusive jobnet big-close is scheduled on 2026-08-10" in " ".join(
        registered.ajs("ajs why /g/close 2026-08-10").split()
    )
    assert "2026-08-12T22:00" in registered.ajs("ajsshow -g a -R --format json /g/close")


def test_a_plan_follows_the_calendar_of_the_other_group(registered):
    registered.file("office.yaml", "group: /office\ncalendar: {closed: [mon]}\n")
    out = registered.ajs("ajsdefine office.yaml")
    assert "/g/close" in out
    assert "2026-08-11T22:00" in registered.ajs("ajsshow -g a -R --format json /g/close")


def test_a_plan_follows_the_calendar_of_its_exclusive_jobnet(registered):
    registered.file("top.yaml", "group: /\ncalendar: {closed: [2026-08-12]}\n")
    out = registered.ajs("ajsdefine top.yaml")
    # big-close falls on a closed day now, but so does /g/close itself, whose other group inherits the day.
    assert "closed: date setting of /" in registered.ajs("ajs why /g/close 2026-08-12")
    assert "[" not in out


def test_one_that_is_named_is_not_deleted(registered):
    assert "/g/close names /g/big-close" in registered.ajs("ajsdelete /g/big-close")
    assert "exclusive" in registered.ajs("ajs why /g/close 2026-08-12")
