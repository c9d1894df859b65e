"""What can fail between a manager and its agents, row by row, and what is left of it at the end."""

from __future__ import annotations

import pytest

from tests.bed.bed import Bed
from tests.dispatch.waiting import until
from tests.faults.kit import (
    Department,
    Wire,
    begun,
    go,
    job,
    job_folder,
    lines,
    says,
    script,
    started,
)

ONE_START = {"work": 1}


def check_normal(department: Department) -> None:
    """The job ran once, and everything of it arrived."""
    assert department.ended() == "NORMAL"
    assert started(department.bed) == ONE_START
    assert department.output("net/work") == ("I am /day/net/work\n", "")
    department.check()


def check_unknown(department: Department, *reasons: str) -> None:
    """Nobody can know how the job ended: it is said so, with the reason, and nothing follows by itself."""
    assert department.ended() == "ABNORMAL"
    units = department.show("/day/net")
    assert (units["/day/net/work"]["status"], units["/day/net/work"]["return_code"]) == (
        "UNKNOWN",
        None,
    )
    assert units["/day/net/next"]["status"] == "UNEXEC"
    assert len(units["/day/net/work"]["attempts"]) == 1
    why = department.why("net/work")
    for reason in ("Unknown end status", *reasons):
        assert reason in why, why
    department.kill_manager()
    department.manager()
    department.net("other", work=job(says(wait=False)))
    assert department.ended("other") == "NORMAL"
    assert [name for _, name in lines(department.bed, "starts")] == [
        "/day/net/work",
        "/day/other/work",
    ]


# -- rows 1 to 3: the start --


@pytest.mark.parametrize("late", [False, True])
def test_cut_before_the_attempt_was_taken(lone: Bed, department: Department, late):
    """Row 1; the helper that was about to take it dies too, or goes on when nobody waits for it any more."""
    wire = Wire(lone.agent(1), "mkdir", "*/jobs/?*")
    department.net(work=job(says(wait=False)))
    department.manager()
    wire.reached()
    assert started(lone) == {}
    lone.agent(1).kill_sessions()
    if late:
        check_normal(department)
        wire.free()
        until(
            lambda: not list((lone.agent(1).home / ".ajs" / "new").iterdir()), "the late one gone"
        )
    else:
        wire.kill()
    check_normal(department)


def test_cut_while_the_script_is_on_its_way(lone: Bed, department: Department):
    """Row 2."""
    agent = lone.agent(1)
    text = f"#!/bin/sh\n{says(wait=False)}\n#".ljust(1 << 20, "x")
    (department.place.folder / "work.sh").write_text(text)
    wire = Wire(agent, "dd", f"bs={1 << 20} *")
    department.net(work=script("work.sh"))
    department.manager()
    wire.reached()
    agent.kill_sessions()
    wire.free()
    check_normal(department)


def test_cut_after_the_attempt_was_taken(lone: Bed, department: Department):
    """Row 3: it runs, and nobody hears of it."""
    agent = lone.agent(1)
    wire = Wire(agent, "rm", "-f */new/*.launch *")
    department.net(work=job(says()))
    department.manager()
    wire.reached()
    begun(lone, "work")
    assert department.statuses()["work"] == ("QUEUING", None)
    agent.kill_sessions()
    wire.kill()
    department.becomes("RUNNING", "work")
    go(lone)
    check_normal(department)


# -- rows 5 to 8: the way --


def test_all_relays_are_down(lone: Bed, department: Department):
    """Row 5; a command says since when there is no contact, and the result comes when a relay is back."""
    department.net(work=job(says()))
    department.manager()
    begun(lone, "work")
    department.becomes("RUNNING", "work")
    for relay in lone.relays:
        relay.kill()
    go(lone)
    until(lambda: lines(lone, "ends"), "the job ended")
    attempt = until(lambda: _silent(department), "it is said that there is no contact")
    assert attempt["state"] == "UNKNOWN"
    assert department.statuses()["work"] == ("RUNNING", None)
    why = department.why("net/work")
    assert f"no contact since {attempt['no_contact_since'][:10]}" in why, why
    lone.relay(2).start()
    check_normal(department)
    assert (
        department.show("/day/net/work")["/day/net/work"]["attempts"][0]["agent"]["relay"] == "AGT2"
    )


def _silent(department: Department) -> dict[str, str] | None:
    (attempt,) = department.show("/day/net/work")["/day/net/work"]["attempts"]
    return attempt if attempt["no_contact_since"] else None


def test_the_load_balancer_is_down(lone: Bed, department: Department):
    """Row 6."""
    department.net(work=job(says()))
    department.manager()
    begun(lone, "work")
    lone.lb.kill()
    go(lone)
    check_normal(department)


@pytest.mark.parametrize("how", ["drains", "shuts"])
def test_the_load_balancer_sends_nobody_to_the_agent(lone: Bed, department: Department, how):
    """Row 7."""
    department.net(work=job(says()))
    department.manager()
    begun(lone, "work")
    lone.lb.drain("agent1")
    if how == "shuts":
        lone.lb.shut_sessions("agent1")
    go(lone)
    check_normal(department)


@pytest.mark.parametrize("where", ["before the relays", "before the agent"])
def test_everything_is_lost_without_a_word(lone: Bed, department: Department, where):
    """Row 8."""
    department.net(work=job(says()))
    department.manager()
    begun(lone, "work")
    department.becomes("RUNNING", "work")
    cut = lone.relays if where == "before the relays" else lone.agents
    for host in cut:
        host.drop()
    go(lone)
    until(lambda: lines(lone, "ends"), "the job ended")
    until(lambda: _silent(department), "it is said that there is no contact")
    assert department.statuses()["work"] == ("RUNNING", None)
    assert "Now running since" in (why := department.why("net/work"))
    assert "no contact since" in why
    for host in cut:
        host.undrop()
    check_normal(department)


# -- rows 10 to 16: the agent --


def test_the_runner_of_the_job_is_killed(lone: Bed, department: Department):
    """Row 10: as long as the job itself goes on it runs, and then nobody has seen how it ended."""
    agent = lone.agent(1)
    department.net(work=job(says()), next=job(says(wait=False), after="work"))
    department.manager()
    department.becomes("RUNNING", "work")
    begun(lone, "work")
    pid = job_folder(agent) / "pid"
    agent.run("kill", "-KILL", pid.read_text().split()[1])
    department.becomes("RUNNING", "work")
    department.kill_manager()
    department.manager()
    assert department.statuses()["work"] == ("RUNNING", None)
    go(lone)
    check_unknown(department, "the runner of the job on the agent is gone")


def test_the_agent_is_switched_off_and_on(lone: Bed, department: Department):
    """Row 11."""
    department.net(work=job(says()), next=job(says(wait=False), after="work"))
    department.manager()
    begun(lone, "work")
    department.becomes("RUNNING", "work")
    lone.reboot(lone.agent(1))
    check_unknown(department, "the agent was restarted")


def test_the_agent_comes_back_with_an_empty_disk(lone: Bed, department: Department):
    """Row 11, its disk being lost."""
    department.net(work=job(says()), next=job(says(wait=False), after="work"))
    department.manager()
    begun(lone, "work")
    department.becomes("RUNNING", "work")
    lone.reboot(lone.agent(1), wipe=True)
    check_unknown(department, "its job folder was made anew, and with it every record is gone")


def test_its_address_is_given_to_another_instance(lone: Bed, department: Department):
    """Row 13: it shows another certificate, and is asked nothing about the job."""
    department.net(work=job(says()), next=job(says(wait=False), after="work"))
    department.manager()
    begun(lone, "work")
    department.becomes("RUNNING", "work")
    lone.replace(lone.agent(1))
    check_unknown(department, "its address is another host's now")


def test_the_disk_of_the_agent_is_full(lone: Bed, department: Department):
    """Row 16: it does not start, which is said, and the next one starts once there is room."""
    agent = lone.agent(1)
    department.net("first", work=job(says(wait=False)))
    department.manager()
    assert department.ended("first") == "NORMAL"
    until(lambda: not list((agent.home / ".ajs" / "jobs").iterdir()), "nothing left there")
    agent.fill_disk()
    department.net(work=job(says(wait=False)))
    assert department.ended() == "ABNORMAL"
    assert department.statuses()["work"] == ("FAIL", -1)
    assert "it could not be started: only 0 kB are free" in department.why("net/work")
    assert started(lone) == ONE_START
    agent.clear_disk()
    department.net("second", work=job(says(wait=False)))
    assert department.ended("second") == "NORMAL"
    assert [name for _, name in lines(lone, "starts")] == ["/day/first/work", "/day/second/work"]


def test_the_disk_of_the_agent_is_full_when_the_job_ends(lone: Bed, department: Department):
    """Row 16: its result has its room from the start."""
    agent = lone.agent(1)
    department.net(work=job(says()))
    department.manager()
    begun(lone, "work")
    agent.fill_disk()
    go(lone)
    assert department.ended() in {"NORMAL", "ABNORMAL"}
    assert started(lone) == ONE_START
    agent.clear_disk()
