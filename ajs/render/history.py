"""The operation log and what operations changed, as words and as JSON."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from typing import Any

from ajs.agents import LIMIT, SSH_PORT, AgentKind
from ajs.operations.history import Entry
from ajs.operations.row_changes import RowChange
from ajs.operations.times import happened_at
from ajs.operations.undo import Undone
from ajs.render.columns import Cell, aligned, block, drawn
from ajs.render.times import minute, second
from ajs.statuses import Status
from ajs.store.log import Operation

TITLES = ("NO", "WHEN", "WHO", "COMMAND", "REASON", "NOTES")
NUMBER = 0
SHOWN = 100
"""How many changes of one operation the text names before it only counts."""

PHASES = {
    "waiting": "waits",
    "running": "runs",
    "ended": "has ended",
    "prohibited": "is prohibited",
}
WORDS = {
    "run_made": "run made",
    "run_removed": "run taken out of the plan",
    "run_phase": "run",
    "moved": "start",
    "also": "original run too",
    "interrupted": "interrupted",
    "killed": "to be killed",
    "status": "status",
    "hold": "hold",
    "priority": "priority",
    "required_time": "required time",
    "end_delay": "end delay",
    "start_delay": "start delay",
    "prohibition": "prohibited",
    "registration": "registration",
    "generations": "future generations",
    "passed_by": "runs passed by up to",
    "plan": "plan",
    "unit_added": "added",
    "unit_removed": "removed",
    "renamed": "renamed",
    "definition": "definition",
    "comment": "comment",
    "calendar": "calendar changed",
    "order": "order changed",
    "planning_group": "planning group",
    "agent_added": "agent added",
    "agent_removed": "agent removed",
    "agent_group_added": "agent group added",
    "agent_group_removed": "agent group removed",
    "destination_added": "destination added",
    "destination_removed": "destination removed",
    "host": "host",
    "port": "port",
    "agent_port": "agent_port",
    "user": "user",
    "key": "key",
    "host_keys": "host_keys",
    "host_ca": "host_ca",
    "principals": "principals",
    "limit": "limit",
    "job_folder": "job_folder",
    "members": "members",
}
"""Everything that an operation can change, as it is called."""
NOTHING = {
    "hold": "as defined",
    "priority": "as defined",
    "required_time": "as defined",
    "end_delay": "as defined",
    "start_delay": "as defined",
    "registration": "none",
    "also": "no",
    "moved": "with its upper jobnet, or not at all",
    "generations": "none",
    "passed_by": "none",
    "comment": "none",
    "port": str(SSH_PORT),
    "agent_port": "as reported",
    "key": "ssh-agent",
    "limit": str(LIMIT),
    "job_folder": "the usual place",
}
"""How "nothing" reads on one side of a change."""
SIDELESS = frozenset(
    {
        *("killed", "unit_added", "unit_removed", "calendar", "order", "plan"),
        *(f"{kind.value}_{what}" for kind in AgentKind for what in ("added", "removed")),
    }
)


def as_text(operations: Sequence[Operation]) -> str:
    """Return one line an operation."""
    if not operations:
        return "no operations"
    rows = [_cells(operation) for operation in operations]
    return "\n".join(aligned(TITLES, rows, right=frozenset({NUMBER})))


def as_table(operations: Sequence[Operation]) -> str:
    """Return the operations as a drawn table."""
    return drawn(TITLES, [_cells(operation) for operation in operations])


def typed(command: Sequence[str]) -> str:
    """Return a command as it can be typed again."""
    return " ".join(
        word if re.fullmatch(r"[\w@%+=:,./-]+", word) else shlex.quote(word) for word in command
    )


def _without_reason(command: Sequence[str]) -> Sequence[str]:
    """Return a command without its reason, which the list has a column for."""
    if "--reason" not in command:
        return command
    at = command.index("--reason")
    return (*command[:at], *command[at + 2 :])


def _cells(operation: Operation) -> tuple[Cell, ...]:
    return (
        Cell(str(operation.id)),
        Cell(minute(operation.at_wall)),
        Cell(operation.os_user),
        Cell(typed(_without_reason(operation.command)) or operation.verb),
        Cell(operation.reason),
        Cell(_undoing(operation)),
    )


def _undoing(operation: Operation) -> str:
    if operation.undone_by is not None:
        return f"undone by {operation.undone_by}"
    return "" if operation.undoes is None else f"undoes {operation.undoes}"


def entry_text(entry: Entry) -> str:
    """Return one operation in full: who, when, why, the exact command, and everything that it changed."""
    operation = entry.operation
    lines = block(
        [
            ("Operation", str(operation.id)),
            ("When", second(operation.at_wall)),
            ("Who", operation.os_user),
            ("Command", typed(operation.command) or operation.verb),
            ("Reason", operation.reason),
            ("Note", _undoing(operation)),
        ]
    )
    gone = operation.summary.get("results", 0)
    deleted = [f"{gone} result{' was' if gone == 1 else 's were'} deleted"] if gone else []
    changed = changes_text(entry.changes) if entry.changes or not deleted else []
    return "\n".join([*lines, "", *changed, *deleted])


def undone_text(undone: Undone, *, dry_run: bool) -> str:
    """Return what was taken back, or would be."""
    lines = changes_text(undone.changes)
    lines += [f"{name} starts at once: its time has passed today" for name in undone.at_once]
    operation = undone.undone
    what = f"operation {operation.id} ({typed(operation.command) or operation.verb})"
    if dry_run:
        return "\n".join([*lines, f"dry run, nothing was changed; this would undo {what}"])
    return "\n".join([*lines, f"undid {what} as operation {undone.operation}"])


def changes_text(changes: Sequence[RowChange]) -> list[str]:
    """Return changes as aligned lines: unit, run, what, before -> after."""
    if not changes:
        return ["nothing was changed"]
    lines = aligned((), [_change(change) for change in changes[:SHOWN]])
    if len(changes) > SHOWN:
        lines.append(f"... and {len(changes) - SHOWN} more; --format json lists all")
    return lines


def _change(change: RowChange) -> tuple[Cell, ...]:
    return (Cell(change.unit), Cell(change.run), Cell(change_words(change)))


def change_words(change: RowChange) -> str:
    """Return what was changed and from what to what.

    >>> change_words(RowChange(what="moved", unit="/a", before="2026-08-11T22:00:00", after="2026-08-11T23:00:00"))
    'start 2026-08-11 22:00 -> 2026-08-11 23:00'
    """
    words = WORDS[change.what]
    if change.what in SIDELESS:
        return words
    if change.what in ("run_made", "run_removed"):
        return f"{words}: {_side(change.what, change.before or change.after)}"
    return f"{words} {_side(change.what, change.before)} -> {_side(change.what, change.after)}"


def _side(what: str, text: str) -> str:
    if not text:
        return NOTHING.get(what, "none")
    if what == "run_phase":
        return PHASES[text]
    if what == "status":
        return Status[text].text
    if what in ("moved", "run_made", "run_removed", "also", "passed_by"):
        start, _, exec_date = text.partition(" ")
        return minute(start) + (f" (execution date {exec_date})" if exec_date else "")
    return repr(text) if what == "comment" else text


def as_json(service: str, operations: Sequence[Operation]) -> str:
    """Return the operations for machines; ``schemas`` has the JSON Schema."""
    return _dumped(
        {
            "format": 1,
            "service": service,
            "operations": [operation_json(operation) for operation in operations],
        }
    )


def entry_json(service: str, entry: Entry) -> str:
    """Return one operation in full for machines."""
    found = operation_json(entry.operation) | {
        "touched": list(entry.touched),
        "changes": changes_json(entry.changes),
    }
    return _dumped({"format": 1, "service": service, "operation": found})


def undone_json(service: str, undone: Undone) -> str:
    """Return what was taken back for machines; ``operation`` is null for a dry run."""
    return _dumped(
        {
            "format": 1,
            "service": service,
            "operation": undone.operation or None,
            "undone": operation_json(undone.undone),
            "changes": changes_json(undone.changes),
            "at_once": list(undone.at_once),
        }
    )


def operation_json(operation: Operation) -> dict[str, Any]:
    """Return one operation as plain data."""
    return {
        "operation": operation.id,
        "at": happened_at(operation.at_wall, operation.at_utc),
        "at_utc": operation.at_utc,
        "user": operation.os_user,
        "verb": operation.verb,
        "command": list(operation.command),
        "reason": operation.reason,
        "undoes": operation.undoes,
        "undone_by": operation.undone_by,
        "summary": dict(operation.summary),
    }


def changes_json(changes: Sequence[RowChange]) -> list[dict[str, Any]]:
    """Return changes as plain data."""
    return [
        {
            "change": change.what,
            "unit": change.unit,
            "execution_id": change.run or None,
            "before": change.before or None,
            "after": change.after or None,
            "text": change_words(change),
        }
        for change in changes
    ]


def _dumped(found: dict[str, Any]) -> str:
    return json.dumps(found, ensure_ascii=False, indent=2)
