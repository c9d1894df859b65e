"""The operation log, and taking operations back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ajs.errors import NothingToUndo, OperationNotFound, PlanMoved
from ajs.model import JobGroup
from ajs.plan import Passed, Phase
from ajs.store import log, plans, runs, show
from ajs.store.undo import undo_rows
from tests.store import kit

EVENING = "2026-08-11T22:00:00"
NEXT = "2026-08-12T22:00:00"


@pytest.fixture
def defined(store):
    kit.define(store, kit.root("/a", "x", "in/y"), kit.root("/b"))
    return store


def undo(store, operation: int):
    with store.write() as tx:
        by = kit.begin(tx, "undo", undoes=operation)
        return by, undo_rows(tx, operation, by)


def refused(store, operation: int, kind=PlanMoved):
    before = {table: kit.rows(store, table) for table in (*log.COLUMNS, "operation", "fate")}
    with pytest.raises(kind) as caught:
        undo(store, operation)
    assert {table: kit.rows(store, table) for table in before} == before
    assert caught.value.hint
    return caught.value


def save(store, path: str, before, after) -> int:
    number = kit.unit_id(store, path)
    with store.write() as tx:
        operation = kit.begin(tx)
        plans.save_plan(tx, number, before, after, operation)
    return operation


def later(plan, start: str = NEXT):
    return plan.with_generation(replace(plan.generations[0], slot=kit.slot(start)))


# -- the log --


def test_an_entry_says_who_what_when_and_why(store):
    with store.write() as tx:
        number = log.begin(
            tx,
            kit.at("2026-08-11T23:00:00"),
            os_user="太郎",
            verb="plan",
            command=["ajsplan", "--reason", "bank is late", "/販売"],
            reason="bank is late",
        )
        log.finish(tx, number, {"moved": 2})
        found = log.entry(tx, number)
    assert found == log.Operation(
        id=number,
        at_utc="2026-08-11T14:00:00.000Z",
        at_wall="2026-08-11T23:00:00",
        os_user="太郎",
        verb="plan",
        command=("ajsplan", "--reason", "bank is late", "/販売"),
        reason="bank is late",
        undoes=None,
        undone_by=None,
        summary={"moved": 2},
    )


def test_no_such_entry(store):
    with store.read() as tx, pytest.raises(OperationNotFound, match="no entry 99"):
        log.entry(tx, 99)


ENTRIES = [
    # number, at, user, verb
    (1, "2026-08-10T08:00:00", "hanako", "define"),
    (2, "2026-08-11T08:00:00", "hanako", "entry"),
    (3, "2026-08-11T09:00:00", "taro", "plan"),
    (4, "2026-08-12T08:00:00", "hanako", "plan"),
]
FILTERS = [
    ({}, [4, 3, 2, 1]),
    ({"limit": 2}, [4, 3]),
    ({"since": "2026-08-11T08:00:00"}, [4, 3, 2]),
    ({"until": "2026-08-11T08:00:00"}, [1]),
    ({"since": "2026-08-11", "until": "2026-08-12"}, [3, 2]),
    ({"verb": "plan"}, [4, 3]),
    ({"os_user": "hanako", "verb": "plan"}, [4]),
    ({"os_user": "jiro"}, []),
    ({"units": []}, []),
]


@pytest.mark.parametrize(("filters", "found"), FILTERS)
def test_history_is_newest_first_and_filtered(store, filters, found):
    with store.write() as tx:
        for _, at, user, verb in ENTRIES:
            log.begin(tx, kit.at(at), os_user=user, verb=verb, command=[])
        assert [entry.id for entry in log.history(tx, **filters)] == found


def test_history_of_a_unit_outlives_its_runs(defined):
    plan = kit.register(defined, "/a", EVENING)
    kit.register(defined, "/b", EVENING)
    save(defined, "/a", plan, None)
    number = kit.unit_id(defined, "/a")
    with defined.read() as tx:
        found = log.history(tx, units=[number])
    assert [entry.verb for entry in found] == ["plan", "entry", "define"]


def test_what_was_done_to_one_run(defined):
    plan = kit.register(defined, "/a", EVENING)
    operation = save(defined, "/a", plan, later(plan))
    with defined.read() as tx:
        found = log.touching(tx, "generation", plan.generations[0].id)
    assert [entry.id for entry, _ in found][-1] == operation
    assert [(image.after or {})["start"] for _, image in found] == [EVENING, NEXT]


def test_a_row_touched_twice_has_its_first_before_and_its_last_after(defined):
    plan = kit.register(defined, "/a", EVENING)
    number = kit.unit_id(defined, "/a")
    with defined.write() as tx:
        operation = kit.begin(tx)
        once = kit.save(tx, number, plan, later(plan), operation)
        plans.save_plan(tx, number, once, later(once, "2026-08-13T22:00:00"), operation)
        image = next(i for i in log.images(tx, operation) if i.table == "generation")
    starts = [(side or {})["start"] for side in (image.before, image.after)]
    assert starts == [EVENING, "2026-08-13T22:00:00"]


def test_what_came_and_went_within_an_operation_is_nothing(defined):
    plan = kit.register(defined, "/a", EVENING)
    number = kit.unit_id(defined, "/a")
    with defined.write() as tx:
        operation = kit.begin(tx)
        more = replace(plan, generations=(*plan.generations, kit.generation(NEXT)))
        grown = kit.save(tx, number, plan, more, operation)
        plans.save_plan(tx, number, grown, grown.without(grown.generations[1]), operation)
    assert refused(defined, operation, NothingToUndo)


def test_what_was_changed_and_then_removed_comes_back_as_it_was(defined):
    plan = kit.register(defined, "/a", EVENING)
    before = kit.state(defined)
    number = kit.unit_id(defined, "/a")
    with defined.write() as tx:
        operation = kit.begin(tx)
        once = kit.save(tx, number, plan, later(plan), operation)
        plans.save_plan(tx, number, once, replace(once, generations=()), operation)
    undo(defined, operation)
    assert kit.state(defined) == before


# -- taking back --

CHANGES = {
    "a run is moved": later,
    "a run is prohibited": lambda plan: plan.with_generation(
        replace(plan.generations[0], phase=Phase.PROHIBITED)
    ),
    "a unit is held": lambda plan: plan.with_generation(
        replace(plan.generations[0], holds={"x": True, "": False})
    ),
    "a run is added": lambda plan: replace(
        plan, generations=(*plan.generations, kit.generation("2026-08-20T10:00:00"))
    ),
    "a run is removed": lambda plan: plan.without(plan.generations[0]),
    "the registration changes": lambda plan: replace(
        plan, registration=replace(plan.registration, floor=kit.slot(EVENING), catch_up=False)
    ),
    "it is released": lambda _: None,
    "all of it": lambda plan: replace(
        plan,
        registration=replace(plan.registration, done=frozenset(plan.generations[0].ties)),
        generations=(later(plan).generations[0], kit.generation("2026-08-20T10:00:00")),
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_an_undo_restores_every_row(defined, change):
    plan = kit.register(defined, "/a", EVENING, "2026-08-13T22:00:00")
    before = kit.state(defined)
    versions = {g.id: g.version for g in plan.generations}
    operation = save(defined, "/a", plan, change(plan))
    between = kit.state(defined)
    assert between != before
    by, done = undo(defined, operation)
    assert kit.state(defined) == before
    assert done.units == (kit.unit_id(defined, "/a"),)
    with defined.read() as tx:
        assert log.entry(tx, operation).undone_by == by
        assert log.entry(tx, by).undoes == operation
        # The undo has images of its own: the same rows, the other way round.
        there, back = ({(i.table, i.key) for i in log.images(tx, n)} for n in (operation, by))
        assert there == back
    # Versions only ever go up, so a reader of the state between is refused.
    now = kit.load(defined, "/a")
    assert now.registration.version > plan.registration.version
    changed = {g.id for g in now.generations if g.version != versions[g.id]}
    assert all(g.version > versions[g.id] for g in now.generations if g.id in changed)
    with pytest.raises(PlanMoved):
        save(defined, "/a", plan, later(plan, "2026-08-30T10:00:00"))


def test_undoing_a_registration(defined):
    before = kit.state(defined)
    kit.register(defined, "/a", EVENING)
    with defined.read() as tx:
        operation = log.history(tx, verb="entry")[0].id
    undo(defined, operation)
    assert kit.state(defined) == before


DEFINITIONS = {
    "units come, go and change places": (kit.root("/a", "z", "in/y", "x2"),),
    "a root is renamed": (kit.root("/g/new", "x", "in/y", was="/a"),),
    "names go round": (kit.root("/a", was="/b"), kit.root("/c", "x", "in/y", was="/a")),
    "roots and groups are added": (kit.root("/g/h/r", "x"), kit.root("/g/s")),
    "a comment": (kit.root("/a", "x", "in/y", comment="ours"),),
}


@pytest.mark.parametrize("roots", DEFINITIONS.values(), ids=DEFINITIONS.keys())
def test_undoing_a_definition(defined, roots):
    kit.register(defined, "/a", EVENING)
    before = kit.state(defined)
    operation, _ = kit.define(
        defined, *roots, groups=(JobGroup(path="/k", comment="new"), JobGroup(path="/"))
    )
    assert kit.state(defined) != before
    undo(defined, operation)
    assert kit.state(defined) == before
    with defined.read() as tx:
        assert tx.rows("PRAGMA foreign_key_check") == []


def test_operations_are_taken_back_one_after_the_other(defined):
    states = [kit.state(defined)]
    plan = kit.register(defined, "/a", EVENING)
    with defined.read() as tx:
        operations = [log.history(tx, verb="entry")[0].id]
    for hour in range(3):
        states.append(kit.state(defined))
        lies = kit.slot(f"2026-08-12T0{hour}:00:00")
        after = plan.with_generation(replace(plan.generations[0], slot=lies))
        operations.append(save(defined, "/a", plan, after))
        plan = kit.load(defined, "/a")
    refused(defined, operations[2])
    while operations:
        undo(defined, operations.pop())
        assert kit.state(defined) == states.pop()


def test_an_undo_is_not_undone_and_nothing_is_undone_twice(defined):
    plan = kit.register(defined, "/a", EVENING)
    operation = save(defined, "/a", plan, later(plan))
    by, _ = undo(defined, operation)
    error = refused(defined, operation, NothingToUndo)
    assert f"was undone by operation {by}" in error.message
    error = refused(defined, by, NothingToUndo)
    assert f"undo of operation {operation}" in error.message
    with defined.write() as tx:
        empty = kit.begin(tx)
    assert "changed nothing" in refused(defined, empty, NothingToUndo).message
    refused(defined, 999, OperationNotFound)


MOVED_ON = [
    ("UPDATE generation SET phase = 'running'", "the run /a:@A1 has started"),
    ("UPDATE generation SET phase = 'ended'", "the run /a:@A1 has ended"),
    ("UPDATE generation SET phase = 'prohibited'", "the run /a:@A1 is prohibited now"),
    ("UPDATE generation SET holds = '{\"x\":true}'", "the run /a:@A1 has changed since"),
    ("DELETE FROM generation", "the run /a:@A1 is gone"),
]


@pytest.mark.parametrize(("sql", "said"), MOVED_ON)
def test_what_moved_on_is_named(defined, sql, said):
    plan = kit.register(defined, "/a", EVENING)
    operation = save(defined, "/a", plan, later(plan))
    with defined.write() as tx:
        tx.run(sql)
    error = refused(defined, operation)
    assert said in error.message
    assert error.unit == "/a"


def test_what_touched_it_later_is_named(defined):
    plan = kit.register(defined, "/a", EVENING)
    operation = save(defined, "/a", plan, later(plan))
    plan = kit.load(defined, "/a")
    second = save(defined, "/a", plan, later(plan, "2026-08-13T22:00:00"))
    assert f"has changed since (operation {second})" in refused(defined, operation).message


def test_what_later_operations_changed_and_changed_back_is_not_taken_back(defined):
    plan = kit.register(defined, "/a", EVENING)
    operations = []
    for start in (NEXT, EVENING, NEXT):
        after = plan.with_generation(replace(plan.generations[0], slot=kit.slot(start)))
        operations.append(save(defined, "/a", plan, after))
        plan = kit.load(defined, "/a")
    first, second, third = operations
    assert f"has changed since (operation {third})" in refused(defined, first).message
    undo(defined, third)
    assert f"has changed since (operation {second})" in refused(defined, first).message
    undo(defined, second)
    undo(defined, first)


def test_what_was_defined_and_deleted_again_meanwhile_is_named(defined):
    plan = kit.register(defined, "/a", EVENING)
    operation = save(defined, "/a", plan, None)
    again = kit.register(defined, "/a", NEXT)
    last = save(defined, "/a", again, None)
    said = refused(defined, operation).message
    assert f"the registration of /a has changed since (operation {last})" in said


def test_what_was_registered_again_is_not_overwritten(defined):
    plan = kit.register(defined, "/a", EVENING)
    operation = save(defined, "/a", plan, None)
    kit.register(defined, "/a", NEXT)
    assert "the registration of /a exists again" in refused(defined, operation).message


def test_a_definition_that_has_a_plan_by_now_stays(defined):
    operation, _ = kit.define(defined, kit.root("/new"))
    plan = kit.register(defined, "/new", EVENING)
    assert "/new has a plan or a history" in refused(defined, operation).message
    save(defined, "/new", plan, None)
    assert "/new has a plan or a history" in refused(defined, operation).message


def test_a_group_that_others_use_by_now_stays(defined):
    operation, _ = kit.define(defined, kit.root("/g/one"))
    kit.define(defined, kit.root("/g/two"))
    assert "/g/two was put there since" in refused(defined, operation).message


def test_a_changed_unit_is_named_by_its_present_path(defined):
    operation, _ = kit.define(defined, kit.root("/a", "x", comment="one"))
    kit.define(defined, kit.root("/a", "x", comment="two"))
    assert "cannot be undone: /a has changed since" in refused(defined, operation).message


def test_fates_go_with_the_operation_that_caused_them(defined):
    plan = kit.register(defined, "/a", EVENING)
    number = kit.unit_id(defined, "/a")
    lost = Passed(kit.slot(EVENING), plan.generations[0].ties, "prohibited by hanako")
    with defined.write() as tx:
        operation = kit.begin(tx)
        after = plan.with_generation(replace(plan.generations[0], phase=Phase.PROHIBITED))
        plans.save_plan(tx, number, plan, after, operation)
        for by in (operation, None):
            runs.add_fates(
                tx, [runs.Fated(root=number, run=lost, fate="prohibited", operation=by)], kit.at()
            )
    undo(defined, operation)
    with defined.read() as tx:
        assert [fate.operation for fate in show.fates(tx, [number])] == [None]


def test_a_dry_undo(defined):
    plan = kit.register(defined, "/a", EVENING)
    operation = save(defined, "/a", plan, later(plan))
    before = kit.state(defined)
    with defined.write() as tx:
        by = kit.begin(tx, "undo", undoes=operation)
        assert undo_rows(tx, operation, by).rows == 1
        tx.rollback()
    assert kit.state(defined) == before
