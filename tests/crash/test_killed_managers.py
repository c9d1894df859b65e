"""A manager that is killed at any instant: no job runs twice, none is lost, no result is lost."""

from __future__ import annotations

import os
import signal
from random import Random

import pytest

from ajs.dispatch.messages import Stream
from ajs.operations.output import Wanted, output
from ajs.operations.targets import Name
from tests.crash.kit import Place, pause, read_until

SEEDS = range(int(os.environ.get("AJS_CRASH_SEEDS", "3")))
NETS = 4
JOB = 'echo "$AJSJOBNAME" >> ran; echo "I am $AJSJOBNAME"; sleep 0.0{sleep}; exit {code}'


def busy_day() -> str:
    """Some jobnets: each two chains that meet, one with a warning, one recovery that is not needed."""
    lines = ["group: /day", "jobnets:"]
    for number in range(NETS):
        lines += [f"  net{number}:", "    units:"]
        for name, after, code in (
            ("a", "", 0),
            ("b", "", 0),
            ("c", "a", 2),
            ("d", "b", 0),
            ("e", "c, d", 0),
        ):
            command = JOB.format(sleep=1 + number, code=code)
            behind = f"after: [{after}], " if after else ""
            lines.append(
                f"      {name}: {{{behind}command: '{command}', warning_above: 1, abnormal_above: 7}}"
            )
        lines.append("      rescue: {after: e, recovery: true, command: 'echo rescue >> ran'}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_again_and_again_on_a_busy_day(place: Place, seed):
    random = Random(seed)
    place.define(busy_day())
    place.run("ajsentry", "-n", "-R", "-T", "/day")
    for _ in range(12):
        process = place.manager("--until-idle")
        assert process.stdout is not None
        for _ in range(random.randint(0, 6)):
            process.stdout.readline()
        pause(random.random() * 0.05)
        process.kill()
        process.communicate()
    place.run("ajsstart", "--until-idle")
    names = [f"/day/net{number}/{job}" for number in range(NETS) for job in "abcde"]
    assert place.ran() == sorted(names)
    for number in range(NETS):
        assert place.units(f"/day/net{number}") == {
            "": ("WARNING", None),
            "a": ("NORMAL", 0),
            "b": ("NORMAL", 0),
            "c": ("WARNING", 2),
            "d": ("NORMAL", 0),
            "e": ("NORMAL", 0),
            "rescue": ("BYPASS", None),
        }
    with place.open() as service:
        for name in names:
            pieces = output(service, Wanted(name=Name("", name, "")))
            assert [(p.stream, p.content) for p in pieces] == [
                (Stream.OUT, f"I am {name}\n".encode())
            ]


SLOW = """
group: /day
jobnets:
  net:
    units:
      slow: {command: 'echo begun >> ran; while [ ! -e go ]; do sleep 0.02; done; echo done; exit 3', abnormal_above: 5}
      next: {after: slow, command: 'echo next >> ran'}
"""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_job_outlives_its_manager_and_the_next_one_takes_its_end_in(place: Place, how):
    place.define(SLOW)
    place.run("ajsentry", "-n", "/day/net")
    process = place.manager()
    read_until(process, "slow:@A1 Now running")
    process.send_signal(how)
    _, err = process.communicate()
    if how is not signal.SIGKILL:
        assert process.returncode == 0
        assert "1 job runs on" in err
    (place.folder / "go").touch()
    place.run("ajsstart", "--until-idle")
    assert place.ran() == ["begun", "next"]
    assert place.units("/day/net") == {
        "": ("NORMAL", None),
        "slow": ("NORMAL", 3),
        "next": ("NORMAL", 0),
    }


def test_ajsstop_leaves_jobs_running_and_says_so(place: Place):
    place.define(SLOW)
    place.run("ajsentry", "-n", "/day/net")
    process = place.manager("--quiet")
    while place.ran() != ["begun"]:
        pause(0.01)
    out, _ = place.run("ajsstop")
    assert f"process {process.pid}, has ended" in out
    said, err = process.communicate()
    assert said == ""
    assert process.returncode == 0
    assert "1 job runs on" in err
    (place.folder / "go").touch()
    place.run("ajsstart", "--until-idle", "--quiet")
    assert place.ran() == ["begun", "next"]


def test_ajsstop_without_a_manager(place: Place):
    _, err = place.run("ajsstop", code=28)
    assert "AJS2801" in err
    assert "no manager runs for the scheduler service main" in err


def test_a_second_manager_is_refused_and_the_first_one_named(place: Place):
    process = place.manager()
    _, err = place.run("ajsstart", code=20)
    assert "AJS2003" in err
    assert f"process {process.pid}" in err
    process.terminate()
    process.communicate()


def test_a_launcher_that_is_killed_is_replaced(place: Place):
    place.define(SLOW)
    place.run("ajsentry", "-n", "/day/net")
    process = place.manager()
    read_until(process, "slow:@A1 Now running")
    children = f"/proc/{process.pid}/task/{process.pid}/children"
    with open(children) as file:
        (launcher,) = map(int, file.read().split())
    os.kill(launcher, signal.SIGKILL)
    (place.folder / "go").touch()
    read_until(process, "net:@A1 Ended normally")
    process.terminate()
    process.communicate()
    assert place.ran() == ["begun", "next"]


def test_a_spool_that_was_lost_is_never_taken_for_jobs_that_did_not_run(place: Place):
    place.define(SLOW)
    place.run("ajsentry", "-n", "/day/net")
    process = place.manager()
    read_until(process, "slow:@A1 Now running")
    process.kill()
    process.communicate()
    (place.folder / "go").touch()
    spool = place.state / "spool"
    lost = place.folder / "lost"
    spool.rename(lost)
    _, err = place.run("ajsstart", "--until-idle", code=24)
    assert "1 jobs are on record as running in it" in err
    spool.mkdir()
    place.run("ajsstart", "--until-idle")
    assert place.ran() == ["begun"]
    assert place.units("/day/net")["slow"] == ("UNKNOWN", None)
    assert place.units("/day/net")["next"] == ("UNEXEC", None)
