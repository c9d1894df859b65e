"""``ajskill`` and ``ajsintrpt`` on real jobs under a real manager, and while there is none."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from ajs.runner.serve import default_limit
from tests.crash.kit import Place, read_until

LIMIT = default_limit()
# Every job has a child, writes down both process ids, and would stay for ever.
STAYS = "sleep 600 & echo $$ $! > $(basename $AJSJOBNAME).pids; wait"

UNITS = f"""\
group: /day
jobnets:
  stubborn:
    units:
      deaf: {{command: 'trap "" TERM; {STAYS}; {STAYS}'}}
      after: {{after: deaf, command: 'echo after >> ran'}}
      sorry: {{after: deaf, recovery: true, command: 'echo sorry >> ran'}}
  three:
    units:
      one: {{command: '{STAYS}'}}
      two: {{command: '{STAYS}'}}
      inner: {{units: {{three: {{command: '{STAYS}'}}, four: {{after: three, command: 'echo four >> ran'}}}}}}
      sorry: {{after: [one, two, inner], recovery: true, command: 'echo sorry >> ran'}}
  polite:
    units: {{tidy: {{command: 'trap "echo tidied >> ran; exit 0" TERM; sleep 600 & touch up; wait'}}}}
  soft:
    units:
      long: {{command: 'touch up; while [ ! -e go ]; do sleep 0.02; done; exit 3'}}
      next: {{after: long, command: 'echo next >> ran'}}
      sorry: {{after: long, recovery: true, command: 'echo sorry >> ran'}}
  crowd:
    units:
{"".join(f"      j{n}: {{command: '{STAYS}'}}{chr(10)}" for n in range(LIMIT + 1))}
"""


@pytest.fixture
def day(place: Place) -> Iterator[Place]:
    place.define(UNITS)
    yield place
    for file in place.folder.glob("*.pids"):
        for pid in alive(file):
            os.kill(pid, signal.SIGKILL)


def alive(file: Path) -> list[int]:
    """The processes in a file that a job wrote that still run."""
    found = []
    for pid in map(int, file.read_text().split()):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            continue
        found += [pid] if state not in "ZX" else []
    return found


def stop(manager) -> None:
    manager.terminate()
    manager.communicate()


def status(place: Place, root: str) -> dict[str, str]:
    return {path: found for path, (found, _) in place.units(root).items()}


def test_a_job_that_ignores_term_is_killed_with_its_children(day: Place):
    manager = day.manager()
    day.run("ajsentry", "-n", "/day/stubborn")
    read_until(manager, "deaf:@A1 Now running")
    wait_for_file(day.folder / "deaf.pids")
    assert len(alive(day.folder / "deaf.pids")) == 2
    out, _ = day.run("ajskill", "--reason", "wrong file", "/day/stubborn/deaf")
    assert out.startswith("/day/stubborn/deaf:@A1 will be killed\n")
    said = read_until(manager, "stubborn:@A1 Ended abnormally")
    assert "deaf:@A1 Killed: killed by" in said
    assert ": wrong file" in said
    stop(manager)
    assert alive(day.folder / "deaf.pids") == []
    assert status(day, "/day/stubborn") == {
        "": "ABNORMAL",
        "deaf": "KILL",
        "after": "UNEXEC",
        "sorry": "NORMAL",
    }
    assert day.ran() == ["sorry"]


def test_a_jobnet_is_killed_with_everything_below_it(day: Place):
    manager = day.manager()
    day.run("ajsentry", "-n", "/day/three")
    names = ("one", "two", "three")
    for name in names:
        wait_for_file(day.folder / f"{name}.pids")
    out, _ = day.run("ajskill", "/day/three")
    assert "3 jobs (one, two, inner/three); 2 units in it will not start" in out
    read_until(manager, "/day/three:@A1 Killed")
    stop(manager)
    assert [alive(day.folder / f"{name}.pids") for name in names] == [[], [], []]
    assert status(day, "/day/three") == {
        "": "KILL",
        "one": "KILL",
        "two": "KILL",
        "inner": "KILL",
        "inner/three": "KILL",
        "inner/four": "UNEXEC",
        "sorry": "UNEXEC",
    }
    assert day.ran() == []


def test_a_job_that_tidies_up_and_ends_well_was_killed_all_the_same(day: Place):
    manager = day.manager()
    day.run("ajsentry", "-n", "/day/polite")
    wait_for_file(day.folder / "up")
    read_until(manager, "tidy:@A1 Now running")
    day.run("ajskill", "/day/polite/tidy")
    read_until(manager, "/day/polite:@A1 Ended abnormally")
    stop(manager)
    assert day.units("/day/polite")["tidy"] == ("KILL", -1)
    assert day.ran() == ["tidied"]


def test_a_kill_without_a_manager_is_carried_out_by_the_next_one(day: Place):
    manager = day.manager()
    day.run("ajsentry", "-n", "/day/three")
    read_until(manager, "inner/three:@A1 Now running")
    for name in ("one", "two", "three"):
        wait_for_file(day.folder / f"{name}.pids")
    manager.kill()
    manager.communicate()
    _, err = day.run("ajskill", "/day/three")
    assert "no manager runs, so nothing is killed until one does: ajsstart -F main" in err
    assert len(alive(day.folder / "one.pids")) == 2
    out, _ = day.run("ajs why", "/day/three")
    assert "to be killed, by" in out
    assert "no manager runs to act on it: ajsstart" in out
    day.run("ajsstart", "--until-idle")
    assert alive(day.folder / "one.pids") == []
    assert set(status(day, "/day/three").values()) == {"KILL", "UNEXEC"}


def test_a_queued_job_is_killed_and_never_starts(day: Place):
    manager = day.manager()
    day.run("ajsentry", "-n", "/day/crowd")
    for number in range(LIMIT):
        wait_for_file(day.folder / f"j{number}.pids")
    assert status(day, "/day/crowd")[f"j{LIMIT}"] == "QUEUING"
    day.run("ajskill", f"/day/crowd/j{LIMIT}")
    said = read_until(manager, f"j{LIMIT}:@A1 Killed")
    assert "killed before it started, by" in said.splitlines()[-1]
    day.run("ajskill", "/day/crowd")
    read_until(manager, "/day/crowd:@A1 Killed")
    stop(manager)
    assert not (day.folder / f"j{LIMIT}.pids").exists()
    assert set(status(day, "/day/crowd").values()) == {"KILL"}


def test_an_interrupted_jobnet_lets_its_job_end_and_starts_nothing(day: Place):
    manager = day.manager()
    day.run("ajsentry", "-n", "/day/soft")
    wait_for_file(day.folder / "up")
    read_until(manager, "long:@A1 Now running")
    out, _ = day.run("ajsintrpt", "--reason", "power cut", "/day/soft")
    assert "job long may end; 2 units in it will not start" in out
    read_until(manager, "sorry:@A1 Not executed + Ended")
    assert status(day, "/day/soft")["long"] == "RUNNING"
    (day.folder / "go").touch()
    said = read_until(manager, "/day/soft:@A1 Interrupted")
    assert "the root jobnet was interrupted by" in said.splitlines()[-1]
    stop(manager)
    assert day.units("/day/soft") == {
        "": ("INTERRUPT", None),
        "long": ("ABNORMAL", 3),
        "next": ("UNEXEC", None),
        "sorry": ("UNEXEC", None),
    }
    assert day.ran() == []


def test_an_interrupted_jobnet_can_still_be_killed(day: Place):
    manager = day.manager()
    day.run("ajsentry", "-n", "/day/soft")
    wait_for_file(day.folder / "up")
    read_until(manager, "long:@A1 Now running")
    day.run("ajsintrpt", "/day/soft")
    day.run("ajskill", "/day/soft")
    read_until(manager, "/day/soft:@A1 Killed")
    stop(manager)
    assert status(day, "/day/soft")["long"] == "KILL"


def test_a_kill_that_races_with_the_end_leaves_one_ending(day: Place):
    """Whoever is first: the job ended by itself, or was killed; the command and the statuses agree."""
    manager = day.manager()
    seen = set()
    for number in range(1, 9):
        (day.folder / "go").unlink(missing_ok=True)
        (day.folder / "up").unlink(missing_ok=True)
        day.run("ajsentry", "-n", "/day/soft")
        wait_for_file(day.folder / "up")
        killing = day.start("ajskill", "/day/soft/long")
        for _ in range(number * number * 200_000):
            pass
        (day.folder / "go").touch()
        read_until(manager, f"/day/soft:@A{number} Ended")
        out, err = killing.communicate()
        ended = day.units("/day/soft")
        seen.add((killing.returncode, ended["long"]))
        assert ended[""] == ("ABNORMAL", None)
        assert ended["sorry"] == ("NORMAL", 0), "it failed or was killed, and the recovery unit ran"
        if killing.returncode:
            assert "AJS1213" in err, out
            assert ended["long"] == ("ABNORMAL", 3)
        assert ended["long"] in {("ABNORMAL", 3), ("KILL", -1)}
    stop(manager)
    assert seen <= {(0, ("KILL", -1)), (0, ("ABNORMAL", 3)), (12, ("ABNORMAL", 3))}
    assert day.ran() == ["sorry"] * 8


def wait_for_file(file: Path) -> None:
    from tests.dispatch.waiting import until

    until(
        lambda: file.exists() and (file.name == "up" or file.read_text().endswith("\n")), str(file)
    )
