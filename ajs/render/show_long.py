"""``ajsshow -l``: a unit in full, as a block of labels and values and as JSON."""

from __future__ import annotations

import json
from typing import Any

from ajs.agents import remote_place
from ajs.causes import TIMES, Cause
from ajs.operations.show import KINDS, Page
from ajs.operations.show_long import Attempt, Happened, Long
from ajs.operations.times import happened_at
from ajs.render.columns import Cell, Paint, aligned, block, unpainted
from ajs.render.show import agent_json, line_json, note, status_text, style
from ajs.render.times import lasted, minute, second
from ajs.store.show import RegistrationRow
from ajs.store.units import GROUP, ROOT

STATES = {
    "QUEUED": "waits for a place",
    "PLACED": "has a place",
    "STARTED": "runs",
    "ENDED": "has ended",
    "STORED": "has ended",
    "ACKED": "has ended",
    "UNKNOWN": "does not answer",
    "LOST": "lost",
}
"""How far an attempt has come, as far as an operator cares."""


def registered_how(registration: RegistrationRow) -> str:
    """Return the method of a registration, with the number of its future generations where that is what was given."""
    if registration.future is None:
        return registration.method
    runs = "1 run" if registration.future == 1 else f"{registration.future} runs"
    return f"{registration.method}, {runs} ahead"


def as_text(longs: tuple[Long, ...], *, paint: Paint = unpainted) -> str:
    """Return each unit as a block of labels and values, its attempts and the history of its status."""
    return "\n\n".join("\n".join(_one(long, paint)) for long in longs)


def _one(long: Long, paint: Paint) -> list[str]:
    line, row, registration = long.line, long.line.generation, long.line.registration
    pairs = [
        ("Unit", line.unit),
        ("Kind", "flexible job" if line.agent else KINDS[line.kind]),
        ("Comment", line.comment),
    ]
    if line.kind == GROUP:
        return block(pairs)
    registered = "no"
    if registration is not None:
        when = second(registration.registered)
        registered = f"{registered_how(registration)}, by {registration.registered_by} at {when}"
    pairs += [("Registered", registered), ("Status", status_text(line.status))]
    notes = []
    if row is not None:
        notes = [note(mark, row.exec_date) for mark in line.marks if mark.what != "moved"]
        pairs += [
            ("Execution ID", row.execution_id),
            ("Registration number", row.registration_number),
            ("Execution date", _changed(row.exec_date, row.original_exec_date)),
            ("Scheduled start", _changed(second(line.planned), second(line.original))),
            ("Started", second(line.started)),
            ("Ended", second(line.ended)),
            ("Elapsed", lasted(line.started, line.ended)),
            ("Return code", "" if line.return_code is None else str(line.return_code)),
        ]
    definition = row.definition if row is not None and row.definition else long.definition
    if definition:
        changed = " (defined anew since)" if definition != long.definition else ""
        pairs.append(("Definition", f"{definition[:12]}{changed}"))
    if line.kind == ROOT and line.following is not None and line.following != row:
        pairs.append(("Next run", minute(line.following.start)))
    pairs += [("Note" if not at else "", text) for at, text in enumerate(notes)]
    lines = block(pairs)
    for attempt in long.attempts:
        lines += ["", *_attempt(attempt)]
    if long.events:
        lines += ["", "Status history", *history(long.events, paint)]
    return lines


def _changed(now: str, before: str) -> str:
    return f"{now} (was {before})" if now and before and now != before else now


def history(events: tuple[Happened, ...], paint: Paint = unpainted) -> list[str]:
    """Return changes of a status with their causes as indented lines."""
    rows = [
        (
            Cell(f"  {second(event.at)}"),
            Cell(status_text(event.status), style(event.status)),
            Cell(cause_text(event.cause)),
        )
        for event in events
    ]
    return aligned((), rows, paint=paint)


def cause_text(cause: Cause) -> str:
    """Return a cause in words, its time to the minute."""
    if cause.why in TIMES:
        return Cause(cause.why, cause.unit, minute(cause.value), cause.limit).text
    return cause.text


def _attempt(attempt: Attempt) -> list[str]:
    row, place = attempt.row, remote_place(attempt.row.place)
    ending = []
    if row.return_code is not None:
        ending.append(f"return code {row.return_code}")
    if row.signal is not None:
        ending.append(f"ended by signal {row.signal}")
    if row.timed_out:
        ending.append("ran into its timeout")
    there = []
    if row.left:
        there.append(f"{_processes(row.left)} that did not obey KILL")
    if row.escaped:
        there.append(f"{_processes(row.escaped)} in sessions of their own")
    written = ""
    if row.out_bytes is not None:
        written = f"{row.out_bytes} bytes stdout, {row.err_bytes} bytes stderr"
    return [
        f"Attempt {row.number}: {STATES[row.state]}",
        *block(
            [
                ("Agent" if place else "Place", place.agent.label if place else row.place),
                ("Host key", place.agent.host_key if place else ""),
                ("Relay agent", row.relay),
                ("Placed", second(attempt.placed)),
                ("Started", second(attempt.started)),
                ("Ended", second(attempt.ended)),
                ("Result", ", ".join(ending)),
                ("Written", written),
                ("Still there", ", ".join(there)),
                ("Output", attempt.output if row.placed_utc else ""),
                ("Why", row.why),
                ("No contact since", second(attempt.silent_since)),
                ("Arrived late", row.late or ""),
            ],
            indent="  ",
        ),
    ]


def _processes(count: int) -> str:
    return "1 process" if count == 1 else f"{count} processes"


def as_json(page: Page, longs: tuple[Long, ...]) -> str:
    """Return the units in full for machines; ``schemas`` has the JSON Schema."""
    found = {"format": 1, "service": page.service, "units": [_json(long) for long in longs]}
    return json.dumps(found, ensure_ascii=False, indent=2)


def _json(long: Long) -> dict[str, Any]:
    row, registration = long.line.generation, long.line.registration
    return line_json(long.line) | {
        "registered_at": None if registration is None else registered_at(registration),
        "registered_by": None if registration is None else registration.registered_by,
        "definition": long.definition or None,
        "started_with_definition": None if row is None else row.definition,
        "attempts": [_attempt_json(attempt) for attempt in long.attempts],
        "status_history": [event_json(event) for event in long.events],
    }


def registered_at(row: RegistrationRow) -> str:
    """Return when a root jobnet was registered, with offset."""
    return happened_at(row.registered, row.registered_utc)


def event_json(event: Happened) -> dict[str, Any]:
    """Return one change of a status as plain data."""
    cause = event.cause
    return {
        "at": event.at,
        "status": event.status,
        "status_text": status_text(event.status),
        "cause": cause.why.name,
        "unit": cause.unit or None,
        "value": cause.value or None,
        "limit": cause.limit or None,
        "text": cause_text(cause),
    }


def _attempt_json(attempt: Attempt) -> dict[str, Any]:
    row, place = attempt.row, remote_place(attempt.row.place)
    return {
        "number": row.number,
        "state": row.state,
        "place": (place.agent.label if place else row.place) or None,
        "agent": None if place is None else agent_json(place.agent, row.relay),
        "placed": attempt.placed or None,
        "started": attempt.started or None,
        "ended": attempt.ended or None,
        "return_code": row.return_code,
        "signal": row.signal,
        "timed_out": bool(row.timed_out),
        "stdout_bytes": row.out_bytes,
        "stderr_bytes": row.err_bytes,
        "left": row.left,
        "escaped": row.escaped,
        "output": attempt.output if row.placed_utc else None,
        "why": row.why or None,
        "no_contact_since": attempt.silent_since or None,
        "late_result": None if attempt.late is None else dict(attempt.late),
    }
