"""What ``ajsdefine`` did or would do, as words and as JSON."""

from __future__ import annotations

import json

from ajs.operations.define import DefineResult, PlanDiff
from ajs.render.change import place, slot_json, undo
from ajs.store.agents import Named

SHOWN = 30
"""How many names of one kind the text lists before it only counts."""


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
        lines.append(f"nothing changes: {defined.unchanged} definitions are as they are stored")
    elif dry_run:
        lines.append(f"dry run, nothing was stored; runs were compared up to {result.until}")
    else:
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
    lines = [f"plan     {diff.path}"]
    lines += [f"           moves    {place(old)} -> {place(new)}" for old, new in diff.move]
    lines += [f"           appears  {place(slot)}" for slot in diff.appear[:SHOWN]]
    lines += [f"           vanishes {place(slot)}" for slot in diff.vanish[:SHOWN]]
    lines += [f"           note     {note}" for note in diff.notes]
    return lines


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
