"""Jobs that do what jobs do, under a real manager; and commands that wait for them or read what they wrote."""

from __future__ import annotations

import json
import re
import signal

import jsonschema
import pytest

from ajs.render.schemas import SCHEMAS
from tests.crash.kit import Place, read_until

AT = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
SPAN = rf"{AT} - (\d{{4}}-\d\d-\d\d )?\d\d:\d\d:\d\d"
HUNDRED_MB = 100 * 1024 * 1024

# name, what it is, status, return code
JOBS = {
    "forks": ("{command: '(sleep 60; echo late >> ran) & exit 0'}", "NORMAL", 0),
    "ignores-term": ("{command: 'trap \"\" TERM; sleep 60', timeout: 1s}", "KILL", -1),
    "kills-parent": ("{command: 'kill -9 $PPID'}", "UNKNOWN", None),
    "missing": ("{command: ./no-such-program}", "ABNORMAL", 127),
    "no-folder": ("{command: 'true', work_dir: no/such/folder}", "FAIL", -1),
    "by-signal": ("{command: 'kill -9 $$'}", "KILL", -1),
    "writes": (f"{{command: 'head -c {HUNDRED_MB} /dev/zero'}}", "NORMAL", 0),
    "high-code": ("{command: 'exit 255', abnormal_above: 254}", "ABNORMAL", 255),
}


@pytest.fixture
def jobs(place: Place) -> Place:
    units = [f"      {name}: {what}" for name, (what, _, _) in JOBS.items()]
    place.define("\n".join(["group: /day", "jobnets:", "  net:", "    units:", *units]) + "\n")
    place.run("ajsentry", "-n", "/day/net")
    return place


def test_every_job_ends_as_it_should(jobs: Place):
    jobs.run("ajsstart", "--until-idle")
    ended = jobs.units("/day/net")
    assert {name: ended[name] for name in JOBS} == {
        name: (status, code) for name, (_, status, code) in JOBS.items()
    }
    assert ended[""] == ("ABNORMAL", None)
    assert jobs.ran() == []
    out, err = jobs.run("ajs output", "/day/net/missing")
    assert out == ""
    assert "no-such-program" in err
    out, _ = jobs.run("ajs output", "--stdout", "/day/net/writes")
    assert out == "\0" * HUNDRED_MB


SCRIPT = """\
group: /day
jobnets:
  net:
    units:
      told: {command: "env | grep ^AJS | sort; pwd; echo $SHOP >&2", environment: {SHOP: umeda}}
      talks: {command: 'for n in 1 2 3; do echo $n; while [ ! -e go$n ]; do sleep 0.02; done; done'}
"""


@pytest.fixture
def talking(place: Place) -> Place:
    place.define(SCRIPT)
    return place


def test_what_a_job_sees(talking: Place):
    for number in "123":
        (talking.folder / f"go{number}").touch()
    talking.run("ajsentry", "-n", "/day/net")
    talking.run("ajsstart", "--until-idle")
    out, err = talking.run("ajs output", "/day/net/told:@A1")
    said = out.splitlines()
    assert said[-1] == str(talking.folder)
    names = {line.partition("=")[0] for line in said[:-1]}
    given = {
        "AJSENV",
        "AJSEXDATE",
        "AJSEXECID",
        "AJSHOST",
        "AJSJOBNAME",
        "AJSNETNAME",
        "AJS_AJSCONF",
    }
    assert names == given
    assert "AJSEXECID=@A1" in said
    assert err == "umeda\n"


def test_output_follows_a_job_to_its_end(talking: Place):
    manager = talking.manager()
    talking.run("ajsentry", "-n", "/day/net")
    read_until(manager, "talks:@A1 Now running")
    follow = talking.start("ajs output", "--follow", "--stdout", "/day/net/talks")
    for number in "123":
        read_until(follow, number)
        (talking.folder / f"go{number}").touch()
    rest, err = follow.communicate()
    assert (rest, err, follow.returncode) == ("", "", 0)
    manager.terminate()
    manager.communicate()


# arguments | code of the error | what it says
NO_OUTPUT = {
    "a jobnet": (["/day/net"], "AJS0804", "is not a job"),
    "not started": (["/day/net/told"], "AJS0804", "has not been started"),
    "no such run": (["/day/net/told:@A7"], "AJS0802", "has no run @A7"),
    "no such unit": (["/day/net/tell"], "AJS0801", "there is no unit"),
    "no such attempt": (["--attempt", "2", "/day/net/told"], "AJS0804", "attempt 2 of"),
}


@pytest.mark.parametrize(("arguments", "code", "says"), NO_OUTPUT.values(), ids=NO_OUTPUT)
def test_output_that_is_not_there(talking: Place, arguments, code, says):
    out, err = talking.run("ajs output", *arguments, code=8)
    assert out == ""
    assert code in err
    assert says in err


QUICK = """\
group: /day
jobnets:
  good: {units: {one: {command: 'true'}}}
  bad: {units: {one: {command: 'exit 9'}}}
  endless: {units: {one: {command: 'while [ ! -e go ]; do sleep 0.02; done'}}}
"""


@pytest.fixture
def quick(place: Place) -> Place:
    place.define(QUICK)
    return place


def test_a_command_waits_for_the_run_that_it_registered(quick: Place):
    manager = quick.manager()
    good, _ = quick.run("ajsentry", "-n", "-w", "--fail-on", "abnormal", "/day/good")
    assert good.splitlines()[0] == "/day/good:@A1 registered for immediate execution"
    assert re.fullmatch(
        rf"/day/good:@A1 Ended normally, {SPAN}; worst: one, Ended normally, return code 0",
        good.splitlines()[1],
    )
    bad, _ = quick.run(
        "ajsentry", "-n", "-w", "--fail-on", "abnormal", "/day/bad", "/day/good", code=36
    )
    assert re.fullmatch(
        rf"/day/bad:@A2 Ended abnormally, {SPAN}; worst: one, Ended abnormally, return code 9",
        bad.splitlines()[2],
    )
    assert bad.splitlines()[3].startswith("/day/good:@A3 Ended normally, ")
    manager.terminate()
    manager.communicate()
    assert quick.units("/day/good")["one"] == ("NORMAL", 0)


def test_waiting_ends_at_its_timeout_and_the_run_goes_on(quick: Place):
    manager = quick.manager()
    out, err = quick.run(
        "ajsentry", "-n", "-w", "--timeout", "1s", "/day/endless", "/day/good", code=20
    )
    assert "AJS2002" in err
    _, _, endless, good = out.splitlines()
    assert re.fullmatch(rf"/day/endless:@A1 Now running, since {AT}", endless)
    assert re.match(rf"/day/good:@A2 Ended normally, {SPAN}; ", good)
    (quick.folder / "go").touch()
    read_until(manager, "endless:@A1 Ended normally")
    manager.terminate()
    manager.communicate()


def test_for_machines_the_runs_are_told_in_one_object_when_the_wait_is_over(quick: Place):
    manager = quick.manager()
    wait = ("ajsentry", "-n", "-w", "--format", "json")
    out, _ = quick.run(*wait, "/day/bad")
    found = json.loads(out)
    jsonschema.validate(found, SCHEMAS["entry"])
    (run,) = found["runs"]
    assert (run["unit"], run["execution_id"], run["status"]) == ("/day/bad", "@A1", "ABNORMAL")
    assert run["worst"] == {
        "unit": "/day/bad/one",
        "status": "ABNORMAL",
        "status_text": "Ended abnormally",
        "return_code": 9,
    }
    out, err = quick.run(*wait, "--timeout", "1s", "/day/endless", code=20)
    found = json.loads(out)
    jsonschema.validate(found, SCHEMAS["entry"])
    (run,) = found["runs"]
    assert (run["status"], run["ended"], run["worst"]) == ("RUNNING", None, None)
    assert json.loads(err.splitlines()[-1])["error"]["code"] == "AJS2002"
    (quick.folder / "go").touch()
    read_until(manager, "endless:@A2 Ended normally")
    manager.terminate()
    manager.communicate()


def test_who_ends_the_wait_is_told_how_far_the_run_is(quick: Place):
    manager = quick.manager()
    waits = quick.start("ajsentry", "-n", "-w", "/day/endless")
    read_until(manager, "endless/one:@A1 Now running")
    waits.send_signal(signal.SIGINT)
    out, err = waits.communicate()
    assert waits.returncode == 130
    assert re.fullmatch(rf"/day/endless:@A1 Now running, since {AT}", out.splitlines()[1])
    assert "the runs go on, ajskill ends them" in err
    (quick.folder / "go").touch()
    read_until(manager, "endless:@A1 Ended normally")
    manager.terminate()
    manager.communicate()


def test_waiting_ends_when_the_manager_goes_away(quick: Place):
    manager = quick.manager()
    waits = quick.start("ajsentry", "-n", "-w", "/day/endless")
    read_until(manager, "endless/one:@A1 Now running")
    manager.kill()
    manager.communicate()
    out, err = waits.communicate()
    assert waits.returncode == 28
    assert "/day/endless:@A1 Now running, since " in out
    assert "AJS2801" in err
    (quick.folder / "go").touch()
    quick.run("ajsstart", "--until-idle")


def test_without_a_manager_nothing_is_registered_to_be_waited_for(quick: Place):
    quick.run("ajsentry", "-n", "-w", "/day/good", code=28)
    out, _ = quick.run("ajsstart", "--until-idle")
    assert out == ""


def test_a_second_run_at_once_is_skipped_and_says_why(quick: Place):
    manager = quick.manager()
    quick.run("ajsentry", "-n", "/day/endless")
    read_until(manager, "one:@A1 Now running")
    quick.run("ajsentry", "-n", "/day/endless")
    said = read_until(manager, "endless:@A2 Skipped so not exe.")
    assert "the run @A1 of the same root jobnet was still going" in said
    (quick.folder / "go").touch()
    read_until(manager, "endless:@A1 Ended normally")
    manager.terminate()
    manager.communicate()


def test_no_more_jobs_run_at_once_than_ajs_toml_says(place):
    configuration = place.folder / "ajs.toml"
    configuration.write_text(f"{configuration.read_text()}jobs_at_once = 1\n")
    # Each job finds the lock of no other one, for it takes its own away before it ends.
    job = "{command: 'mkdir alone && sleep 0.1 && rmdir alone'}"
    place.define(f"group: /at\njobnets:\n  once:\n    units: {{a: {job}, b: {job}, c: {job}}}\n")
    place.run("ajsentry", "-n", "/at/once")
    place.run("ajsstart", "--until-idle")
    assert {status for status, _ in place.units("/at/once").values()} == {"NORMAL"}
