"""Random rules under random calendars, against a walk through every day that was written from the rule book alone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import takewhile

from hypothesis import given
from hypothesis import strategies as st

from tests.naive_dates import naive_starts
from tests.random_rules import MOMENTS, timetables


@given(timetables(), MOMENTS, st.integers(1, 500))
def test_starts_agree_with_a_walk_through_every_day(table, registered, length):
    end = registered.date() + timedelta(days=length)
    found = takewhile(
        lambda s: s.slot.start < datetime(end.year, end.month, end.day) + timedelta(days=3),
        table.starts(registered, date(2023, 1, 1)),
    )
    assert [
        (s.slot.start, s.slot.exec_date, {(tie.rule, tie.day) for tie in s.ties})
        for s in found
        if s.slot.exec_date < end
    ] == naive_starts(table, registered, end)
