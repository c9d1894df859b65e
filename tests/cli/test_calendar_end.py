"""The last year of calendars."""

from __future__ import annotations


def test_no_day_behind_the_last_year_is_listed(home):
    *_, last, note = home.ajs("ajscalendar --from 2099/12/20 --days 40").splitlines()
    assert last.startswith("2099-12-31 Thu")
    assert note == "! calendars end with the year 2099"
    assert "calendars end" not in home.ajs("ajscalendar --from 2099/12/20 --days 12")
