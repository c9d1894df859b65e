"""The helper on agents, called over links in the bed: attempts are started once and their results kept, whatever fails.

What truly ran is told by the records of the hosts, which jobs write themselves and no fault removes.
"""

from __future__ import annotations

import random
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from ajs.dispatch import launching
from ajs.dispatch.answers import parse_event
from ajs.dispatch.link_errors import LinkError
from ajs.dispatch.messages import (
    Absent,
    Claimed,
    Ended,
    Exited,
    Lost,
    NotTaken,
    Remains,
    Running,
    Signalled,
)
from ajs.dispatch.protocol import (
    Ack,
    Expired,
    Kill,
    KillOrdered,
    List,
    Listed,
    Other,
    Start,
    State,
    Tomb,
    build,
)
from tests.bed.host import HOME
from tests.bed.linked import DIGEST, FOLDER, LONG_S, ROOT, Linked, Talk, job
from tests.bed.server import Agent
from tests.dispatch.waiting import until

BIG = b"#" * (24 << 20)
UNTIL_TOLD = "until [ -e ~/go ]; do sleep 0.05; done"


def talk(linked: Linked, number: int = 1, *, relay: int = 1) -> Talk:
    """The helper on an agent, by its own address."""
    return Talk(linked.open(linked.bed.agent(number), relay=relay))


def go(agent: Agent) -> None:
    """Let jobs end that do UNTIL_TOLD."""
    (agent.home / "go").touch()


def ran(linked: Linked) -> list[str]:
    """Every attempt as often as it was run, on all hosts together."""
    return sorted(name for agent in linked.bed.agents for name in agent.records())


def running(linked: Linked, helper: Talk, script: str) -> Start:
    """An attempt that has begun, also by the records of its host."""
    attempt = job(helper.agent, script)
    assert isinstance(helper.stands(attempt), Running)
    until(lambda: attempt.attempt_id in ran(linked), "the record of the job")
    return attempt


# -- the verbs --


def test_hello_over_the_balancer_tells_the_agent_and_its_own_address(linked):
    helper = Talk(linked.open())
    hello = helper.hello()
    agent = next(a for a in linked.bed.agents if a.name == hello.hostname)
    assert (hello.address, hello.port) == (agent.addresses["in"], 22)
    assert helper.agent.boot_id == agent.boot_id
    assert hello.missing == ()
    assert helper.link.far_side.key_id == agent.instance


def test_an_attempt_from_start_to_ack(linked):
    helper = talk(linked)
    start = running(linked, helper, f"echo hello; {UNTIL_TOLD}; exit 3")
    listed = helper.ask(List())
    assert isinstance(listed, Listed)
    assert isinstance(listed.standings[start.attempt_id].standing, Running)
    until(lambda: helper.output(start) == b"hello\n", "output")
    go(linked.bed.agent(1))
    assert helper.result(start).outcome == Exited(3)
    assert helper.stands(Ack(start.attempt_id)) == Tomb()
    assert helper.stands(start) == Tomb()
    assert helper.ask(List()) == Listed({})
    assert ran(linked) == [start.attempt_id]


def test_a_kill_ends_the_whole_job(linked):
    helper = talk(linked)
    start = running(linked, helper, "sleep 1000 & sleep 1000")
    order = helper.ask(Kill(start.attempt_id))
    assert isinstance(order, KillOrdered)
    assert helper.result(start).outcome == Signalled(15)
    assert not linked.bed.agent(1).run("pgrep", "-f", "sleep 1000", check=False).stdout


def test_the_end_of_a_job_is_told_at_once(linked):
    helper = talk(linked)
    stream = helper.link.stream(launching.follow_command(ROOT), deadline_s=LONG_S)
    agent = linked.bed.agent(1)
    until(lambda: agent.run("pgrep", "-x", "tail", check=False).stdout, "somebody who follows")
    start = job(helper.agent, "")
    helper.ask(start)
    assert parse_event(next(iter(stream))) == start.attempt_id
    stream.close()


def test_many_starts_of_one_attempt_at_once_run_it_once(linked):
    helpers = [talk(linked, relay=1 + number % 2) for number in range(4)]
    start = job(helpers[0].agent, UNTIL_TOLD)
    with ThreadPoolExecutor(24) as pool:
        calls = [pool.submit(helper.stands, start) for helper in helpers * 6]
        answers = [call.result(LONG_S) for call in calls]
    assert {type(answer) for answer in answers} <= {Running, Claimed}
    go(linked.bed.agent(1))
    helpers[0].result(start)
    assert ran(linked) == [start.attempt_id]


def test_another_agent_knows_nothing_and_starts_nothing(linked):
    first, second = talk(linked, 1), talk(linked, 2)
    start = running(linked, first, UNTIL_TOLD)
    assert second.agent.epoch != first.agent.epoch
    assert second.state(start) == Absent()
    assert second.stands(start) == Other(epoch_differs=True)
    assert ran(linked) == [start.attempt_id]


# -- cut off --


def receiving(agent: Agent) -> bool:
    """Whether a helper is reading a payload."""
    return bool(agent.run("pgrep", "-x", "dd", check=False).stdout)


def cut_off(linked: Linked, helper: Talk, *starts: Start, silently: bool = False) -> None:
    """Send the starts, and kill the relay while the payload of the last of them is on its way."""
    agent, relay = linked.bed.agent(1), linked.bed.relay(1)
    command = launching.call_command(ROOT, DIGEST, secrets.token_hex(8))
    succeeds = lambda *words: agent.run(*words, check=False).returncode == 0
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(helper.link.call, command, build(starts), deadline_s=LONG_S)
        hold = ("sh", "-c", "pkill -STOP -x dd && pgrep -r T -x dd")  # it may just be ending
        until(lambda: succeeds(*hold), "a payload on its way")
        if silently:
            relay.drop("in")
        relay.kill()
        assert isinstance(call.exception(LONG_S), LinkError)
    assert succeeds("pkill", "-CONT", "-x", "dd")


def test_a_start_cut_in_the_middle_runs_nothing_and_may_be_sent_again(linked):
    agent = linked.bed.agent(1)
    helper = talk(linked)
    start = job(helper.agent, "exit 0", file=BIG)
    cut_off(linked, helper, start)
    helper = talk(linked, relay=2)
    until(lambda: not receiving(agent), "the end of the helper that was cut off")
    assert helper.state(start) == Absent()
    assert ran(linked) == []
    assert not list((agent.home / FOLDER / "new").iterdir())
    helper.stands(start)
    assert helper.result(start).outcome == Exited(0)
    assert ran(linked) == [start.attempt_id]


def test_an_answer_that_was_lost_is_found_again(linked):
    helper = talk(linked)
    first, second = job(helper.agent, UNTIL_TOLD), job(helper.agent, "exit 0", file=BIG)
    cut_off(linked, helper, first, second)
    helper = talk(linked, relay=2)
    assert isinstance(helper.state(first), Running)
    assert isinstance(helper.stands(first), Running)
    go(linked.bed.agent(1))
    assert helper.result(first).outcome == Exited(0)
    assert helper.state(second) == Absent()
    assert ran(linked) == [first.attempt_id]


def test_a_start_that_hangs_on_a_dead_way_does_nothing_later(linked):
    agent = linked.bed.agent(1)
    helper = talk(linked)
    start = job(helper.agent, "exit 0", file=BIG)
    cut_off(linked, helper, start, silently=True)  # its helper is told nothing and goes on waiting
    helper = talk(linked, relay=2)
    assert receiving(agent)
    assert helper.state(start) == Absent()
    helper.stands(start)
    assert helper.result(start).outcome == Exited(0)
    agent.kill_sessions()
    until(lambda: not receiving(agent), "the end of the helper that hung")
    assert isinstance(talk(linked, relay=2).state(start), Ended)
    assert ran(linked) == [start.attempt_id]


def test_starts_cut_at_any_moment_run_once(linked):
    """Each start is cut twice, anywhere between its first and its last byte there and back, and then sent again."""
    helper = talk(linked)
    starts = [job(helper.agent, "echo $AJS_ATTEMPT", file=b"#" * 100_000) for _ in range(24)]
    moments = random.Random(1)

    def cut(start: Start) -> None:
        link = linked.open(linked.bed.agent(1))
        timer = threading.Timer(moments.uniform(0, 0.08), link.close)
        timer.start()
        with suppress(LinkError):
            command = launching.call_command(ROOT, DIGEST, secrets.token_hex(8))
            link.call(command, build([start]), deadline_s=LONG_S)
        timer.join()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(cut, starts * 2))
    for start in starts:
        assert isinstance(helper.stands(start), Running | Ended | Claimed)
        assert helper.result(start).outcome == Exited(0)
        assert helper.output(start) == f"{start.attempt_id}\n".encode()
    assert ran(linked) == sorted(start.attempt_id for start in starts)


@pytest.mark.parametrize("fault", ["relay", "balancer", "sessions", "silence"])
def test_a_job_outlives_its_connection(linked, fault):
    bed = linked.bed
    helper = Talk(linked.open())
    host = next(agent for agent in bed.agents if agent.name == helper.hello().hostname)
    start = running(linked, helper, f"{UNTIL_TOLD}; echo done")
    match fault:
        case "relay":
            bed.relay(1).kill()
        case "balancer":
            bed.lb.kill()
        case "sessions":
            host.kill_sessions()
        case _:
            host.drop()
    go(host)
    until((host.home / FOLDER / "jobs" / start.attempt_id / "result").exists, "the end")
    host.undrop() if fault == "silence" else None
    helper = Talk(linked.open(host, relay=2))
    assert helper.result(start).outcome == Exited(0)
    assert helper.output(start) == b"done\n"
    assert ran(linked) == [start.attempt_id]


# -- hosts that come again --


def test_after_a_reboot_the_job_is_lost_for_sure(linked):
    bed = linked.bed
    helper = talk(linked)
    before = helper.hello()
    start = job(helper.agent, "echo hello; exec sleep 1000")
    done = job(helper.agent, "echo kept")
    assert isinstance(helper.stands(start), Running)
    helper.stands(done)
    helper.result(done)
    bed.reboot(bed.agent(1))
    again = talk(linked)
    assert again.agent.epoch == helper.agent.epoch
    assert again.agent.boot_id == bed.agent(1).boot_id != helper.agent.boot_id
    assert again.hello().init_ticks != before.init_ticks
    lost = again.state(start)
    assert isinstance(lost, Lost)
    assert lost.remains is Remains.GONE
    assert again.output(start) == b"hello\n"
    assert again.result(done).outcome == Exited(0)
    assert again.output(done) == b"kept\n"
    assert isinstance(again.stands(start), Lost)
    assert again.stands(replace(start, attempt_id="other")) == Other(epoch_differs=False)
    assert again.stands(Ack(start.attempt_id)) == Tomb()
    assert again.stands(start) in (Tomb(), Other(epoch_differs=False))
    assert ran(linked) == sorted([start.attempt_id, done.attempt_id])


def test_under_another_epoch_absent_proves_nothing_and_old_starts_do_nothing(linked):
    helper = talk(linked)
    start = running(linked, helper, UNTIL_TOLD)
    linked.bed.reboot(linked.bed.agent(1), wipe=True)
    again = talk(linked)
    assert again.agent.epoch != helper.agent.epoch
    assert again.state(start) == Absent()
    assert again.stands(start) == Other(epoch_differs=True)
    assert again.ask(List()) == Listed({})
    assert ran(linked) == [start.attempt_id]


def test_another_instance_at_the_same_address_starts_nothing_of_the_old_one(linked):
    helper = talk(linked)
    start = running(linked, helper, UNTIL_TOLD)
    linked.bed.replace(linked.bed.agent(1))
    again = talk(linked)
    assert again.link.far_side.address == helper.link.far_side.address
    assert again.link.far_side.key_id != helper.link.far_side.key_id
    assert again.stands(start) == Other(epoch_differs=True)
    assert ran(linked) == [start.attempt_id]


def test_a_job_whose_runner_was_killed_is_lost_and_can_still_be_killed(linked):
    helper = talk(linked)
    start = running(linked, helper, "exec sleep 1000")
    agent = linked.bed.agent(1)
    agent.run("kill", "-KILL", str(helper.state(start).guard_pid))
    until(lambda: isinstance(helper.state(start), Lost), "lost")
    assert helper.state(start).remains is Remains.THERE
    helper.ask(Kill(start.attempt_id))
    until(lambda: helper.state(start).remains is Remains.GONE, "gone")
    assert not agent.run("pgrep", "-f", "sleep 1000", check=False).stdout


# -- disk and clock --


def test_a_full_disk_refuses_starts_and_keeps_results(linked):
    agent = linked.bed.agent(1)
    helper = talk(linked)
    kept = running(linked, helper, f"echo before; {UNTIL_TOLD}; exit 4")
    (agent.home / "space").write_bytes(bytes(8192))
    agent.fill_disk()
    refused = helper.stands(job(helper.agent, "exit 0"))
    assert isinstance(refused, NotTaken), refused
    assert "kB are free" in refused.reason
    agent.run("sh", "-c", f"mv {HOME}/space {HOME}/go")  # a full disk takes no new names of its own
    assert helper.result(kept).outcome == Exited(4)
    assert helper.output(kept) == b"before\n"
    agent.clear_disk()
    later = job(helper.agent, "exit 0")
    helper.stands(later)
    assert helper.result(later).outcome == Exited(0)
    assert ran(linked) == sorted([kept.attempt_id, later.attempt_id])


@pytest.mark.parametrize("ahead", [3600, -3600])
def test_a_wrong_clock_is_told_and_decides_nothing(linked, ahead):
    right = talk(linked, 2).hello().clock
    linked.bed.agent(1).set_clock(ahead)
    helper = talk(linked)
    off = helper.hello().clock - right
    assert abs(off - timedelta(seconds=ahead)) < timedelta(minutes=1)
    start = job(helper.agent, "exit 0", not_after=helper.agent.uptime_s + 600)
    helper.stands(start)
    assert helper.result(start).outcome == Exited(0)


def test_a_start_that_comes_too_late_never_runs(linked):
    helper = talk(linked)
    start = job(helper.agent, "exit 0", not_after=helper.agent.uptime_s - 1)
    assert helper.stands(start) == Expired()
    assert helper.stands(State(start.attempt_id)) == Absent()
    assert ran(linked) == []
