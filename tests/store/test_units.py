"""Finding units: by full name, by pattern, below others."""

from __future__ import annotations

import pytest

from ajs.calendar import BaseDate, CalendarSettings
from ajs.errors import StoreError, UnitNotFound
from ajs.model import JobGroup, Script
from ajs.plan import Frozen
from ajs.schedule import DayMode
from ajs.store import sources, units
from ajs.timetables import Calendars
from tests.store import kit

TREE = (
    kit.root("/a", "x"),
    kit.root("/sales/daily", "collect", "total", "report/print"),
    kit.root("/sales/daily2"),
    kit.root("/sales/eu/daily", "collect"),
    kit.root("/sales/eu/[odd]*"),
    kit.root("/総務/日次", "集計"),
)


@pytest.fixture
def tree(store):
    kit.define(store, *TREE)
    return store


IN_DAILY = [
    "/sales/daily/collect",
    "/sales/daily/report",
    "/sales/daily/report/print",
    "/sales/daily/total",
]
FOUND = [
    # pattern, with what lies below, the units found
    ("/", False, ["/"]),
    ("/sales/daily", False, ["/sales/daily"]),
    ("/sales/daily/report/print", False, ["/sales/daily/report/print"]),
    ("/sales/*", False, ["/sales/daily", "/sales/daily2", "/sales/eu"]),
    ("/sales/daily?", False, ["/sales/daily2"]),
    ("/sales/*/*l*", False, ["/sales/daily/collect", "/sales/daily/total", "/sales/eu/daily"]),
    ("/*/daily", False, ["/sales/daily"]),
    ("/*", False, ["/a", "/sales", "/総務"]),
    ("/?", False, ["/a"]),
    ("/??", False, ["/総務"]),
    ("/総務/日*", False, ["/総務/日次"]),
    ("/sales/eu/[odd]?", False, ["/sales/eu/[odd]*"]),
    ("/sales/eu/[do]*", False, []),
    ("/sales/daily", True, ["/sales/daily", *IN_DAILY]),
    ("/sales/daily?", True, ["/sales/daily2"]),
    ("/sales/d*", True, ["/sales/daily", *IN_DAILY, "/sales/daily2"]),
    ("/総務", True, ["/総務", "/総務/日次", "/総務/日次/集計"]),
]


@pytest.mark.parametrize(("pattern", "lower", "paths"), FOUND)
def test_what_a_name_or_pattern_means(tree, pattern, lower, paths):
    with tree.read() as tx:
        if not paths:
            with pytest.raises(UnitNotFound):
                units.find(tx, pattern)
            return
        assert [unit.path for unit in units.find(tx, pattern, lower=lower)] == paths


def test_everything_lies_below_the_service(tree):
    with tree.read() as tx:
        every = [row[0] for row in tx.rows("SELECT path FROM unit ORDER BY path")]
        assert [unit.path for unit in units.find(tx, "/", lower=True)] == every
        assert [unit.path for unit in units.below(tx, "/")] == every[1:]


def test_what_a_unit_is(tree):
    with tree.read() as tx:
        kinds = {unit.path: unit.kind for unit in units.find(tx, "/sales", lower=True)}
        top = units.by_path(tx, "/sales/daily")
        job = units.by_path(tx, "/sales/daily/report/print")
        group = units.by_path(tx, "/sales")
    assert kinds["/sales"] == kinds["/sales/eu"] == "group"
    assert kinds["/sales/daily"] == "root"
    assert kinds["/sales/daily/report"] == "jobnet"
    assert kinds["/sales/daily/report/print"] == "job"
    assert top is not None
    assert job is not None
    assert group is not None
    assert (job.root, job.name) == (top.id, "print")
    assert (top.root, group.root) == (top.id, None)


def test_units_below_one_come_in_the_order_of_their_definition(tree):
    with tree.read() as tx:
        daily = units.find(tx, "/sales/daily")[0]
        assert [unit.name for unit in units.children(tx, daily)] == ["collect", "total", "report"]


def test_units_by_id(tree):
    with tree.read() as tx:
        wanted = units.find(tx, "/sales/*")
        found = units.by_id(tx, [unit.id for unit in wanted] + [999])
    assert found == {unit.id: unit for unit in wanted}


NOT_FOUND = [
    ("/sales/dayly", "did you mean /sales/daily"),
    ("/slaes/daily", "did you mean /sales/daily?"),
    ("/daily", "did you mean /sales/daily?"),
    ("/quite/else", "ajsshow"),
    ("/nothing/*", "never for a /"),
    ("/sales*/none", "never for a /"),
    ("sales", "did you mean /sales"),
    ("", "ajsshow"),
]


@pytest.mark.parametrize(("name", "hint"), NOT_FOUND)
def test_what_is_not_there(store, name, hint):
    kit.define(store, kit.root("/sales/daily"), kit.root("/salesx/y"))
    with store.read() as tx, pytest.raises(UnitNotFound) as caught:
        units.find(tx, name)
    assert caught.value.value == name
    assert hint in caught.value.hint


# -- what runs are made from --


def test_definitions_come_back_as_they_went_in(tree):
    with tree.read() as tx:
        for root in TREE:
            unit = units.find(tx, root.path.replace("[odd]*", "[odd]?"))[0]
            assert sources.definition(tx, unit.definition or "") == root.jobnet


def test_known_definitions_are_not_read_again(tree):
    known = {"f" * 64: TREE[0].jobnet}
    with tree.read() as tx:
        key = units.find(tx, "/a")[0].definition or ""
        assert sources.definitions(tx, ["f" * 64, key], known)["f" * 64] is TREE[0].jobnet
        with pytest.raises(StoreError, match="no definition with the hash ffff"):
            sources.definition(tx, "f" * 64)


def test_calendars_nearest_first(store):
    here = CalendarSettings(base_time=480)
    above = CalendarSettings(weekdays=((5, False), (6, False)), base_day=BaseDate(21))
    kit.define(
        store,
        kit.root("/sales/eu/daily"),
        kit.root("/sales/daily"),
        groups=(
            JobGroup(path="/sales/eu", calendar=here),
            JobGroup(path="/", calendar=above),
        ),
    )
    with store.read() as tx:
        every = sources.calendars(tx)
        made = sources.stored_calendars(tx)
        chains = {group: made.of(group).settings for group in ("/sales/eu", "/sales")}
    nothing = CalendarSettings()
    assert every == {"/": above, "/sales": nothing, "/sales/eu": here}
    assert chains["/sales/eu"] == (("/sales/eu", here), ("/sales", nothing), ("/", above))
    assert chains["/sales"] == (("/sales", nothing), ("/", above))


def test_frozen_calendars_are_read_once_however_many_registrations_froze_them(store, monkeypatch):
    groups = tuple(JobGroup(path=path) for path in ("/a", "/b"))
    kit.define(store, kit.root("/a/daily"), kit.root("/b/daily"), groups=groups)
    read: list[str] = []
    made = sources.stored_calendars

    def counted(tx, key):
        read.append(key)
        return made(tx, key)

    monkeypatch.setattr(sources, "stored_calendars", counted)
    with store.write() as tx:
        key = sources.freeze_calendars(tx)
        frozen = {
            unit.id: Frozen(path=unit.path, definition=unit.definition or "", calendars=key)
            for unit in units.roots(tx)
        }
        known: dict[str, Calendars] = {}
        sources.frozen_timetables(tx, frozen, DayMode.H24, known)
        tables = sources.frozen_timetables(tx, frozen, DayMode.H24, known)
    assert [table.jobnet.name for table in tables.values()] == ["daily", "daily"]
    assert read == [key] == list(known)


def test_scripts(store):
    content = b"#!/bin/sh\n\0\xff"
    kit.define(store, scripts=(Script("a" * 64, content), Script("b" * 64, b"")))
    kit.define(store, scripts=(Script("a" * 64, content),))
    with store.read() as tx:
        assert sources.script(tx, "a" * 64) == content
        assert sources.script(tx, "b" * 64) == b""
        with pytest.raises(StoreError, match="SHA-256 cccc"):
            sources.script(tx, "c" * 64)
