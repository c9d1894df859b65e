"""What ``ajsdefine`` did or would do, as words and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from ajs.operations.define import DefineResult, PlanDiff
from ajs.render.change import place, slot_json, undo
from ajs.schedule import Slot
from ajs.store.agents import Named

SHOWN = 30
"""How many names of one kind the text lists before it only counts."""
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
    for diff in result.plans:
        lines += _plan(diff)
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


def _not_renamed(old: str, new: str) -> str:
    return f"{new}: was: names {old}, which is not there; nothing was renamed"


def _list(what: str, names: tuple[str, ...] | list[str]) -> list[str]:
    shown = [f"{what:<8} {name}" for name in names[:SHOWN]]
    if len(names) > SHOWN:
        shown.append(f"{what:<8} ... and {len(names) - SHOWN} more")
    return shown


def _plan(diff: PlanDiff) -> list[str]:
    """Return what happens to a plan's runs, earlier ones first; equal moves are one line, so that others are seen."""
    told = [
        *_moves(diff.move),
        *((slot.start, f"appears  {place(slot)}") for slot in diff.appear),
        *((slot.start, f"vanishes {place(slot)}") for slot in diff.vanish),
    ]
    told.sort(key=lambda line: line[0])
    lines = [text for _, text in told[:SHOWN]]
    if len(told) > SHOWN:
        lines.append(f"... and {len(told) - SHOWN} more; --format json lists all")
    lines += [f"note     {note}" for note in diff.notes]
    return [f"plan     {diff.path}", *(f"           {line}" for line in lines)]


def _moves(moves: Sequence[tuple[Slot, Slot]]) -> Iterator[tuple[datetime, str]]:
    """Yield a line for each move, or for many that go equally far, with the start by which it is sorted."""
    by_shift: dict[timedelta, list[tuple[Slot, Slot]]] = {}
    for old, new in moves:
        by_shift.setdefault(new.start - old.start, []).append((old, new))
    for shift, equal in by_shift.items():
        if len(equal) < MANY:
            for old, new in equal:
                yield old.start, f"moves    {place(old)} -> {place(new)}"
            continue
        old, new = equal[0]
        first = f"{place(old)} -> {place(new)} first"
        yield old.start, f"{len(equal)} runs move by {_signed(shift)}, {first}"


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
                "notes": list(diff.notes),
            }
            for diff in result.plans
        ],
    }
    return json.dumps(found, ensure_ascii=False, indent=2)


def _agents(named: tuple[Named, ...]) -> list[dict[str, str]]:
    return [{"kind": kind.value, "name": name} for kind, name in named]
