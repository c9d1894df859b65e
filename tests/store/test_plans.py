"""Plans through the store: what went in comes out, and nobody overwrites what they have not seen."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ajs.attributes import Attributes
from ajs.delays import NOT_MONITORED, Limit, Since
from ajs.errors import PlanMoved
from ajs.plan import Generation, Kept, Method, NestedPlan, Phase, Registration, RootPlan
from ajs.schedule import Slot, Tie
from ajs.store import log, plans, show, units
from ajs.store.database import Store
from tests.store import kit

EVENING = "2026-08-11T22:00:00"
NEXT = "2026-08-12T22:00:00"


@pytest.fixture
def defined(store):
    kit.define(store, kit.root("/a", "x"), kit.root("/b", "x"), kit.root("/c"))
    return store


def save(store, path, before, after, operation: int | None = 0, **options):
    """Store a plan as an operation of its own; ``operation=None`` as the manager does."""
    number = kit.unit_id(store, path)
    with store.write() as tx:
        by = None if operation is None else kit.begin(tx)
        return plans.save_plan(tx, number, before, after, by, **options)


def moved(plan: RootPlan, index: int = 0, hours: int = 2) -> RootPlan:
    generation = plan.generations[index]
    lies = Slot(generation.slot.start + timedelta(hours=hours), generation.slot.exec_date)
    return plan.with_generation(replace(generation, slot=lies))


# -- what went in comes out --

days = st.dates(date(1994, 1, 1), date(2099, 12, 31))
starts = st.datetimes(datetime(1994, 1, 1), datetime(2099, 12, 31)).map(
    lambda at: at.replace(microsecond=0)
)
slots = st.builds(Slot, starts, days)
ties = st.lists(st.builds(Tie, st.integers(1, 144), days), max_size=3).map(tuple)
names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1)
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
shifts = st.integers(-(10**6), 10**6).map(lambda seconds: timedelta(seconds=seconds))
nested_plans = st.builds(
    NestedPlan,
    start=st.none() | starts,
    original=st.none() | starts,
    depends=st.booleans(),
    by_hand=st.booleans(),
    passed=st.lists(st.tuples(paths | st.just(""), shifts), max_size=2).map(tuple),
    prohibited=st.booleans(),
    rule=st.integers(1, 144),
)
limits = st.none() | st.builds(
    Limit, st.integers(0, 2879), st.sampled_from([Since.CLOCK, Since.ROOT, Since.UPPER, Since.OWN])
)
attributes = st.builds(
    Attributes,
    priority=st.integers(1, 5),
    start_delay=limits | st.just(NOT_MONITORED),
    end_delay=limits,
    required_time=st.none() | st.builds(Limit, st.integers(1, 2879), st.just(Since.STARTED)),
)
generations = st.builds(
    Generation,
    method=st.sampled_from(Method),
    slot=slots,
    original=slots,
    phase=st.sampled_from([Phase.WAITING, Phase.PROHIBITED]),
    ties=ties,
    kept=st.none() | st.builds(Kept, slot=slots, original=slots, ties=ties),
    added=st.booleans(),
    nested=st.dictionaries(paths, nested_plans, max_size=3),
    holds=st.dictionaries(paths | st.just(""), st.booleans(), max_size=3),
    attributes=st.dictionaries(paths | st.just(""), attributes, max_size=3),
    prohibited=st.frozensets(paths, max_size=3),
)
registrations = st.builds(
    Registration,
    method=st.sampled_from(Method),
    registered=starts,
    floor=st.none() | slots,
    done=st.frozensets(st.builds(Tie, st.integers(1, 144), days), max_size=3),
    catch_up=st.booleans(),
    count=st.integers(0, 99),
    cancelled=st.frozensets(st.builds(Tie, st.integers(1, 144), days), max_size=3),
    skip_overdue=st.booleans(),
)
root_plans = st.builds(
    RootPlan, registration=registrations, generations=st.lists(generations, max_size=4).map(tuple)
)

COVERED = [
    (NestedPlan, {"start", "original", "depends", "by_hand", "passed", "prohibited", "rule"}),
    (Kept, {"slot", "original", "ties"}),
    (
        Registration,
        # What is frozen is there only with a definition and calendars: tests/cli/test_registering.py.
        {"method", "registered", "floor", "done", "catch_up", "count", "cancelled"}
        | {"skip_overdue", "frozen", "version"},
    ),
    (RootPlan, {"registration", "generations"}),
    (
        Generation,
        {"id", "method", "slot", "original", "phase", "ties", "kept", "added", "nested", "holds"}
        | {"attributes", "prohibited", "version"},
    ),
]


@pytest.mark.parametrize(("kind", "known"), COVERED)
def test_every_field_of_a_plan_is_stored(kind, known):
    """A field that is new needs a column, and a place in the properties below."""
    assert {field.name for field in fields(kind)} == known


def as_set(plan: RootPlan | None) -> tuple:
    assert plan is not None
    return plan.registration, sorted(plan.generations, key=lambda g: g.id)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=root_plans, second=root_plans, keep=st.lists(st.booleans(), min_size=4, max_size=4))
def test_any_plan_comes_back_as_it_was_stored(defined, first, second, keep):
    path = "/a"
    if (old := kit.load(defined, path)) is not None:
        save(defined, path, old, None)
    saved = save(defined, path, None, first)
    assert as_set(kit.load(defined, path)) == as_set(saved)
    assert [replace(g, id=0, version=0) for g in saved.generations] == list(first.generations)

    # Some generations become others, some go, some are new; ids stay, versions count up.
    both = zip(saved.generations, second.generations, keep, strict=False)
    kept = [replace(new, id=old.id) if stays else new for old, new, stays in both]
    after = replace(second, generations=tuple(kept))
    again = save(defined, path, saved, after)
    assert as_set(kit.load(defined, path)) == as_set(again)
    assert [replace(g, id=0, version=0) for g in again.generations] == [
        replace(g, id=0, version=0) for g in kept
    ]
    for before, now in zip(kept, again.generations, strict=True):
        old = saved.generation(before.id)
        if old is None:
            assert now.version == 1
            assert now.id > max((g.id for g in saved.generations), default=0)
        else:
            same = replace(before, version=old.version) == old
            assert now.version == old.version + (not same)
    assert again.registration.version == saved.registration.version + (saved != after)


def test_many_plans_at_once(defined):
    wanted = [kit.unit_id(defined, path) for path in ("/c", "/a", "/b")]
    with defined.write() as tx:
        changes = [plans.PlanChange(n, None, kit.plan(EVENING)) for n in wanted[:2]]
        saved = plans.save_plans(tx, changes, kit.begin(tx))
    with defined.read() as tx:
        found = plans.load_plans(tx, wanted)
        assert plans.registered_roots(tx) == sorted(wanted[:2])
    assert list(found) == wanted[:2]
    assert found == saved


def test_an_unregistered_root_has_no_plan(defined):
    assert kit.load(defined, "/a") is None
    assert save(defined, "/a", None, None) is None


def test_storing_what_is_the_same_writes_nothing(defined):
    plan = kit.register(defined, "/a", EVENING)
    before = {table: kit.rows(defined, table) for table in ("registration", "generation")}
    assert save(defined, "/a", plan, plan) == plan
    assert {table: kit.rows(defined, table) for table in before} == before


def test_generations_that_run_are_in_no_plan(defined):
    kit.register(defined, "/a", EVENING, NEXT)
    with defined.write() as tx:
        tx.run("UPDATE generation SET phase = 'running' WHERE start = ?", EVENING)
    plan = kit.load(defined, "/a")
    assert [g.slot.start.isoformat() for g in plan.generations] == [NEXT]
    number = kit.unit_id(defined, "/a")
    with defined.read() as tx:
        running = plans.running(tx, [number])
    assert [[g.slot.start.isoformat() for g in found] for found in running.values()] == [[EVENING]]
    with pytest.raises(ValueError, match="holds no running generation"):
        save(defined, "/a", plan, replace(plan, generations=next(iter(running.values()))))


def test_a_generation_that_started_leaves_the_plan_and_keeps_its_row(defined):
    plan = kit.register(defined, "/a", EVENING, NEXT)
    started = plan.generations[0]
    after = save(
        defined, "/a", plan, plan.without(started), operation=None, left=frozenset({started.id})
    )
    assert [g.id for g in after.generations] == [plan.generations[1].id]
    assert len(kit.rows(defined, "generation")) == 2
    save(defined, "/a", kit.load(defined, "/a"), replace(plan, generations=()))
    assert kit.rows(defined, "generation") == []


# -- identities --


def registration_numbers(store: Store, path: str) -> list[str]:
    number = kit.unit_id(store, path)
    with store.read() as tx:
        return [row.registration_number for row in show.generations(tx, [number])]


def test_registration_numbers_count_within_root_and_date(defined):
    day = "2026-08-11T0{}:00:00"
    kit.register(defined, "/a", day.format(1), day.format(2), NEXT)
    kit.register(defined, "/b", day.format(3))
    assert registration_numbers(defined, "/a") == ["20260811001", "20260811002", "20260812001"]
    assert registration_numbers(defined, "/b") == ["20260811001"]


def test_a_moved_generation_keeps_its_numbers(defined):
    plan = kit.register(defined, "/a", EVENING)
    lies = kit.slot("2026-08-20T10:00:00")
    after = save(defined, "/a", plan, plan.with_generation(replace(plan.generations[0], slot=lies)))
    assert after.generations[0].id == plan.generations[0].id
    assert registration_numbers(defined, "/a") == ["20260811001"]


def test_numbers_are_never_given_out_twice(defined):
    plan = kit.register(defined, "/a", EVENING)
    save(defined, "/a", plan, None)
    again = kit.register(defined, "/a", EVENING)
    assert again.generations[0].id > plan.generations[0].id
    assert registration_numbers(defined, "/a") == ["20260811002"]


def test_a_new_registration_is_not_taken_for_an_old_one(defined):
    plan = kit.register(defined, "/a", EVENING)
    save(defined, "/a", plan, None)
    kit.register(defined, "/a", EVENING)
    with pytest.raises(PlanMoved):
        save(defined, "/a", plan, replace(plan, generations=()))


def test_what_shows_follows_the_phase(defined):
    def status() -> str:
        with defined.read() as tx:
            return show.generations(tx)[0].status

    plan = kit.register(defined, "/a", EVENING)
    assert status() == "TIMEWAIT"
    prohibited = replace(plan.generations[0], phase=Phase.PROHIBITED)
    plan = save(defined, "/a", plan, plan.with_generation(prohibited))
    assert status() == "NOPLAN"
    waiting = replace(plan.generations[0], phase=Phase.WAITING)
    plan = save(defined, "/a", plan, plan.with_generation(waiting))
    assert status() == "TIMEWAIT"
    with defined.write() as tx:
        tx.run("UPDATE generation SET status = 'HOLDING'")
    held = replace(plan.generations[0], holds={"x": True})
    plan = save(defined, "/a", plan, plan.with_generation(held))
    assert status() == "HOLDING"
    save(defined, "/a", plan, moved(plan))
    assert status() == "TIMEWAIT"


def test_who_registered_it(defined):
    kit.register(defined, "/a", EVENING)
    with defined.read() as tx:
        row = show.registrations(tx)[0]
    assert (row.registered_by, row.registered_utc) == ("hanako", "2026-08-11T03:00:00.000Z")
    with pytest.raises(ValueError, match="only an operation registers"):
        save(defined, "/b", None, kit.plan(EVENING), operation=None)


# -- nobody overwrites what they have not seen --

STALE = {
    "both move the same run": (moved, moved, "/a has another plan"),
    "both add a run": (
        lambda plan: replace(plan, generations=(*plan.generations, kit.generation(NEXT))),
        lambda plan: replace(plan, generations=(*plan.generations, kit.generation(NEXT))),
        "/a has another plan",
    ),
    "one moves a run, one removes another": (
        lambda plan: moved(plan, 0),
        lambda plan: plan.without(plan.generations[1]),
        "/a has another plan",
    ),
    "one leaves, one moves": (lambda _: None, moved, "/a is no longer registered"),
    "one moves, one leaves": (moved, lambda _: None, "/a has another plan"),
    "both leave": (lambda _: None, lambda _: None, "/a is no longer registered"),
    "one changes the registration": (
        lambda plan: replace(plan, registration=replace(plan.registration, catch_up=False)),
        moved,
        "/a has another plan",
    ),
}


@pytest.mark.parametrize(("first", "second", "said"), STALE.values(), ids=STALE.keys())
def test_a_stale_change_is_refused_and_changes_nothing(defined, first, second, said):
    plan = kit.register(defined, "/a", EVENING, NEXT)
    save(defined, "/a", plan, first(plan))
    before = {table: kit.rows(defined, table) for table in ("registration", "generation")}
    with pytest.raises(PlanMoved) as caught:
        save(defined, "/a", plan, second(plan))
    assert said in caught.value.message
    assert caught.value.unit == "/a"
    assert {table: kit.rows(defined, table) for table in before} == before


def test_both_register(defined):
    kit.register(defined, "/a", EVENING)
    with pytest.raises(PlanMoved, match="/a has been registered meanwhile"):
        kit.register(defined, "/a", EVENING)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE generation SET phase = 'running', version = 2", "/a:@A1 has started"),
        ("UPDATE generation SET phase = 'ended', version = 2", "/a:@A1 has ended"),
        ("UPDATE generation SET holds = '{}', version = 2", "/a:@A1 has been changed"),
        ("DELETE FROM generation", "/a:@A1 has been removed"),
        ("UPDATE generation SET phase = 'running'", "/a:@A1 has started"),
    ],
)
def test_a_run_that_went_on_meanwhile_is_named(defined, sql, said):
    plan = kit.register(defined, "/a", EVENING)
    with defined.write() as tx:
        tx.run(sql)
    for after in (moved(plan), plan.without(plan.generations[0])):
        with pytest.raises(PlanMoved) as caught:
            save(defined, "/a", plan, after)
        assert said in caught.value.message
        assert caught.value.value == "@A1"


def test_one_stale_plan_refuses_all(defined):
    one, other = (kit.register(defined, path, EVENING) for path in ("/a", "/b"))
    save(defined, "/b", other, moved(other))
    numbers = [kit.unit_id(defined, path) for path in ("/a", "/b")]
    before = kit.state(defined)
    changes = [
        plans.PlanChange(number, plan, moved(plan))
        for number, plan in zip(numbers, (one, other), strict=True)
    ]
    with defined.write() as tx:
        operation = kit.begin(tx)
        with pytest.raises(PlanMoved, match="/b has another plan"):
            plans.save_plans(tx, changes, operation)
    assert kit.state(defined) == before


def test_another_root_s_change_is_in_nobody_s_way(defined):
    one, other = (kit.register(defined, path, EVENING) for path in ("/a", "/b"))
    save(defined, "/b", other, moved(other))
    save(defined, "/a", one, moved(one))


# -- the log has every row that was touched --


def test_images_of_all_that_an_operation_did(defined):
    plan = kit.register(defined, "/a", EVENING, NEXT)
    gone, changed = plan.generations
    after = replace(
        moved(plan, 1).without(gone),
        registration=replace(plan.registration, floor=gone.slot),
    )
    after = replace(after, generations=(*after.generations, kit.generation("2026-08-13T22:00:00")))
    number = kit.unit_id(defined, "/a")
    with defined.write() as tx:
        operation = kit.begin(tx)
        saved = kit.save(tx, number, plan, after, operation)
        images = log.images(tx, operation)
        row = dict(zip(log.COLUMNS["generation"], tx.rows(
            f"SELECT {', '.join(log.COLUMNS['generation'])} FROM generation WHERE id = ?", changed.id
        )[0], strict=True))  # fmt: skip
    new = saved.generations[-1]
    told = {
        (image.table, image.key): (
            None if image.before is None else image.before["version"],
            None if image.after is None else image.after["version"],
        )
        for image in images
    }
    assert told == {
        ("registration", number): (1, 2),
        ("generation", gone.id): (1, None),
        ("generation", changed.id): (1, 2),
        ("generation", new.id): (None, 1),
    }
    assert all(image.unit == number for image in images)
    after_image = next(i.after for i in images if (i.table, i.key) == ("generation", changed.id))
    assert after_image == row


def test_the_manager_s_changes_are_no_operations(defined):
    plan = kit.register(defined, "/a", EVENING)
    before = kit.rows(defined, "operation_row")
    save(defined, "/a", plan, moved(plan), operation=None)
    assert kit.rows(defined, "operation_row") == before
    with defined.read() as tx:
        assert units.find(tx, "/a")[0].version == 1
