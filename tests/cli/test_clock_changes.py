"""Runs across changes of the clocks, in real time zones, with the real manager: none is doubled, none is lost.

A start in the hour that is left out happens at the first instant after it; one in the hour that comes twice happens
once, the first time.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from ajs.operations.service import Service, open_service
from ajs.runner.manager import Manager
from tests.cli.home import Home, _Places

STEP = timedelta(minutes=5)

JOBNETS = """\
group: /g
calendar: {%s}
jobnets:
  r:
    schedule: [{start_time: %s, cycle: 1 day}]
    units:
      n: {schedule: [{start_time: %s, cycle: 1 day}], units: {x: {command: 'true'}}}
"""


class World:
    """A service in one zone whose manager is looked after every five minutes, as time goes on in UTC."""

    def __init__(self, home: Home, zone: str, begins: str, mode: str = "24h") -> None:
        self.home = home
        home.ajs(f"ajs init s --time-zone {zone} --schedule {mode}")
        home.clock.jump_to_wall(datetime.fromisoformat(begins))

    def define(self, start: str, nested: str = "+0:00", calendar: str = "") -> None:
        self.home.file("g.yaml", JOBNETS % (calendar, start, nested))
        assert "stored" in self.home.ajs("ajsdefine g.yaml")
        assert "registered" in self.home.ajs("ajsentry -f /g/r")

    def go_on(self, **by: int) -> None:
        end = self.home.clock.now().utc + timedelta(**by)
        clock = self.home.clock
        with open_service(
            home=str(self.home.folder), name=None, clock_of=lambda _: clock
        ) as service:
            manager = Manager(
                service.store, clock, _Places(self.home.machine), service.mode, limit=None
            )
            while clock.now().utc < end:
                while manager.turn().again:
                    pass
                clock.jump_to(clock.now().utc.replace(second=0, microsecond=0) + STEP)
                while manager.turn().again:
                    pass

    def started(self, unit: str = "/g/r") -> list[tuple[str, str]]:
        """Execution date and start of every run that has started."""
        units = json.loads(self.home.ajs(f"ajsshow -g a --format json {unit}"))["units"]
        runs = [
            (one["execution_date"], one["started"].replace(":00.000", ""))
            for one in units
            if one["started"]
        ]
        return sorted(runs)


@pytest.fixture
def world(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("AJS_HOME", raising=False)
    monkeypatch.setattr(Service, "user", "hanako")

    def made(zone: str, begins: str, mode: str = "24h") -> World:
        home = Home(tmp_path, capsys, zone)
        home.clock.utc = datetime.fromisoformat("1995-01-01T00:00+00:00")
        return World(home, zone, begins, mode)

    return made


ZONES = [
    # zone, noon of the day of registration, start time by rule, the three starts that follow
    ("Europe/Berlin", "2027-03-26T12:00", "2:30",
     ["2027-03-27T02:30+01:00", "2027-03-28T03:00+02:00", "2027-03-29T02:30+02:00"]),
    ("Europe/Berlin", "2026-10-23T12:00", "2:30",
     ["2026-10-24T02:30+02:00", "2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"]),
    ("Europe/Berlin", "2026-10-23T12:00", "3:00",
     ["2026-10-24T03:00+02:00", "2026-10-25T03:00+01:00", "2026-10-26T03:00+01:00"]),
    ("America/New_York", "2027-03-12T12:00", "2:00",
     ["2027-03-13T02:00-05:00", "2027-03-14T03:00-04:00", "2027-03-15T02:00-04:00"]),
    ("America/New_York", "2026-10-30T12:00", "1:30",
     ["2026-10-31T01:30-04:00", "2026-11-01T01:30-04:00", "2026-11-02T01:30-05:00"]),
    # Half an hour: 2:00 becomes 2:30, and in autumn 2:00 becomes 1:30.
    ("Australia/Lord_Howe", "2026-10-02T12:00", "2:10",
     ["2026-10-03T02:10+10:30", "2026-10-04T02:30+11:00", "2026-10-05T02:10+11:00"]),
    ("Australia/Lord_Howe", "2027-04-02T12:00", "1:45",
     ["2027-04-03T01:45+11:00", "2027-04-04T01:45+11:00", "2027-04-05T01:45+10:30"]),
    # The hour after midnight was left out: 4 November 2018 began at 1:00, and 17 February ended with 23:00 twice.
    ("America/Sao_Paulo", "2018-11-02T12:00", "0:00",
     ["2018-11-03T00:00-03:00", "2018-11-04T01:00-02:00", "2018-11-05T00:00-02:00"]),
    ("America/Sao_Paulo", "2018-02-15T12:00", "23:30",
     ["2018-02-15T23:30-02:00", "2018-02-16T23:30-02:00", "2018-02-17T23:30-02:00"]),
    ("Asia/Tokyo", "2027-03-26T12:00", "2:30",
     ["2027-03-27T02:30+09:00", "2027-03-28T02:30+09:00", "2027-03-29T02:30+09:00"]),
    # Standard time only in Ramadan: back in February, on again in March.
    ("Africa/Casablanca", "2027-02-05T12:00", "2:30",
     ["2027-02-06T02:30+01:00", "2027-02-07T02:30+01:00", "2027-02-08T02:30+00:00"]),
    ("Africa/Casablanca", "2027-03-12T12:00", "2:30",
     ["2027-03-13T02:30+00:00", "2027-03-14T03:00+01:00", "2027-03-15T02:30+01:00"]),
]  # fmt: skip


@pytest.mark.parametrize(("zone", "begins", "start", "expected"), ZONES)
def test_a_daily_run_across_a_change_of_the_clocks(world, zone, begins, start, expected):
    made = world(zone, begins)
    made.define(start)
    made.go_on(hours=72)
    assert [at for _, at in made.started()][:3] == expected
    dates = [date for date, _ in made.started()]
    assert len(set(dates)) == len(dates)


def test_a_start_past_midnight_of_a_48_hour_day_keeps_its_execution_date(world):
    made = world("Europe/Berlin", "2027-03-26T12:00", "48h")
    made.define("26:30")
    made.go_on(hours=68)
    assert made.started() == [
        ("2027-03-26", "2027-03-27T02:30+01:00"),
        ("2027-03-27", "2027-03-28T03:00+02:00"),
        ("2027-03-28", "2027-03-29T02:30+02:00"),
    ]


def test_a_base_time_that_is_left_out_begins_the_day_after_the_gap(world):
    made = world("Europe/Berlin", "2027-03-26T12:00")
    made.define("+0:00", calendar="base_time: 02:30")
    made.go_on(hours=64)
    assert made.started() == [
        ("2027-03-27", "2027-03-27T02:30+01:00"),
        ("2027-03-28", "2027-03-28T03:00+02:00"),
        ("2027-03-29", "2027-03-29T02:30+02:00"),
    ]


@pytest.mark.parametrize(
    ("begins", "nested"),
    [
        ("2027-03-27T12:00", "2027-03-28T03:00+02:00"),
        ("2026-10-24T12:00", "2026-10-25T02:30+02:00"),
    ],
)
def test_a_nested_start_in_an_odd_hour(world, begins, nested):
    made = world("Europe/Berlin", begins)
    made.define("1:00", nested="2:30")
    made.go_on(hours=20)
    assert [at for _, at in made.started("/g/r/n")] == [nested]


def test_what_is_planned_in_the_second_of_two_hours_runs_in_that_one(world):
    made = world("Europe/Berlin", "2026-10-24T12:00")
    made.define("22:00")
    made.go_on(hours=15, minutes=10)  # 02:10 for the second time
    assert "+01:00" in made.home.clock.now().utc.astimezone(made.home.clock.zone).isoformat()
    assert "moves" in made.home.ajs("ajsplan -d 2026/10/25 -t 2:30 -p /g/r")
    made.go_on(hours=1)
    assert made.started()[-1] == ("2026-10-25", "2026-10-25T02:30+01:00")


def test_a_manager_that_comes_back_in_the_second_hour_starts_what_is_due_once(world):
    made = world("Europe/Berlin", "2026-10-24T12:00")
    made.define("2:30")
    made.home.clock.jump_to(made.home.clock.now().utc + timedelta(hours=15, minutes=5))
    made.go_on(hours=3)
    assert [date for date, _ in made.started()] == ["2026-10-25"]


def test_a_time_that_is_left_out_can_be_given_and_is_said_to_be_so(world):
    made = world("Europe/Berlin", "2027-03-27T12:00")
    made.define("22:00")
    out = made.home.ajs("ajsplan -d 2027/03/28 -t 2:30 /g/r")
    assert (
        "2027-03-28 02:30: this time does not exist; it runs at the first instant after it" in out
    )
    shown = made.home.ajs("ajsshow --format json /g/r")
    assert '"planned_start": "2027-03-28T02:30:00"' in shown
    made.go_on(hours=16)
    assert made.started() == [("2027-03-28", "2027-03-28T03:00+02:00")]


def test_check_lists_nested_starts_too(world):
    made = world("Europe/Berlin", "2027-03-26T12:00")
    made.define("1:00", nested="2:30")
    out = made.home.ajs("ajs check")
    assert "note  /g/r/n: starts at 2027-03-28 02:30: this time does not exist" in out
    assert "/g/r/n: starts at 2027-10-31 02:30: this time comes twice" in out
