"""What a change does, run by run: old and new place, what appears, what vanishes, and why.

The same effects come out of the dry run and of the real command; they are made by comparing the plan before with the
plan after, so nothing can be forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from ajs.attributes import AS_DEFINED, NOTHING_SET, Attributes
from ajs.plan import Generation, NestedPlan, Phase, RootPlan, after_floor, coming
from ajs.schedule import Slot, Start, Timetable


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One thing that a command changes.

    ``kind`` is a word for machines: ``moved``, ``appears``, ``vanishes``, ``prohibited``, ``restored``, ``held``,
    ``released``, or an attribute that has a new ``value``: ``priority``, ``start_delay``, ``end_delay``,
    ``required_time``. ``unit`` is a full path, ``generation`` the number of the run or 0 for one that is not made yet
    or is a dummy. ``before`` and ``after`` are (clock start, execution date) where there is one.
    """

    kind: str
    unit: str
    generation: int
    before: Slot | None = None
    after: Slot | None = None
    why: str = ""
    value: str = ""


def effects(
    root: str, before: RootPlan, after: RootPlan, timetable: Timetable
) -> tuple[Effect, ...]:
    """Return everything that differs between two plans of one root, earlier runs first."""
    found = [*_generations(root, before, after), *_dummies(root, before, after, timetable)]
    found.sort(key=_when)
    return tuple(found)


def _when(effect: Effect) -> tuple[datetime, str]:
    slot = effect.after or effect.before
    return (slot.start if slot else datetime.max, effect.unit)


def _generations(root: str, before: RootPlan, after: RootPlan) -> Iterator[Effect]:
    old = {g.id: g for g in before.generations}
    new = {g.id: g for g in after.generations}
    for number, was in old.items():
        now = new.get(number)
        if now is None:
            if was.phase is Phase.WAITING:
                why = "a dummy of the rules again" if was.ties else "taken out of the plan"
                yield Effect(
                    kind="vanishes", unit=root, generation=number, before=was.slot, why=why
                )
        elif was != now:
            yield from _one(root, was, now)
    for made in (g for g in after.generations if g.id not in old):
        why = "added run" if made.added else "becomes the next run"
        yield Effect(kind="appears", unit=root, generation=made.id, after=made.slot, why=why)
        yield from _handed_on(root, made)


def _one(root: str, was: Generation, now: Generation) -> Iterator[Effect]:
    number = was.id
    if was.phase is not now.phase:
        kind = "prohibited" if now.phase is Phase.PROHIBITED else "restored"
        yield Effect(kind=kind, unit=root, generation=number, before=was.slot, after=now.slot)
    elif was.slot != now.slot:
        why = "" if now.kept is None else "the original stays too"
        yield Effect(
            kind="moved", unit=root, generation=number, before=was.slot, after=now.slot, why=why
        )
    for path in sorted({*was.nested, *now.nested}):
        yield from _nested(f"{root}/{path}", path, was, now)
    for path in sorted(set(was.holds) | set(now.holds)):
        if was.holds.get(path) != now.holds.get(path):
            on = now.holds.get(path, not was.holds.get(path))
            yield _hold(root, path, now, on=on)
    for path in sorted(set(was.attributes) | set(now.attributes)):
        yield from _attributes(root, path, was.attributes.get(path, NOTHING_SET), now)
    for path in sorted(was.prohibited ^ now.prohibited):
        kind = "prohibited" if path in now.prohibited else "restored"
        yield Effect(kind=kind, unit=f"{root}/{path}", generation=number, after=now.slot)


def _hold(root: str, path: str, run: Generation, *, on: bool, why: str = "") -> Effect:
    return Effect(
        kind="held" if on else "released",
        unit=f"{root}/{path}" if path else root,
        generation=run.id,
        after=run.slot,
        why=why,
    )


def _attributes(
    root: str, path: str, was: Attributes, run: Generation, why: str = ""
) -> Iterator[Effect]:
    """Yield what is set anew for one unit."""
    old, new = was.texts, run.attributes.get(path, NOTHING_SET).texts
    for name in old:
        if old[name] != new[name]:
            yield Effect(
                kind=name,
                unit=f"{root}/{path}" if path else root,
                generation=run.id,
                after=run.slot,
                why=why,
                value=new[name] or AS_DEFINED,
            )


def _handed_on(root: str, made: Generation) -> Iterator[Effect]:
    """Yield the temporary changes that a run has from its beginning: copied, or handed on by the run before it."""
    why = "copied to it" if made.added else "handed on to it"
    for path, on in sorted(made.holds.items()):
        yield _hold(root, path, made, on=on, why=why)
    for path in sorted(made.attributes):
        yield from _attributes(root, path, NOTHING_SET, made, why)
    off = made.prohibited | {path for path, nested in made.nested.items() if nested.prohibited}
    for path in sorted(off):
        yield Effect(
            kind="prohibited", unit=f"{root}/{path}", generation=made.id, after=made.slot, why=why
        )
    for path, nested in sorted(made.nested.items()):
        if nested.fixed and nested.start != nested.original:
            before = None if nested.original is None else Slot(nested.original, made.slot.exec_date)
            yield Effect(
                kind="moved",
                unit=f"{root}/{path}",
                generation=made.id,
                before=before,
                after=_nested_slot(made, nested),
                why=why,
            )


def _nested(name: str, path: str, was: Generation, now: Generation) -> Iterator[Effect]:
    old, new = was.nested.get(path), now.nested.get(path)
    old_at, new_at = _nested_slot(was, old), _nested_slot(now, new)
    if old is not None and new is not None and old.prohibited is not new.prohibited:
        kind = "prohibited" if new.prohibited else "restored"
        yield Effect(kind=kind, unit=name, generation=was.id, before=old_at, after=new_at)
    elif old_at == new_at:
        return
    elif old_at is None:
        yield Effect(
            kind="appears",
            unit=name,
            generation=was.id,
            after=new_at,
            why=f"its rules plan it on {now.slot.exec_date}",
        )
    elif new_at is None:
        if new is not None and new.depends:
            yield Effect(
                kind="moved",
                unit=name,
                generation=was.id,
                before=old_at,
                after=now.slot,
                why="it follows its upper jobnet",
            )
        else:
            yield Effect(
                kind="vanishes",
                unit=name,
                generation=was.id,
                before=old_at,
                why=f"its rules do not plan it on {now.slot.exec_date}",
            )
    else:
        yield Effect(kind="moved", unit=name, generation=was.id, before=old_at, after=new_at)


def _nested_slot(generation: Generation, nested: NestedPlan | None) -> Slot | None:
    if nested is None or nested.start is None:
        return None
    return Slot(nested.start, generation.slot.exec_date)


def _dummies(
    root: str, before: RootPlan, after: RootPlan, timetable: Timetable
) -> Iterator[Effect]:
    """Yield the dummies that are lost or come back, as far ahead as the change reaches."""
    touched = [
        slot
        for was, now in _pairs(before, after)
        for slot in (was.slot, now.slot, now.original)
        if was != now
    ]
    if not touched:
        return
    reach = max(slot.start for slot in touched) + timedelta(minutes=1)
    starts: tuple[Start, ...] | None = None
    if before.registration.floor == after.registration.floor:
        # The rules give the same to both; asking them is what takes the time.
        starts = tuple(_up_to(reach, after_floor(before.registration, timetable)))
    old = _planned(before, timetable, reach, starts)
    new = _planned(after, timetable, reach, starts)
    for slot in sorted(old - new, key=lambda s: s.start):
        yield Effect(
            kind="vanishes",
            unit=root,
            generation=0,
            before=slot,
            why="the moved run passes it",
        )
    for slot in sorted(new - old, key=lambda s: s.start):
        yield Effect(
            kind="appears", unit=root, generation=0, after=slot, why="the rules plan it again"
        )


def _pairs(before: RootPlan, after: RootPlan) -> list[tuple[Generation, Generation]]:
    new = {g.id: g for g in after.generations}
    return [(g, new.get(g.id, g)) for g in before.generations]


def _up_to(reach: datetime, starts: Iterable[Start]) -> Iterator[Start]:
    return takewhile(lambda s: s.slot.start <= reach, starts)


def _planned(
    plan: RootPlan, timetable: Timetable, reach: datetime, starts: Iterable[Start] | None
) -> set[Slot]:
    """Return where the rules have a run up to ``reach``: real ones at their original place, and dummies."""
    slots = {s.slot for s in _up_to(reach, coming(plan, timetable, starts))}
    return slots | {g.original for g in plan.generations if g.original.start <= reach}
