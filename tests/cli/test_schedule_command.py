"""What ``ajsschedule`` lists: what registering now would give, filters, and the examples of its help."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from ajs.cli.schedule import command

HOURLY = """\
group: /h
jobnets:
  twice:
    schedule:
      - {start_day: registered, start_time: 8:00, cycle: 1 day}
      - {start_day: registered, start_time: 9:00, cycle: 1 day}
      - {start_day: registered, start_time: 22:00, cycle: 1 day}
    units: {x: {command: 'true'}}
"""
EXAMPLES = [
    line.strip().partition("    ")[0].partition(" > ")[0]
    for line in (command.help or "").splitlines()
    if line.strip().startswith("ajsschedule ")
]


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.parametrize("today", [datetime(2026, 9, 30, 9), datetime(2027, 2, 1, 9)])
def test_the_examples_of_the_help_work_on_every_day(home, example, today):
    home.clock.jump_to_wall(today)
    line = example.replace("/sales/daily-close", "/g/daily").replace("/sales", "/g")
    assert "AJS" not in home.ajs(line)


def _starts(home, line):
    roots = json.loads(home.ajs(f"ajsschedule --format json {line}"))["roots"]
    return [run["start"] for root in roots for run in root["runs"]]


def test_of_the_starts_of_today_that_are_past_only_the_last_one_is_listed(home):
    home.file("h.yaml", HOURLY)
    home.ajs("ajsdefine h.yaml")
    listed = ["2026-08-10T09:00:00", "2026-08-10T22:00:00"]
    assert _starts(home, "-e 10 /h/twice") == listed
    home.ajs("ajsentry /h/twice")
    assert _starts(home, "-e 10 /h/twice") == listed
    home.ajs("ajsleave /h/twice")
    home.ajs("ajsentry -f /h/twice")
    assert _starts(home, "-e 10 /h/twice") == listed[1:]


@pytest.mark.parametrize("group", ["/", "/g"])
def test_filters_narrow_what_a_job_group_stands_for(home, group):
    home.ajs("ajsentry /g/daily")

    def units(line):
        return [root["unit"] for root in json.loads(home.ajs(line))["roots"]]

    assert units(f"ajsschedule -E --format json {group}") == ["/g/daily"]
    assert units(f"ajsschedule -L --format json {group}") == ["/g/never", "/g/weekly"]
    assert len(units(f"ajsschedule -T --format json {group}")) == 3
