"""What ``ajsdefine`` did or would do, as words and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from ajs.operations.define import DefineResult, Rebased
from ajs.operations.plan_diff import NestedDiff, PlanDiff
from ajs.render.change import place, slot_json, undo
from ajs.render.check import lint_json, lint_lines
from ajs.schedule import Slot
from ajs.store.agents import Named

SHOWN = 30
"""How many names of one kind the text lists before it only counts."""
PLANS = 20
"""How many plans the text tells of before it only counts."""
MANY = 3
"""From how many runs on that move equally far the text tells them in one line."""


def as_text(result: DefineResult, *, service: str, dry_run: bool) -> str:
    """Return what was added and changed, what that does to the coming runs, and how to take it back."""
    defined = result.defined
    lines = [
        *_list("added", [f"{kind.text} {name}" for kind, name in defined.agents_added]),
        *_list("changed", [f"{kind.text} {name}" for kind, name in defined.agents_changed]),
        *_list("added", defined.added),
        *_list("changed", defined.changed),
        *_list("renamed", [f"{old} -> {new}" for old, new in defined.renamed]),
        *_list("removed", defined.units_removed),
        *_list("note", [_not_renamed(old, new) for old, new in defined.not_renamed]),
    ]
    for diff in result.plans[:PLANS]:
        lines += _plan(diff)
    if len(result.plans) > PLANS:
        lines.append(f"plan     ... and {len(result.plans) - PLANS} more; --format json lists all")
        lines.append(f"in all   {_totals(result.plans)}")
    for one in result.rebased:
        lines += _rebased(one)
    lines += lint_lines(result.lints, every=False)
    changed = bool(lines)
    if not changed:
        same = defined.unchanged
        what = "1 definition is as it is" if same == 1 else f"{same} definitions are as they are"
        lines.append(f"nothing changes: {what} stored")
    elif dry_run:
        lines.append(f"dry run, nothing was stored; runs were compared up to {result.until}")
    else:
        if result.followed:
            lines.append(f"runs were compared up to {result.until}")
        lines.append(f"stored; {undo(service, result.operation)}")
    return "\n".join(lines)


def _rebased(one: Rebased) -> list[str]:
    count = "1 registered root jobnet" if one.roots == 1 else f"{one.roots} registered root jobnets"
    return [
        f"warn  {one.group}: the {one.what} changes under {count}: runs can come twice or be left out",
        "      better cancel the registrations first (ajsleave), and register anew afterwards",
    ]


def _not_renamed(old: str, new: str) -> str:
    return f"{new}: was: names {old}, which is not there; nothing was renamed"


def _list(what: str, names: tuple[str, ...] | list[str]) -> list[str]:
    shown = [f"{what:<8} {name}" for name in names[:SHOWN]]
    if len(names) > SHOWN:
        shown.append(f"{what:<8} ... and {len(names) - SHOWN} more")
    return shown


def _plan(diff: PlanDiff) -> list[str]:
    """Return what happens to a plan's runs, earlier ones first.

    Equal moves are one line, and many runs of one day, so that others are seen.
    """
    told = [
        *_moves(diff.move),
        *_of_days("appears ", diff.appear),
        *_of_days("vanishes", diff.vanish),
    ]
    told.sort(key=lambda line: line[0])
    lines = [text for _, text in told[:SHOWN]]
    if len(told) > SHOWN:
        lines.append(f"... and {len(told) - SHOWN} more; --format json lists all")
    lines += _lower(diff.nested)
    lines += [f"note     {note}" for note in diff.notes]
    return [f"plan     {diff.path}", *(f"           {line}" for line in lines)]


def _of_days(what: str, slots: Sequence[Slot]) -> Iterator[tuple[datetime, str]]:
    """Yield a line for each run, or for many of one execution date, with the start by which it is sorted."""
    by_day: dict[date, list[Slot]] = {}
    for slot in slots:
        by_day.setdefault(slot.exec_date, []).append(slot)
    for day, runs in by_day.items():
        if len(runs) < MANY:
            yield from ((slot.start, f"{what} {place(slot)}") for slot in runs)
            continue
        first, last = runs[0].start, runs[-1].start
        yield first, f"{what} {len(runs)} runs of {day}, {first:%H:%M} to {last:%H:%M}"


def _totals(plans: Sequence[PlanDiff]) -> str:
    """Return how many runs appear, vanish and move in all."""
    counts = {
        "appear": sum(len(diff.appear) for diff in plans),
        "vanish": sum(len(diff.vanish) for diff in plans),
        "move": sum(len(diff.move) for diff in plans),
        "change inside": sum(len({one.run for one in diff.nested}) for diff in plans),
    }
    told = ", ".join(f"{count:,} {what}" for what, count in counts.items())
    return f"runs of {len(plans):,} root jobnets: {told}"


def _lower(nested: Sequence[NestedDiff]) -> Iterator[str]:
    """Yield a line for each way in which a nested jobnet changes inside the runs of its root."""
    alike: dict[tuple[str, str], list[NestedDiff]] = {}
    for one in nested:
        alike.setdefault((one.unit, _inside(one)), []).append(one)
    for (unit, what), runs in alike.items():
        first = runs[0]
        at = " -> ".join(f"{t:%Y-%m-%d %H:%M}" for t in (first.before, first.after) if t)
        count = "in 1 run" if len(runs) == 1 else f"in {len(runs)} runs"
        yield f"inside   {unit} {what} {count}, {at}{' first' if len(runs) > 1 else ''}"


def _inside(one: NestedDiff) -> str:
    if one.before is None or one.after is None:
        return "vanishes" if one.after is None else "appears"
    return f"moves by {_signed(one.after - one.before)}"


def _moves(moves: Sequence[tuple[Slot, Slot]]) -> Iterator[tuple[datetime, str]]:
    """Yield a line for each move, or for many that go equally far, with the start by which it is sorted."""
    by_shift: dict[timedelta, list[tuple[Slot, Slot]]] = {}
    for old, new in moves:
        by_shift.setdefault(new.start - old.start, []).append((old, new))
    for shift, equal in by_shift.items():
        if len(equal) < MANY:
            for old, new in equal:
                yield old.start, _moved(old, new)
            continue
        old, new = equal[0]
        first = f"{place(old)} -> {place(new)} first"
        if not shift:
            dates = f"{old.exec_date} -> {new.exec_date}"
            yield old.start, f"{len(equal)} runs get another execution date, {dates} first"
            continue
        yield old.start, f"{len(equal)} runs move by {_signed(shift)}, {first}"


def _moved(old: Slot, new: Slot) -> str:
    if old.start != new.start:
        return f"moves    {place(old)} -> {place(new)}"
    return f"stays    {old.start:%Y-%m-%d %H:%M}, execution date {old.exec_date} -> {new.exec_date}"


def _signed(shift: timedelta) -> str:
    """Return a shift in hours and minutes.

    >>> _signed(timedelta(hours=26)), _signed(timedelta(minutes=-90))
    ('+26:00', '-1:30')
    """
    minutes = int(abs(shift).total_seconds()) // 60
    return f"{'-' if shift < timedelta() else '+'}{minutes // 60}:{minutes % 60:02}"


def as_json(result: DefineResult) -> str:
    """Return the whole result for machines."""
    defined = result.defined
    found = {
        "format": 1,
        "operation": result.operation or None,
        "added": list(defined.added),
        "changed": list(defined.changed),
        "renamed": [{"old": old, "new": new} for old, new in defined.renamed],
        "not_renamed": [{"old": old, "new": new} for old, new in defined.not_renamed],
        "removed": list(defined.units_removed),
        "agents_added": _agents(defined.agents_added),
        "agents_changed": _agents(defined.agents_changed),
        "unchanged": defined.unchanged,
        "compared_until": result.until.isoformat(),
        "plans": [
            {
                "unit": diff.path,
                "appear": [slot_json(s) for s in diff.appear],
                "vanish": [slot_json(s) for s in diff.vanish],
                "move": [{"before": slot_json(a), "after": slot_json(b)} for a, b in diff.move],
                "nested": [_nested_json(one) for one in diff.nested],
                "notes": list(diff.notes),
            }
            for diff in result.plans
        ],
        "rebased": [
            {"group": one.group, "what": one.what, "roots": one.roots} for one in result.rebased
        ],
        "lints": [lint_json(one) for one in result.lints],
    }
    return json.dumps(found, ensure_ascii=False, indent=2)


def _nested_json(one: NestedDiff) -> dict[str, object]:
    return {
        "unit": one.unit,
        "run": slot_json(one.run),
        "before": None if one.before is None else one.before.isoformat(timespec="seconds"),
        "after": None if one.after is None else one.after.isoformat(timespec="seconds"),
    }


def _agents(named: tuple[Named, ...]) -> list[dict[str, str]]:
    return [{"kind": kind.value, "name": name} for kind, name in named]
