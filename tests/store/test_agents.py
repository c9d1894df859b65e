"""Agents in the store: defined, changed, undone, and never gone while something names them."""

from __future__ import annotations

import pytest

from ajs.agents import AgentKind, Agents
from ajs.errors import PlanMoved, Refused, WrongKind
from ajs.plan import Phase
from ajs.store import agents, log, units
from ajs.store.agents import MissingName, Named
from ajs.store.define import Defined
from ajs.store.delete import delete_units
from ajs.store.undo import undo_rows
from tests.store import kit

AGENT, GROUP, DESTINATION = AgentKind
ALL = kit.agents(
    kit.agent("AGT1", port=2222, key="~/.ssh/ajs", comment="In the DMZ"),
    kit.agent("AGT2"),
    kit.agent_group("RELAYS", "AGT1", "AGT2"),
    kit.destination("LB1", agent_port=22, job_folder="/x"),
)


def loaded(store) -> Agents:
    with store.read() as tx:
        return agents.load(tx)


def versions(store) -> dict[str, int]:
    with store.read() as tx:
        return dict(tx.rows("SELECT name, version FROM agent_definition"))


def undo(store, operation: int):
    with store.write() as tx:
        by = kit.begin(tx, "undo", undoes=operation)
        return undo_rows(tx, operation, by)


def refused(store, operation: int) -> str:
    before = kit.state(store)
    with pytest.raises(PlanMoved) as caught:
        undo(store, operation)
    assert kit.state(store) == before
    assert caught.value.hint
    return caught.value.message


# -- defining --


def test_a_new_service_has_none(store):
    assert loaded(store) == Agents()


def test_what_is_given_is_added_and_loaded_as_it_was(store):
    operation, found = kit.define(store, agents=ALL)
    assert found == Defined(
        agents_added=(
            Named(AGENT, "AGT1"),
            Named(AGENT, "AGT2"),
            Named(GROUP, "RELAYS"),
            Named(DESTINATION, "LB1"),
        )
    )
    assert loaded(store) == ALL
    with store.read() as tx:
        images = log.images(tx, operation)
    assert [(image.table, image.before) for image in images] == [("agent_definition", None)] * 4
    assert {image.unit for image in images} == {kit.unit_id(store, "/")}


def test_the_same_again_changes_nothing(store):
    kit.define(store, agents=ALL)
    before = kit.state(store)
    operation, found = kit.define(store, agents=ALL)
    assert found == Defined(unchanged=4)
    assert not found.anything
    assert kit.state(store) == before
    assert set(versions(store).values()) == {1}
    with store.read() as tx:
        assert log.images(tx, operation) == []


def test_what_differs_is_changed_and_what_is_absent_stays(store):
    kit.define(store, agents=ALL)
    changed = kit.agents(kit.agent("AGT2", host="other"), kit.destination("LB2"))
    found = kit.define(store, agents=changed)[1]
    assert found == Defined(
        agents_added=(Named(DESTINATION, "LB2"),), agents_changed=(Named(AGENT, "AGT2"),)
    )
    assert versions(store) == {"AGT1": 1, "AGT2": 2, "RELAYS": 1, "LB1": 1, "LB2": 1}
    assert [one.host for one in loaded(store).agents] == ["h", "other"]


@pytest.mark.parametrize(
    "other",
    [
        kit.agent_group("AGT1", "AGT2"),
        kit.destination("AGT1"),
        kit.agent("RELAYS"),
        kit.agent("LB1"),
    ],
    ids=lambda one: f"{one.name} as {type(one).__name__}",
)
def test_a_name_never_becomes_something_else(store, other):
    kit.define(store, agents=ALL)
    before = kit.state(store)
    with pytest.raises(WrongKind, match="cannot become"):
        kit.define(store, agents=kit.agents(other))
    assert kit.state(store) == before


@pytest.mark.parametrize(
    ("root", "message"),
    [
        (kit.flexible("/r", "LB2"), "/r names destination LB2"),
        (kit.flexible("/r", "AGT1"), "/r names destination AGT1"),
        (kit.flexible("/r", "LB1", "AGT3"), "/r names relay AGT3"),
        (kit.flexible("/r", "LB1", "LB1"), "/r names relay LB1"),
    ],
)
def test_a_job_that_names_what_is_not_there_is_refused(store, root, message):
    kit.define(store, agents=ALL)
    before = kit.state(store)
    with pytest.raises(Refused, match=message):
        kit.define(store, root)
    assert kit.state(store) == before


def test_a_group_of_what_is_not_there_is_refused(store):
    for member in ("AGT1", "RELAYS"):
        with pytest.raises(Refused, match=f"RELAYS names members {member}"):
            kit.define(store, agents=kit.agents(kit.agent_group("RELAYS", member)))
    assert loaded(store) == Agents()


@pytest.mark.parametrize("relay", ["", "AGT1", "RELAYS"])
def test_jobs_may_name_what_comes_with_them_and_what_is_stored(store, relay):
    kit.define(store, kit.flexible("/r", "LB1", relay), agents=ALL)
    kit.define(store, kit.flexible("/s", "LB1", relay))
    with store.read() as tx:
        assert agents.missing(tx) is None


# -- taking back --


def test_an_undo_takes_agents_away_and_changes_back(store):
    first = kit.define(store, agents=kit.agents(kit.agent("AGT1")))[0]
    one = kit.state(store)
    second = kit.define(
        store,
        agents=kit.agents(kit.agent("AGT1", host="other"), kit.destination("LB1")),
    )[0]
    undo(store, second)
    assert kit.state(store) == one
    assert versions(store) == {"AGT1": 3}
    undo(store, first)
    assert loaded(store) == Agents()


def test_an_id_that_was_given_out_is_not_given_again(store):
    undo(store, kit.define(store, agents=kit.agents(kit.agent("AGT1")))[0])
    operation = kit.define(store, agents=kit.agents(kit.agent("AGT1")))[0]
    with store.read() as tx:
        assert [image.key for image in log.images(tx, operation)] == [2]


def test_an_agent_that_has_changed_since_is_named(store):
    first = kit.define(store, agents=kit.agents(kit.agent("AGT1")))[0]
    second = kit.define(store, agents=kit.agents(kit.agent("AGT1", host="other")))[0]
    assert refused(store, first) == (
        f"operation {first} cannot be undone: AGT1 has changed since (operation {second})"
    )


def test_what_a_group_or_a_job_names_is_not_taken_away(store):
    first = kit.define(store, agents=kit.agents(kit.agent("AGT1"), kit.destination("LB1")))[0]
    group = kit.define(store, agents=kit.agents(kit.agent_group("RELAYS", "AGT1")))[0]
    assert "RELAYS would name members AGT1" in refused(store, first)
    jobs = kit.define(store, kit.flexible("/r", "LB1", "RELAYS"))[0]
    assert "/r would name relay RELAYS" in refused(store, group)
    undo(store, jobs)
    undo(store, group)
    undo(store, first)
    assert loaded(store) == Agents()


def test_an_older_definition_does_not_come_back_without_what_it_names(store):
    first = kit.define(store, agents=kit.agents(kit.destination("LB1")))[0]
    kit.define(store, kit.flexible("/r", "LB1"))
    third = kit.define(store, kit.root("/r", "a"))[0]
    undo(store, first)
    assert "/r would name destination LB1" in refused(store, third)


def test_a_deleted_jobnet_names_nothing_until_it_comes_back(store):
    first = kit.define(store, agents=kit.agents(kit.destination("LB1")))[0]
    kit.define(store, kit.flexible("/r", "LB1"))
    with store.write() as tx:
        gone = kit.begin(tx, "delete")
        delete_units(tx, [unit.id for unit in units.find(tx, "/r", lower=True)], gone)
    undo(store, first)
    assert "/r would name destination LB1" in refused(store, gone)
    with pytest.raises(Refused, match="/r names destination LB1"):
        kit.define(store, kit.flexible("/r", "LB1"))
    kit.define(store, agents=kit.agents(kit.destination("LB1")))
    undo(store, gone)
    with store.read() as tx:
        assert agents.missing(tx) is None


def test_what_a_running_generation_names_is_not_taken_away(store):
    first = kit.define(store, agents=kit.agents(kit.destination("LB1")))[0]
    kit.define(store, kit.flexible("/r", "LB1"))
    kit.register(store, "/r", "2026-08-11T22:00:00")
    with store.write() as tx:
        tx.run(
            "UPDATE generation SET phase = ?, definition = (SELECT definition FROM unit WHERE path = '/r')",
            Phase.RUNNING.value,
        )
    kit.define(store, kit.root("/r", "a"))
    assert "/r would name destination LB1" in refused(store, first)
    with store.write() as tx:
        tx.run("UPDATE generation SET phase = ?", Phase.ENDED.value)
    undo(store, first)
    with store.read() as tx:
        assert agents.missing(tx) is None


def test_the_first_name_that_is_missing_is_told(store):
    kit.define(store, kit.flexible("/r", "LB1", "RELAYS"), agents=ALL)
    with store.write() as tx:
        tx.run("DELETE FROM agent_definition WHERE name IN ('LB1', 'AGT2')")
    with store.read() as tx:
        assert agents.missing(tx) == MissingName("/r", "destination", "LB1")
