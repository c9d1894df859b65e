"""What ``ajsplan`` did or would do, as words and as JSON."""

from __future__ import annotations

import json
from typing import Any

from ajs.changes.preview import Effect
from ajs.operations.change import Changed
from ajs.schedule import Slot
from ajs.store.numbers import execution_id

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
}


def as_text(changed: Changed, *, service: str, dry_run: bool) -> str:
    """Return one line an effect, and what to do next."""
    effects = [e for root in changed.roots for e in root.effects]
    lines = table(effects[:SHOWN])
    if len(effects) > SHOWN:
        lines.append(f"... and {len(effects) - SHOWN} more; --format json lists all")
    if not effects:
        return "nothing changes: everything is so already"
    roots = len(changed.roots)
    what = f"{roots} root jobnet{'s' if roots != 1 else ''}"
    if dry_run:
        lines.append(
            f"dry run, nothing was changed ({what}); to do exactly this: --if-plan {changed.token}"
        )
    else:
        lines.append(f"changed {what}; {undo(service, changed.operation)}")
    return "\n".join(lines)


def undo(service: str, operation: int) -> str:
    """Return what to type to take an operation back."""
    return f"to take it back: ajs undo -F {service} {operation}"


def table(effects: list[Effect]) -> list[str]:
    """Return effects as aligned lines: unit, run, what happens, from, to, why."""
    rows = [_row(e) for e in effects]
    if not rows:
        return []
    widths = [max(len(row[n]) for row in rows) for n in range(5)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        line = "  ".join(cells)
        lines.append(f"{line}  {row[5]}".rstrip())
    return lines


def _row(effect: Effect) -> tuple[str, str, str, str, str, str]:
    run = execution_id(effect.generation) if effect.generation else "dummy"
    before, after = place(effect.before), place(effect.after)
    arrow = f"-> {after}" if before and after and before != after else after if not before else ""
    why = f"({effect.why})" if effect.why else ""
    return (effect.unit, run, WORDS[effect.kind], before, arrow, why)


def place(slot: Slot | None) -> str:
    """Return a slot as clock time, with its execution date where that is another day."""
    if slot is None:
        return ""
    text = f"{slot.start:%Y-%m-%d %H:%M}"
    if slot.start.date() != slot.exec_date:
        text += f" (execution date {slot.exec_date})"
    return text


def as_json(changed: Changed) -> str:
    """Return the whole result for machines."""
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
    }


def slot_json(slot: Slot | None) -> dict[str, str] | None:
    """Return a slot as plain data."""
    if slot is None:
        return None
    return {"start": slot.start.isoformat(), "execution_date": slot.exec_date.isoformat()}
