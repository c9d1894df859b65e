"""Random rules under random calendars, against a walk through every day that was written from the rule book alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import takewhile

from hypothesis import given
from hypothesis import strategies as st

from tests.naive_dates import naive_starts
from tests.random_rules import DAYS, MOMENTS, timetables


def starts(table, registered, end):
    """The starts with an execution date before the end, as the walk gives them."""
    last = datetime(end.year, end.month, end.day) + timedelta(days=3)
    found = takewhile(lambda s: s.slot.start < last, table.starts(registered, date(2023, 1, 1)))
    return [
        (s.slot.start, s.slot.exec_date, {(tie.rule, tie.day) for tie in s.ties})
        for s in found
        if s.slot.exec_date < end
    ]


@given(timetables(), MOMENTS, st.integers(1, 500))
def test_starts_agree_with_a_walk_through_every_day(table, registered, length):
    end = registered.date() + timedelta(days=length)
    assert starts(table, registered, end) == naive_starts(table, registered, end)


@given(timetables(), timetables(), st.none() | DAYS, MOMENTS, st.integers(1, 200))
def test_last_valid_days_and_exclusive_jobnets_agree_with_the_walk(
    table, other, until, registered, length
):
    jobnet = replace(table.jobnet, valid_until=until, exclusive="other")
    other = replace(other, calendar=table.calendar, mode=table.mode)
    table = replace(table, jobnet=jobnet, exclusive=other)
    end = registered.date() + timedelta(days=length)
    assert starts(table, registered, end) == naive_starts(table, registered, end)
