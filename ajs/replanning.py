"""A new definition or calendar under a registration: what becomes of its generations (rulings R4, 7.9).

No edit runs a job twice, loses a temporary change without a word, or takes a run's identity away.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from ajs.attributes import Temporary, together
from ajs.choices import CHANGES_SURVIVE_EDITS
from ajs.plan import (
    Generation,
    Kept,
    Method,
    Phase,
    Registration,
    RootPlan,
    nested_on_new_date,
    nested_plan,
    with_next,
)
from ajs.schedule import Start, Tie, Timetable

LOOK_BEHIND = timedelta(days=70)
"""How far from its unshifted date an occurrence can lie: shift days, days from start, two days of hours."""


def recalculated(
    plan: RootPlan, timetable: Timetable, base_time_was: int | None = None
) -> tuple[RootPlan, tuple[str, ...]]:
    """Return a planned registration's plan under a new definition or calendar, and what was lost (rulings R4, 7.9).

    A generation with temporary changes lives on while its occurrence exists; its time by the rules is noted anew. One
    without changes is planned anew, and stays the same generation where its occurrence is still the next. An
    occurrence that ran does not come again, unless the base time was another one: then the day itself is another one
    (rule book 1.12). Fixed and immediate registrations do not follow (rule book 6.3).
    """
    registration = plan.registration
    if registration.method is not Method.PLANNED:
        return plan, ()
    if base_time_was is not None and base_time_was != timetable.calendar.base_time:
        registration = replace(registration, done=frozenset())
        plan = replace(plan, registration=registration)
    keep: list[Generation] = [g for g in plan.generations if g.phase is not Phase.WAITING]
    unchanged: list[Generation] = []
    holds: dict[str, bool] = {}
    attributes: Temporary = {}
    notes: list[str] = []
    for waiting in plan.waiting:
        if waiting.method is not Method.PLANNED:
            # An immediate run that is held, and the like: no rule made it (rule book 6.3).
            keep.append(waiting)
            continue
        generation, lost = _without_lost_units(waiting, timetable)
        notes += lost
        survivor, note = _under_new_rules(plan, generation, timetable)
        if note:
            notes.append(note)
        if survivor is not None:
            keep.append(survivor)
        else:
            unchanged.append(generation)
            holds |= generation.holds
            attributes = together(attributes, generation.attributes)
    after = with_next(replace(plan, generations=tuple(keep)), timetable, holds, attributes)
    return _same_where_the_same(after, unchanged), tuple(notes)


def _same_where_the_same(plan: RootPlan, before: list[Generation]) -> RootPlan:
    """Return the plan with its new generations being those of before that stood for the same occurrence."""
    generations = []
    for one in plan.generations:
        same = None if one.id else next((g for g in before if set(g.ties) & set(one.ties)), None)
        generations.append(one if same is None else replace(one, id=same.id, version=same.version))
    return replace(plan, generations=tuple(generations))


def _without_lost_units(
    generation: Generation, timetable: Timetable
) -> tuple[Generation, list[str]]:
    """Return the generation without changes of units that are no longer defined, and what is lost so."""
    defined = {"", *(path for path, _ in timetable.jobnet.walk())}
    holds = {path: on for path, on in generation.holds.items() if path in defined}
    prohibited = frozenset(path for path in generation.prohibited if path in defined)
    attributes = {path: a for path, a in generation.attributes.items() if path in defined}
    lost = [
        f"the {'hold' if on else 'release'} of {path} is lost: the unit is no longer defined"
        for path, on in generation.holds.items()
        if path not in defined
    ]
    lost += [
        f"what was set for {path} is lost: the unit is no longer defined"
        for path in generation.attributes
        if path not in defined
    ]
    lost += [
        f"the prohibition of {path} is lost: the unit is no longer defined"
        for path in sorted(generation.prohibited - prohibited)
    ]
    lost += [
        f"the change of {path} is lost: the unit is no longer defined"
        for path, nested in sorted(generation.nested.items())
        if path not in defined and (nested.fixed or nested.prohibited)
    ]
    if not lost:
        return generation, []
    return replace(generation, holds=holds, attributes=attributes, prohibited=prohibited), lost


def _under_new_rules(
    plan: RootPlan, generation: Generation, timetable: Timetable
) -> tuple[Generation | None, str]:
    """Return the generation under the new rules, or None when the rules shall make it anew; and what to know of it."""
    registration = plan.registration
    if generation.added and generation.kept is None:
        # No rule made it, so no rule takes it away.
        fresh = nested_plan(timetable, registration.registered, generation.slot, ())
        same_date = (generation.slot.exec_date, generation.slot.exec_date)
        nested = nested_on_new_date(generation.nested, fresh, timetable, same_date, by_rule=True)
        return replace(generation, nested=nested), ""
    by_hand = any(n.fixed or n.prohibited for n in generation.nested.values())
    changed = generation.changed or generation.kept or by_hand or generation.prohibited
    if not (changed and CHANGES_SURVIVE_EDITS):
        return None, ""
    ties = generation.kept.ties if generation.kept else generation.ties
    found = _occurrence(registration, timetable, ties)
    at = f"{generation.slot.start:%Y-%m-%d %H:%M}"
    moved_to = f"the start changed to {at}"
    if generation.kept is not None:
        return _early_run(registration, generation, found, timetable)
    if found is None:
        what = moved_to if generation.changed else f"what was changed in the run of {at}"
        return None, f"{what} is lost: the rules no longer plan the run that it changed"
    slot = generation.slot if generation.changed else found.slot
    # Where only the time was changed, what is nested stayed at its own: it counts from the rule's time.
    base = found.slot if found.slot.exec_date == slot.exec_date else slot
    fresh = nested_plan(timetable, registration.registered, base, found.ties)
    same_date = (generation.slot.exec_date, slot.exec_date)
    nested = nested_on_new_date(generation.nested, fresh, timetable, same_date, by_rule=True)
    after = replace(generation, slot=slot, original=found.slot, ties=found.ties, nested=nested)
    if not generation.changed or found.slot == generation.original:
        return after, ""
    return (
        after,
        f"{moved_to} stays; the rules plan that run at {found.slot.start:%Y-%m-%d %H:%M} now",
    )


def _early_run(
    registration: Registration, generation: Generation, found: Start | None, timetable: Timetable
) -> tuple[Generation, str]:
    """Return a run that was pushed ahead of an original it kept, where that original is somewhere else now."""
    kept = generation.kept
    moved_to = f"the start changed to {generation.slot.start:%Y-%m-%d %H:%M} stays"
    fresh = nested_plan(
        timetable, registration.registered, generation.slot, () if found is None else found.ties
    )
    same_date = (generation.slot.exec_date, generation.slot.exec_date)
    nested = nested_on_new_date(generation.nested, fresh, timetable, same_date, by_rule=True)
    # Nothing is left that it was changed from: it is an added run, and must not hold the floor up behind it.
    alone = replace(
        generation, original=generation.slot, kept=None, ties=(), added=True, nested=nested
    )
    if found is None or kept is None:
        return alone, f"{moved_to}; the original that it kept is gone"
    found_at = found.slot if kept.slot == kept.original else kept.slot
    if not generation.slot < found_at:
        # The original comes before it now: each is a run of its own.
        return (
            alone,
            f"{moved_to}; its original is planned before it, at {found_at.start:%Y-%m-%d %H:%M}",
        )
    still = Kept(slot=found_at, original=found.slot, ties=found.ties)
    after = replace(generation, original=found.slot, kept=still, ties=(), nested=nested)
    return after, ""


def _occurrence(
    registration: Registration, timetable: Timetable, ties: tuple[Tie, ...]
) -> Start | None:
    """Return the start that the rules now give for these occurrences, or None when there is none any more."""
    wanted = set(ties)
    if not wanted:
        return None
    last = max(tie.day for tie in wanted) + LOOK_BEHIND
    since = min(tie.day for tie in wanted) - LOOK_BEHIND
    for start in timetable.starts(registration.registered, since, catch_up=registration.catch_up):
        if wanted & set(start.ties):
            return start
        if start.slot.exec_date > last:
            return None
    return None
