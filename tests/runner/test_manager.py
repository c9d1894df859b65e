"""Turns of a manager over a real store: starts, skips, the plan behind them, commands in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from ajs.actions import StartAttempt
from ajs.attributes import Attributes
from ajs.errors import StoreError
from ajs.model import Job, Jobnet
from ajs.plan import Method
from ajs.render.manager import happened_line
from ajs.runner import memory
from ajs.store.backup import backup, restore
from ajs.store.database import Store
from tests.driver import job, net
from tests.notation import rule
from tests.runner.kit import EVENING, Crash, World, due, lasts, minutes

DAILY = rule("sd=en st=22:00 cy=1,d")
HOURLY = (rule("n=1 sd=en st=22:00 cy=1,d"), rule("n=2 sd=en st=23:00 cy=1,d"))


def daily(*members: Jobnet | Job, rules=(DAILY,)) -> Jobnet:
    return net("close", *members, rules=rules)


def world(tmp_path, *members, rules=(DAILY,), **options) -> World:
    return World(tmp_path / "service", daily(*members, rules=rules), **options)


# -- a disk that fails --


def test_what_was_committed_goes_on_when_what_is_known_of_agents_cannot_be_stored(
    tmp_path, monkeypatch
):
    it = world(tmp_path, job("a"), job("b", "a"), jobs={"a": lasts(5), "b": lasts(5)})
    it.register("/sales/close", due(), method=Method.FIXED)
    it.run(EVENING + minutes(4))
    it.clock.jump_to_wall(EVENING + minutes(5))
    failed = []

    def full(met, now):
        failed.append(now)
        raise StoreError("the disk is full", hint="", value="")

    with monkeypatch.context() as broken:
        broken.setattr(it.manager, "_tell", full)
        for _ in range(3):
            with pytest.raises(StoreError):
                it.manager.turn()
    assert failed
    it.run(EVENING + minutes(11))
    assert [key.path for key, _ in it.machine.starts] == ["a", "b"]


# -- the plan behind the runs --


def test_a_planned_run_starts_and_the_next_one_is_made_at_once(tmp_path):
    it = world(tmp_path, job("a"), jobs={"a": lasts(10)})
    it.register("/sales/close")
    it.run(EVENING)
    assert it.runs() == [
        "@A1 2026-08-11 11T22:00 running RUNNING",
        "@A2 2026-08-12 12T22:00 waiting TIMEWAIT",
    ]
    it.run(EVENING + minutes(20))
    assert it.runs()[0] == "@A1 2026-08-11 11T22:00 ended NORMAL"
    assert it.fates() == []


def test_after_four_days_without_a_manager_one_run_starts_and_the_missed_ones_have_their_fate(
    tmp_path,
):
    it = world(tmp_path, job("a"))
    it.register("/sales/close")
    it.clock.jump_to_wall(datetime(2026, 8, 15, 9, 0))
    it.run(datetime(2026, 8, 15, 9, 1))
    assert it.runs() == [
        "@A1 2026-08-11 11T22:00 ended NORMAL",
        "@A2 2026-08-15 15T22:00 waiting TIMEWAIT",
    ]
    assert it.fates() == [
        "missed 2026-08-12 22:00",
        "missed 2026-08-13 22:00",
        "missed 2026-08-14 22:00",
    ]
    assert [happened_line(missed) for missed in it.missed] == [
        f"2026-08-15 09:00:00 /sales/close: the run of 2026-08-{day} 22:00 was missed: "
        "its time went by before the run ahead of it had started"
        for day in (12, 13, 14)
    ]
    assert len(it.machine.starts) == 1


def test_a_run_whose_predecessor_still_goes_is_skipped_and_the_plan_goes_on(tmp_path):
    it = world(tmp_path, job("a"), jobs={"a": lasts(90)}, rules=HOURLY)
    it.register("/sales/close")
    it.run(EVENING + minutes(100))
    assert it.runs() == [
        "@A1 2026-08-11 11T22:00 ended NORMAL",
        "@A2 2026-08-11 11T23:00 ended EXECDEFFER",
        "@A3 2026-08-12 12T22:00 waiting TIMEWAIT",
    ]
    assert it.fates() == ["skipped 2026-08-11 23:00"]


def test_a_run_moved_past_others_records_them_when_it_starts(tmp_path):
    it = world(tmp_path, job("a"))
    it.register("/sales/close")
    late = datetime(2026, 8, 13, 12, 0)
    it.change(
        "/sales/close",
        lambda g: replace(g, slot=g.slot._replace(start=late, exec_date=late.date())),
    )
    it.run(late)
    assert it.runs() == [
        "@A1 2026-08-13 13T12:00 ended NORMAL",
        "@A2 2026-08-13 13T22:00 waiting TIMEWAIT",
    ]
    assert it.fates() == ["passed 2026-08-12 22:00"]


def test_immediate_runs_leave_the_plan_alone(tmp_path):
    it = world(tmp_path, job("a"))
    it.register("/sales/close", due(method=Method.IMMEDIATE), method=Method.IMMEDIATE)
    it.run()
    assert it.runs() == ["@A1 2026-08-11 11T22:00 ended NORMAL"]
    assert it.plan("/sales/close").generations == ()


# -- holds --


@pytest.mark.parametrize(
    ("run_of_a", "members", "expected"),
    [
        # the hold's turn never came: the unit before failed
        (lasts(1, code=1), (job("a"), job("b", "a")), {"b": True}),
        # it came: b was held there, and released by hand
        (lasts(1), (job("a"), job("b", "a")), {}),
    ],
    ids=["never came", "used"],
)
def test_a_hold_whose_turn_never_came_goes_to_the_next_run(tmp_path, run_of_a, members, expected):
    it = world(tmp_path, *members, jobs={"a": run_of_a})
    it.register("/sales/close")
    it.change("/sales/close", lambda g: replace(g, holds={"b": True}))
    it.run(EVENING + minutes(5))
    if it.status("b") == "HOLDING":
        it.release(1, "b")
        it.run(EVENING + minutes(6))
    assert it.status() in {"NORMAL", "ABNORMAL"}
    (following,) = it.plan("/sales/close").waiting
    assert following.holds == expected


def test_what_the_next_run_has_of_its_own_beats_what_is_handed_on(tmp_path):
    it = world(tmp_path, job("a"), job("b", "a"), job("c", "a"), jobs={"a": lasts(1, code=1)})
    it.register("/sales/close")
    it.change("/sales/close", lambda g: replace(g, holds={"b": True, "c": True}))
    it.run(EVENING)
    it.change("/sales/close", lambda g: replace(g, holds={"c": False}))
    it.run(EVENING + minutes(5))
    assert it.plan("/sales/close").waiting[0].holds == {"b": True, "c": False}


def test_a_skipped_run_hands_all_its_holds_on(tmp_path):
    it = world(tmp_path, job("a"), jobs={"a": lasts(90)}, rules=HOURLY)
    it.register("/sales/close")
    it.run(EVENING)
    it.change("/sales/close", lambda g: replace(g, holds={"a": True}))
    it.run(EVENING + minutes(61))
    assert it.plan("/sales/close").waiting[0].holds == {"a": True}


def test_a_run_that_starts_as_the_one_before_it_ends_has_what_that_one_hands_on(tmp_path):
    it = world(tmp_path, job("a"), job("b", "a"), jobs={"a": lasts(60, code=1)}, rules=HOURLY)
    it.register("/sales/close")
    it.change("/sales/close", lambda g: replace(g, holds={"b": True}))
    it.run(EVENING)
    it.jobs["a"] = lasts(1)
    it.run(EVENING + minutes(70))
    assert it.runs()[:2] == [
        "@A1 2026-08-11 11T22:00 ended ABNORMAL",
        "@A2 2026-08-11 11T23:00 running RUNNING",
    ]
    assert it.status("b", 2) == "HOLDING"


def test_a_held_run_waits_at_its_time_until_a_command_releases_it(tmp_path):
    it = world(tmp_path, job("a"))
    it.register("/sales/close")
    it.change("/sales/close", lambda g: replace(g, holds={"": True}))
    it.run(EVENING + minutes(5))
    assert it.runs() == ["@A1 2026-08-11 11T22:00 waiting HOLDING"]
    it.change("/sales/close", lambda g: replace(g, holds={}))
    it.run(EVENING + minutes(6))
    assert it.runs()[0] == "@A1 2026-08-11 11T22:00 ended NORMAL"


# -- commands in between --


def test_a_command_between_look_and_commit_wins_and_nothing_is_lost(tmp_path, monkeypatch):
    it = world(tmp_path, job("a"))
    it.register("/sales/close")
    it.clock.jump_to_wall(EVENING)
    moved = datetime(2026, 8, 11, 23, 30)
    decide = it.manager._decide
    tries: list[object] = []

    def decide_while_a_command_moves_it(now):
        decided = decide(now)
        if not tries:
            it.change("/sales/close", lambda g: replace(g, slot=g.slot._replace(start=moved)))
        tries.append(now)
        return decided

    monkeypatch.setattr(it.manager, "_decide", decide_while_a_command_moves_it)
    turn = it.manager.turn()
    assert turn.again
    assert turn.committed == 0
    it.run(EVENING + minutes(1))
    assert it.runs() == ["@A1 2026-08-11 11T23:30 waiting TIMEWAIT"]
    assert it.machine.starts == []
    it.run(moved)
    assert it.runs()[0] == "@A1 2026-08-11 11T23:30 ended NORMAL"


def test_an_answer_that_came_while_a_command_was_faster_is_not_lost(tmp_path, monkeypatch):
    it = world(tmp_path, job("a"), job("b", "a"), jobs={"a": lasts(5), "b": lasts(5)})
    it.register("/sales/close", due(holds={"b": True}), method=Method.FIXED)
    it.run(EVENING + minutes(4))
    it.clock.jump_to_wall(EVENING + minutes(5))
    commit = it.manager._commit
    tries: list[object] = []

    def commit_after_a_command(*words):
        if not tries:
            it.release(1, "b")
        tries.append(words)
        commit(*words)

    monkeypatch.setattr(it.manager, "_commit", commit_after_a_command)
    it.run()
    assert it.runs() == ["@A1 2026-08-11 11T22:00 ended NORMAL"]
    assert [key.path for key, _ in it.machine.starts] == ["a", "b"]


def test_what_could_not_be_sent_is_sent_again(tmp_path, monkeypatch):
    it = world(tmp_path, job("a"), job("b"))
    it.register("/sales/close", due(), method=Method.FIXED)
    send = it.places.send
    refused: list[object] = []

    def send_most(action, *words):
        if not refused and isinstance(action, StartAttempt) and action.key.path == "b":
            refused.append(action)
            raise StoreError("the disk is full")
        send(action, *words)

    monkeypatch.setattr(it.places, "send", send_most)
    with pytest.raises(StoreError):
        it.run()
    it.run()
    assert it.runs() == ["@A1 2026-08-11 11T22:00 ended NORMAL"]
    assert sorted(key.path for key, _ in it.machine.starts) == ["a", "b"]


# -- many --


def test_jobs_of_many_jobnets_get_the_free_slots_in_the_order_in_which_they_came(tmp_path):
    nets = [net(f"n{n}", job("a"), job("b"), job("c", "a")) for n in range(6)]
    it = World(tmp_path / "service", *nets, limit=2)
    it.jobs |= {"a": lasts(2), "b": lasts(3), "c": lasts(1)}
    for one in nets:
        it.register(f"/sales/{one.name}", due(), method=Method.FIXED)
    it.run()
    assert {line.split()[-1] for line in it.runs()} == {"NORMAL"}
    began = [(key.generation, key.path) for key, _ in it.machine.starts if key.path != "c"]
    assert began == [(n, path) for n in range(1, 7) for path in "ab"]
    for _, at in it.machine.starts:
        assert sum(s <= at < it.machine.ends[k] for k, s in it.machine.starts) <= 2


def test_the_highest_priority_gets_the_next_slot_then_first_come(tmp_path):
    nets = [
        net("low", job("a"), job("b", priority=3)),
        net("usual", job("a"), job("b"), priority=2),
        net("high", job("a"), net("in", job("b"), priority=5), priority=4),
    ]
    it = World(tmp_path / "service", *nets, limit=1)
    it.jobs |= {path: lasts(2) for path in ("a", "b", "in/b")}
    for one in nets:
        it.register(f"/sales/{one.name}", due(), method=Method.FIXED)
    it.change("/sales/low", lambda g: replace(g, attributes={"b": Attributes(priority=5)}))
    it.run()
    began = [f"{key.generation}{key.path}" for key, _ in it.machine.starts]
    # One is placed in the turn in which it comes; the others are in the queue by then.
    assert began == ["1b", "3in/b", "3a", "2a", "2b", "1a"]


@pytest.mark.parametrize("at", range(1, 8))
@pytest.mark.parametrize("before", [True, False])
def test_a_manager_that_dies_is_followed_by_one_that_keeps_the_order(tmp_path, at, before):
    root = net("r", job("a"), job("b", priority=2), job("c", priority=3))
    it = World(tmp_path / "service", root, limit=1)
    it.jobs |= {path: lasts(2) for path in "abc"}
    it.register("/sales/r", due(), method=Method.FIXED)
    it.begin(dies_at=at, before=before)
    with pytest.raises(Crash):
        it.run()
    it.begin()
    it.run()
    assert [key.path for key, _ in it.machine.starts] == ["c", "b", "a"]
    assert it.runs() == ["@A1 2026-08-11 11T22:00 ended NORMAL"]


def test_more_starts_than_fit_into_one_turn_all_come_about(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "STARTS_AT_ONCE", 3)
    monkeypatch.setattr("ajs.runner.manager.STARTS_AT_ONCE", 3)
    nets = [net(f"n{n}", job("a")) for n in range(10)]
    it = World(tmp_path / "service", *nets)
    for one in nets:
        it.register(f"/sales/{one.name}", due(), method=Method.FIXED)
    it.run()
    assert [line.split()[-1] for line in it.runs()] == ["NORMAL"] * 10


def test_runs_that_are_held_at_their_start_do_not_stand_in_the_way(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "STARTS_AT_ONCE", 1)
    monkeypatch.setattr("ajs.runner.manager.STARTS_AT_ONCE", 1)
    it = World(tmp_path / "service", *(net(f"n{n}", job("a")) for n in range(3)))
    for number in range(3):
        holds = {"": True} if number < 2 else {}
        it.register(f"/sales/n{number}", due(holds=holds), method=Method.FIXED)
    it.run()
    assert [line.split()[-1] for line in it.runs()] == ["HOLDING", "HOLDING", "NORMAL"]


def test_idle_is_when_nothing_is_under_way(tmp_path):
    it = world(tmp_path, job("a"), jobs={"a": lasts(10)}, now=EVENING - minutes(60))
    it.register("/sales/close")
    it.run(EVENING - minutes(1))
    assert it.turn().idle
    it.run(EVENING + minutes(1))
    assert not it.turn().idle
    it.run(EVENING + minutes(11))
    turn = it.turn()
    assert turn.idle
    assert turn.wake_at == datetime(2026, 8, 12, 22, 0)


def test_what_is_worth_seeing_is_shown_once_it_is_stored(tmp_path):
    it = world(tmp_path, job("a"), job("b", "a"), jobs={"a": lasts(1, code=3)})
    it.register("/sales/close")
    it.run(EVENING + minutes(5))
    assert [f"{h.at.wall:%H:%M} {h.path or '.'} {h.status.name}" for h in it.happened] == [
        "22:00 . RUNNING",
        "22:00 a RUNNING",
        "22:01 a ABNORMAL",
        "22:01 b UNEXEC",
        "22:01 . ABNORMAL",
    ]


# -- restore --


def test_an_attempt_keeps_its_name_through_a_restore(tmp_path):
    """So its place, which may have ended the job since the backup was made, still knows it."""
    it = world(tmp_path, job("a"), jobs={"a": lasts(30)})
    it.register("/sales/close", due(), method=Method.FIXED)
    it.run(EVENING + minutes(1))
    names = dict(it.places.names)
    backup(it.folder, str(tmp_path / "backup.db"))
    it.run()
    assert it.status("a") == "NORMAL"
    it.store.close()
    it.other.close()
    restore(str(tmp_path / "backup.db"), it.folder, it.clock.now(), "main")
    it.other = Store.open(it.folder)
    it.begin()
    assert it.status("a") == "RUNNING"
    it.run()
    assert it.places.names == names
    assert it.status("a") == "NORMAL"
    assert len(it.machine.starts) == 1
