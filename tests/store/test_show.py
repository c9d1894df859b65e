"""Plain rows for reading commands."""

from __future__ import annotations

import pytest

from ajs.errors import GenerationNotFound
from ajs.store import show, units
from tests.store import kit


@pytest.fixture
def registered(store):
    kit.define(store, kit.root("/a", "x"), kit.root("/b"))
    kit.register(store, "/b", "2026-08-11T20:00:00")
    kit.register(store, "/a", "2026-08-11T22:00:00", "2026-08-12T22:00:00", "2026-08-13T22:00:00")
    with store.write() as tx:
        tx.run("UPDATE generation SET phase = 'prohibited', status = 'BYPASS' WHERE id = 4")
    return store


FILTERS = [
    # paths, filters, execution IDs found
    (None, {}, ["@A2", "@A3", "@A4", "@A1"]),
    (["/a"], {}, ["@A2", "@A3", "@A4"]),
    ([], {}, []),
    (["/a"], {"since": "2026-08-12T22:00:00"}, ["@A3", "@A4"]),
    (["/a"], {"until": "2026-08-12T22:00:00"}, ["@A2"]),
    (["/a"], {"since": "2026-08-12", "until": "2026-08-13"}, ["@A3"]),
    (None, {"phase": "prohibited"}, ["@A4"]),
    (None, {"status": "TIMEWAIT"}, ["@A2", "@A3", "@A1"]),
    (None, {"newest": 1}, ["@A4", "@A1"]),
    (None, {"newest": 2, "until": "2026-08-13"}, ["@A2", "@A3", "@A1"]),
]


@pytest.mark.parametrize(("paths", "filters", "found"), FILTERS)
def test_which_generations(registered, paths, filters, found):
    roots = None if paths is None else [kit.unit_id(registered, path) for path in paths]
    with registered.read() as tx:
        assert [row.execution_id for row in show.generations(tx, roots, **filters)] == found


NAMES = [
    ("@A3", "2026-08-12"),
    ("20260812001", "2026-08-12"),
    ("20260811001", "2026-08-11"),
    ("@A1", None),
    ("@A99", None),
    ("20260811002", None),
    ("20260811", None),
    ("x", None),
    ("", None),
]


@pytest.mark.parametrize(("name", "day"), NAMES)
def test_one_generation_by_its_numbers(registered, name, day):
    with registered.read() as tx:
        root = units.find(tx, "/a")[0]
        if day is not None:
            assert show.generation(tx, root, name).exec_date == day
            return
        with pytest.raises(GenerationNotFound) as caught:
            show.generation(tx, root, name)
    assert caught.value.message == f"/a has no generation {name}"
    assert (caught.value.unit, caught.value.value) == ("/a", name)


def test_registrations_in_order_of_path(registered):
    with registered.read() as tx:
        every = show.registrations(tx)
        assert show.registrations(tx, [every[1].root]) == every[1:]
    assert [(row.path, row.method, row.registered) for row in every] == [
        ("/a", "planned", "2026-08-11T12:00:00"),
        ("/b", "planned", "2026-08-11T12:00:00"),
    ]
