"""What ``ajsplan`` did or would do, as words and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ajs.changes.preview import Effect
from ajs.operations.change import Changed, RootChanged
from ajs.render.columns import Cell, fitted, width
from ajs.schedule import Slot
from ajs.store.numbers import execution_id

DUMMY = "dummy"
NAMED = 5
"""How many units without anything to change the text names before it only counts."""
SHOWN = 40
"""How many effects the text names before it only counts."""

WORDS = {
    "moved": "moves",
    "appears": "appears",
    "vanishes": "vanishes",
    "prohibited": "prohibited",
    "restored": "comes back",
    "held": "held",
    "released": "released",
    "priority": "priority",
    "required_time": "required time",
    "end_delay": "end delay",
    "start_delay": "start delay",
}


def as_text(changed: Changed, *, service: str, dry_run: bool, most: int = 0) -> str:
    """Return one line an effect, and what to do next.

    ``most`` is how many places a line may take, 0 any number.
    """
    rows = [row for root in changed.roots for row in _rows(root)]
    lines = fitted((), rows[:SHOWN], most)
    if len(rows) > SHOWN:
        lines.append(f"... and {len(rows) - SHOWN} more; --format json lists all")
    if not rows:
        return "nothing changes: everything is so already"
    roots = sum(bool(root.effects) for root in changed.roots)
    what = f"{roots} root jobnet{'s' if roots != 1 else ''}"
    if dry_run:
        lines.append(
            f"dry run, nothing was changed ({what}); to do just this: --if-plan {changed.token}"
        )
    else:
        lines.append(f"changed {what}; {undo(service, changed.operation)}")
    if most and width(lines[-1]) > most:
        lines[-1:] = lines[-1].split("; ")
    return "\n".join(lines)


def refused_lines(changed: Changed) -> list[str]:
    """Return a line for each target that was refused while others were changed."""
    return [f"{path}: {error.code}: {error.message}" for path, error in changed.refused]


def without_lines(changed: Changed) -> list[str]:
    """Return which of the units found had nothing to change, named while they are few."""
    left = changed.without
    if not left:
        return []
    names = ", ".join(path for path, _ in left[:NAMED]) + (", ..." if len(left) > NAMED else "")
    return [f"left out, with nothing to change: {len(left)} unit{'s' * (len(left) != 1)} ({names})"]


def undo(service: str, operation: int) -> str:
    """Return what to type to take an operation back."""
    return f"to take it back: ajs undo -F {service} {operation}"


def _rows(root: RootChanged) -> list[tuple[Cell, ...]]:
    """Return effects run by run: unit, run, what happens, when, why; lower units indented below their root."""
    runs: dict[tuple[int, Slot | None], list[Effect]] = {}
    for effect in root.effects:
        # Every dummy is a run of its own, though none has a number.
        slot = None if effect.generation else effect.before or effect.after
        runs.setdefault((effect.generation, slot), []).append(effect)
    rows: list[tuple[Cell, ...]] = []
    for (number, _), found in runs.items():
        found.sort(key=lambda effect: effect.unit != root.path)
        told = found[0].unit == root.path
        run = execution_id(number) if number else DUMMY
        for at, effect in enumerate(found):
            name = _below(root.path, effect.unit) if told else effect.unit
            why = f"({effect.why})" if effect.why else ""
            rows.append(
                (
                    Cell(name),
                    Cell("" if at else run),
                    Cell(f"{WORDS[effect.kind]} {effect.value}".rstrip()),
                    Cell(
                        "" if effect.unit in root.jobs else _when(effect) + _at_once(root, effect)
                    ),
                    Cell(why),
                )
            )
    return rows


def _at_once(root: RootChanged, effect: Effect) -> str:
    """Return what stands beside a new start that has passed."""
    new = effect.kind in ("moved", "appears", "restored") and effect.unit == root.path
    return ", at once" if new and effect.generation in root.at_once else ""


def _below(root: str, unit: str) -> str:
    """Return a lower unit's path below its root, indented; the root itself by its full name."""
    return unit if unit == root else f"  {unit.removeprefix(root)[1:]}"


def _when(effect: Effect) -> str:
    """Return from when to when; the date is not said twice."""
    before, after = effect.before, effect.after
    if before is None or after is None or before == after:
        return place(after or before)
    to = place(after)
    if before.start.date() == after.start.date():
        to = to[len("2026-08-11 ") :]
    return f"{place(before)} -> {to}"


def place(slot: Slot | None) -> str:
    """Return a slot as clock time, with its execution date where that is another day."""
    if slot is None:
        return ""
    text = f"{slot.start:%Y-%m-%d %H:%M}"
    if slot.start.date() != slot.exec_date:
        text += f" (execution date {slot.exec_date})"
    return text


def as_json(changed: Changed, notes: Sequence[str] = ()) -> str:
    """Return the whole result for machines; ``notes`` are the warnings about the command as a whole."""
    found: dict[str, Any] = {
        "format": 1,
        "operation": changed.operation or None,
        "plan_token": changed.token,
        "roots": [
            {
                "unit": root.path,
                "effects": [effect_json(e) for e in root.effects],
                "notes": list(root.notes),
            }
            for root in changed.roots
        ],
        "refused": [
            {"unit": path, "code": error.code, "message": error.message}
            for path, error in changed.refused
        ],
        "left_out": [
            {"unit": path, "code": error.code, "message": error.message}
            for path, error in changed.without
        ],
        "notes": list(notes),
    }
    return json.dumps(found, ensure_ascii=False, indent=2)


def effect_json(effect: Effect) -> dict[str, Any]:
    """Return one effect as plain data."""
    return {
        "kind": effect.kind,
        "unit": effect.unit,
        "execution_id": execution_id(effect.generation) if effect.generation else None,
        "before": slot_json(effect.before),
        "after": slot_json(effect.after),
        "why": effect.why,
        "value": effect.value or None,
    }


def slot_json(slot: Slot | None) -> dict[str, str] | None:
    """Return a slot as plain data."""
    if slot is None:
        return None
    return {"start": slot.start.isoformat(), "execution_date": slot.exec_date.isoformat()}
