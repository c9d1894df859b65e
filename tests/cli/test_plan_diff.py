"""What ``ajsdefine`` says of registrations that do not follow, and of many plans at once."""

from __future__ import annotations

import json
import sqlite3

from ajs.render.define import PLANS
from tests.cli.conftest import JOBNETS


def test_a_fixed_registration_stays_as_it_was_planned(home):
    home.ajs("ajsentry /g/daily")
    db = sqlite3.connect(home.folder / "state/s/ajs.db")
    with db:
        db.execute("UPDATE registration SET method = 'fixed'")
        db.execute("UPDATE generation SET method = 'fixed'")
    db.close()
    home.file("later.yaml", JOBNETS.replace("22:00", "23:00"))
    out = home.ajs("ajsdefine later.yaml")
    note = "registered for fixed execution: its run stays as it was planned; register it anew to pick the changes up"
    assert f"note     {note}" in out
    assert "moves" not in out
    assert "2026-08-10 Mon  22:00" in home.ajs("ajsshow -p /g/daily")


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
