"""Seeded simulation of the manager over a real store with a fleet: agents restart, vanish, are replaced; relays fail.

Jobs of random jobnets run here and on agents behind two destinations, over a way that cannot be relied on. What must
hold in the end is what must hold without agents, see ``tests/runner/test_simulation.py``, and what ``fleet_invariants``
says.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from ajs.agents import AgentIdentity, remote_place
from ajs.attempts import LOCAL, AttemptKey, AttemptState
from ajs.decide import Snapshot, decide
from ajs.model import Job, Jobnet
from ajs.plan import Method
from ajs.store import show
from ajs.testing import FakeFleet, FakeRun, Faults
from tests.driver import EVENING, job, minutes, net
from tests.random_jobnets import random_world
from tests.runner.kit import Crash, World, due, lasts
from tests.runner.test_simulation import due_again, invariants, outcome, to_the_end
from tests.store import kit

SEEDS = range(int(os.environ.get("AJS_SIMULATION_SEEDS", "60")) // 5)
SWEPT = range(2)
BAD_WAY = Faults(drop=0.2, double=0.2, delay=timedelta(seconds=40))
WAYS = [("LB1", "R1"), ("LB1", "RELAYS"), ("LB2", "R2"), ("LB2", "")]
DEFINED = kit.agents(
    kit.agent("R1", limit=3),
    kit.agent("R2", limit=3),
    kit.agent_group("RELAYS", "R1", "R2"),
    kit.destination("LB1", limit=2),
    kit.destination("LB2", limit=1),
)


class Fleet:
    """A world with a fleet, and what happens to that."""

    def __init__(self, folder, seed: int, faults: Faults | None = None, *, nets: int = 3) -> None:
        random = Random(seed)
        made = [random_world(random, number=n) for n in range(1, random.randint(1, nets) + 1)]
        jobs: dict[str, FakeRun] = {}
        for one in made:
            jobs |= one.runs
        roots = [somewhere(random, one.due.definition) for one in made]
        limit = random.choice([None, 1, 2])
        self.serial = 0
        self.it = World(
            folder, *roots, jobs=jobs, faults=faults, seed=seed, limit=limit, agents=DEFINED
        )
        for behind in ("LB1", "LB1", "LB2"):
            self.fleet.add(self.another(behind))
        for one in made:
            again = due_again(one.due.generation)
            self.it.register(f"/sales/{one.due.definition.name}", again, method=Method.FIXED)

    @property
    def fleet(self) -> FakeFleet:
        assert isinstance(self.it.machine, FakeFleet)
        return self.it.machine

    def another(self, behind: str) -> AgentIdentity:
        self.serial += 1
        where = f"10.0.0.{self.serial}"
        return AgentIdentity(
            behind, where, 22, f"k{self.serial}", f"b{self.serial}", "1", f"e{self.serial}"
        )

    def trouble(self, random: Random) -> None:
        """Let something happen to the fleet."""
        fleet, now = self.fleet, self.it.clock.now().utc
        agent = random.choice(fleet.agents)
        match random.choice(["reboot", "replace", "silent", "back", "relay", "relay back", "add"]):
            case "reboot":
                fleet.reboot(agent, now, self.another(agent.destination))
            case "replace":
                fleet.replace(agent, now, self.another(agent.destination))
            case "silent":
                fleet.silence(agent, now)
            case "back":
                fleet.silent.clear()
            case "relay":
                fleet.relays_down[random.choice(["R1", "R2"])] = "no answer"
            case "relay back":
                fleet.relays_down.clear()
            case _:
                fleet.add(self.another(agent.destination))

    def mend(self) -> None:
        self.fleet.silent.clear()
        self.fleet.relays_down.clear()


def somewhere(random: Random, unit: Jobnet) -> Jobnet:
    """The same jobnet with some of its jobs on agents."""
    units: list[Jobnet | Job] = []
    for one in unit.units:
        if isinstance(one, Jobnet):
            units.append(somewhere(random, one))
        elif random.random() < 0.6:
            to, relay = random.choice(WAYS)
            units.append(replace(one, destination=to, relay=relay))
        else:
            units.append(one)
    return replace(unit, units=tuple(units))


def fleet_invariants(one: Fleet) -> None:
    it = one.it
    invariants(it)
    with it.other.read() as tx:
        generations = {g.id: g.path for g in show.generations(tx)}
        attempts = show.attempts(tx, generations)
        units = {(r.generation, r.path): r for r in show.unit_runs(tx, generations)}
    for a in attempts:
        unit = dict(it.roots[generations[a.generation]].walk())[a.path]
        assert isinstance(unit, Job)
        if a.state == "LOST":
            # Nobody will know how it ended, and it is said why.
            assert a.why
            assert units[a.generation, a.path].status == "UNKNOWN"
        if not a.place:
            continue
        # A flexible job runs behind its destination, through its relay agent or one of its group, another one here.
        remote = remote_place(a.place)
        assert (remote is None) == (not unit.destination)
        assert a.place == LOCAL or remote is not None
        if remote is not None:
            assert remote.agent.destination == unit.destination
            assert remote.relay == unit.relay
            assert a.relay in ({"R1", "R2"} if unit.relay == "RELAYS" else {unit.relay})
            key = AttemptKey(a.generation, a.path, a.number)
            elsewhere = [s for s in one.fleet.starts if s[0] == key]
            assert len(elsewhere) == one.fleet.started_on(remote.agent).count(key)
    unknown = {key for key, r in units.items() if r.status == "UNKNOWN"}
    assert unknown <= {(a.generation, a.path) for a in attempts if a.state == "LOST"} | jobnets(it)


def jobnets(it: World) -> set[tuple[int, str]]:
    with it.other.read() as tx:
        generations = {g.id: g.path for g in show.generations(tx)}
    found = {(number, "") for number in generations}
    for number, path in generations.items():
        for inner, unit in it.roots[path].walk():
            if isinstance(unit, Jobnet):
                found.add((number, inner))
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_good_and_bad_ways_lead_to_the_same_end(tmp_path, seed):
    good = Fleet(tmp_path / "good", seed)
    to_the_end(good.it)
    fleet_invariants(good)
    bad = Fleet(tmp_path / "bad", seed, BAD_WAY)
    to_the_end(bad.it)
    fleet_invariants(bad)
    assert outcome(bad.it) == outcome(good.it)


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_to_the_fleet_nothing_runs_twice_and_all_ends(tmp_path, seed):
    random = Random(seed)
    one = Fleet(tmp_path / "it", seed, BAD_WAY)
    for turn in range(40):
        one.it.run(until=EVENING + minutes(turn))
        one.trouble(random)
    one.mend()
    to_the_end(one.it)
    fleet_invariants(one)


@pytest.mark.parametrize("seed", SEEDS)
def test_managers_and_agents_that_die_again_and_again_start_nothing_twice(tmp_path, seed):
    random = Random(seed)
    one = Fleet(tmp_path / "it", seed, BAD_WAY)
    for turn in range(60):
        one.it.begin(dies_at=random.randint(1, 4), before=random.random() < 0.5)
        if turn % 3 == 0:
            one.trouble(random)
        try:
            one.it.run(until=EVENING + minutes(turn))
        except Crash:
            one.it.store.close()
    one.mend()
    one.it.begin()
    to_the_end(one.it)
    fleet_invariants(one)


@pytest.mark.parametrize("before", [True, False], ids=["before-commit", "after-commit"])
@pytest.mark.parametrize("seed", SWEPT)
def test_a_manager_that_dies_at_any_commit_is_followed_by_one_that_comes_to_the_same_end(
    tmp_path, seed, before
):
    whole = Fleet(tmp_path / "whole", seed, BAD_WAY, nets=1)
    to_the_end(whole.it)
    expected = outcome(whole.it)
    for at in range(1, whole.it.store.commits + 1):
        one = Fleet(tmp_path / str(at), seed, BAD_WAY, nets=1)
        one.it.begin(dies_at=at, before=before)
        try:
            to_the_end(one.it)
        except Crash:
            one.it.store.close()
            one.it.begin()
            to_the_end(one.it)
        fleet_invariants(one)
        assert outcome(one.it) == expected


def test_the_fleets_are_worth_simulating(tmp_path):
    """Jobs do wait, run on agents of both destinations and here, get lost with their agents, and change their relay."""
    seen: Counter[str] = Counter()
    for seed in range(8):
        random = Random(seed)
        one = Fleet(tmp_path / str(seed), seed)
        for turn in range(20):
            one.it.run(until=EVENING + minutes(turn))
            one.trouble(random)
        one.mend()
        to_the_end(one.it)
        with one.it.other.read() as tx:
            generations = [g.id for g in show.generations(tx)]
            seen.update(e.status for e in show.events(tx, generations))
            for a in show.attempts(tx, generations):
                remote = remote_place(a.place)
                seen[a.place if remote is None else remote.agent.destination] += 1
                seen[f"through {a.relay}"] += 1
    assert all(
        seen[what]
        for what in (
            LOCAL,
            "LB1",
            "LB2",
            "QUEUING",
            "UNKNOWN",
            "NORMAL",
            "through R1",
            "through R2",
        )
    ), seen


# -- what is not a matter of chance --


def one_job(folder, *jobs: Job, **runs: FakeRun) -> Fleet:
    """A world with these jobs and one agent behind LB1."""
    one = Fleet.__new__(Fleet)
    one.serial = 0
    one.it = World(folder, net("root", *jobs), jobs=runs, agents=DEFINED)
    one.fleet.add(one.another("LB1"))
    one.it.register("/sales/root", due(), method=Method.FIXED)
    return one


def far(name: str, relay: str = "R1") -> Job:
    return job(name, destination="LB1", relay=relay)


def why(one: Fleet, path: str = "j") -> str:
    """What the manager would say of a job that waits."""
    memory = one.it.manager.memory
    met = one.fleet.met()
    snapshot = Snapshot(live=memory.live, attempts=memory.attempts(), agents=DEFINED, met=met)
    return decide(snapshot, one.it.clock.now()).reasons[1, path].text


def test_without_an_agent_a_job_waits_and_runs_when_one_comes(tmp_path):
    one = one_job(tmp_path, far("j"))
    (agent,) = one.fleet.agents
    one.fleet.take_away(agent)
    one.it.run()
    assert one.it.status("j") == "QUEUING"
    assert why(one) == "no agent behind LB1 can be used: none has been found yet"
    one.fleet.add(agent)
    one.it.run()
    assert one.it.status("j") == "NORMAL"


def test_an_agent_that_never_comes_back_leaves_its_job_unknown_with_the_reason(tmp_path):
    one = one_job(tmp_path, far("j"), j=lasts(5))
    one.it.run(until=EVENING + minutes(1))
    (agent,) = one.fleet.agents
    one.fleet.silence(agent, one.it.clock.now().utc)
    one.it.run(until=EVENING + minutes(600))
    assert one.it.status("j") == "RUNNING"
    (attempt,) = one.it.manager.memory.attempts().values()
    assert attempt.state is AttemptState.UNKNOWN
    assert why(one).startswith("no contact since 2026-08-11")
    # It never came back, and in the end there is proof.
    one.fleet.replace(agent, one.it.clock.now().utc, one.another("LB1"))
    one.it.run()
    assert one.it.status("j") == "UNKNOWN"
    assert len(one.fleet.starts) == 1


def test_when_all_relay_agents_fail_jobs_run_on_and_are_heard_of_later(tmp_path):
    one = one_job(tmp_path, far("j"), far("k", "RELAYS"), j=lasts(5), k=lasts(9))
    one.it.run(until=EVENING + minutes(1))
    one.fleet.relays_down |= {"R1": "no answer", "R2": "no answer"}
    (agent,) = one.fleet.agents
    one.fleet.silence(agent, one.it.clock.now().utc)
    one.fleet.silent.clear()
    one.it.run(until=EVENING + minutes(30))
    assert {a.state for a in one.it.manager.memory.attempts().values()} == {AttemptState.UNKNOWN}
    one.fleet.relays_down.clear()
    one.it.run()
    assert (one.it.status("j"), one.it.status("k")) == ("NORMAL", "NORMAL")
    assert len(one.fleet.starts) == 2
