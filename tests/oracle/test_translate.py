"""Each AJS3 parameter and what it becomes in a definition file; and that the result is one that loads."""

from __future__ import annotations

import pytest
import yaml

from tests.oracle.story import Units
from tests.oracle.translate import (  # fmt: skip
    Unknown,
    calendar,
    cycle,
    days_from_start,
    groups,
    schedule,
    start_day,
)

START_DAYS = [
    ("en", "registered"),
    ("15", {"absolute": 15}),
    ("2025/08/11", {"absolute": 11, "year": 2025, "month": 8}),
    ("08/*03", {"open": 3, "month": 8}),
    ("@02", {"closed": 2}),
    ("+1", {"relative": 1}),
    ("b", {"absolute": "last"}),
    ("b-03", {"absolute": "last-3"}),
    ("2025/11/*b-2", {"open": "last-2", "year": 2025, "month": 11}),
    ("+b-0", {"relative": "last"}),
    ("fr", {"weekday": "fri"}),
    ("+mo:2", {"weekday": "mon", "nth": 2, "counting": "relative"}),
    ("2025/08/su:b", {"weekday": "sun", "nth": "last", "year": 2025, "month": 8}),
]


@pytest.mark.parametrize(("text", "expected"), START_DAYS)
def test_start_day(text, expected):
    assert start_day(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no", None),
        ("be", {"open": -1}),
        ("af,2", {"open": 2}),
        ("be,2,10", {"open": -2, "within": 10}),
        ("db,3", {"plain": -3}),
        ("da", {"plain": 1}),
    ],
)
def test_days_from_start(text, expected):
    assert days_from_start(text) == expected


@pytest.mark.parametrize(
    ("unit", "root", "expected"),
    [
        ({}, True, None),
        ({}, False, None),
        ({"de": "n"}, False, [{"rule": 1}]),
        ({"sd": ["0,ud"]}, True, "undefined"),
        (
            {"sd": ["2,en"], "st": ["2,+01:00"], "cy": ["2,(1,d)"], "ln": ["2,1"]},
            False,
            [
                {"rule": 2, "start_day": "registered", "start_time": "+01:00", "cycle": "1 day"}
                | {"link": 1}
            ],
        ),
        ({"sd": ["1,*1"], "sh": ["1,be"], "shd": ["1,5"], "wc": ["1,no"]}, True,
         [{"rule": 1, "start_day": {"open": 1}, "substitute": "before", "shift_days": 5}]),
        ({"sd": ["1,en"], "ey": ["1,C60"]}, True,
         [{"rule": 1, "start_day": "registered", "end_delay": "own + 60 min"}]),
    ],
)  # fmt: skip
def test_schedule(unit, root, expected):
    assert schedule(unit, root=root) == expected


def test_calendar():
    said = {
        "closed": ["sa", "2025/08/mo", "2025/08/13"],
        "open": ["2025/12/26"],
        "base_day": "mo:2",
        "month": "next",
        "base_time": "8:00",
    }
    assert calendar(said) == {
        "closed": ["sat", "2025-08 mon", "2025-08-13"],
        "open": ["2025-12-26"],
        "base_day": {"weekday": "mon", "nth": 2},
        "month": "next",
        "base_time": "8:00",
    }
    assert calendar({"base_day": 26}) == {"base_day": 26}


def test_units():
    units = Units(
        {
            "/g/R": {"path": "/g/R", "relations": [["A", "B"]], "ms": "mlt", "ed": "2025/08/13"},
            "/g/R/A": {"path": "/g/R/A", "type": "job", "ends": "warning"},
            "/g/R/B": {"path": "/g/R/B", "de": "y", "ejn": "C"},
            "/P": {"path": "/P", "type": "planning_group"},
            "/P/S": {"path": "/P/S", "ha": "w", "rg": 2, "jc": "/g"},
        }
    )
    job = {"command": "true", "warning_above": 0, "abnormal_above": 1}
    nothing = {"nothing": {"command": "true"}}
    assert yaml.safe_load(groups(units, {"/g": {"closed": ["su"]}}, "6:00"))["groups"] == [
        {"group": "/P", "planning": "yes", "jobnets": {"S": {"calendar_of": "/g", "hold": "if warning",
                                                             "logs_to_keep": 2, "units": nothing}}},
        {"group": "/g", "calendar": {"closed": ["sun"]}, "jobnets": {"R": {
            "valid_until": "2025-08-13", "overlap": "multi", "logs_to_keep": 99,
            "units": {"A": job, "B": {"exclusive": "C", "units": nothing, "after": ["A"]}}}}},
        {"group": "/", "calendar": {"base_time": "6:00"}},
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["*fr", "fr:6", "b-", "x"])
def test_what_has_no_meaning_is_no_start_day(text):
    with pytest.raises(Unknown):
        start_day(text)


def test_a_cycle_needs_its_brackets():
    assert cycle("(2,w)") == "2 week"
    with pytest.raises(Unknown):
        cycle("2,w")
