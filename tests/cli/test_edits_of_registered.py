"""Edits of what is registered: deleted, moved to another group, with units added, put into a planning group."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.cli.conftest import JOBNETS

EXTRA = JOBNETS.replace(
    "      report:\n",
    "      extra: {units: {more: {command: 'true'}, in: {units: {x: {command: 'true'}}}}}\n      report:\n",
)
MOVED = """\
group: /h
calendar: {closed: [mon, tue]}
jobnets:
  daily:
    was: /g/daily
"""


def moved(text: str = JOBNETS) -> str:
    """The definition of /g/daily in a group with another calendar."""
    inside = text.partition("  daily:\n")[2].partition("  weekly:\n")[0]
    return MOVED + inside


@pytest.mark.parametrize(
    ("register", "delete"),
    [
        ("ajsentry -b 10 -e 12 /g/daily", "ajsdelete /g/daily"),
        ("ajsentry /g/daily", "ajsdelete -R /g"),
        ("ajsentry -d 12 -t 10:00 /g/daily", "ajsdelete /g/daily"),
    ],
)
def test_a_cancelled_registration_of_a_deleted_jobnet_stays_cancelled(home, register, delete):
    for line in (register, "ajsleave /g/daily", delete):
        home.ajs(line)
    said = home.ajs("ajs undo 3")
    assert "operation 3 cannot be undone: /g/daily was deleted since" in said
    home.ajs("ajs undo 4")
    home.ajs("ajs undo 3")
    assert "@A1" in home.ajs("ajsshow -p /g/daily")


def test_a_jobnet_that_goes_to_another_group_is_planned_by_its_calendar(home):
    home.ajs("ajsentry /g/daily")
    home.file("h.yaml", moved())
    told = home.ajs("ajsdefine h.yaml")
    assert "/h/daily" in told
    assert "vanishes 2026-08-10 22:00" in told
    assert "2026-08-12 Wed  22:00" in home.ajs("ajsshow -p --days 3 /h/daily")


def test_a_temporary_change_goes_along_to_another_group(home):
    home.ajs("ajsentry /g/daily")
    home.ajs("ajsplan -d 13 -t 9:00 /g/daily")
    home.file("h.yaml", moved().replace("[mon, tue]", "[sat]"))
    home.ajs("ajsdefine h.yaml")
    assert "09:00" in home.ajs("ajsshow -p --days 4 /h/daily")


def test_a_jobnet_that_only_gets_another_name_keeps_its_run(home):
    home.ajs("ajsentry /g/daily")
    renamed = JOBNETS.replace("  daily:\n", "  nightly:\n    was: daily\n")
    home.file("g.yaml", renamed)
    home.ajs("ajsdefine g.yaml")
    assert "@A1" in home.ajs("ajsshow -p /g/nightly").splitlines()[1]


@pytest.mark.parametrize(
    "register",
    ["ajsentry -d 12 -t 10:00", "ajsentry -b 10 -e 12", "ajsentry -g 2", "ajsentry -n -h"],
)
def test_a_nested_jobnet_that_is_new_starts_with_its_upper_one_in_fixed_runs(home, register):
    home.ajs(f"{register} /g/daily")
    home.file("g.yaml", EXTRA)
    home.ajs("ajsdefine g.yaml")
    shown = json.loads(home.ajs("ajsshow -p --days 4 --format json /g/daily"))
    lower = {one["unit"]: one for one in shown["runs"][0]["lower"]}
    assert lower["/g/daily/extra"]["scheduled"]
    assert lower["/g/daily/extra/in"]["start"] is None
    for change in ("--prohibit", "-u", "-h"):
        assert "[" not in home.ajs(f"ajsplan {change} /g/daily/extra").splitlines()[-1]


def test_when_it_was_registered_is_that_of_the_last_registration(home):
    home.ajs("ajsentry -b 2026/08/11 -e 2026/08/20 /g/daily")
    home.clock.advance(timedelta(hours=30))
    home.ajs("ajsentry -b 2026/08/25 -e 2026/08/28 /g/daily")
    shown = json.loads(home.ajs("ajsshow -l --format json /g/daily"))
    assert shown["units"][0]["registered_at"].startswith("2026-08-11T18:00")
    why = json.loads(home.ajs("ajs why --format json /g/daily"))
    assert why["registration"]["at"].endswith("+00:00")
    home.ajs("ajs undo 3")
    why = json.loads(home.ajs("ajs why --format json /g/daily"))
    assert why["registration"]["at"].startswith("2026-08-10T12:00")


def test_a_group_with_a_planned_registration_does_not_become_a_planning_group(home):
    home.ajs("ajsentry -b 11 -e 12 /g/weekly")
    home.ajs("ajsentry /g/daily")
    home.file("planning.yaml", "group: /g\nplanning: yes\n")
    said = home.ajs("ajsdefine planning.yaml")
    assert "/g/daily, which is in it, is registered for planned execution" in said
    home.ajs("ajsleave /g/daily")
    assert "changed  /g" in home.ajs("ajsdefine planning.yaml")


def test_an_immediate_run_that_is_held_outlives_an_edit_of_a_planned_registration(home):
    home.ajs("ajsentry -n -h /g/daily")
    home.ajs("ajsentry /g/daily")
    home.file("g.yaml", JOBNETS.replace("22:00", "23:00"))
    home.ajs("ajsdefine g.yaml")
    shown = home.ajs("ajsshow -p --days 1 /g/daily")
    assert "@A1" in shown
    assert "2026-08-10 Mon  23:00" in shown
