"""Deleting units: they are passed over, keep what hangs on them, and come back by undo or when defined again."""

from __future__ import annotations

import pytest

from ajs.calendar import CalendarSettings
from ajs.errors import PlanMoved, Refused, UnitNotFound, WrongKind
from ajs.model import JobGroup
from ajs.store import log, show, units
from ajs.store.define import Defined
from ajs.store.delete import delete_units
from ajs.store.undo import undo_rows
from tests.store import kit

EVENING = "2026-08-11T22:00:00"
ALL = ("/g", "/g/a", "/g/a/in", "/g/a/in/y", "/g/a/x", "/g/b", "/g/b/x")


@pytest.fixture
def defined(store):
    group = JobGroup(path="/g", comment="old", calendar=CalendarSettings(base_time=60))
    kit.define(store, kit.root("/g/a", "x", "in/y"), kit.root("/g/b", "x"), groups=(group,))
    return store


def delete(store, *paths: str) -> int:
    """Delete these units and what is below them, as one operation."""
    with store.write() as tx:
        found = {unit.id for path in paths for unit in units.find(tx, path, lower=True)}
        operation = kit.begin(tx, "delete")
        delete_units(tx, found, operation)
    return operation


def undo(store, operation: int) -> int:
    with store.write() as tx:
        by = kit.begin(tx, "undo", undoes=operation)
        undo_rows(tx, operation, by)
        return by


def there(store, *, deleted: bool = False) -> tuple[str, ...]:
    with store.read() as tx:
        return tuple(unit.path for unit in units.below(tx, "/", deleted=deleted))


def run_and_leave(store, path: str) -> None:
    """Register a root jobnet, and cancel that; its serial number and its fate stay."""
    plan = kit.register(store, path, EVENING)
    number = kit.unit_id(store, path)
    with store.write() as tx:
        kit.save(tx, number, plan, None, kit.begin(tx, "leave"))


# Deleted, what is there afterwards.
DELETED = [
    (["/g"], ()),
    (["/g/a"], ("/g", "/g/b", "/g/b/x")),
    (["/g/a", "/g/b"], ("/g",)),
]


@pytest.mark.parametrize(("paths", "left"), DELETED)
def test_what_was_deleted_is_passed_over(defined, paths, left):
    operation = delete(defined, *paths)
    assert there(defined) == left
    assert there(defined, deleted=True) == ALL
    with defined.read() as tx:
        for path in paths:
            with pytest.raises(UnitNotFound, match="hanako deleted it") as caught:
                units.find(tx, path)
            assert f"ajs undo {operation}" in caught.value.hint
            assert [unit.path for unit in units.find(tx, path, deleted=True)] == [path]
        with pytest.raises(UnitNotFound, match="no unit matches"):
            units.find(tx, f"{paths[0]}/*")


@pytest.mark.parametrize(("paths", "left"), DELETED)
def test_undo_brings_it_back_as_it_was(defined, paths, left):
    before = kit.state(defined)
    undo(defined, delete(defined, *paths))
    assert kit.state(defined) == before


def test_a_unit_does_not_come_back_into_a_group_that_is_deleted(defined):
    first = delete(defined, "/g/a")
    second = delete(defined, "/g")
    with pytest.raises(PlanMoved, match="/g/a would be in a job group that is deleted"):
        undo(defined, first)
    assert there(defined) == ()
    undo(defined, second)
    undo(defined, first)
    assert there(defined) == ALL


def test_defined_again_it_keeps_its_id_and_nothing_else(defined):
    number = kit.unit_id(defined, "/g/a")
    run_and_leave(defined, "/g/a")
    delete(defined, "/g")
    _, found = kit.define(defined, kit.root("/g/a", "z"))
    assert found == Defined(added=("/g", "/g/a"), units_added=("/g/a/z",))
    assert there(defined) == ("/g", "/g/a", "/g/a/z")
    assert kit.unit_id(defined, "/g/a") == number
    with defined.read() as tx:
        assert tx.row("SELECT body, comment FROM unit WHERE path = '/g'") == (None, "")
    plan = kit.register(defined, "/g/a", EVENING)
    with defined.read() as tx:
        row = show.generation(tx, units.find(tx, "/g/a")[0], "20260811002")
    assert row.id == plan.generations[0].id


def test_taking_back_a_definition_deletes_it_again(defined):
    delete(defined, "/g")
    operation, _ = kit.define(defined, kit.root("/g/b", "x"))
    undo(defined, operation)
    assert there(defined) == ()


def test_a_definition_that_is_in_use_again_is_not_taken_back(defined):
    delete(defined, "/g")
    operation, _ = kit.define(defined, kit.root("/g/b", "x"))
    kit.register(defined, "/g/b", EVENING)
    with pytest.raises(PlanMoved, match="/g/b is registered by now"):
        undo(defined, operation)


# A name that another kind of unit takes: its path, the root jobnets and job groups that are given.
OTHER_KINDS = {
    "root jobnet where a group was": ("/g", (kit.root("/g", "x"),), ()),
    "group where a root jobnet was": ("/g/a", (), (JobGroup(path="/g/a"),)),
    "group that is made for what is below it": ("/g/a", (kit.root("/g/a/x", "y"),), ()),
}


@pytest.mark.parametrize(("path", "roots", "groups"), OTHER_KINDS.values(), ids=OTHER_KINDS)
def test_another_kind_takes_the_name_if_nothing_ran_there(defined, path, roots, groups):
    delete(defined, "/g")
    kit.define(defined, *roots, groups=groups)
    assert path in there(defined)


@pytest.mark.parametrize(("path", "roots", "groups"), OTHER_KINDS.values(), ids=OTHER_KINDS)
def test_another_kind_does_not_take_the_name_of_what_ran(defined, path, roots, groups):
    run_and_leave(defined, "/g/a")
    delete(defined, "/g")
    before = kit.state(defined)
    with pytest.raises(WrongKind, match=f"{path} was .* until it was deleted"):
        kit.define(defined, *roots, groups=groups)
    assert kit.state(defined) == before


def test_a_renaming_does_not_take_the_name_of_what_was_deleted(defined):
    delete(defined, "/g/a")
    with pytest.raises(Refused, match="both are stored, each with its own history"):
        kit.define(defined, kit.root("/g/a", "x", was="/g/b"))


def test_a_renaming_from_what_was_deleted_is_none(defined):
    delete(defined, "/g/a")
    _, found = kit.define(defined, kit.root("/g/c", "x", was="/g/a"))
    assert (found.added, found.renamed) == (("/g/c",), ())


def test_operations_from_before_the_column_can_be_undone(defined):
    operation, _ = kit.define(defined, kit.root("/g/b", "x", comment="new"))
    with defined.write() as tx:
        for side in ("before", "after"):
            tx.run(f"UPDATE operation_row SET {side} = json_remove({side}, '$.deleted')")
    undo(defined, operation)
    with defined.read() as tx:
        assert units.find(tx, "/g/b")[0].comment == ""


def test_the_log_has_every_row_before_and_after(defined):
    operation = delete(defined, "/g/b")
    with defined.read() as tx:
        images = log.images(tx, operation)
    sides = {
        (i.before or {})["path"]: ((i.before or {})["deleted"], (i.after or {})["deleted"])
        for i in images
    }
    assert sides == {"/g/b": (None, operation), "/g/b/x": (None, operation)}
