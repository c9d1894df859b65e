"""Starts in hours that the clocks leave out or show twice, as ``ajsschedule`` and ``ajs why`` mark them."""

from __future__ import annotations

import json

import pytest

from ajs.operations.times import LEFT_OUT, TWICE
from tests.cli.home import Home
from tests.cli.test_clock_changes import JOBNETS


@pytest.fixture
def berlin(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("AJS_HOME", raising=False)
    home = Home(tmp_path, capsys, "Europe/Berlin")
    home.ajs("ajs init s --time-zone Europe/Berlin")
    return home


@pytest.mark.parametrize(
    ("day", "root", "nested", "marked"),
    [
        ("2027-03-28", "2:30", "+0:10", {"": LEFT_OUT, "n": LEFT_OUT}),
        ("2026-10-25", "1:30", "+1:00", {"n": TWICE}),
        ("2027-03-29", "2:30", "+0:10", {}),
    ],
)
def test_a_start_inside_a_clock_change_is_marked(berlin, day, root, nested, marked):
    berlin.file("g.yaml", JOBNETS % ("", root, nested))
    berlin.ajs("ajsdefine g.yaml")
    berlin.ajs("ajsentry -f /g/r")
    asked = f"-b {day} -e {day} /g/r"
    (found,) = json.loads(berlin.ajs(f"ajsschedule --format json {asked}"))["roots"][0]["runs"]
    assert found["clock_changes"] == marked
    text = berlin.ajs(f"ajsschedule {asked}")
    assert [text.count(note) for note in (LEFT_OUT, TWICE)] == [
        list(marked.values()).count(note) for note in (LEFT_OUT, TWICE)
    ]
    for path in ("", "n"):
        why = berlin.ajs(f"ajs why {'/g/r/' + path if path else '/g/r'} {day}")
        assert [note for note in (LEFT_OUT, TWICE) if note in why] == [
            note for key, note in marked.items() if key == path
        ]
