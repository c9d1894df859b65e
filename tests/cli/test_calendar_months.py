"""Where ``ajscalendar --months`` marks the beginning of a month that has another base day than the 1st."""

from __future__ import annotations

import pytest

ASKED = "ajscalendar --months /g --from 2026/08/01 --days 31"


@pytest.mark.parametrize(("base_day", "mark"), [(20, "20|"), (22, "22+")])
def test_the_day_on_which_a_month_begins_is_marked(home, base_day, mark):
    home.file("base.yaml", f"group: /g\ncalendar: {{closed: [sat, sun], base_day: {base_day}}}\n")
    home.ajs("ajsdefine base.yaml")
    drawn, _, legend = home.ajs(ASKED).rpartition("\n\n")
    assert mark in drawn
    assert drawn.count("|") + drawn.count("+") == 1
    assert "d| a month begins" in legend


def test_months_that_begin_on_the_first_need_no_mark(home):
    assert "|" not in home.ajs(ASKED)
