"""Scouts and places: agents met behind a balancer that turns, each with a courier of its own."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from ajs.actions import AckAttempt, StartAttempt
from ajs.agents import AgentGroup, Agents, Member
from ajs.fleet import Met, Way
from ajs.runner.remote import scout as tested
from ajs.runner.remote.courier import IDLE_S
from ajs.runner.remote.relays import Relays
from tests.runner.remote.fakes import PATIENCE_S, FakeTimer
from tests.runner.remote.world import BALANCER, DEFINED, WAY, World, world


@pytest.fixture
def it(tmp_path):
    with world(tmp_path / "fetched", 4) as one:
        yield one


ALL = [f"10.0.0.{n}" for n in range(1, 5)]


def met(it: World, count: int = 4) -> None:
    it.until(lambda: len(it.usable()) == count, f"{count} agents, not {it.usable()}")


def dials(it: World) -> int:
    return it.links.opened.count(("AGT1", BALANCER))


def waits(scout: Any) -> bool:
    """Whether a scout looks for nobody just now."""
    return bool(scout._news._waiters)


def pausing(it: World, way: Way = WAY) -> None:
    """Wait until the scout is content."""
    scout = it.places._scouts[way]
    it.until(lambda: scout._old == 0 and waits(scout))


def test_nobody_is_looked_for_before_somebody_is_wanted(it):
    assert it.places.met() == Met()
    it.seek()
    assert it.links.opened == []


def test_all_agents_behind_a_balancer_are_met_and_then_the_search_pauses(it):
    it.seek(WAY)
    met(it)
    assert it.usable() == ALL
    pausing(it)
    # Five old acquaintances in a row: as many as there are, and one more.
    assert dials(it) == 4 + 4 + tested.CONTENT_AFTER - 1
    # Each agent has the link by which it was met, and those of the second round were given back.
    assert Counter(link.agent.address for link in it.links.living()) == Counter(ALL)


def test_an_agent_that_comes_later_is_met_later(it):
    late = it.links.balancers[BALANCER, 22].pop()
    it.seek(WAY)
    met(it, 3)
    pausing(it)
    it.links.balancers[BALANCER, 22].append(late)
    it.pass_by(tested.WANTED_PAUSE_S)
    met(it)


def test_what_is_wrong_with_a_search_is_said_and_taken_back(it):
    it.links.down.add(BALANCER)
    it.seek(WAY)
    it.until(lambda: WAY in it.places.met().searches)
    assert "nobody answers" in it.places.met().searches[WAY]
    it.links.down.clear()
    it.nudge()
    met(it)
    it.until(lambda: it.places.met().searches == {})


def test_a_search_goes_through_the_relay_agent_that_works(it):
    it.links.down.add("AGT1")
    it.seek(WAY)
    met(it)
    assert list(it.places.met().relays) == ["AGT1"]
    assert {link.relay for link in it.links.living()} == {"AGT2"}


def test_a_search_without_a_relay_goes_there_directly(it):
    it.seek(Way("LB1", ""))
    met(it)
    assert {link.relay for link in it.links.living()} == {""}


def test_a_search_that_is_no_longer_wanted_ends_after_some_time_and_may_come_again(it):
    it.seek(WAY)
    met(it)
    scout = it.places._scouts[WAY]
    it.seek()
    pausing(it)
    it.pass_by(tested.LINGER_S + 1)
    it.until(lambda: scout.ended)
    it.seek(WAY)
    it.seek(WAY)
    assert it.places._scouts[WAY] is not scout


def test_a_search_whose_destination_was_taken_away_ends_no_thread(it):
    it.places.seek(frozenset({WAY}), Agents())
    assert it.links.opened == []
    it.places.seek(frozenset({WAY}), DEFINED)
    it.until(lambda: waits(it.places._scouts[WAY]))
    it.nudge()
    met(it)


def test_two_scouts_that_meet_the_same_agents_give_each_one_courier(it):
    it.links.held.add(f"open {BALANCER}")
    other = Way("LB1", "AGT2")
    it.seek(WAY, other)
    it.until(lambda: it.links.waiting[f"open {BALANCER}"] == 2)
    it.links.let_go(f"open {BALANCER}")
    met(it)
    pausing(it)
    pausing(it, other)
    assert it.usable() == ALL
    # One link for each relay agent and agent at most, all others were given back.
    kept = Counter((link.relay, link.agent.address) for link in it.links.living())
    assert max(kept.values()) == 1
    held = [link for c in it.places._all() for link in c._links.values()]
    assert sorted(map(id, held)) == sorted(map(id, it.links.living()))
    assert sum(it.desk.relays._links.values()) == len(held)


def test_an_agent_that_does_not_answer_delays_no_other(it):
    it.seek(WAY)
    met(it)
    pausing(it)
    it.seek()
    it.links.held.add("call 10.0.0.1")
    it.send(StartAttempt, "stuck", agent=it.agents[0])
    it.until(lambda: it.links.waiting["call 10.0.0.1"])
    for number, agent in enumerate(it.agents[1:]):
        it.send(StartAttempt, f"j{number}", agent=agent)
    it.hears("j0: Running", "j1: Running", "j2: Running")
    it.links.let_go("call 10.0.0.1")
    it.hears("stuck: Running")


def test_a_restarted_agent_is_another_agent_for_new_jobs(it):
    it.seek(WAY)
    met(it)
    before = it.places._couriers[it.identity()]
    it.agents[0].reboot("b9")
    before._living()  # the links of that machine are gone
    for link in it.links.living():
        if link.agent is it.agents[0]:
            link.cut()
    it.until(lambda: len(it.usable()) == 3)
    it.nudge()
    met(it)
    assert it.identity() in it.places._couriers
    it.send(StartAttempt, agent=it.agents[0])
    it.hears("j: Running")


@contextmanager
def time_flies(it: World) -> Iterator[None]:
    """Again and again so much time passes that a courier without anything to do ends."""
    stop = threading.Event()

    def fly() -> None:
        while not stop.wait(0.001):
            it.timer.passed_s += IDLE_S + 1
            it.nudge()

    thread = threading.Thread(target=fly)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_agents_handed_over_while_couriers_end_lose_no_link(it):
    """Whoever opened a link, somebody keeps it or closes it."""
    it.seek(WAY)
    with time_flies(it):
        it.until(lambda: dials(it) > 60)
    it.places.close()
    it.until(lambda: it.links.living() == [])
    assert not +it.desk.relays._links


class ScoutsLast:
    """A lock that a scout gets only after somebody else has had it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._had = threading.Event()
        self.scouts_wait = threading.Event()

    def __enter__(self) -> None:
        if threading.current_thread().name.startswith("scout"):
            self.scouts_wait.set()
            assert self._had.wait(PATIENCE_S)
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
        if not threading.current_thread().name.startswith("scout"):
            self._had.set()


def test_an_agent_that_is_met_while_all_links_are_let_go_of_gets_no_courier(it):
    it.places._lock = turnstile = ScoutsLast()
    it.seek(WAY)
    assert turnstile.scouts_wait.wait(PATIENCE_S)
    it.places.close()
    it.until(lambda: it.links.opened and not it.links.living())
    assert it.places.met() == Met()


def test_actions_handed_over_while_couriers_end_are_all_carried_out(it):
    with time_flies(it):
        for number in range(60):
            it.send(AckAttempt, f"j{number}", agent=it.agents[number % 4])
        it.hears(*[f"j{number}: Acked" for number in range(60)])


# -- relay agents --

ORDER = [
    # used links, failed, first, order
    ({}, [], "", ["A", "B", "C"]),
    ({"A": 9}, [], "", ["A", "B", "C"]),
    ({"B": 2, "C": 1}, [], "", ["A", "C", "B"]),
    ({}, ["A"], "", ["B", "C"]),
    ({}, ["A", "B", "C"], "", []),
    ({}, [], "C", ["C", "A", "B"]),
    ({}, ["C"], "C", ["A", "B"]),
    ({}, [], "nobody", ["A", "B", "C"]),
]


def group(**priorities: int) -> Agents:
    agent = DEFINED.agents[0]

    agents = tuple(replace(agent, name=name) for name in priorities)
    members = tuple(Member(name, priority) for name, priority in priorities.items())
    return Agents(agents=agents, groups=(AgentGroup(name="GRP", members=members),))


@pytest.mark.parametrize(("used", "failed", "first", "expected"), ORDER)
def test_in_which_order_relay_agents_are_tried(used, failed, first, expected):
    relays = Relays(FakeTimer())
    for name, count in used.items():
        relays.count(name, count)
    for name in failed:
        relays.failed(name, "nobody answers")
    assert relays.in_order(group(A=16, B=8, C=8), "GRP", first) == expected


def test_relay_agents_that_are_none_are_not_tried():
    relays = Relays(FakeTimer())
    assert relays.in_order(DEFINED, "") == [""]
    assert relays.in_order(DEFINED, "AGT2") == ["AGT2"]
    assert relays.in_order(DEFINED, "unknown") == []


def test_a_relay_agent_rests_longer_each_time_until_it_works():
    timer = FakeTimer()
    relays = Relays(timer)
    rests = []
    for _ in range(7):
        relays.failed("AGT1", "nobody answers")
        at_s = timer.passed_s
        while relays.in_order(DEFINED, "AGT1") == []:
            timer.passed_s += 1
        rests.append(timer.passed_s - at_s)
    assert rests == [1, 2, 4, 8, 16, 30, 30]
    relays.reached("AGT1")
    relays.failed("AGT1", "nobody answers")
    timer.passed_s += 1
    assert relays.in_order(DEFINED, "AGT1") == ["AGT1"]
