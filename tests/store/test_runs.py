"""Runs through the store: what a decision says is stored, with every cause, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ajs.actions import (
    AwaitPrevious,
    ChangeAttempt,
    ChangeUnit,
    Commit,
    DetectDelay,
    EndGeneration,
    HoldGeneration,
    PlaceAttempt,
    QueueAttempt,
    SkipGeneration,
    StartGeneration,
)
from ajs.attempts import (
    Acked,
    AttemptKey,
    AttemptState,
    Ended,
    Lost,
    Observation,
    Result,
    Running,
    observe,
    placed,
    queued,
)
from ajs.attempts import Stored as WasStored
from ajs.causes import Asked, Cause, Why
from ajs.decide import Observed, Snapshot, apply, decide
from ajs.errors import PlanMoved
from ajs.lifecycle import Change, LiveGeneration, Status
from ajs.plan import Passed
from ajs.starting import Previous
from ajs.store import log, plans, rows, runs, show
from ajs.store.database import Store
from ajs.store.progress import attempt_names
from tests.store import kit

EVENING = "2026-08-11T22:00:00"
NEXT = "2026-08-12T22:00:00"
NOW = kit.at("2026-08-11T22:00:05")


@pytest.fixture
def defined(store):
    kit.define(store, kit.root("/a", "x", "in/y"), kit.root("/b", "x"))
    return store


def snapshot(store: Store, at=NOW, **extra) -> Snapshot:
    with store.read() as tx:
        return Snapshot(
            due=runs.due(tx, at.wall),
            live=runs.live(tx),
            attempts=runs.open_attempts(tx),
            next_start=runs.next_start(tx, at.wall),
            **extra,
        )


def versions(seen: Snapshot) -> dict[int, int]:
    waiting = {w.generation.id: w.generation.version for w in seen.due}
    return waiting | {g.id: g.version for g in seen.live.values()}


def commit(store: Store, seen: Snapshot, actions, at=NOW) -> None:
    with store.write() as tx:
        runs.commit(tx, actions, versions(seen), at)


def turn(store: Store, at=NOW, *observed: Observed, **extra):
    """One decision on what is stored, committed."""
    seen = snapshot(store, at, observations=observed, **extra)
    decision = decide(seen, at)
    commit(store, seen, decision.to_commit, at)
    return seen, decision


def started(store: Store) -> LiveGeneration:
    """Let /a start; its generation as it runs then."""
    kit.register(store, "/a", EVENING)
    turn(store)
    found = snapshot(store).live
    return found[min(found)]


# -- what there is --


def test_what_is_due_and_what_comes_next(defined):
    for path in ("/b", "/a"):
        kit.register(defined, path, EVENING, NEXT)
    early = snapshot(defined, kit.at("2026-08-11T21:59:59"))
    assert early.due == ()
    assert early.next_start == datetime.fromisoformat(EVENING)
    seen = snapshot(defined, kit.at(EVENING))
    assert [(w.root_path, w.execution_id, w.status.name) for w in seen.due] == [
        ("/b", "@A1", "TIMEWAIT"),
        ("/a", "@A3", "TIMEWAIT"),
    ]
    assert seen.due[1].definition == kit.jobnet("a", "x", "in/y")
    assert seen.due[1].previous == ()
    assert seen.next_start == datetime.fromisoformat(NEXT)
    with defined.read() as tx:
        assert runs.next_start(tx, datetime.fromisoformat(NEXT)) is None


def test_a_run_that_still_goes_is_named(defined):
    kit.register(defined, "/a", EVENING, NEXT)
    turn(defined)
    seen = snapshot(defined, kit.at("2026-08-12T22:00:00"))
    assert [w.previous for w in seen.due] == [(Previous(1, "@A1"),)]


def test_a_renamed_root_goes_on_under_its_new_name(defined):
    started(defined)
    kit.define(defined, kit.root("/new", was="/a"))
    live = snapshot(defined).live[1]
    assert live.root_path == "/new"
    assert live.definition == kit.jobnet("a", "x", "in/y")


# -- decisions --


def test_a_start_is_stored_as_it_was_decided(defined):
    kit.register(defined, "/a", EVENING)
    seen, decision = turn(defined)
    after = apply(seen, decision)
    now = snapshot(defined)
    assert now.due == ()
    assert now.live == after.live
    assert now.attempts == after.attempts
    with defined.read() as tx:
        generation = show.generations(tx)[0]
        units = show.unit_runs(tx, [generation.id])
    assert (generation.phase, generation.status) == ("running", "RUNNING")
    assert generation.started_utc == NOW.stamp
    assert generation.definition is not None
    assert [(u.path, u.kind) for u in units] == [
        ("", "root"),
        ("x", "job"),
        ("in", "jobnet"),
        ("in/y", "job"),
    ]


def test_a_whole_run(defined):
    kit.register(defined, "/a", EVENING)
    turn(defined)
    for number in range(200):
        at = kit.at("2026-08-11T22:01:00")
        at = replace(at, utc=at.utc + timedelta(seconds=number))
        open_now = list(snapshot(defined).attempts.values())
        if not open_now:
            break
        attempt = open_now[number % len(open_now)]
        result = Result(return_code=number % 2, started=at.utc, ended=at.utc, out_bytes=5)
        steps: dict[AttemptState, Observation] = {
            AttemptState.PLACED: Running(at.utc),
            AttemptState.STARTED: Ended(result),
            AttemptState.ENDED: WasStored(),
            AttemptState.STORED: Acked(),
        }
        seen, decision = turn(defined, at, Observed(attempt.key, steps[attempt.state]))
        after = apply(seen, decision)
        now = snapshot(defined)
        assert now.live == after.live
        assert now.attempts == after.attempts
    with defined.read() as tx:
        generation = show.generations(tx)[0]
        units = {u.path: u.status for u in show.unit_runs(tx, [1])}
        attempts = show.attempts(tx, [1])
        events = show.events(tx, [1])
    assert (generation.phase, generation.status) == ("ended", units[""])
    assert generation.ended_utc is not None
    assert [(a.path, a.state, a.out_bytes) for a in attempts] == [
        ("in/y", "ACKED", 5),
        ("x", "ACKED", 5),
    ]
    # Following the events of a unit leads to the status that it has.
    assert {event.path: event.status for event in events} == units
    assert all(rows.cause_from(event.cause).text for event in events)


def test_a_start_inside_one_commit_may_go_far(defined):
    kit.define(defined, kit.root("/empty"))
    kit.register(defined, "/empty", EVENING)
    turn(defined)
    with defined.read() as tx:
        generation = show.generations(tx)[0]
        events = [event.status for event in show.events(tx, [generation.id])]
    assert (generation.phase, generation.status) == ("ended", "NORMAL")
    assert events == ["RUNNING", "NORMAL"]


def test_a_held_root_waits_on(defined):
    plan = kit.register(defined, "/a", EVENING)
    held = replace(plan.generations[0], holds={"": True})
    number = kit.unit_id(defined, "/a")
    with defined.write() as tx:
        plans.save_plan(tx, number, plan, plan.with_generation(held), kit.begin(tx))
    _, decision = turn(defined)
    assert [type(action) for action in decision.to_commit] == [HoldGeneration]
    seen = snapshot(defined)
    assert [w.status for w in seen.due] == [Status.HOLDING]
    assert decide(seen, NOW).to_commit == ()
    with defined.read() as tx:
        assert [e.status for e in show.events(tx, [1])] == ["HOLDING"]


def test_a_skipped_run_has_ended_without_starting(defined):
    kit.register(defined, "/a", EVENING, NEXT)
    turn(defined)
    later = kit.at("2026-08-12T22:00:00")
    _, decision = turn(defined, later)
    assert SkipGeneration in [type(action) for action in decision.to_commit]
    with defined.read() as tx:
        skipped = show.generations(tx)[1]
    assert (skipped.phase, skipped.status) == ("ended", "EXECDEFFER")
    assert (skipped.started_utc, skipped.ended_utc) == (None, later.stamp)
    assert snapshot(defined, later).due == ()


def test_attempts_that_are_done_with_are_open_no_more(defined):
    live = started(defined)
    key = AttemptKey(live.id, "x", 1)
    place = placed(queued(AttemptKey(live.id, "x", 9)), "local", NOW.utc)
    states = [
        replace(place, number=number, state=state)
        for number, state in enumerate(AttemptState, start=10)
    ]
    commit(defined, snapshot(defined), [PlaceAttempt(attempt) for attempt in states])
    found = snapshot(defined).attempts
    assert key in found
    assert {attempt.state for attempt in found.values()} == set(AttemptState) - {AttemptState.ACKED}
    made = [k.number for k in found if k.number > 9]
    assert made == sorted(made)
    assert list(found)[-len(made) :] == [k for k in found if k.number > 9]
    with defined.write() as tx:
        tx.run("UPDATE generation SET phase = 'ended'")
    assert AttemptState.LOST not in {a.state for a in snapshot(defined).attempts.values()}


def test_names_of_attempts_outlive_a_restore(defined):
    live = started(defined)
    keys = [AttemptKey(live.id, path, 1) for path in ("x", "in/y")]
    with defined.write() as tx:
        service = tx.service()
        names = attempt_names(tx, [*keys, AttemptKey(live.id, "x", 2)])
        tx.run("UPDATE service SET incarnation = 'abcdefabcdef'")
        tx.run("UPDATE unit_run SET attempt = 2 WHERE path = 'x'")
        runs.commit(tx, [QueueAttempt(queued(AttemptKey(live.id, "x", 2)))], {}, NOW)
        later = attempt_names(tx, [*keys, AttemptKey(live.id, "x", 2)])
    assert set(names) == set(keys)
    begun = f"{service.uuid}-{service.incarnation}-"
    assert {name.removeprefix(begun) for name in names.values()} == {"1", "2"}
    assert later == {**names, AttemptKey(live.id, "x", 2): f"{service.uuid}-abcdefabcdef-3"}


# -- of two who looked at the same state only one gets through --


def test_the_same_decision_is_stored_once(defined):
    kit.register(defined, "/a", EVENING)
    seen = snapshot(defined)
    decision = decide(seen, NOW)
    commit(defined, seen, decision.to_commit)
    before = {t: kit.rows(defined, t) for t in ("generation", "unit_run", "attempt", "event")}
    with pytest.raises(PlanMoved, match="/a:@A1 is running now"):
        commit(defined, seen, decision.to_commit)
    assert {t: kit.rows(defined, t) for t in before} == before


def test_a_moved_run_is_not_started(defined):
    plan = kit.register(defined, "/a", EVENING)
    seen = snapshot(defined)
    number = kit.unit_id(defined, "/a")
    with defined.write() as tx:
        after = plan.with_generation(replace(plan.generations[0], slot=kit.slot(NEXT)))
        plans.save_plan(tx, number, plan, after, kit.begin(tx))
    with pytest.raises(PlanMoved, match="/a:@A1 has been changed"):
        commit(defined, seen, decide(seen, NOW).to_commit)
    for action in (
        SkipGeneration(1, Cause(Why.PREVIOUS_RUNS)),
        HoldGeneration(1, 1, Cause(Why.HELD)),
    ):
        with pytest.raises(PlanMoved):
            commit(defined, seen, [action])
    assert kit.rows(defined, "event") == []


def test_a_removed_run_is_not_started(defined):
    kit.register(defined, "/a", EVENING)
    seen = snapshot(defined)
    with defined.write() as tx:
        tx.run("DELETE FROM generation")
    with pytest.raises(PlanMoved, match=r":@A1 has been removed"):
        commit(defined, seen, decide(seen, NOW).to_commit)


def test_an_attempt_is_placed_once(defined):
    live = started(defined)
    one = queued(AttemptKey(live.id, "x", 2))
    here, there = (placed(one, place, NOW.utc) for place in ("here", "there"))
    seen = snapshot(defined)
    commit(defined, seen, [QueueAttempt(one)])
    with pytest.raises(PlanMoved):
        commit(defined, seen, [QueueAttempt(one)])
    commit(defined, seen, [PlaceAttempt(here)])
    with pytest.raises(PlanMoved, match=r"attempt 2 of x:@A1 is not as it was read"):
        commit(defined, seen, [PlaceAttempt(there)])
    assert snapshot(defined).attempts[one.key] == here


def test_an_attempt_has_one_ending(defined):
    live = started(defined)
    key = AttemptKey(live.id, "x", 1)
    before = snapshot(defined).attempts[key]
    ended = observe(before, Ended(Result(return_code=0)), NOW.utc)
    lost = observe(before, Lost("rebooted"), NOW.utc)
    seen = snapshot(defined)
    commit(defined, seen, [ChangeAttempt(ended, before.state)])
    with pytest.raises(PlanMoved):
        commit(defined, seen, [ChangeAttempt(lost, before.state)])
    assert snapshot(defined).attempts[key] == ended
    with pytest.raises(PlanMoved):
        commit(defined, seen, [ChangeAttempt(replace(lost, number=7), AttemptState.STARTED)])


def test_a_withdrawn_attempt_may_be_new(defined):
    live = started(defined)
    one = queued(AttemptKey(live.id, "x", 2))
    gone = replace(one, state=AttemptState.ACKED)
    commit(defined, snapshot(defined), [ChangeAttempt(gone, AttemptState.QUEUED)])
    with defined.read() as tx:
        assert [a.state for a in show.attempts(tx, [live.id], "x")] == ["PLACED", "ACKED"]


def test_a_decision_is_stored_whole_or_not_at_all(defined):
    live = started(defined)
    seen = snapshot(defined)
    run = replace(live.units["x"], status=Status.RUNNING)
    change = ChangeUnit(live.id, live.version, Status.EXECWAIT, run, Cause(Why.JOB_STARTED))
    before = {t: kit.rows(defined, t) for t in ("generation", "unit_run", "attempt", "event")}
    twice = queued(AttemptKey(live.id, "x", 1))
    with pytest.raises(PlanMoved):
        commit(defined, seen, [change, QueueAttempt(twice)])
    assert {t: kit.rows(defined, t) for t in before} == before


def test_a_change_that_starts_from_another_status_is_an_error_in_the_decision(defined):
    live = started(defined)
    run = replace(live.units["x"], status=Status.NORMAL)
    change = ChangeUnit(live.id, live.version, Status.HOLDING, run, Cause(Why.RETURN_CODE))
    with pytest.raises(ValueError, match="another status"):
        commit(defined, snapshot(defined), [change])


# -- what an operator changes in a run --


def test_flags_and_statuses_with_their_causes(defined):
    live = started(defined)
    with defined.write() as tx:
        operation = kit.begin(tx, "kill")
        order = Asked(operation, "hanako")
        run = replace(live.units["x"], status=Status.KILL, kill_asked=order)
        units = {**live.units, "x": run, "in": replace(live.units["in"], held=True)}
        after = replace(live, units=units, interrupted=order)
        change = Change(live.units["x"].status, run, Cause(Why.KILLED_BEFORE))
        saved = runs.save_live(tx, live, after, [change], NOW, operation)
        images = log.images(tx, operation)
    assert saved == replace(after, version=live.version + 1)
    assert snapshot(defined).live == {live.id: saved}
    (image,) = images
    assert image.table == "generation"
    assert [(side or {})["interrupted"] for side in (image.before, image.after)] == [
        None,
        operation,
    ]
    with defined.read() as tx:
        last = show.events(tx, [live.id])[-1]
    assert (last.path, last.status) == ("x", "KILL")
    assert rows.cause_from(last.cause) == Cause(Why.KILLED_BEFORE)


def test_a_status_does_not_change_without_a_cause(defined):
    live = started(defined)
    units = {**live.units, "x": replace(live.units["x"], status=Status.KILL)}
    with defined.write() as tx, pytest.raises(ValueError, match="'x' changed without a cause"):
        runs.save_live(tx, live, replace(live, units=units), [], NOW, None)


def test_a_run_that_went_on_is_not_overwritten(defined):
    live = started(defined)
    with defined.write() as tx:
        order = Asked(kit.begin(tx, "intrpt"), "hanako")
        runs.save_live(tx, live, replace(live, interrupted=order), [], NOW, None)
    with pytest.raises(PlanMoved, match="/a:@A1 has been changed"), defined.write() as tx:
        runs.save_live(tx, live, live, [], NOW, None)


# -- fates --


def test_what_became_of_runs_that_did_not_run(defined):
    number = kit.unit_id(defined, "/a")
    lost = Passed(kit.slot(EVENING, "2026-08-10"), kit.generation(EVENING).ties, "its time went by")
    with defined.write() as tx:
        runs.add_fates(
            tx,
            [
                runs.Fated(root=number, run=lost, fate="missed", generation=7),
                runs.Fated(root=number, run=replace(lost, slot=kit.slot(NEXT)), fate="skipped"),
            ],
            NOW,
        )
    with defined.read() as tx:
        found = show.fates(tx, [number])
        assert show.fates(tx, [number], until=EVENING) == []
        assert [f.fate for f in show.fates(tx, since=NEXT)] == ["skipped"]
    assert [(f.path, f.start, f.exec_date, f.fate, f.why, f.generation) for f in found] == [
        ("/a", EVENING, "2026-08-10", "missed", "its time went by", 7),
        ("/a", NEXT, "2026-08-12", "skipped", "its time went by", None),
    ]
    assert rows.ties_from(found[0].ties) == lost.ties


# -- the schema --


def test_the_schema_knows_every_status_and_state(defined):
    live = started(defined)
    with defined.write() as tx:
        for status in Status:
            for table in ("generation", "unit_run", "event"):
                tx.run(f"UPDATE {table} SET status = ?", status.name)
        for state in AttemptState:
            tx.run("UPDATE attempt SET state = ?", state.name)
        tx.rollback()
    assert snapshot(defined).live == {live.id: live}


def test_actions_are_all_known():
    kinds = {StartGeneration, SkipGeneration, HoldGeneration, ChangeUnit, QueueAttempt}
    kinds |= {AwaitPrevious, PlaceAttempt, ChangeAttempt, EndGeneration, DetectDelay}
    assert set(Commit.__args__) == kinds
