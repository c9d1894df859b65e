"""Delays noted by a manager over a real store: once, at their minute, whatever dies in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ajs.attributes import Attributes
from ajs.delays import NOT_MONITORED, Limit, Since
from ajs.plan import Method
from ajs.render.manager import happened_line
from ajs.store import show
from tests.driver import job, net
from tests.runner.kit import EVENING, Crash, World, due, lasts

LATER = EVENING + timedelta(hours=1)


def own(count: int) -> Limit:
    return Limit(count, Since.OWN)


def took(count: int) -> Limit:
    return Limit(count, Since.STARTED)


def told(it: World) -> list[str]:
    """What the manager told of delays: when, which unit, what."""
    return [
        f"{one.at.wall:%H:%M} {one.path or '.'} {one.cause.why.name}"
        for one in it.happened
        if one.cause.why.name.endswith("DELAYED")
    ]


def stored(it: World, number: int = 1) -> str | None:
    with it.other.read() as tx:
        (row,) = show.some(tx, [number])
    return row.delayed


def world(tmp_path, attributes=None, **fields) -> World:
    """A run at 22:00: job first takes 20 minutes, then jobnet in with a job of 30 minutes."""
    root = net("r", job("first"), net("in", job("a"), after=("first",)))
    it = World(tmp_path / "service", root)
    it.jobs |= {"first": lasts(20), "in/a": lasts(30)}
    it.register("/sales/r", due(attributes=attributes or {}, **fields), method=Method.FIXED)
    return it


CASES = [
    # attributes, what is told
    ({"": Attributes(end_delay=own(40))}, ["22:40 . END_DELAYED"]),
    ({"": Attributes(end_delay=own(50))}, []),
    ({"": Attributes(required_time=took(49))}, ["22:49 . END_DELAYED"]),
    ({"": Attributes(required_time=took(49), end_delay=own(40))}, ["22:40 . END_DELAYED"]),
    ({"": Attributes(start_delay=own(0), required_time=took(51))}, []),
    ({"in": Attributes(start_delay=own(19))}, ["22:19 in START_DELAYED"]),
    ({"in": Attributes(start_delay=own(20))}, []),
    ({"in": Attributes(required_time=took(29))}, ["22:49 in END_DELAYED"]),
    (
        {"in": Attributes(start_delay=Limit(1325, Since.CLOCK), end_delay=Limit(30, Since.ROOT))},
        ["22:05 in START_DELAYED", "22:30 in END_DELAYED"],
    ),
    ({"in": Attributes(end_delay=NOT_MONITORED)}, []),
]


@pytest.mark.parametrize(("attributes", "expected"), CASES)
def test_what_comes_too_late_is_told_once(tmp_path, attributes, expected):
    it = world(tmp_path, attributes).run()
    assert told(it) == expected
    assert it.runs() == ["@A1 2026-08-11 11T22:00 ended NORMAL"]


@pytest.mark.parametrize("hold", [True, False])
def test_a_run_that_is_held_or_has_not_its_time_yet_can_be_late(tmp_path, hold):
    held = {
        "": Attributes(start_delay=own(10)),
        "in": Attributes(end_delay=Limit(1345, Since.CLOCK)),
    }
    moved = {"": Attributes(start_delay=Limit(1330, Since.CLOCK)), "in": held["in"]}
    if hold:
        it = world(tmp_path, held, holds={"": True})
    else:
        it = world(tmp_path, moved)
        slot = it.plan("/sales/r").waiting[0].slot._replace(start=LATER)
        it.change("/sales/r", lambda g: replace(g, slot=slot))
    it.run(EVENING + timedelta(minutes=30))
    assert told(it) == ["22:10 . START_DELAYED", "22:25 in END_DELAYED"]
    assert stored(it) == '[["","start"],["in","end"]]'
    it.change("/sales/r", lambda g: replace(g, holds={}))
    it.run()
    assert len(told(it)) == 2
    assert it.runs()[0].endswith("ended NORMAL")


def test_a_manager_that_comes_late_notes_what_was_late_without_it(tmp_path):
    it = world(tmp_path, {"": Attributes(start_delay=own(5), end_delay=own(10))})
    it.clock.jump_to_wall(EVENING + timedelta(minutes=15))
    it.run()
    assert told(it) == ["22:15 . START_DELAYED", "22:15 . END_DELAYED"]


def test_what_it_prints(tmp_path):
    it = world(tmp_path, {"": Attributes(end_delay=own(40))}).run()
    lines = [happened_line(one) for one in it.happened if "delayed" in one.cause.text]
    assert lines == [
        "2026-08-11 22:40:00 /sales/r:@A1 Now running: its end is delayed: it had not ended by 2026-08-11 22:40:00"
    ]


@pytest.mark.parametrize("at", range(1, 12))
@pytest.mark.parametrize("before", [True, False])
def test_a_manager_that_dies_at_any_commit_leaves_each_delay_noted_once(tmp_path, at, before):
    attributes = {
        "": Attributes(start_delay=own(5), end_delay=own(30)),
        "in": Attributes(start_delay=own(10), required_time=took(5)),
    }
    it = world(tmp_path, attributes, holds={"": True})
    it.begin(dies_at=at, before=before)
    try:
        it.run(EVENING + timedelta(minutes=8))
        it.change("/sales/r", lambda g: replace(g, holds={}))
        it.run()
    except Crash:
        it.begin()
        it.run(EVENING + timedelta(minutes=8))
        if it.plan("/sales/r").waiting:
            it.change("/sales/r", lambda g: replace(g, holds={}))
        it.run()
    assert stored(it) == '[["","end"],["","start"],["in","end"],["in","start"]]'
    with it.other.read() as tx:
        noted = [(e.path, e.cause) for e in show.events(tx, [1]) if "DELAYED" in e.cause]
    assert len(noted) == 4
    assert len(set(noted)) == 4
