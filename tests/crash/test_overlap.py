"""Runs of one root jobnet that overlap, with real commands, and managers that are killed while some wait."""

from __future__ import annotations

import json

import pytest

from tests.crash.kit import Place, pause, read_until

NET = """
group: /day
jobnets:
  net:
    overlap: %s
    units:
      slow: {command: 'echo "$AJSEXECID" >> ran; while [ ! -e go ]; do sleep 0.02; done'}
"""


def statuses(place: Place) -> list[str]:
    out, _ = place.run("ajsshow", "-g", "a", "--format", "json", "/day/net")
    return [unit["status"] for unit in json.loads(out)["units"]][::-1]


def test_runs_wait_their_turn_whatever_happens_to_the_manager(place: Place):
    place.define(NET % "multi")
    place.run("ajsentry", "-n", "/day/net")
    process = place.manager()
    read_until(process, "slow:@A1 Now running")
    _, err = place.run("ajsentry", "-n", "/day/net")
    assert "/day/net:@A1 still goes on: the new run waits until that one has ended" in err
    read_until(process, "net:@A2 Wait for prev. to end")
    place.run("ajsentry", "-n", "/day/net")
    read_until(process, "net:@A3 Wait for prev. to end")
    process.kill()
    process.communicate()
    out, _ = place.run("ajsshow", "/day/net")
    assert "2 more waiting" in out
    out, _ = place.run("ajs why", "/day/net:@A3")
    assert "the run @A1 of the same root jobnet has not ended" in out
    _, err = place.run("ajsleave", "/day/net", code=12)
    assert "has a run that has not ended" in err
    _, err = place.run("ajskill", "/day/net:@A2", code=12)
    assert "has not started: Wait for prev. to end" in err
    (place.folder / "go").touch()
    # Nothing is idle as long as one of them waits for another that will end.
    place.run("ajsstart", "--until-idle")
    assert (place.folder / "ran").read_text().split() == ["@A1", "@A2", "@A3"]
    assert statuses(place) == ["NORMAL"] * 3


def test_a_run_that_is_held_inside_lets_a_manager_be_idle_though_another_waits(place: Place):
    place.define((NET % "multi").replace("{command", "{hold: yes, command"))
    for _ in range(2):
        place.run("ajsentry", "-n", "/day/net")
    place.run("ajsstart", "--until-idle")
    assert statuses(place) == ["RUNNING", "TERMWAIT"]
    (place.folder / "go").touch()
    place.run("ajsplan", "-r", "/day/net/slow:@A1")
    place.run("ajsstart", "--until-idle")
    assert statuses(place) == ["NORMAL", "RUNNING"]


@pytest.mark.parametrize(
    ("how", "second"),
    [("ajskill", "KILL"), ("ajsintrpt", "INTERRUPT")],
)
def test_the_end_of_a_run_by_an_operator_lets_the_next_one_go(place: Place, how, second):
    place.define(NET % "multi")
    place.run("ajsentry", "-n", "/day/net")
    process = place.manager()
    read_until(process, "slow:@A1 Now running")
    place.run("ajsentry", "-n", "/day/net")
    read_until(process, "net:@A2 Wait for prev. to end")
    place.run(how, "/day/net:@A1")
    if how == "ajsintrpt":
        (place.folder / "go").touch()
    read_until(process, "slow:@A2 Now running")
    (place.folder / "go").touch()
    read_until(process, "net:@A2 Ended normally")
    process.terminate()
    process.communicate()
    assert statuses(place) == [second, "NORMAL"]


def test_concurrent_runs_outlive_the_manager_side_by_side(place: Place):
    place.define(NET % "concurrent")
    for _ in range(3):
        place.run("ajsentry", "-n", "/day/net")
    process = place.manager()
    while len(place.ran()) < 3:
        pause(0.02)
    process.kill()
    process.communicate()
    out, _ = place.run("ajsshow", "/day/net")
    assert "2 more going on" in out
    _, err = place.run("ajsentry", "-n", "/day/net")
    assert "still goes on" not in err
    (place.folder / "go").touch()
    place.run("ajsstart", "--until-idle")
    assert place.ran() == ["@A1", "@A2", "@A3", "@A4"]
    assert statuses(place) == ["NORMAL"] * 4
