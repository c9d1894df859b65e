"""Managers that are killed while they clear runs away: no output of a run that is kept goes, all other output does."""

from __future__ import annotations

import os
from random import Random

import pytest

from ajs.store import show
from tests.crash.kit import Place, pause
from tests.dispatch.waiting import until

SEEDS = range(int(os.environ.get("AJS_CRASH_SEEDS", "3")))
NET = """
group: /day
jobnets:
  net:
    overlap: multi
    logs_to_keep: %d
    units:
      a: {command: 'echo "a $AJSEXECID" >> ran; echo a'}
      b: {after: a, command: 'echo "b $AJSEXECID" >> ran; echo b'}
"""


def folders(place: Place) -> set[int]:
    """The attempts that have left something in the spool, by number."""
    return {
        int(e.name.rpartition("-")[2])
        for e in (place.state / "spool").iterdir()
        if not e.name.startswith(".")
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_again_and_again_while_runs_end_and_go(place: Place, seed):
    random = Random(seed)
    place.define(NET % 2)
    count = 12
    for _ in range(count):
        place.run("ajsentry", "-n", "/day/net")
    for _ in range(10):
        process = place.manager("--until-idle")
        assert process.stdout is not None
        for _ in range(random.randint(0, 12)):
            process.stdout.readline()
        pause(random.random() * 0.05)
        process.kill()
        process.communicate()
    place.run("ajsstart", "--until-idle")
    # Each ran once, in its turn.
    lines = (place.folder / "ran").read_text().splitlines()
    assert lines == [f"{job} @A{n}" for n in range(1, count + 1) for job in "ab"]
    with place.open() as service, service.store.read() as tx:
        rows = show.generations(tx)
        attempts = show.attempts(tx, [row.id for row in rows])
        fates = show.fates(tx)
    assert [(row.execution_id, row.status) for row in rows] == [
        ("@A11", "NORMAL"),
        ("@A12", "NORMAL"),
    ]
    assert [(f.fate, f.generation, f.status) for f in fates] == [
        ("ran", n, "NORMAL") for n in range(1, count - 1)
    ]
    assert folders(place) == {attempt.id for attempt in attempts}
    assert not [e for e in (place.state / "spool").iterdir() if e.name.startswith(".gone")]
    out, _ = place.run("ajs output", "/day/net/b:@A12")
    assert out == "b\n"
    _, err = place.run("ajs output", "/day/net/b:@A3", code=8)
    assert "the run /day/net:@A3" in err
    assert "ended normally; its details are no longer kept (logs_to_keep 2)" in err
    out, _ = place.run("ajs why", "/day/net")
    assert "its details are no longer kept (logs_to_keep 2)" in out


def test_the_output_of_deleted_results_goes_while_a_manager_runs_and_after_one_was_killed(place):
    place.define(NET % 5)
    for _ in range(3):
        place.run("ajsentry", "-n", "/day/net")
    place.run("ajsstart", "--until-idle")
    assert len(folders(place)) == 6
    with place.open() as service, service.store.read() as tx:
        number = show.generations(tx)[0].registration_number
    place.run("ajsleave", "-B", number, "/day/net")
    # Nobody has cleared anything away yet, as after a kill right behind the command.
    assert len(folders(place)) == 6
    process = place.manager()
    try:
        until(lambda: len(folders(place)) == 4, "what was left over is found at the start")
        place.run("ajsleave", "-B", "result", "/day/net")
        until(lambda: not folders(place), "a manager that runs clears it away")
    finally:
        process.kill()
        process.communicate()


def test_a_restored_state_does_not_run_anew_what_ran_and_was_cleared_away(place: Place):
    place.define(NET % 1)
    place.run("ajsentry", "-n", "/day/net")
    place.run("ajsstart", "--until-idle")
    # A backup in the moment in which the second job was placed.
    with place.open() as service, service.store.write() as tx:
        tx.run(
            "UPDATE attempt SET state = 'PLACED', ended_utc = NULL, result = NULL WHERE path = 'b'"
        )
        tx.run("UPDATE attempt SET started_utc = NULL WHERE path = 'b'")
        tx.run(
            "UPDATE unit_run SET status = 'EXECWAIT', ended_utc = NULL, return_code = NULL WHERE path = 'b'"
        )
        tx.run("UPDATE unit_run SET status = 'RUNNING', ended_utc = NULL WHERE path = ''")
        tx.run("UPDATE generation SET phase = 'running', status = 'RUNNING', ended_utc = NULL")
    place.run("ajs backup", "kept.db")
    place.run("ajsstart", "--until-idle")
    place.run("ajsentry", "-n", "/day/net")
    place.run("ajsstart", "--until-idle")
    assert folders(place) == {3, 4}
    place.run("ajs restore", "kept.db")
    place.run("ajsstart", "--until-idle")
    assert place.ran() == ["a @A1", "a @A2", "b @A1", "b @A2"]
    assert place.units("/day/net")["b"] == ("UNKNOWN", None)
