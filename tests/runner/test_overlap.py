"""Runs of one root jobnet that overlap, with a real store: the plan, managers that die, commands in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from ajs.model import HoldIf, Overlap
from ajs.plan import Method, Phase
from ajs.store import plans, show
from ajs.testing import Faults
from tests.driver import job, net
from tests.notation import rule
from tests.runner.kit import EVENING, Crash, World, due, lasts, minutes

RULES = tuple(rule(f"n={n} sd=en st={20 + n}:00 cy=1,d") for n in range(1, 4))
"""Every day at 21, 22 and 23 o'clock."""
BAD_WAY = Faults(drop=0.2, double=0.2, delay=timedelta(seconds=40))


def world(tmp_path, overlap: Overlap, *, first=150.0, code=0, **fields) -> World:
    """A root jobnet whose first run lasts so many minutes and ends with this code, the others ten minutes and well."""
    options = {key: fields.pop(key) for key in ("faults", "seed") if key in fields}
    root = net("r", job("a"), overlap=overlap, rules=RULES, **fields)
    it = World(tmp_path / "service", root, now=EVENING - minutes(90), **options)
    it.go(lambda key: lasts(first, code) if key.generation == 1 else lasts(10))
    return it


def fixed(it: World, *offsets: float) -> World:
    """Register the root jobnet with runs so many minutes after 22:00."""
    it.register("/sales/r", *(due(EVENING + minutes(m)) for m in offsets), method=Method.FIXED)
    return it


def starts(it: World) -> list[str]:
    """When the runs that started did, by the machine's clock, in order."""
    with it.other.read() as tx:
        found = [(g.started_utc, g.execution_id) for g in show.generations(tx) if g.started_utc]
    return [f"{name} {at[11:16]}" for at, name in sorted(found)]


def causes(it: World, number: int) -> list[str]:
    """The changes of status of a root jobnet's run."""
    return [
        f"{h.at.wall:%H:%M} {h.status.name}: {h.cause.text}"
        for h in it.happened
        if not h.path and h.execution_id == f"@A{number}"
    ]


# -- multi-schedule --


def test_planned_the_real_run_waits_and_the_times_that_pass_are_lost(tmp_path):
    it = world(tmp_path, Overlap.MULTI)
    it.register("/sales/r")
    it.run(EVENING + minutes(70))
    assert it.runs() == [
        "@A1 2026-08-11 11T21:00 running RUNNING",
        "@A2 2026-08-11 11T22:00 waiting TERMWAIT",
    ]
    it.run(EVENING + minutes(110))
    assert it.runs() == [
        "@A1 2026-08-11 11T21:00 ended NORMAL",
        "@A2 2026-08-11 11T22:00 ended NORMAL",
        "@A3 2026-08-12 12T21:00 waiting TIMEWAIT",
    ]
    assert it.fates() == ["missed 2026-08-11 23:00"]
    assert causes(it, 2) == [
        "22:00 TERMWAIT: the run @A1 of the same root jobnet has not ended",
        "23:30 RUNNING: the run of the same root jobnet that it waited for has ended",
        "23:40 NORMAL: all its units have ended",
    ]


def test_planned_and_concurrent_every_run_starts_at_its_time(tmp_path):
    it = world(tmp_path, Overlap.CONCURRENT)
    it.register("/sales/r")
    it.run(EVENING + minutes(65))
    assert it.runs() == [
        "@A1 2026-08-11 11T21:00 running RUNNING",
        "@A2 2026-08-11 11T22:00 ended NORMAL",
        "@A3 2026-08-11 11T23:00 running RUNNING",
        "@A4 2026-08-12 12T21:00 waiting TIMEWAIT",
    ]
    assert it.fates() == []


@pytest.mark.parametrize("method", [Method.FIXED, Method.IMMEDIATE])
def test_fixed_and_immediate_runs_all_wait_their_turn(tmp_path, method):
    it = world(tmp_path, Overlap.MULTI, first=60)
    runs = [due(EVENING + minutes(m), method=method) for m in (0, 20, 10, 10)]
    it.register("/sales/r", *runs, method=method)
    it.run(EVENING + minutes(45))
    assert [run.split()[-1] for run in it.runs()] == ["RUNNING", *["TERMWAIT"] * 3]
    it.run()
    order = [line[6:] for line in it.runs()]
    assert order == [
        "26-08-11 11T22:00 ended NORMAL",
        "26-08-11 11T22:10 ended NORMAL",
        "26-08-11 11T22:10 ended NORMAL",
        "26-08-11 11T22:20 ended NORMAL",
    ]
    assert starts(it) == ["@A1 22:00", "@A3 23:00", "@A4 23:10", "@A2 23:20"]
    assert it.fates() == []


@pytest.mark.parametrize("before", [True, False], ids=["before-commit", "after-commit"])
@pytest.mark.parametrize("overlap", list(Overlap))
def test_a_manager_that_dies_at_any_commit_comes_to_the_same_end(tmp_path, overlap, before):
    whole = fixed(world(tmp_path / "whole", overlap, first=35), 0, 10, 20, 60).run()
    commits = whole.store.commits
    assert commits > 8
    for at in range(1, commits + 1):
        it = fixed(world(tmp_path / f"{at}", overlap, first=35), 0, 10, 20, 60)
        it.begin(dies_at=at, before=before)
        with pytest.raises(Crash):
            it.run()
        it.begin()
        it.run()
        assert it.runs() == whole.runs()
        assert it.fates() == whole.fates()
        assert starts(it) == starts(whole)
        assert sorted(k.generation for k, _ in it.machine.starts) == sorted(
            k.generation for k, _ in whole.machine.starts
        )


@pytest.mark.parametrize("seed", range(12))
def test_on_a_bad_way_with_managers_that_die_runs_keep_their_order_and_start_once(tmp_path, seed):
    random = Random(seed)
    offsets = sorted(random.sample(range(120), 6))
    it = fixed(
        world(tmp_path, Overlap.MULTI, first=random.randint(1, 90), faults=BAD_WAY, seed=seed),
        *offsets,
    )
    for _ in range(5):
        it.begin(dies_at=random.randint(1, 6), before=random.random() < 0.5)
        with pytest.raises(Crash):
            it.run()
    it.begin()
    it.run()
    assert [key.generation for key, _ in it.machine.starts] == [1, 2, 3, 4, 5, 6]
    ends = [it.machine.ends[key] for key, _ in it.machine.starts]
    begins = [at for _, at in it.machine.starts]
    assert all(end <= begin for end, begin in zip(ends, begins[1:], strict=False))
    assert [run.split()[-1] for run in it.runs()] == ["NORMAL"] * 6


def test_more_runs_than_a_turn_takes_may_wait_and_others_still_start(tmp_path, monkeypatch):
    monkeypatch.setattr("ajs.runner.memory.STARTS_AT_ONCE", 2)
    monkeypatch.setattr("ajs.runner.manager.STARTS_AT_ONCE", 2)
    waits = net("r", job("a"), overlap=Overlap.MULTI, rules=RULES)
    it = World(tmp_path / "service", waits, replace(waits, name="s"), now=EVENING)
    it.go(lambda _: lasts(10))
    fixed(it, 0, 1, 2, 3, 4, 5)
    it.register("/sales/s", due(EVENING + minutes(6)), method=Method.FIXED)
    it.run(EVENING + minutes(7))
    assert [line for line in it.runs() if "RUNNING" in line] == [
        "@A1 2026-08-11 11T22:00 running RUNNING",
        "@A7 2026-08-11 11T22:06 running RUNNING",
    ]
    it.run()
    assert len(it.machine.starts) == 7


# -- commands on a run that waits for another --


def test_held_while_it_waits_it_is_held_when_its_turn_comes_and_others_go_ahead(tmp_path):
    it = fixed(world(tmp_path, Overlap.MULTI, first=30), 0, 10, 20)
    it.run(EVENING + minutes(25))
    it.change("/sales/r", lambda g: replace(g, holds={"": True}))
    it.run(EVENING + minutes(35))
    assert [run.split()[-1] for run in it.runs()] == ["NORMAL", "HOLDING", "RUNNING"]
    it.change("/sales/r", lambda g: replace(g, holds={"": False}))
    it.run()
    assert causes(it, 2) == [
        "22:10 TERMWAIT: the run @A1 of the same root jobnet has not ended",
        "22:25 HOLDING: it is held",
        "22:35 TERMWAIT: the run @A3 of the same root jobnet has not ended",
        "22:40 RUNNING: the run of the same root jobnet that it waited for has ended",
        "22:50 NORMAL: all its units have ended",
    ]


def test_moved_away_while_it_waits_it_waits_for_its_new_time(tmp_path):
    it = fixed(world(tmp_path, Overlap.MULTI, first=30), 0, 10)
    it.run(EVENING + minutes(15))
    late = EVENING + minutes(90)
    it.change("/sales/r", lambda g: replace(g, slot=g.slot._replace(start=late)))
    assert it.runs()[1] == "@A2 2026-08-11 11T23:30 waiting TIMEWAIT"
    it.run()
    assert starts(it) == ["@A1 22:00", "@A2 23:30"]


def test_prohibited_while_it_waits_it_never_runs(tmp_path):
    it = fixed(world(tmp_path, Overlap.MULTI, first=30), 0, 10, 20)
    it.run(EVENING + minutes(25))
    it.change("/sales/r", lambda g: replace(g, phase=Phase.PROHIBITED))
    it.run()
    assert starts(it) == ["@A1 22:00", "@A3 22:30"]
    assert it.runs()[1].endswith("prohibited NOPLAN")


def test_a_run_that_waits_is_skipped_once_the_definition_says_schedule_skip(tmp_path):
    it = fixed(world(tmp_path, Overlap.MULTI, first=30), 0, 10)
    it.run(EVENING + minutes(15))
    it.define(net("r", job("a"), rules=RULES))
    it.run(EVENING + minutes(16))
    assert [run.split()[-1] for run in it.runs()] == ["RUNNING", "EXECDEFFER"]
    assert it.fates() == ["skipped 2026-08-11 22:10"]


def test_holds_handed_on_to_a_run_let_nobody_overtake_it(tmp_path):
    it = world(tmp_path, Overlap.MULTI, first=10)
    it.go(lambda key: lasts(10, code=int(key.generation == 1)))
    root = net("r", job("a"), job("b", "a"), overlap=Overlap.MULTI, rules=RULES)
    it.define(root)
    it.register(
        "/sales/r",
        due(EVENING, holds={"b": True}),
        *(due(EVENING + minutes(10)) for _ in range(2)),
        method=Method.FIXED,
    )
    it.run(EVENING + minutes(25))
    # The hold that the first run did not come to works in the second one, which goes first.
    assert it.status("b", generation=2) == "HOLDING"
    assert [run.split()[-1] for run in it.runs()] == ["ABNORMAL", "RUNNING", "TERMWAIT"]


# -- hold_if --


@pytest.mark.parametrize(
    ("hold_if", "code", "held"),
    [(HoldIf.ABNORMAL, 0, False), (HoldIf.ABNORMAL, 1, True), (HoldIf.WARNING, 1, True)],
)
def test_a_run_after_one_that_failed_is_held(tmp_path, hold_if, code, held):
    it = world(tmp_path, Overlap.SKIP, first=10, code=code, hold_if=hold_if)
    it.register("/sales/r")
    it.run(EVENING + minutes(5))
    assert it.runs()[1].endswith("waiting HOLDING" if held else "running RUNNING")


def test_a_release_lets_it_go_and_what_follows_looks_at_its_end(tmp_path):
    it = world(tmp_path, Overlap.SKIP, first=10, code=1, hold_if=HoldIf.ABNORMAL)
    it.register("/sales/r")
    it.run(EVENING + minutes(5))
    it.change("/sales/r", lambda g: replace(g, holds={"": False}))
    it.run(EVENING + minutes(65))
    assert [run.split()[-1] for run in it.runs()] == ["ABNORMAL", "NORMAL", "RUNNING", "TIMEWAIT"]
    assert causes(it, 2)[:2] == [
        "22:00 HOLDING: it is held because the run @A1 before it ended abnormally",
        "22:05 RUNNING: it was released from hold",
    ]


def test_it_goes_by_itself_once_the_run_before_it_counts_as_normal(tmp_path):
    it = world(tmp_path, Overlap.SKIP, first=10, code=1, hold_if=HoldIf.ABNORMAL)
    it.register("/sales/r")
    it.run(EVENING + minutes(5))
    with it.other.write() as tx:
        tx.run("UPDATE unit_run SET status = 'NORMAL' WHERE generation = 1 AND path = ''")
        tx.run("UPDATE generation SET status = 'NORMAL' WHERE id = 1")
    it.run(EVENING + minutes(6))
    assert causes(it, 2)[1] == "22:05 RUNNING: how the run before it ended no longer holds it"


def test_a_hold_set_again_keeps_it(tmp_path):
    it = world(tmp_path, Overlap.SKIP, first=10, code=1, hold_if=HoldIf.ABNORMAL)
    it.register("/sales/r")
    it.run(EVENING + minutes(5))
    it.change("/sales/r", lambda g: replace(g, holds={"": True}))
    with it.other.write() as tx:
        tx.run("UPDATE generation SET status = 'NORMAL' WHERE id = 1")
    it.run(EVENING + minutes(30))
    assert it.runs()[1].endswith("waiting HOLDING")


def test_skipped_and_prohibited_runs_are_not_the_run_before(tmp_path):
    it = world(tmp_path, Overlap.SKIP, first=20, code=1, hold_if=HoldIf.ABNORMAL)
    fixed(it, 0, 10, 25, 30)
    with it.other.read() as tx:
        root = it._root(tx, "/sales/r")
    plan = it.plan("/sales/r")
    with it.other.write() as tx:
        gone = replace(plan.generations[2], phase=Phase.PROHIBITED)
        plans.save_plan(tx, root, plan, plan.with_generation(gone), it.operation(tx, "plan"))
    it.run(EVENING + minutes(35))
    assert [run.split()[-1] for run in it.runs()] == [
        "ABNORMAL",
        "EXECDEFFER",
        "NOPLAN",
        "HOLDING",
    ]
    assert causes(it, 4) == [
        "22:30 HOLDING: it is held because the run @A1 before it ended abnormally"
    ]
