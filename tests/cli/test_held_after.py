"""What is said of a root jobnet that is held because of how the run before it ended (``hold: if``)."""

from __future__ import annotations

import json

import jsonschema
import pytest

from ajs.render.schemas import SCHEMAS

HOLDING = """\
group: /h
jobnets:
  net:
    hold: if {hold_if}
    schedule: [{{start_time: 13:00, cycle: 1 day}}]
    units: {{job: {{command: 'true', warning_above: 0, abnormal_above: 4}}}}
"""
NOTE = "held because of how @A1 ended"


def after(home, hold_if: str, code: int):
    """A root jobnet whose first run ended with this return code; the second waits for its time."""
    home.file("h.yaml", HOLDING.format(hold_if=hold_if))
    home.ajs("ajsdefine h.yaml")
    home.ajs("ajsentry /h/net")
    home.run(f"2026-08-10T14:00 job=1m:{code}")
    return home


@pytest.mark.parametrize(
    ("hold_if", "code", "held"),
    [
        ("warning", 0, False),
        ("warning", 1, True),
        ("warning", 5, True),
        ("abnormal", 1, False),
        ("abnormal", 5, True),
    ],
)
def test_the_run_that_waits_says_that_it_is_held_and_why(home, hold_if, code, held):
    after(home, hold_if, code)
    for line in ("ajsshow /h/net", "ajsshow -l /h/net"):
        assert (NOTE in home.ajs(line)) is held
    home.run("2026-08-11T14:00")  # its time has come: it is held, or has run
    assert (NOTE in home.ajs("ajsshow -g a /h/net")) is held
    assert (home.ajs("ajsshow -f %H /h/net") == "definition") is held


def test_the_mark_is_published_and_a_release_takes_its_place(home):
    after(home, "abnormal", 5)
    found = json.loads(home.ajs("ajsshow --format json /h/net"))
    assert found["units"][0]["marks"] == [{"mark": "held_after", "value": "@A1", "text": NOTE}]
    jsonschema.validate(found, SCHEMAS["show"])
    home.ajs("ajsplan -r /h/net")
    assert "released from hold" in (out := home.ajs("ajsshow /h/net"))
    assert NOTE not in out


def test_a_release_lets_a_run_go_that_is_being_held_and_undo_takes_it_back(home):
    after(home, "abnormal", 5)
    home.run("2026-08-11T14:00")
    assert "Being held" in home.ajs("ajsshow /h/net")
    out = home.ajs("ajsplan -r /h/net")
    assert "/h/net  @A2  released  2026-08-11 13:00" in out
    home.ajs(f"ajs undo {out.partition('ajs undo -F s ')[2].split()[0]}")
    home.run("2026-08-11T14:10")
    assert NOTE in home.ajs("ajsshow /h/net")
    home.ajs("ajsplan -r /h/net")
    home.run("2026-08-11T14:30 job=1m")
    assert "Ended normally" in home.ajs("ajsshow -g a /h/net")
