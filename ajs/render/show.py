"""``ajsshow``'s page: one line for each unit and generation, as aligned text, as a drawn table and as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ajs.operations.show import KINDS, Line, Mark, Page
from ajs.render.columns import Cell, Paint, drawn, fitted, unpainted
from ajs.render.times import near
from ajs.statuses import (
    BAD,
    ENDED_WELL,
    RUNNING,
    UNREGISTERED,
    UNREGISTERED_TEXT,
    Status,
)
from ajs.store.units import GROUP, ROOT

if TYPE_CHECKING:
    from ajs.agents import AgentIdentity

TITLES = ("UNIT", "EXEC ID", "EXEC DATE", "STATUS", "START", "END", "RC", "NOTES")
RETURN_CODE = 6

NOTES: dict[str, Callable[[str, str], str]] = {
    "moved": lambda at, day: f"changed from {near(at, day)}" if at else "time changed",
    "added": lambda _at, _day: "added run",
    "also": lambda at, day: f"runs at {near(at, day)} too",
    "held": lambda _at, _day: "held",
    "released": lambda _at, _day: "released from hold",
    "hold": lambda _at, _day: "hold by definition",
    "held_after": lambda run, _day: f"held because of how {run} ended",
    "priority": lambda value, _day: f"priority {value}",
    "start_delay": lambda value, _day: f"start delay {value}",
    "end_delay": lambda value, _day: f"end delay {value}",
    "required_time": lambda value, _day: f"required time {value}",
    "start_delayed": lambda _value, _day: "start delayed",
    "end_delayed": lambda _value, _day: "end delayed",
    "prohibited": lambda _at, _day: "execution prohibited",
    "prohibited_run": lambda at, day: f"run of {near(at, day)} prohibited",
    "going_too": lambda count, _day: f"{count} more going on",
    "waiting_too": lambda count, _day: f"{count} more waiting",
    "interrupted": lambda _at, _day: "interrupted",
    "kill_asked": lambda _at, _day: "being killed",
    "killed": lambda _at, _day: "killed",
    "agent": lambda where, _day: f"on {where}",
    "silent": lambda at, day: f"no contact since {near(at, day)}",
    "new": lambda _at, _day: "defined after this run started",
    "undefined": lambda _at, _day: "no longer defined",
}
"""What each mark is called."""


def as_text(page: Page, *, title: bool = True, paint: Paint = unpainted, most: int = 0) -> str:
    """Return the page as aligned lines; ``title`` puts the names of the columns above them.

    ``most`` is how many places a line may take, 0 any number.
    """
    return "\n".join(
        fitted(
            TITLES if title else (),
            [cells(line) for line in page.lines],
            most,
            right=frozenset({RETURN_CODE}),
            paint=paint,
        )
    )


def as_table(page: Page) -> str:
    """Return the page as a drawn table."""
    return drawn(TITLES, [cells(line) for line in page.lines])


def cells(line: Line) -> tuple[Cell, ...]:
    """Return what stands in the columns for one line."""
    row = line.generation
    day = row.exec_date if row is not None else ""
    start = line.started or line.planned
    own = row is not None and (line.kind == ROOT or not line.depth)
    # Said once, at the root jobnet: nothing below it can be registered by itself.
    status = "" if line.status == UNREGISTERED and line.depth and line.kind != ROOT else line.status
    return (
        Cell(label(line)),
        Cell(row.execution_id if row is not None and own else ""),
        Cell(day if own else ""),
        Cell(status_text(status), style(status)),
        Cell(near(start, day)),
        Cell(near(line.ended, line.started or day)),
        Cell("" if line.return_code is None else str(line.return_code)),
        Cell(", ".join(note(mark, day) for mark in line.marks)),
    )


def label(line: Line) -> str:
    """Return the unit's full name, or its own one indented below its upper unit; job groups end in a slash."""
    name = f"{'  ' * line.depth}{line.name}" if line.depth else line.unit
    return f"{name}/" if line.kind == GROUP and name != "/" else name


def note(mark: Mark, day: str) -> str:
    """Return a mark in words."""
    text = NOTES[mark.what](mark.value, day)
    return f"{text}, by {mark.by}" if mark.by else text


def status_text(status: str) -> str:
    """Return a status as people read it."""
    if status == UNREGISTERED:
        return UNREGISTERED_TEXT
    return Status[status].text if status else ""


def style(status: str) -> str:
    """Return the style in which a terminal shows a status."""
    if not status or status in (UNREGISTERED, "NOPLAN"):
        return "dim"
    known = Status[status]
    if known in BAD:
        return "bad"
    if known.name in ("WARNING", "WACONT"):
        return "warning"
    if known is Status.HOLDING:
        return "held"
    if known in RUNNING:
        return "running"
    return "good" if known in ENDED_WELL else ""


def as_json(page: Page) -> str:
    """Return the page for machines; ``schemas`` has its JSON Schema."""
    import json

    found = {
        "format": 1,
        "service": page.service,
        "units": [line_json(line) for line in page.lines],
    }
    return json.dumps(found, ensure_ascii=False, indent=2)


def agent_json(agent: AgentIdentity, relay: str) -> dict[str, Any]:
    """Return who an agent is, and the relay agent that led to it, as plain data."""
    return agent._asdict() | {"relay": relay or None}


def line_json(line: Line) -> dict[str, Any]:
    """Return one line as plain data."""
    row, registration = line.generation, line.registration
    status = {"status": line.status or None, "status_text": status_text(line.status) or None}
    found: dict[str, Any] = {
        "unit": line.unit,
        "name": line.name,
        "kind": KINDS[line.kind],
        "comment": line.comment,
        "registered": None if line.kind == GROUP else registration is not None,
        "registration_method": None if registration is None else registration.method,
        "future_generations": None if registration is None else registration.future,
        **status,
        "execution_id": None,
        "registration_number": None,
        "execution_date": None,
        "original_execution_date": None,
    }
    if row is not None:
        found |= {
            "execution_id": row.execution_id,
            "registration_number": row.registration_number,
            "execution_date": row.exec_date,
            "original_execution_date": row.original_exec_date,
        }
    return found | {
        "planned_start": line.planned or None,
        "original_start": line.original or None,
        "started": line.started or None,
        "ended": line.ended or None,
        "return_code": line.return_code,
        "priority": line.priority,
        "delays": list(line.delays),
        "agent": None if line.agent is None else agent_json(line.agent, line.relay),
        "marks": [
            {
                "mark": mark.what,
                # Where a job runs is said in full beside the marks.
                "value": mark.value or None if mark.what != "agent" else None,
                "text": note(mark, ""),
            }
            for mark in line.marks
        ],
    }
