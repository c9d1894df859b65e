"""Who gets the next flexible job, and why it has to wait: choosing, deciding, and what the manager remembers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ajs.actions import PlaceAttempt, QueueAttempt, StartAttempt
from ajs.agents import (
    Agent,
    AgentGroup,
    AgentIdentity,
    Agents,
    Destination,
    Member,
    RemotePlace,
    Trust,
    remote_place,
)
from ajs.attempts import (
    LOCAL,
    TAKES_SLOT,
    Attempt,
    AttemptKey,
    AttemptState,
    Ended,
    NoAnswer,
    Result,
    Running,
    placed,
    queued,
    taken,
)
from ajs.causes import Cause
from ajs.decide import Observed, Snapshot, apply, decide
from ajs.fleet import (
    NOBODY_MET,
    Chosen,
    Contact,
    Load,
    Met,
    Way,
    by_preference,
    choose,
    members,
)
from ajs.lifecycle import LiveGeneration, Status, UnitRun
from ajs.model import Job
from ajs.runner.memory import Memory
from ajs.testing import FakeClock
from tests.driver import EVENING, job, net, waiting

TRUST = Trust(host_keys=("ssh-ed25519 AAAA",))
NOW = FakeClock(EVENING).now()


def agent(name: str, limit: int = 2) -> Agent:
    return Agent(name=name, host=f"{name}.example", user="ajs", trust=TRUST, limit=limit)


def destination(name: str, limit: int = 1) -> Destination:
    return Destination(name=name, host=f"{name}.example", user="ajs", trust=TRUST, limit=limit)


DEFINED = Agents(
    agents=(agent("R1"), agent("R2"), agent("R3", limit=4)),
    groups=(
        AgentGroup(name="TURN", members=(Member("R1"), Member("R2"), Member("R3"))),
        AgentGroup(name="FIRST", members=(Member("R3", 1), Member("R2", 8))),
        AgentGroup(name="OLD", members=(Member("GONE"), Member("R1"))),
        AgentGroup(name="ALL_OLD", members=(Member("GONE"),)),
    ),
    destinations=(destination("LB1", limit=2), destination("LB2"), destination("ZERO", limit=0)),
)


def who(number: int, behind: str = "LB1") -> AgentIdentity:
    return AgentIdentity(behind, f"10.0.0.{number}", 22, f"k{number}", "b", "1", "e")


def met(*contacts: AgentIdentity | Contact, **more: Any) -> Met:
    found = (c if isinstance(c, Contact) else Contact(c) for c in contacts)
    return Met(agents=tuple(found), **more)


def load(agents: Mapping[int, int] | None = None, **relays: int) -> Load:
    return Load(agents={who(n): count for n, count in (agents or {}).items()}, relays=relays)


BOTH = met(who(1), who(2))

CHOSEN = [
    # relay, what is known, load, chosen relay and agent
    ("R1", BOTH, load(), "R1 10.0.0.1"),
    ("", BOTH, load(), " 10.0.0.1"),
    ("", BOTH, load({1: 1}, R1=2), " 10.0.0.2"),
    # of agents the least used, of equals the first by name
    ("R1", BOTH, load({1: 1}), "R1 10.0.0.2"),
    ("R1", BOTH, load({1: 1, 2: 1}), "R1 10.0.0.1"),
    ("R1", met(Contact(who(1), "it was restarted"), who(2)), load({2: 1}), "R1 10.0.0.2"),
    # of a group's members the one with the lowest rate of use
    ("TURN", BOTH, load(), "R1 10.0.0.1"),
    ("TURN", BOTH, load(R1=1), "R2 10.0.0.1"),
    ("TURN", BOTH, load(R1=1, R2=1), "R3 10.0.0.1"),
    ("TURN", BOTH, load(R1=1, R2=1, R3=1), "R3 10.0.0.1"),
    ("TURN", BOTH, load(R1=1, R2=1, R3=2), "R1 10.0.0.1"),
    ("TURN", BOTH, load(R1=2, R2=2, R3=3), "R3 10.0.0.1"),
    # the highest priority first, as long as it has a slot and can be reached
    ("FIRST", BOTH, load(R2=1), "R2 10.0.0.1"),
    ("FIRST", BOTH, load(R2=2), "R3 10.0.0.1"),
    ("FIRST", met(who(1), relays={"R2": "no answer"}), load(), "R3 10.0.0.1"),
    # a member that is no longer defined is passed over
    ("OLD", BOTH, load(), "R1 10.0.0.1"),
]


@pytest.mark.parametrize(("relay", "known", "used", "expected"), CHOSEN)
def test_who_gets_the_next_job(relay, known, used, expected):
    found = choose(DEFINED, known, used, Way("LB1", relay))
    assert isinstance(found, Chosen)
    assert f"{found.relay} {found.place.agent.address}" == expected
    # The place keeps the name that leads there, whichever relay agent is taken this time.
    assert found.place.relay == relay


DOWN = {"R1": "R1: no answer", "R2": "R2: no answer", "R3": "R3: no answer"}
WAITS = [
    # way, what is known, load, why
    (Way("LB9", "R1"), BOTH, load(), "its destination LB9 is no longer defined"),
    (Way("LB1", "R9"), BOTH, load(), "its relay R9 is no longer defined"),
    (Way("LB1", "ALL_OLD"), BOTH, load(), "its relay ALL_OLD is no longer defined"),
    (
        Way("LB1", "R1"),
        met(who(1), relays=DOWN),
        load(),
        "no relay agent of R1 can be used: R1: no answer",
    ),
    (
        Way("LB1", "FIRST"),
        met(who(1), relays={"R2": "same", "R3": "same"}),
        load(),
        "no relay agent of FIRST can be used: same",
    ),
    (
        Way("LB1", "FIRST"),
        met(who(1), relays=DOWN),
        load(),
        "no relay agent of FIRST can be used: R3: no answer; R2: no answer",
    ),
    (
        Way("LB1", "TURN"),
        met(who(1), relays={"R1": "no answer"}),
        load(R2=2, R3=4),
        "the relay agents of TURN carry 6 jobs, as many as they may",
    ),
    (
        Way("LB1", "R1"),
        NOBODY_MET,
        load(),
        "no agent behind LB1 can be used: none has been found yet",
    ),
    (
        Way("LB1", "R1"),
        met(who(1, "LB2")),
        load(),
        "no agent behind LB1 can be used: none has been found yet",
    ),
    (
        Way("LB1", "R1"),
        met(searches={Way("LB1", "R1"): "LB1: refused"}),
        load(),
        "no agent behind LB1 can be used: LB1: refused",
    ),
    (
        Way("LB1", "R1"),
        met(searches={Way("LB1", "R2"): "LB1: refused"}),
        load(),
        "no agent behind LB1 can be used: none has been found yet",
    ),
    (
        Way("LB1", "R1"),
        met(Contact(who(1), "no answer")),
        load(),
        "no agent behind LB1 can be used: no answer",
    ),
    (
        Way("LB1", "R1"),
        BOTH,
        load({1: 2, 2: 2}),
        "the agents behind LB1 run 4 jobs, as many as they may",
    ),
    (
        Way("LB1", "R1"),
        met(who(1), Contact(who(2), "no answer")),
        load({1: 2}),
        "the agents behind LB1 run 2 jobs, as many as they may",
    ),
    (
        Way("ZERO", ""),
        met(who(1, "ZERO")),
        load(),
        "the agents behind ZERO run 0 jobs, as many as they may",
    ),
]


@pytest.mark.parametrize(("way", "known", "used", "why"), WAITS)
def test_why_a_job_has_to_wait(way, known, used, why):
    found = choose(DEFINED, known, used, way)
    assert isinstance(found, Cause)
    assert found.text == why


def test_what_the_name_of_a_relay_stands_for():
    assert members(DEFINED, "R1") == (Member("R1"),)
    assert [m.agent for m in members(DEFINED, "FIRST")] == ["R3", "R2"]
    assert members(DEFINED, "LB1") == ()


def test_a_limit_of_nothing_divides_by_nothing():
    assert by_preference([Member("A"), Member("B")], {"A": 0, "B": 1}, {"A": 1, "B": 2}) == [
        "A",
        "B",
    ]


# -- deciding --


def flexible(name: str, *after: str, to: str = "LB1", relay: str = "R3", **more: Any) -> Job:
    return job(name, *after, destination=to, relay=relay, **more)


def decided(snapshot: Snapshot, *observations: Observed) -> Snapshot:
    """The snapshot after a decision was carried out; what follows from it is nothing."""
    snapshot = replace(snapshot, observations=observations)
    after = apply(snapshot, decide(snapshot, NOW))
    assert decide(after, NOW).actions == ()
    return after


def where(snapshot: Snapshot) -> dict[str, str]:
    """Where each attempt is: "local", relay agent and agent, or "queued"."""
    found = {}
    for key, a in snapshot.attempts.items():
        remote = remote_place(a.place)
        there = a.place if remote is None else f"{a.relay} {remote.agent.address}"
        found[key.path] = "queued" if a.state is AttemptState.QUEUED else there
    return found


def due(*jobs: Job, number: int = 1) -> Any:
    return waiting(net(f"root{number}", *jobs), number=number)


def begun(*jobs: Job, **snapshot: Any) -> Snapshot:
    return decided(Snapshot(due=(due(*jobs),), agents=DEFINED, **snapshot))


def test_flexible_jobs_go_to_agents_and_others_stay_here():
    after = begun(job("a"), flexible("b"), flexible("c", relay=""), met=BOTH)
    assert where(after) == {"a": LOCAL, "b": "R3 10.0.0.1", "c": " 10.0.0.2"}


def test_the_limit_of_this_machine_does_not_count_what_runs_elsewhere():
    jobs = [flexible("a"), flexible("b"), job("c"), job("d")]
    after = begun(*jobs, met=BOTH, limit=1)
    assert where(after) == {"a": "R3 10.0.0.1", "b": "R3 10.0.0.2", "c": LOCAL, "d": "queued"}


def test_what_runs_here_takes_no_slot_of_an_agent():
    jobs = [job("a"), job("b"), flexible("c", to="LB2")]
    after = begun(*jobs, met=met(who(1, "LB2")), busy=7)
    assert where(after)["c"] == "R3 10.0.0.1"


@pytest.mark.parametrize("outside", [load({1: 2, 2: 2}), load(R3=4)])
def test_what_a_snapshot_leaves_out_counts(outside):
    assert where(begun(flexible("a"), met=BOTH, load=outside)) == {"a": "queued"}


def test_a_full_destination_holds_up_neither_another_one_nor_this_machine():
    jobs = [flexible("a", to="LB2"), flexible("b", to="LB2"), flexible("c"), job("d")]
    after = begun(*jobs, met=met(who(1, "LB2"), who(2)))
    assert where(after) == {"a": "R3 10.0.0.1", "b": "queued", "c": "R3 10.0.0.2", "d": LOCAL}
    reasons = decide(after, NOW).reasons
    assert reasons[1, "b"].text == "the agents behind LB2 run 1 jobs, as many as they may"


def test_a_flexible_job_without_an_agent_waits_and_never_runs_here():
    after = begun(flexible("a"), limit=5)
    assert where(after) == {"a": "queued"}
    assert after.live[1].units["a"].status is Status.QUEUING
    for found, why in (
        (met(relays={"R3": "no answer"}), "no relay agent of R3 can be used: no answer"),
        (met(Contact(who(1), "no room")), "no agent behind LB1 can be used: no room"),
        (NOBODY_MET, "no agent behind LB1 can be used: none has been found yet"),
    ):
        after = decided(replace(after, met=found))
        assert where(after) == {"a": "queued"}
        assert decide(after, NOW).reasons[1, "a"].text == why
    assert where(decided(replace(after, met=BOTH))) == {"a": "R3 10.0.0.1"}


def test_who_came_first_is_served_first_on_each_way():
    jobs = [flexible(name) for name in "abcdef"]
    after = begun(*jobs, met=met(who(1)))
    assert [p for p, there in where(after).items() if there == "queued"] == list("cdef")
    result = Result(return_code=0, started=NOW.utc, ended=NOW.utc)
    after = decided(after, Observed(AttemptKey(1, "b", 1), Ended(result)))
    assert [p for p, there in where(after).items() if there == "queued"] == list("def")


def test_a_queued_job_is_written_down_once_and_placed_once():
    snapshot = Snapshot(due=(due(flexible("a")),), agents=DEFINED)
    decision = decide(snapshot, NOW)
    assert [type(a) for a in decision.to_commit if "Attempt" in type(a).__name__] == [QueueAttempt]
    after = replace(apply(snapshot, decision), met=BOTH)
    decision = decide(after, NOW)
    assert [type(a) for a in decision.to_commit] == [PlaceAttempt]
    (start,) = decision.to_send
    assert isinstance(start, StartAttempt)
    assert start.relay == "R3"
    assert start.place == RemotePlace(who(1), "R3").text


def test_whoever_told_of_it_is_the_relay_agent_of_an_attempt():
    after = begun(flexible("a", relay="TURN"), met=met(who(1)))
    key = AttemptKey(1, "a", 1)
    assert after.attempts[key].relay == "R1"
    after = decided(after, Observed(key, Running(NOW.utc), "R2"))
    assert after.attempts[key].relay == "R2"
    # Silence is nobody's word.
    after = decided(after, Observed(key, NoAnswer(NOW.utc)))
    assert after.attempts[key].relay == "R2"
    before = after.attempts[key]
    after = decided(after, Observed(key, Running(NOW.utc), "R3"))
    assert after.attempts[key].relay == "R3"
    # The place is the same, whoever leads there, and so is the load but for the relay agents.
    assert after.attempts[key].place == before.place
    assert taken(after.attempts.values()) == (0, load({1: 1}, R3=1))


def test_what_does_not_answer_keeps_its_slots():
    after = begun(flexible("a"), flexible("b"), flexible("c"), met=met(who(1)))
    after = decided(after, Observed(AttemptKey(1, "a", 1), NoAnswer(NOW.utc)))
    assert where(after)["c"] == "queued"


# -- what the manager remembers --

WAYS = [None, Way("LB1", "R1"), Way("LB1", "R3"), Way("LB2", ""), Way("LB9", "R1")]


def live(number: int, *jobs: Job) -> LiveGeneration:
    return LiveGeneration(
        id=number,
        root_path=f"/sales/root{number}",
        execution_id=f"@A{number}",
        exec_date=EVENING.date(),
        definition_hash=f"hash {number}",
        definition=net(f"root{number}", *jobs),
        units={
            "": UnitRun(path="", status=Status.RUNNING),
            **{
                j.name: UnitRun(
                    path=j.name,
                    status=Status.EXECWAIT,
                    attempt=1,
                    priority=1 + (number + place) % 3,
                )
                for place, j in enumerate(jobs)
            },
        },
        version=1,
    )


def random_state(
    random: Random,
) -> tuple[dict[int, LiveGeneration], dict[AttemptKey, Attempt]]:
    """Generations with local and flexible jobs, whose attempts are anywhere."""
    generations, attempts = {}, {}
    for number in range(1, random.randint(2, 6)):
        jobs = []
        for count in range(random.randint(1, 5)):
            way = random.choice(WAYS)
            name = f"j{count}"
            jobs.append(job(name) if way is None else flexible(name, to=way[0], relay=way[1]))
            attempts[AttemptKey(number, name, 1)] = random_attempt(
                random, AttemptKey(number, name, 1), way
            )
        generations[number] = live(number, *jobs)
    items = list(attempts.items())
    random.shuffle(items)
    return generations, dict(items)


def random_attempt(random: Random, key: AttemptKey, way: Way | None) -> Attempt:
    waits = queued(key)
    if random.random() < 0.5:
        return waits
    place, relay = LOCAL, ""
    if way is not None:
        place = RemotePlace(who(random.randint(1, 3), way.destination), way.relay).text
        relay = way.relay
    attempt = placed(waits, place, NOW.utc, relay)
    state = random.choice([AttemptState.PLACED, AttemptState.STARTED, AttemptState.STORED])
    return replace(attempt, state=state)


def random_met(random: Random) -> Met:
    contacts = [
        Contact(who(number, behind), random.choice(["", "", "no answer"]))
        for number in range(1, 4)
        for behind in ("LB1", "LB2")
        if random.random() < 0.7
    ]
    return met(*contacts, relays={"R1": "no answer"} if random.random() < 0.3 else {})


def naive(attempts: Mapping[AttemptKey, Attempt]) -> tuple[int, Counter[Any], Counter[str]]:
    """What takes slots, counted one by one."""
    here, at, through = 0, Counter[Any](), Counter[str]()
    for attempt in attempts.values():
        if attempt.state in TAKES_SLOT:
            remote = remote_place(attempt.place)
            if remote is None:
                here += 1
            else:
                at[remote.agent] += 1
                through[attempt.relay] += 1
    return here, at, through


def waits_on(generations, attempts) -> set[Way]:
    found = set()
    for key, attempt in attempts.items():
        if attempt.state is AttemptState.QUEUED:
            unit = dict(generations[key.generation].definition.walk())[key.path]
            if unit.destination:
                found.add(Way(unit.destination, unit.relay))
    return found


def check(memory: Memory, generations, attempts, snapshot: Snapshot) -> None:
    here, at, through = naive(attempts)
    inside = naive(snapshot.attempts)
    assert memory.busy == here
    assert snapshot.busy == here - inside[0]
    assert +Counter(snapshot.load.agents) == at - inside[1]
    assert +Counter(snapshot.load.relays) == through - inside[2]
    assert memory.wanted == waits_on(generations, attempts)


@given(st.randoms(use_true_random=False))
def test_a_part_of_it_all_decides_as_the_whole_does(random):
    """What is left out of a snapshot changes no placement: not who, not where, not in which order."""
    memory = Memory()
    memory.agents = DEFINED
    generations, attempts = random_state(random)
    memory.load(generations, attempts)
    limit = random.choice([None, 0, 1, 3, 9])
    # Once everything is touched; then it is quiet, and only what may have a slot is looked at.
    whole = memory.snapshot(NOW, (), 0, NOBODY_MET)
    memory.absorb(whole, apply(whole, decide(whole, NOW)))
    for _ in range(3):
        attempts, generations = memory.attempts(), dict(memory.live)
        known = random_met(random)
        observations = some_end(random, attempts)
        part = memory.snapshot(NOW, observations, limit, known)
        check(memory, generations, attempts, part)
        everything = replace(
            part,
            live=generations,
            attempts=dict(sorted(attempts.items(), key=lambda i: memory._queue.get(i[0], 0))),
            busy=0,
            load=Load(),
        )
        found, expected = decide(part, NOW), decide(everything, NOW)
        assert places(found) == places(expected)
        assert all(remote_place(a.place) is None or a.relay in WAY_RELAYS for a in places(found))
        memory.absorb(part, apply(part, found))


WAY_RELAYS = {way.relay for way in WAYS if way is not None}


def places(decision) -> list[Attempt]:
    return [action.attempt for action in decision.to_commit if isinstance(action, PlaceAttempt)]


def some_end(random: Random, attempts: Mapping[AttemptKey, Attempt]) -> tuple[Observed, ...]:
    going = [k for k, a in attempts.items() if a.state in TAKES_SLOT]
    random.shuffle(going)
    at: datetime = NOW.utc
    result = Result(return_code=0, started=at, ended=at)
    return tuple(Observed(key, Ended(result)) for key in going[: random.randint(0, 2)])
