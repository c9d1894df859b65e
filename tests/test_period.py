"""The runs of a period do not depend on how it is cut."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ajs.operations.schedule import runs_between
from tests.random_rules import MOMENTS, timetables


@given(
    timetables(),
    MOMENTS,
    st.integers(-10, 100),
    st.integers(0, 60),
    st.integers(0, 60),
)
def test_a_period_cut_anywhere_has_the_same_runs(table, registered, ahead, days, more):
    first: date = registered.date() + timedelta(days=ahead)
    middle = first + timedelta(days=days)
    last = middle + timedelta(days=1 + more)

    def runs(one, other):
        return list(runs_between(table, registered, (one, other)))

    whole = runs(first, last)
    cut = runs(first, middle) + runs(middle + timedelta(days=1), last)
    assert sorted(cut, key=lambda run: (run.slot.start, run.slot.exec_date)) == whole
    assert all(first <= run.slot.exec_date <= last for run in whole)
