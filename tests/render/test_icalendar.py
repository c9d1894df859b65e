"""iCalendar as another program reads it: instants where clocks change, names that need care, folded lines."""

from __future__ import annotations

from datetime import UTC, date, datetime

import icalendar
import pytest

from ajs.calendar import Calendar, CalendarSettings
from ajs.model import Jobnet
from ajs.moment import Moment
from ajs.operations.schedule import RootSchedule, Schedule, runs_between
from ajs.render.icalendar import as_icalendar
from ajs.rules import Cycle, CycleUnit, Rule, StartTime, Substitute
from ajs.schedule import DayMode, Timetable
from ajs.start_days import RegisteredDay
from ajs.store.units import ROOT, Unit

DAILY = Cycle(1, CycleUnit.DAY)


def scheduled(rules, first, last, *, zone="Europe/Berlin", path="/g/a", comment="", closed=()):
    settings = CalendarSettings(dates=tuple((day, False) for day in closed))
    jobnet = Jobnet(name="a", rules=rules)
    table = Timetable(jobnet, Calendar.effective([("/", settings)]), DayMode.H24)
    at = datetime(2026, 1, 1, 12)
    unit = Unit(1, path, "a", ROOT, None, 1, comment, None, 1, None)
    runs = tuple(runs_between(table, at, (first, last)))
    root = RootSchedule(unit, table, None, at, runs)
    return Schedule("s", zone, Moment(at, at.replace(tzinfo=UTC)), first, last, (root,))


def events(text):
    return icalendar.Calendar.from_ical(text).walk("VEVENT")


@pytest.mark.parametrize(
    ("day", "minutes", "utc"),
    [
        (date(2026, 3, 28), 150, "2026-03-28T01:30"),
        (date(2026, 3, 29), 150, "2026-03-29T01:00"),  # left out: the first instant after it
        (date(2026, 3, 30), 150, "2026-03-30T00:30"),
        (date(2026, 10, 25), 150, "2026-10-25T00:30"),  # comes twice: the first time
        (date(2026, 10, 25), 180, "2026-10-25T02:00"),
        (date(2026, 10, 26), 150, "2026-10-26T01:30"),
    ],
)
def test_starts_are_the_instants_at_which_runs_start(day, minutes, utc):
    rule = Rule(start_time=StartTime(minutes, relative=False), cycle=DAILY)
    (event,) = events(as_icalendar(scheduled((rule,), day, day)))
    assert event["DTSTART"].dt == datetime.fromisoformat(f"{utc}+00:00")


def test_any_text_comes_through_in_lines_that_are_short_enough():
    path, comment = "/営業/" + "日次締め" * 9, 'Totals; takings, "all"\\\nand more: ' + "x" * 200
    found = scheduled(
        (Rule(cycle=DAILY),), date(2026, 5, 4), date(2026, 5, 4), path=path, comment=comment
    )
    text = as_icalendar(found)
    assert text.endswith("\r\n")
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75
    assert "\n" not in text.replace("\r\n", "")
    (event,) = events(text)
    assert event["SUMMARY"] == path
    assert event["DESCRIPTION"].startswith(f"{comment}\nexecution date 2026-05-04, rule 1")
    assert event["DTSTAMP"].dt == datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_a_run_keeps_its_name_where_a_closed_day_moves_it():
    rules = (
        Rule(number=1, start_day=RegisteredDay(), cycle=DAILY, substitute=Substitute.RUN),
        Rule(number=7, cycle=Cycle(1, CycleUnit.WEEK), substitute=Substitute.AFTER),
    )
    period = date(2026, 1, 1), date(2026, 1, 31)
    before = events(as_icalendar(scheduled(rules[1:], *period)))
    after = events(as_icalendar(scheduled(rules[1:], *period, closed=(date(2026, 1, 8),))))
    assert [e["UID"] for e in before] == [e["UID"] for e in after]
    assert [e["DTSTART"].dt for e in before] != [e["DTSTART"].dt for e in after]
    uids = [event["UID"] for event in events(as_icalendar(scheduled(rules, *period)))]
    assert len(uids) == len(set(uids)) == 31
