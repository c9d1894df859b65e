"""Many jobs on both agents while relays, agents and managers die: each runs once, and all of it arrives."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.bed.bed import Bed
from tests.crash.kit import pause
from tests.dispatch.waiting import until
from tests.faults.kit import (
    Department,
    Wire,
    agents_of,
    begun,
    go,
    job,
    lines,
    on,
    once,
    says,
    started,
)

SEEDS = range(int(os.environ.get("AJS_FAULT_SEEDS", "3")))
NAMES = [f"j{number}" for number in range(6)]


def code_of(name: str) -> int:
    return int(name[1:]) % 3


def net_of(names: list[str], *, wait: bool = True) -> dict[str, dict[str, object]]:
    """Jobs side by side that end with different return codes; above 1 is a warning."""
    return {
        name: job(says(code_of(name), wait=wait), warning_above=1, abnormal_above=9)
        for name in names
    }


def check_all(department: Department, names: list[str], net: str = "net") -> None:
    """Each of the jobs ran once, has its own return code, and what it wrote is here."""
    assert department.ended(net) == "WARNING"
    expected = {n: ("WARNING" if code_of(n) > 1 else "NORMAL", code_of(n)) for n in names}
    assert department.statuses(net) == expected
    mine = [name for _, name in lines(department.bed, "starts") if name.startswith(f"/day/{net}/")]
    assert sorted(mine) == [f"/day/{net}/{name}" for name in sorted(names)]
    department.check(net)


def test_a_relay_dies_and_comes_back_and_the_other_one_dies(bed: Bed, department: Department):
    first, second = bed.relays
    department.define(agents_of(bed, limit=3))
    department.net(**net_of(NAMES))
    department.manager()
    begun(bed, *NAMES)
    department.becomes("RUNNING", *NAMES)
    assert [len(on(agent)) for agent in bed.agents] == [3, 3]
    first.kill()
    go(bed, *NAMES[:2])
    department.becomes("NORMAL", *NAMES[:2])
    first.start()
    second.kill()
    go(bed, *NAMES[2:4])
    department.becomes("WARNING", "j2")
    department.becomes("NORMAL", "j3")
    second.start()
    go(bed)
    check_all(department, NAMES)


@pytest.mark.parametrize("how", ["power cut", "silence"])
def test_a_dead_agent_delays_nobody_else(bed: Bed, department: Department, how):
    names = NAMES[:4]
    after = {f"k{name[1:]}": job(says(wait=False), after=name) for name in names}
    department.define(agents_of(bed, limit=2))
    department.net(**net_of(names), **after)
    department.manager()
    begun(bed, *names)
    department.becomes("RUNNING", *names)
    dead, other = bed.agents
    there, here = on(dead), on(other)
    assert len(there) == len(here) == 2
    if how == "power cut":
        dead.kill()
    else:
        dead.drop()
    go(bed)
    followers = [f"k{name[1:]}" for name in here]
    department.becomes("NORMAL", *followers)
    assert {department.statuses()[name][0] for name in there} == {"RUNNING"}
    assert sorted(on(other)) == sorted([*here, *followers])
    if how == "power cut":
        bed.reboot(dead)
        assert department.ended() == "ABNORMAL"
        assert {department.statuses()[name][0] for name in there} == {"UNKNOWN"}
        assert {department.statuses()[f"k{name[1:]}"][0] for name in there} == {"UNEXEC"}
        assert not set(started(bed)) & {f"k{name[1:]}" for name in there}
    else:
        dead.undrop()
        department.ended()
        assert {department.statuses()[f"k{name[1:]}"][0] for name in there} == {"NORMAL"}
    department.check()


# -- row 15: managers --


@pytest.mark.parametrize("seed", SEEDS)
def test_managers_killed_at_any_moment(bed: Bed, department: Department, seed):
    """While starts are under way, while jobs run, while results are fetched, and while nothing happens."""
    random = Random(seed)
    names = [f"j{number}" for number in range(16)]
    department.net(**net_of(names))
    for _ in range(6):
        department.manager()
        pause(random.random() * 1.5)
        department.kill_manager()
        once(bed)
        if random.random() < 0.5:
            go(bed, *random.sample(names, 4))
    go(bed)
    for _ in range(2):
        department.manager()
        pause(random.random())
        department.kill_manager()
    department.manager()
    check_all(department, names)


def test_a_manager_killed_while_the_agent_takes_the_starts(lone: Bed, department: Department):
    """One conversation starts them all: the first of it stands at the lock when the manager dies."""
    wire = Wire(lone.agent(1), "mkdir", "*/jobs/?*")
    department.net(**net_of(NAMES))
    department.manager()
    wire.reached()
    department.kill_manager()
    assert started(lone) == {}
    department.manager()
    begun(lone, *NAMES)
    wire.free()
    go(lone)
    check_all(department, NAMES)


def test_a_manager_killed_while_a_result_is_fetched(lone: Bed, department: Department):
    """The next one goes on where the file ends, and then lets the agent throw it away."""
    agent = lone.agent(1)
    department.net(**net_of(NAMES))
    department.manager()
    begun(lone, *NAMES)
    wire = Wire(agent, "tail", "-c *")
    go(lone)
    wire.reached()
    department.kill_manager()
    department.manager()
    check_all(department, NAMES)
    wire.free()
    until(lambda: not list((agent.home / ".ajs" / "jobs").iterdir()), "nothing left on the agent")


# -- two scheduler services --


@pytest.fixture
def other(tmp_path: Path, bed: Bed) -> Iterator[Department]:
    """A second department over the same relays and agents."""
    other = Department(tmp_path / "other", bed)
    yield other
    other.end()


def test_two_services_over_the_same_relays(bed: Bed, department: Department, other: Department):
    """One manager's death and a relay's: neither takes the other's jobs for its own."""
    department.net("mine", **net_of(NAMES))
    other.net("theirs", **net_of(NAMES))
    department.manager()
    other.manager()
    until(lambda: len(lines(bed, "starts")) == 2 * len(NAMES), "all begun")
    department.becomes("RUNNING", *NAMES, net="mine")
    other.becomes("RUNNING", *NAMES, net="theirs")
    department.kill_manager()
    bed.relay(1).kill()
    go(bed)
    check_all(other, NAMES, "theirs")
    department.manager()
    check_all(department, NAMES, "mine")
