"""``ajsdelete`` refuses what a root jobnet that stays names: its runs would be others without a word."""

from __future__ import annotations

import pytest

NAMING = """\
groups:
  - group: /days
    calendar: {closed: [sat, sun]}
  - group: /e
    jobnets:
      fridays: {schedule: [{start_day: fri, cycle: 1 week}], units: {x: {command: x}}}
      daily: {exclusive: fridays, schedule: [{cycle: 1 day}], units: {x: {command: x}}}
      outer:
        schedule: [{cycle: 1 day}]
        units:
          inner: {calendar_of: /days, schedule: [{cycle: 1 day}], units: {x: {command: x, environment: {exclusive: y}}}}
"""

# What is to be deleted, what is refused (None when nothing is).
DELETED = [
    ("/e/fridays", "/e/daily names /e/fridays (exclusive)"),
    ("/days", "/e/outer/inner names /days (calendar_of)"),
    ("/e/daily", None),
    ("/e/daily /e/fridays", None),
    ("-R /e", None),
    ("-R /e /days", None),
    ("-R /e/outer /days", None),
]


@pytest.mark.parametrize(("names", "refused"), DELETED)
def test_what_others_name_stays_until_they_go(home, names, refused):
    home.file("e.yaml", NAMING)
    assert "error" not in home.ajs("ajsdefine e.yaml")
    before = home.ajs("ajsshow -R /e")
    out = home.ajs(f"ajsdelete {names}")
    if refused is None:
        assert "!" not in out
        home.ajs("ajs undo 3")
    else:
        assert refused in out
        assert out.endswith("[12]")
    assert home.ajs("ajsshow -R /e") == before
