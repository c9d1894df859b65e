"""``hold: if`` through commands: a run that is held because of how the one before it ended can be let go of."""

from __future__ import annotations

import pytest

TEXT = """\
group: /h
calendar: {closed: []}
jobnets:
  daily:
    hold: if abnormal
    schedule: [{start_day: registered, start_time: 22:00, cycle: 1 day}]
    units: {first: {command: 'true'}}
"""


@pytest.fixture
def held(home):
    """Its first run ended abnormally, so its second is held."""
    home.ajs(["ajsdefine", home.file("h.yaml", TEXT)])
    home.ajs("ajsentry /h/daily")
    home.run("2026-08-11T22:30 first=1m:9")
    assert shown(home) == {"@A1": "Ended abnormally", "@A2": "Being held"}
    home.run("2026-08-11T22:31 first=1m:0")
    return home


def shown(home) -> dict[str, str]:
    lines = home.ajs("ajsshow -g a /h/daily").splitlines()
    found = {}
    for line in lines[1:]:
        _, number, _, rest = line.split(maxsplit=3)
        found[number] = next(
            (s for s in ("Ended abnormally", "Being held", "Ended normally") if s in rest), rest
        )
    return found


@pytest.mark.parametrize(
    "lines",
    [
        ["ajsplan -r /h/daily"],
        ["ajsplan -h /h/daily", "ajsplan -r /h/daily"],
        ["ajsplan -q -p /h/daily", "ajsplan -r /h/daily"],
    ],
)
def test_a_release_lets_it_go(held, lines):
    for line in lines:
        assert "changed 1 root jobnet" in held.ajs(line)
    held.run("2026-08-11T23:00")
    assert shown(held)["@A2"] == "Ended normally"


def test_a_run_now_stays_held_and_does_not_say_at_once(held):
    assert "at once" not in held.ajs("ajsplan -q -p /h/daily")
    held.run("2026-08-11T23:00")
    assert shown(held)["@A2"] == "Being held"


def test_a_run_now_of_a_released_one_starts_at_once(held):
    held.ajs("ajsplan -r /h/daily")
    assert "at once" in held.ajs("ajsplan -q -p /h/daily")


def test_a_release_twice_changes_nothing_and_a_hold_holds_again(held):
    held.ajs("ajsplan -r /h/daily")
    assert "nothing changes" in held.ajs("ajsplan -r /h/daily")
    assert "held" in held.ajs("ajsplan -h /h/daily")
    held.run("2026-08-11T23:00")
    assert shown(held)["@A2"] == "Being held"


def test_a_run_that_is_registered_behind_a_failed_one_is_not_said_to_start_at_once(home):
    home.ajs(["ajsdefine", home.file("h.yaml", TEXT)])
    home.ajs("ajsentry -n /h/daily")
    home.run("2026-08-10T12:30 first=1m:9")
    home.clock.jump_to_wall(home.clock.now().wall.replace(hour=13))
    assert "at once" not in home.ajs("ajsentry -n /h/daily")
    home.run("2026-08-10T14:00")
    assert shown(home)["@A2"] == "Being held"
