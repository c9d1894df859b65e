"""Holidays become a definition file that reads back as the same closed days."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ajs.calendar import CalendarSettings
from ajs.definition.reader import read
from ajs.errors import BadValue
from ajs.operations.holidays import holidays_of
from ajs.render.holidays import definition_text

JAPAN = Path(__file__).parent.parent / "jobnets" / "japan.yaml"


def closed(text: str) -> CalendarSettings:
    found = read([("japan.yaml", text.encode())], lambda _file, _path: b"")
    (group,) = found.groups
    assert group.path == "/"
    assert group.calendar is not None
    return group.calendar


def test_a_country_becomes_closed_days():
    found = holidays_of("JP", 2026, 2026)
    settings = closed(definition_text(found, "/", ("sat", "sun")))
    days = {day for day, is_open in settings.dates if not is_open}
    assert days == {day for day, _ in found.days}
    # Mountain Day; the bank holidays that are no public ones.
    assert {date(2026, 8, 11), date(2026, 1, 2), date(2026, 12, 31)} <= days
    assert settings.weekdays == ((5, False), (6, False))


def test_the_example_is_what_the_command_prints():
    text = JAPAN.read_text()
    wanted = closed(definition_text(holidays_of("JP", 2026, 2028), "/", ("sat", "sun")))
    assert closed(text) == wanted


@pytest.mark.parametrize(
    ("country", "first", "last", "words"),
    [
        ("XX", 2026, 2026, "no holidays are known"),
        ("DE-XX", 2026, 2026, "no holidays are known"),
        ("JP", 2027, 2026, "cannot be planned"),
        ("JP", 1980, 1990, "cannot be planned"),
    ],
)
def test_what_cannot_be_looked_up(country, first, last, words):
    with pytest.raises(BadValue, match=words):
        holidays_of(country, first, last)


def test_a_region_and_a_country_without_bank_holidays():
    found = holidays_of("DE-BY", 2026, 2026)
    assert found.categories == ("public",)
    assert date(2026, 1, 6) in dict(found.days)
