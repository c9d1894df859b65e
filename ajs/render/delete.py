"""What ``ajsdelete`` did or would do, as words and as JSON."""

from __future__ import annotations

import json

from ajs.operations.delete import Deleted
from ajs.operations.show import KINDS
from ajs.render.change import undo
from ajs.render.columns import shown
from ajs.store.units import GROUP, ROOT

SHOWN = 30
"""How many job groups and root jobnets the text lists before it only counts."""


def as_text(done: Deleted, *, service: str) -> str:
    """Return each job group and root jobnet that went, with how much was below it, and how to take it back."""
    below: dict[int, int] = {}
    for unit in done.units:
        if unit.root is not None and unit.root != unit.id:
            below[unit.root] = below.get(unit.root, 0) + 1
    tops = [unit for unit in done.units if unit.kind in (GROUP, ROOT)]
    lines = []
    for unit in tops[:SHOWN]:
        count = below.get(unit.id, 0)
        inside = f", with {count} unit{'s' if count != 1 else ''} below it" if count else ""
        slash = "/" if unit.kind == GROUP else ""
        lines.append(f"deleted  {shown(unit.path)}{slash}{inside}")
    if len(tops) > SHOWN:
        lines.append(f"deleted  ... and {len(tops) - SHOWN} more; --format json lists all")
    lines.append(
        undo(service, done.operation) if done.operation else "dry run, nothing was deleted"
    )
    return "\n".join(lines)


def as_json(done: Deleted) -> str:
    """Return every unit that went for machines; ``operation`` is null for a dry run."""
    found = {
        "format": 1,
        "operation": done.operation or None,
        "deleted": [{"unit": unit.path, "kind": KINDS[unit.kind]} for unit in done.units],
    }
    return json.dumps(found, ensure_ascii=False, indent=2)
