"""What holds for every jobnet: deciding again gives nothing, and following through comes to an end."""

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from ajs.attempts import AttemptState
from ajs.decide import Snapshot, apply, decide
from ajs.lifecycle import LiveGeneration, Status, UnitRun, settle
from ajs.model import Jobnet
from ajs.operations.running import GOES_ON
from ajs.starting import Waiting, first_runs
from ajs.testing import FakeClock, FakeMachine, runs_by_path
from tests.driver import ASKED, EVENING, Driver, minutes
from tests.random_jobnets import random_world

NOW = FakeClock(EVENING).now()
RANDOM = st.randoms(use_true_random=False)
JOB_STATUSES = [s for s in Status if s not in {Status.TIMEWAIT, Status.EXECDEFFER}]


def live(due: Waiting, units: dict[str, UnitRun]) -> LiveGeneration:
    return LiveGeneration(
        id=1,
        root_path="/sales/root",
        execution_id="@A1",
        exec_date=EVENING.date(),
        definition_hash="",
        definition=due.definition,
        units=units,
        version=1,
    )


def half_way(random: Random) -> LiveGeneration:
    """A generation in which any job may be in any status, as after any history and any operator."""
    world = random_world(random)
    units = first_runs(world.due, NOW)
    for path, unit in world.due.definition.walk():
        if not isinstance(unit, Jobnet) and random.random() < 0.5:
            units[path] = replace(units[path], status=random.choice(JOB_STATUSES))
    for path, run in units.items():
        if run.status in GOES_ON and random.random() < 0.1:
            units[path] = replace(run, kill_asked=ASKED)
    generation = live(world.due, units)
    return replace(generation, interrupted=ASKED if random.random() < 0.1 else None)


@given(RANDOM)
def test_following_through_ends_and_nothing_follows_from_it(random):
    before = half_way(random)
    settled = settle(before, NOW)
    # Planned again or not any more, waiting, running with a warning, with a failure, ended.
    assert len(settled.changes) <= 6 * len(before.units)
    again = settle(settled.generation, NOW)
    assert again.changes == ()
    assert again.waits == settled.waits


@given(RANDOM)
def test_every_change_starts_where_the_one_before_it_ended(random):
    before = half_way(random)
    status = {path: run.status for path, run in before.units.items()}
    settled = settle(before, NOW)
    for change in settled.changes:
        assert change.before is status[change.run.path]
        assert change.run.status is not change.before
        assert change.cause.text
        status[change.run.path] = change.run.status
    assert status == {path: run.status for path, run in settled.generation.units.items()}


@given(RANDOM)
def test_what_waits_has_a_reason_and_what_does_not_wait_has_none(random):
    generation = settle(half_way(random), NOW)
    held_up = {Status.NOPLAN, Status.TERMWAIT, Status.TIMEWAIT, Status.HOLDING}
    units = generation.generation.units
    assert set(generation.waits) == {path for path, run in units.items() if run.status in held_up}


@given(RANDOM)
def test_time_alone_starts_only_what_waits_for_it(random):
    generation = settle(half_way(random), NOW).generation
    timed = {p for p, run in generation.units.items() if run.status is Status.TIMEWAIT}
    later = FakeClock(EVENING + minutes(1000)).now()
    first = next(iter(settle(generation, later).changes), None)
    assert (first is not None) == bool(timed)
    assert first is None or first.run.path in timed


@given(RANDOM, st.integers(0, 40))
def test_deciding_again_after_a_decision_was_carried_out_gives_nothing(random, turns):
    world = random_world(random)
    machine = FakeMachine(runs_by_path(world.runs))
    driver = Driver(Snapshot(due=(world.due,), limit=world.limit), machine)
    for _ in range(turns):
        now = driver.clock.now()
        snapshot = replace(driver.snapshot, observations=machine.answers(now.utc))
        decision = decide(snapshot, now)
        assert decide(snapshot, now) == decision
        after = apply(snapshot, decision)
        again = decide(after, now)
        assert again.actions == ()
        assert (again.wake_at, again.reasons) == (decision.wake_at, decision.reasons)
        driver.snapshot = after
        for action in decision.to_send:
            machine.send(action, now.utc)
        driver.clock.advance(minutes(random.choice([0, 0, 1, 7])))


@given(RANDOM)
def test_no_more_attempts_than_slots_have_a_place_at_any_time(random):
    world = random_world(random)
    snapshot = Snapshot(due=(world.due,), limit=2)
    driver = Driver(snapshot, FakeMachine(runs_by_path(world.runs)))
    going = {AttemptState.PLACED, AttemptState.STARTED, AttemptState.UNKNOWN}
    for _ in range(30):
        driver.turn()
        assert sum(a.state in going for a in driver.snapshot.attempts.values()) <= 2
        driver.clock.advance(minutes(1))
