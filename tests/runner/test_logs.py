"""Logs to keep: which runs go when one ends, what stays of them, and what a manager that dies in between leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ajs.actions import AckAttempt
from ajs.errors import GenerationNotFound
from ajs.lifecycle import Status
from ajs.model import Overlap
from ajs.operations.targets import by_registration_number
from ajs.plan import Method, Passed, Phase
from ajs.store import logs, progress, runs, show, units
from ajs.store.runs import Fated
from ajs.testing import Faults
from tests.driver import job, net
from tests.notation import rule
from tests.runner.kit import EVENING, Crash, World, due, lasts, minutes

DAILY = (rule("sd=en st=22:00 cy=1,d"),)
DAY = timedelta(days=1)


class Disk:
    """What jobs left on the disk, by the names of their attempts; ``removed`` in the order in which it was."""

    def __init__(self) -> None:
        self.removed: list[str] = []
        self.works = True

    def remove(self, attempts):
        if not self.works:
            return ()
        self.removed += attempts
        return tuple(attempts)


def world(tmp_path, keep: int, *, overlap=Overlap.SKIP, lasting=60.0, **options) -> World:
    """A root jobnet that runs daily at 22:00."""
    root = net("r", job("a"), rules=DAILY, logs_to_keep=keep, overlap=overlap)
    return World(tmp_path / "service", root, jobs={"a": lasts(lasting)}, **options)


def with_disk(it: World) -> Disk:
    disk = Disk()
    it.remove = disk.remove
    it.begin()
    return disk


def kept(it: World) -> list[str]:
    """The runs of which the details are there, by number: phase and status."""
    with it.other.read() as tx:
        rows = show.generations(tx)
        assert {r.generation for r in show.unit_runs(tx, range(1, 50))} == {
            g.id for g in rows if g.phase in ("running", "ended") and g.status != "EXECDEFFER"
        }
        assert {a.generation for a in show.attempts(tx, range(1, 50))} <= {g.id for g in rows}
        assert {e.generation for e in show.events(tx, range(1, 50))} <= {g.id for g in rows}
    return [f"{g.id} {g.phase} {g.status}" for g in rows]


def left(it: World) -> list[str]:
    with it.other.read() as tx:
        return logs.leftovers(tx, "", 1000)


def ran(it: World) -> list[str]:
    """What is told of runs whose details went."""
    with it.other.read() as tx:
        return [
            f"{f.generation} {f.exec_date} {f.start[11:16]} {f.status} {f.registration_number} {f.why}"
            for f in show.fates(tx)
            if f.fate == "ran"
        ]


# -- which runs go --


def test_with_two_to_keep_the_first_goes_when_the_third_ends(tmp_path):
    it = world(tmp_path, 2)
    it.register("/sales/r")
    it.run(EVENING + 2 * DAY + minutes(30))
    assert kept(it) == [
        "1 ended NORMAL",
        "2 ended NORMAL",
        "3 running RUNNING",
        "4 waiting TIMEWAIT",
    ]
    assert ran(it) == []
    it.run(EVENING + 2 * DAY + minutes(61))
    assert kept(it) == ["2 ended NORMAL", "3 ended NORMAL", "4 waiting TIMEWAIT"]
    assert ran(it) == ["1 2026-08-11 22:00 NORMAL 20260811001 logs_to_keep 2"]
    it.run(EVENING + 3 * DAY + minutes(61))
    assert kept(it) == ["3 ended NORMAL", "4 ended NORMAL", "5 waiting TIMEWAIT"]
    assert len(ran(it)) == 2


def test_thirty_one_are_kept_unless_the_definition_says_otherwise(tmp_path):
    root = net("r", job("a"), rules=DAILY)
    it = World(tmp_path / "service", root)
    it.register("/sales/r")
    it.run(EVENING + 33 * DAY)
    assert len([line for line in kept(it) if "ended" in line]) == 31


@pytest.mark.parametrize("keep", [1, 2, 5])
def test_future_running_and_prohibited_runs_do_not_count(tmp_path, keep):
    it = world(tmp_path, keep, overlap=Overlap.CONCURRENT, lasting=1)
    starts = [EVENING + minutes(10 * n) for n in range(8)]
    given = [due(at) for at in starts] + [due(EVENING, phase=Phase.PROHIBITED)]
    it.register("/sales/r", *given, method=Method.FIXED)
    it.run(EVENING + minutes(55))
    lines = kept(it)
    assert len([line for line in lines if " ended " in line]) == keep
    assert len([line for line in lines if " waiting " in line]) == 2
    assert "9 prohibited NOPLAN" in lines


def test_what_ended_first_goes_first_also_when_it_began_later(tmp_path):
    it = world(tmp_path, 1, overlap=Overlap.CONCURRENT)
    it.go(lambda key: lasts(60 if key.generation == 1 else 5))
    it.register("/sales/r", due(EVENING), due(EVENING + minutes(10)), method=Method.FIXED)
    it.run()
    # The night's long run has ended last: its result must not go in the moment in which it comes.
    assert kept(it) == ["1 ended NORMAL"]
    assert ran(it) == ["2 2026-08-11 22:10 NORMAL 20260811002 logs_to_keep 1"]


def test_skipped_runs_push_no_result_out_and_do_not_pile_up(tmp_path):
    it = world(tmp_path, 2)
    given = [due(EVENING + minutes(m)) for m in (0, 10, 20, 30, 40, 70)]
    it.register("/sales/r", *given, method=Method.FIXED)
    it.run()
    assert kept(it) == [
        "1 ended NORMAL",
        "4 ended EXECDEFFER",
        "5 ended EXECDEFFER",
        "6 ended NORMAL",
    ]
    assert it.fates() == [f"skipped 2026-08-11 22:{m}" for m in (10, 20, 30, 40)]


def test_other_root_jobnets_keep_theirs(tmp_path):
    mine = net("r", job("a"), rules=DAILY, logs_to_keep=1)
    it = World(tmp_path / "service", mine, replace(mine, name="s"))
    for path in ("/sales/r", "/sales/s"):
        it.register(path, due(EVENING), method=Method.FIXED)
    it.run()
    assert kept(it) == ["1 ended NORMAL", "2 ended NORMAL"]


def test_fewer_to_keep_take_effect_with_the_next_end(tmp_path):
    it = world(tmp_path, 5)
    it.register("/sales/r")
    it.run(EVENING + 3 * DAY + minutes(61))
    assert len(kept(it)) == 5
    it.define(net("r", job("a"), rules=DAILY, logs_to_keep=2))
    assert len(kept(it)) == 5
    it.run(EVENING + 4 * DAY + minutes(61))
    assert kept(it) == ["4 ended NORMAL", "5 ended NORMAL", "6 waiting TIMEWAIT"]


def test_a_run_of_which_a_place_is_still_to_be_told_stays_until_it_was(tmp_path, monkeypatch):
    it = world(tmp_path, 1, lasting=1)
    held = []
    send = it.machine.send

    def slow(action, now):
        if isinstance(action, AckAttempt) and action.key.generation == 1:
            held.append((action, now))
        else:
            send(action, now)

    monkeypatch.setattr(it.machine, "send", slow)
    given = [due(EVENING), due(EVENING + minutes(10))]
    it.register("/sales/r", *given, method=Method.FIXED)
    it.run(EVENING + minutes(15))
    assert kept(it) == ["1 ended NORMAL", "2 ended NORMAL"]
    for action, _ in held:
        send(action, it.clock.now().utc)
    it.run()
    assert kept(it) == ["2 ended NORMAL"]
    assert ran(it) == ["1 2026-08-11 22:00 NORMAL 20260811001 logs_to_keep 1"]


# -- what stays --


def test_commands_say_that_the_details_are_no_longer_kept(tmp_path):
    it = world(tmp_path, 1)
    it.register("/sales/r")
    it.run(EVENING + DAY + minutes(61))
    said = "the run /sales/r:@A1 of 2026-08-11 22:00 ended normally; its details are no longer kept"
    with it.other.read() as tx:
        root = units.by_path(tx, "/sales/r")
        assert root is not None
        for name in ("@A1", "20260811001"):
            with pytest.raises(GenerationNotFound, match=said):
                show.generation(tx, root, name)
        with pytest.raises(GenerationNotFound, match=said):
            by_registration_number(tx, root, "20260811001")


def test_who_waits_for_the_end_of_a_run_learns_it_though_its_details_went(tmp_path):
    it = world(tmp_path, 1)
    it.register("/sales/r", *(due(EVENING + minutes(m)) for m in (0, 10, 70)), method=Method.FIXED)
    it.run()
    with it.other.read() as tx:
        found = progress.progress(tx, [1, 2, 3])
    assert {n: (p.ended, p.status) for n, p in found.items()} == {
        1: (True, Status.NORMAL),
        2: (True, Status.EXECDEFFER),
        3: (True, Status.NORMAL),
    }


# -- what lies on the disk --


def test_the_output_is_removed_after_the_commit_and_once(tmp_path):
    it = world(tmp_path, 1)
    disk = with_disk(it)
    it.register("/sales/r")
    it.run(EVENING + DAY + minutes(59))
    assert disk.removed == []
    it.run(EVENING + DAY + minutes(61))
    assert len(disk.removed) == 1
    assert disk.removed[0].endswith("-1")
    assert left(it) == []
    it.run(EVENING + 2 * DAY + minutes(61))
    assert [name.rpartition("-")[2] for name in disk.removed] == ["1", "2"]


def test_what_a_disk_does_not_give_up_is_tried_again_and_holds_nothing_up(tmp_path):
    it = world(tmp_path, 1)
    disk = with_disk(it)
    disk.works = False
    it.register("/sales/r")
    it.run(EVENING + DAY + minutes(61))
    assert len(left(it)) == 1
    it.run(EVENING + 2 * DAY + minutes(61))
    assert len(left(it)) == 2
    disk.works = True
    it.begin()
    it.run(EVENING + 2 * DAY + minutes(62))
    assert left(it) == []
    assert len(disk.removed) == 2


@pytest.mark.parametrize("before", [True, False], ids=["before-commit", "after-commit"])
@pytest.mark.parametrize("faults", [None, Faults(drop=0.2, delay=timedelta(seconds=30))])
def test_a_manager_that_dies_at_any_commit_leaves_nothing_behind(tmp_path, before, faults):
    def made(name: str) -> tuple[World, Disk]:
        it = world(tmp_path / name, 1, lasting=5, overlap=Overlap.MULTI, faults=faults)
        it.register(
            "/sales/r", *(due(EVENING + minutes(m)) for m in (0, 2, 20)), method=Method.FIXED
        )
        return it, with_disk(it)

    whole, _ = made("whole")
    whole.run()
    for at in range(1, whole.store.commits + 1):
        it, disk = made(str(at))
        it.begin(dies_at=at, before=before)
        try:
            it.run()
        except Crash:
            it.begin()
            it.run()
        else:
            assert faults is not None
        assert kept(it) == ["3 ended NORMAL"]
        assert [line.split()[0] for line in ran(it)] == ["1", "2"]
        assert left(it) == []
        assert {name.rpartition("-")[2] for name in disk.removed} == {"1", "2"}
        assert [key.generation for key, _ in it.machine.starts] == [1, 2, 3]


# -- old fates --


def test_fates_go_after_so_many_days_but_for_prohibitions_that_still_hold(tmp_path):
    it = world(tmp_path, 1, lasting=1)
    it.keep_fates_days = 5
    it.begin()
    it.register("/sales/r")
    it.run(EVENING + 20 * DAY + minutes(10))
    days = [line.split()[1] for line in ran(it)]
    assert days == [f"2026-08-{n}" for n in range(26, 31)]


def test_the_fate_of_a_prohibited_run_stays_as_long_as_the_run_does(tmp_path):
    it = world(tmp_path, 1, lasting=1)
    it.register("/sales/r", due(EVENING, phase=Phase.PROHIBITED), method=Method.FIXED)
    with it.other.write() as tx:
        root = units.by_path(tx, "/sales/r")
        assert root is not None
        slot = due(EVENING).slot
        for number in (1, None):
            fated = Fated(
                root=root.id,
                run=Passed(slot, (), "rain"),
                fate="prohibited",
                generation=number,
            )
            runs.add_fates(tx, [fated], it.clock.now())
    it.clock.jump_to_wall(EVENING + 500 * DAY)
    it.turn()
    assert it.fates() == ["prohibited 2026-08-11 22:00"]


def test_many_old_fates_go_in_small_steps(tmp_path, monkeypatch):
    monkeypatch.setattr("ajs.runner.tidying.FATES_AT_ONCE", 3)
    it = world(tmp_path, 1, lasting=1)
    it.register("/sales/r")
    it.run(EVENING + 20 * DAY + minutes(10))
    assert len(ran(it)) == 20
    it.keep_fates_days = 10
    it.begin()
    turns = 0
    while it.turn().again:
        turns += 1
    assert turns >= 3
    assert len(ran(it)) == 9
