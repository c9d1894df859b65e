"""Couriers: real threads, fake links."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from ajs.actions import AckAttempt, AskAgain, KillAttempt, StartAttempt, StoreResult
from ajs.dispatch.messages import Stream
from ajs.lifecycle import Status
from ajs.runner.remote import books as in_books
from ajs.runner.remote import courier as tested
from tests.runner.remote.fakes import FakeAgent
from tests.runner.remote.world import BALANCER, DEFINED, WAY, World, world

SILENT = tested.SILENCE_S + 1


@pytest.fixture
def it(tmp_path):
    with world(tmp_path / "fetched") as one:
        yield one


def started(it: World, path: str = "j") -> None:
    it.send(StartAttempt, path)
    it.hears(f"{path}: Running")


# -- the whole life of a job --


def test_a_job_from_its_start_to_its_end(it):
    (agent,) = it.agents
    started(it)
    agent.end("j", 3, b"out", b"err")
    it.hears("j: Ended 3")
    it.send(StoreResult)
    it.hears("j: Stored")
    assert it.desk.fetched.output("j", Stream.OUT, 0, 9) == b"out"
    assert it.desk.fetched.output("j", Stream.ERR, 0, 9) == b"err"
    it.send(AckAttempt)
    it.hears("j: Acked")
    assert agent.starts == ["j"]
    assert agent.jobs == {}
    assert it.courier()._books.idle


def test_the_helper_is_put_in_place_where_it_is_missing(it):
    started(it)
    assert list(it.agents[0].helpers.values()) == [b"the helper"]


def test_an_agent_without_what_it_needs_says_so(it):
    it.agents[0].missing = "setsid,tail"
    it.send(StartAttempt)
    it.until(lambda: "the agent lacks setsid, tail" in it.courier().contact.trouble)
    it.agents[0].missing = "-"
    it.pass_by(tested.LONGEST_REST_S)
    it.hears("j: Running")


def test_what_is_said_carries_the_relay_agent(it):
    it.send(StartAttempt, relay="AGT2")
    it.until(it.told)
    assert [one.relay for one in it.seen] == ["AGT2"]


def test_a_kill_reaches_the_job(it):
    started(it)
    it.send(KillAttempt)
    # KillOrdered says how it stood before.
    it.until(lambda: it.agents[0].jobs["j"].killed)
    it.hears("j: Ended signal 15")


def test_without_events_the_list_tells_the_end(it):
    it.agents[0].on_end = lambda _: None
    started(it)
    it.agents[0].end("j")
    it.pass_by(tested.POLL_S)
    it.hears("j: Ended 0")


def test_a_payload_that_cannot_be_made_is_a_job_that_failed_to_start(it):
    def make(*_):
        raise ValueError("no shell can express it")

    it.places._make_payload = make
    it.send(StartAttempt)
    it.hears("j: FailedToStart: no shell can express it")


# -- relays --


def test_when_one_relay_agent_cannot_be_reached_the_next_is_taken(it):
    it.links.down.add("AGT1")
    started(it)
    assert it.links.opened == [("AGT1", "10.0.0.1"), ("AGT2", "10.0.0.1")]
    assert list(it.desk.relays.troubles()) == ["AGT1"]
    assert list(it.places.met().relays) == ["AGT1"]


def test_a_relay_agent_that_failed_rests_and_is_tried_again(it):
    it.links.down |= {"AGT1", "AGT2"}
    it.send(StartAttempt)
    it.until(lambda: len(it.links.opened) == 2)
    it.until(lambda: "nobody answers" in it.courier().contact.trouble)
    it.links.down.clear()
    it.pass_by(tested.SHORTEST_REST_S)
    # Both rest still.
    it.until(lambda: it.courier()._rest_s == 2 * tested.SHORTEST_REST_S)
    assert len(it.links.opened) == 2
    it.pass_by(1.0)
    it.hears("j: Running")
    assert it.links.opened[2:] == [("AGT1", "10.0.0.1")]
    assert list(it.desk.relays.troubles()) == ["AGT2"]


def test_a_relay_agent_that_works_again_is_found_out_though_another_stands_before_it(it):
    it.desk.relays.failed("AGT2", "nobody answers")
    it.seek(WAY)
    it.until(lambda: it.usable() == ["10.0.0.1"])
    it.pass_by(3.0)
    it.until(lambda: it.desk.relays.troubles() == {})


def test_a_failure_behind_the_relay_agent_is_not_its_own(it):
    it.links.down.add("10.0.0.1")
    it.send(StartAttempt)
    it.until(lambda: len(it.links.opened) == 2)
    it.until(lambda: it.courier()._trouble.startswith("agent LB1"))
    assert it.desk.relays.troubles() == {}


def test_many_links_that_end_with_one_relay_agent_are_one_failure(it):
    for _ in range(20):
        it.desk.relays.failed("AGT1", "gone")
    it.timer.passed_s += 1.0
    assert it.desk.relays.in_order(DEFINED, "GRP") == ["AGT1", "AGT2"]


def test_only_a_start_opens_a_link_of_its_own(it):
    started(it)
    it.send(AskAgain, relay="AGT2")
    it.hears("j: Running")
    assert it.links.opened == [("AGT1", "10.0.0.1")]
    it.send(StartAttempt, "k", relay="AGT2")
    it.hears("k: Running")
    assert it.links.opened == [("AGT1", "10.0.0.1"), ("AGT2", "10.0.0.1")]


def test_a_relay_agent_that_goes_while_it_is_used_ends_no_thread(it):
    # Between choosing it and going there the definitions changed.
    real = it.desk.relays.in_order
    it.desk.relays.in_order = lambda *_: ["AGT9"]
    it.send(StartAttempt)
    it.until(lambda: "no longer defined" in it.courier().contact.trouble)
    it.desk.relays.in_order = real
    it.pass_by(tested.LONGEST_REST_S)
    it.hears("j: Running")


def test_a_destination_that_is_no_longer_defined_is_waited_for(it):
    before = it.desk.agents
    it.places.seek(frozenset(), replace(before, destinations=()))
    it.send(StartAttempt)
    it.until(lambda: "is no longer defined" in it.courier().contact.trouble)
    it.places.seek(frozenset(), before)
    it.pass_by(tested.LONGEST_REST_S)
    it.hears("j: Running")


# -- cuts --


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_start_that_was_cut_happens_once(it, cut):
    started(it, "first")
    it.links.links[0].cuts.append(cut)
    it.send(StartAttempt)
    it.until(lambda: it.courier()._trouble)
    it.pass_by(tested.LONGEST_REST_S)
    it.hears("j: Running")
    assert it.agents[0].starts == ["first", "j"]


def test_a_link_that_ended_is_replaced_and_nothing_is_said_of_it(it):
    started(it)
    it.links.links[0].cut()
    it.agents[0].end("j")
    it.pass_by(tested.POLL_S)
    it.hears("j: Ended 0")
    assert len(it.links.links) == 2


def test_a_relay_agent_whose_link_ended_rests(it):
    started(it)
    it.links.links[0].cut("the connection was lost", hop="relay AGT1 192.0.2.7:22")
    it.pass_by(tested.POLL_S)
    it.until(lambda: len(it.links.links) == 2)
    assert it.links.links[1].relay == "AGT2"


# -- silence --


def test_silence_is_told_once_and_the_answer_after_it(it):
    started(it)
    it.links.down.add("10.0.0.1")
    it.links.links[0].cut()
    it.pass_by(SILENT)
    it.hears("j: NoAnswer since 12:00:00")
    it.send(AskAgain, status=Status.RUNNING)
    for _ in range(3):
        it.pass_by(SILENT)
    calls = len(it.links.opened)
    it.until(lambda: len(it.links.opened) > calls)
    assert it.told() == []
    it.links.down.clear()
    it.pass_by(SILENT)
    it.hears("j: Running")


def test_who_had_nothing_to_say_for_long_was_not_silent(it):
    started(it)
    it.agents[0].end("j")
    it.hears("j: Ended 0")
    it.send(StoreResult)
    it.hears("j: Stored")
    it.send(AckAttempt)
    it.hears("j: Acked")
    it.timer.passed_s += 10 * SILENT
    started(it, "k")


def test_a_link_that_hangs_is_silence_too(it):
    started(it)
    it.links.held.add("call 10.0.0.1")
    it.pass_by(tested.POLL_S)
    it.until(lambda: it.links.waiting["call 10.0.0.1"])
    it.timer.passed_s += SILENT
    # Its deadline passes.
    it.links.down.add("10.0.0.1")
    it.links.links[0].cut("no answer within 15 s")
    it.hears("j: NoAnswer since 12:00:00")


def test_an_idle_agent_whose_link_has_ended_gets_no_job(it):
    it.seek(WAY)
    it.until(lambda: it.usable() == ["10.0.0.1"])
    it.links.down.add(BALANCER)
    for link in it.links.living():
        link.cut()
    it.until(lambda: it.usable() == [])


def test_an_idle_agent_that_has_gone_without_a_word_is_found_out(it):
    it.seek(WAY)
    it.until(lambda: it.usable() == ["10.0.0.1"])
    it.links.held.add("call 10.0.0.1")
    it.pass_by(tested.IDLE_POLL_S)
    it.until(lambda: it.links.waiting["call 10.0.0.1"])
    it.links.down |= {"10.0.0.1", BALANCER}
    for link in it.links.living():
        link.cut("no answer within 15 s")
    it.until(lambda: it.usable() == [])


# -- not the agent that it was --


def test_another_host_key_at_the_address_means_that_the_agent_is_gone(it):
    started(it)
    where = it.identity()
    other = FakeAgent(address="10.0.0.1", key="SHA256:another", epoch="e9", boot="b9")
    it.links.agents["10.0.0.1", 22] = other
    it.links.links[0].cut()
    it.pass_by(tested.POLL_S)
    it.hears("j: Lost: the agent LB1 10.0.0.1:22 is gone: its address is another host's now")
    # It was never told of a job.
    assert other.verbs() == ["hello"]
    it.until(lambda: it.places._all() == [])
    it.send(StoreResult, "k", to=where)
    it.hears("k: Stored")


def test_another_key_of_the_same_agent_loses_nothing(it):
    started(it)
    (agent,) = it.agents
    agent.key = "SHA256:renewed"
    it.links.links[0].cut()
    it.pass_by(tested.POLL_S)
    agent.end("j", 3)
    it.hears("j: Ended 3")


def test_a_job_folder_made_anew_means_that_every_record_is_gone(it):
    started(it)
    it.agents[0].forget("e9")
    it.pass_by(tested.POLL_S)
    it.until(it.told)
    (told,) = it.told()
    assert told.startswith("j: Lost: the agent LB1 10.0.0.1:22 is gone: its job folder")
    assert it.agents[0].starts == ["j"]


def test_after_a_restart_of_the_agent_what_ran_is_lost_and_what_ended_is_not(it):
    started(it)
    started(it, "k")
    it.agents[0].on_end = lambda _: None
    it.agents[0].end("k", 4)
    where = it.identity()
    it.agents[0].reboot()
    it.links.links[0].cut()
    it.pass_by(tested.POLL_S)
    gone = "the agent was restarted"
    it.hears(f"j: Lost: {gone}", "k: Ended 4")
    # Its results are fetched, though it is another agent for new jobs by now.
    it.send(StoreResult, "k", to=where)
    it.hears("k: Stored")
    it.send(AckAttempt, "k", to=where)
    it.hears("k: Acked")


@pytest.mark.parametrize("boot", ["b1", "b2"], ids=["container", "machine"])
def test_nothing_is_started_on_an_agent_that_was_restarted_meanwhile(it, boot):
    where = it.identity()
    it.agents[0].reboot(boot)
    it.send(StartAttempt, to=where)
    it.hears("j: Lost: the agent was restarted and has no record of it")
    assert not [line for line in it.agents[0].heard if line.startswith("start")]


def test_a_start_says_until_when_by_the_uptime_of_the_agent(it):
    # The manager's machine has been up for much longer.
    it.timer.passed_s = 9_000_000.0
    it.agents[0].up = 50
    it.send(StartAttempt)
    it.until(lambda: it.agents[0].jobs)
    assert it.agents[0].jobs["j"].not_after == 50 + in_books.NOT_AFTER_S


def test_an_uptime_that_has_moved_away_from_ours_is_taken_over(it):
    started(it)
    # Our machine was paused; nobody opened a link since.
    it.agents[0].up += 100_000
    it.send(StartAttempt, "k")
    it.hears("k: Running")
    assert it.agents[0].verbs().count("start k") == 2


# -- what cannot be stored here --


def test_a_full_disk_holds_up_no_other_job_and_loses_nothing(it, monkeypatch):
    (agent,) = it.agents
    started(it)
    agent.end("j", 0, b"out")
    it.hears("j: Ended 0")
    full = threading.Event()
    full.set()
    real = it.desk.fetched._write

    def write(descriptor: int, offset: int, content: bytes) -> None:
        if full.is_set() and content:
            raise OSError(28, "No space left on device")
        real(descriptor, offset, content)

    monkeypatch.setattr(it.desk.fetched, "_write", write)
    it.send(StoreResult)
    it.until(lambda: "No space left" in it.courier().contact.trouble)
    started(it, "k")
    agent.end("k", 1)
    it.hears("k: Ended 1")
    full.clear()
    it.pass_by(in_books.DISK_REST_S)
    it.hears("j: Stored")
    assert it.desk.fetched.output("j", Stream.OUT, 0, 9) == b"out"
    it.until(lambda: it.courier().contact.trouble == "")


def test_who_reads_what_a_job_writes_gets_it_while_it_runs(it):
    started(it)
    it.agents[0].jobs["j"].out = b"so far"
    it.places.woken([b"j", b"nobody's", b"\xff"])
    it.until(lambda: it.desk.fetched.size("j", Stream.OUT) == 6)
    it.until(lambda: not it.courier()._books._watches["j"].follow)
    it.agents[0].end("j", 0, b", and more")
    it.hears("j: Ended 0")
    it.send(StoreResult)
    it.hears("j: Stored")
    assert it.desk.fetched.output("j", Stream.OUT, 0, 99) == b"so far, and more"
    assert [line for line in it.agents[0].heard if line.startswith("fetch j out 0")] != []


# -- a manager that starts anew --


def test_another_manager_asks_and_stores_and_acks(it, tmp_path):
    (agent,) = it.agents
    started(it)
    it.places.close()
    agent.end("j", 5, b"out")
    it.links.balancers.clear()
    second = type(it.places)(it.desk, it.places._make_payload)
    it.places = second
    it.send(AskAgain, status=Status.RUNNING)
    it.hears("j: Ended 5")
    it.send(StoreResult)
    it.hears("j: Stored")
    it.send(AckAttempt)
    it.hears("j: Acked")
    it.send(AckAttempt)
    it.hears("j: Acked")
    assert agent.starts == ["j"]


# -- ending --


def test_links_are_given_up_after_some_time_without_anything_to_do(it):
    it.send(AckAttempt)
    it.hears("j: Acked")
    courier = it.courier()
    it.pass_by(tested.IDLE_S + 1)
    it.until(lambda: courier.ended)
    it.until(lambda: it.links.living() == [])
    assert it.places._all() == []


def test_an_action_that_comes_while_a_courier_is_ending_goes_to_another_one(it, monkeypatch):
    it.send(AckAttempt)
    it.hears("j: Acked")
    first = it.courier()
    leaving, left = threading.Event(), threading.Event()
    real = it.links.links[0].close

    def close() -> None:
        leaving.set()
        assert left.wait(20)
        real()

    monkeypatch.setattr(it.links.links[0], "close", close)
    it.pass_by(tested.IDLE_S + 1)
    assert leaving.wait(20)
    started(it, "k")
    left.set()
    assert it.courier() is not first


def test_close_ends_all_at_once_whatever_hangs(it, monkeypatch):
    monkeypatch.setattr("ajs.runner.remote.places.CLOSE_S", 0.05)
    started(it)
    it.links.held |= {"call 10.0.0.1", f"open {BALANCER}"}
    it.seek(WAY)
    it.pass_by(tested.POLL_S)
    it.until(lambda: it.links.waiting["call 10.0.0.1"])
    it.until(lambda: it.links.waiting[f"open {BALANCER}"])
    it.places.close()
    # The call was broken off; whoever opens a link ends when that is over, and does nothing more.
    it.until(lambda: it.links.living() == [])
    opened = len(it.links.opened)
    it.links.let_go(f"open {BALANCER}")
    it.until(lambda: all(s.ended for s in it.places._scouts.values()))
    assert len(it.links.opened) == opened
    assert it.links.living() == []


def test_what_ended_before_anybody_listened_is_soon_asked_about(it):
    it.agents[0].on_end = lambda _: None
    started(it)
    it.until(lambda: it.courier()._listeners)
    it.agents[0].end("j")
    it.pass_by(tested.FIRST_POLL_S)
    it.hears("j: Ended 0")


def test_an_error_of_ours_is_told_and_the_courier_goes_on(it, monkeypatch):
    started(it)
    heard, failures = in_books.Books.heard, [RuntimeError("unheard of")]

    def once(self, *arguments):
        if failures:
            raise failures.pop()
        return heard(self, *arguments)

    monkeypatch.setattr(in_books.Books, "heard", once)
    it.agents[0].end("j", 0)
    it.until(lambda: not failures)
    it.until(lambda: any("unheard of" in c.trouble for c in it.places.met().agents))
    it.pass_by(tested.POLL_S)
    it.hears("j: Ended 0")
