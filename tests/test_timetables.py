"""Whose calendar a jobnet uses, and which jobnets exclude it."""

from __future__ import annotations

from ajs.calendar import CalendarSettings
from ajs.model import Jobnet
from ajs.schedule import DayMode
from ajs.timetables import Calendars, Timetables
from tests.notation import settings

SETTINGS = {
    "/": CalendarSettings(),
    "/a": settings("sa su", base_time="8:00"),
    "/b": settings("mo", base_time="6:00"),
}


def timetables(**roots: Jobnet) -> Timetables:
    return Timetables(
        Calendars(SETTINGS), DayMode.H24, {f"/a/{n}": one for n, one in roots.items()}.get
    )


def test_a_jobnet_uses_the_calendar_of_its_group_or_of_the_one_it_names():
    made = timetables()
    assert made.of("/a/own", Jobnet(name="own")).calendar.base_time == 8 * 60
    other = made.of("/a/other", Jobnet(name="other", calendar_of="/b")).calendar
    assert (other.base_time, other.settings[0][0]) == (6 * 60, "/b")


def test_a_nested_jobnet_has_the_days_it_names_and_the_day_boundary_of_its_root():
    made = timetables()
    inside = Jobnet(name="in", calendar_of="/b")
    tables = [made.of(f"/a/{n}", Jobnet(name=n, units=(inside,))) for n in ("x", "y")]
    assert tables[0].calendars["/b"].base_time == 8 * 60
    assert tables[0].calendars["/b"] is tables[1].calendars["/b"]


def test_the_jobnets_that_exclude_one_another_in_a_row_are_found():
    x, y, z = (Jobnet(name=n, exclusive=other) for n, other in ("xy", "yz", ("z", "")))
    found = timetables(x=x, y=y, z=z).of("/a/x", x)
    assert found.exclusive is not None
    assert found.exclusive.jobnet == y
    assert found.exclusive.exclusive is not None
    assert found.exclusive.exclusive.jobnet == z


def test_one_that_is_not_there_excludes_nothing_and_a_circle_ends():
    x, y = Jobnet(name="x", exclusive="y"), Jobnet(name="y", exclusive="x")
    assert timetables().of("/a/x", x).exclusive is None
    found = timetables(x=x, y=y).of("/a/x", x)
    assert found.exclusive is not None
    assert found.exclusive.exclusive is None
