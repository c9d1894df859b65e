"""JSON Schemas of what commands print with ``--format json``; keys are added, never taken away."""

from __future__ import annotations

from typing import Any

from ajs.calendar import Layer, MonthClass
from ajs.causes import Why
from ajs.delays import Delay
from ajs.lint import Lint, Severity
from ajs.operations.check import CODES
from ajs.operations.show import KINDS
from ajs.reasons import Because
from ajs.render.history import WORDS
from ajs.render.show import NOTES
from ajs.render.why import PASSED
from ajs.statuses import UNREGISTERED, Status

Schema = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "integer"}
DAY: Schema = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
WALL: Schema = {
    "type": "string",
    "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$",
    "description": "A planned time: wall-clock time in the scheduler service's time zone.",
}
INSTANT: Schema = {
    "type": "string",
    "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}[+-]\d{2}:\d{2}$",
    "description": "A time at which something happened: wall-clock time with the offset from UTC.",
}
STAMP: Schema = {
    "type": "string",
    "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$",
    "description": "A time at which something happened, in UTC.",
}
EXECUTION_ID: Schema = {"type": "string", "pattern": r"^@[1-9]?\d*[A-Z][1-9]\d*$"}
REGISTRATION_NUMBER: Schema = {"type": "string", "pattern": r"^\d{11,}$"}
STATUS: Schema = {"enum": [status.name for status in Status]}
UNIT_STATUS: Schema = {"enum": [*(status.name for status in Status), UNREGISTERED]}
KIND: Schema = {"enum": list(KINDS.values())}
PRIORITY: Schema = {
    "type": "integer",
    "minimum": 1,
    "maximum": 5,
    "description": "The temporary priority, null where the definition's counts.",
}
SET: Schema = {
    "type": "string",
    "pattern": r"^(\d+|none|\d{2}:\d{2}|[MUC]-\d+|\d+ min)$",
    "description": "How many; or the priority or limit that is temporarily set.",
}
METHOD: Schema = {"enum": ["planned", "fixed", "immediate"]}


def optional(schema: Schema) -> Schema:
    """Return the schema of a value that may be null."""
    return {"anyOf": [schema, {"type": "null"}]}


def every(schema: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": schema}


def record(**keys: Schema) -> Schema:
    """Return the schema of an object that has all these keys, and may get more in later versions."""
    return {"type": "object", "required": list(keys), "properties": keys}


def _document(title: str, **keys: Schema) -> Schema:
    whole = record(format={"const": 1}, service=TEXT, **keys)
    return {"$schema": DRAFT, "title": title, **whole}


COUNT: Schema = {"type": "string", "pattern": r"^\d+$"}
MARK = record(
    mark={"enum": list(NOTES)},
    value=optional({"anyOf": [WALL, INSTANT, COUNT, EXECUTION_ID, SET]}),
    text=TEXT,
)
AGENT = record(
    destination=TEXT,
    address=TEXT,
    port=NUMBER,
    host_key=TEXT,
    boot_id=TEXT,
    init_ticks=TEXT,
    epoch=TEXT,
    relay=optional(TEXT),
)

_LINE: dict[str, Schema] = {
    "unit": TEXT,
    "name": TEXT,
    "kind": KIND,
    "comment": TEXT,
    "registered": optional(FLAG),
    "registration_method": optional(METHOD),
    "future_generations": optional(NUMBER),
    "status": optional(UNIT_STATUS),
    "status_text": optional(TEXT),
    "execution_id": optional(EXECUTION_ID),
    "registration_number": optional(REGISTRATION_NUMBER),
    "execution_date": optional(DAY),
    "original_execution_date": optional(DAY),
    "planned_start": optional(WALL),
    "original_start": optional(WALL),
    "started": optional(INSTANT),
    "ended": optional(INSTANT),
    "return_code": optional(NUMBER),
    "priority": optional(PRIORITY),
    "delays": every({"enum": [delay.value for delay in Delay]}),
    "agent": optional(AGENT),
    "marks": every(MARK),
}

_CAUSE: dict[str, Schema] = {"cause": {"enum": [why.name for why in Why]}, "text": TEXT}

EVENT = record(
    at=INSTANT,
    status=STATUS,
    status_text=TEXT,
    unit=optional(TEXT),
    value=optional(TEXT),
    limit=optional(TEXT),
    **_CAUSE,
)

RESULT = record(
    return_code=optional(NUMBER),
    signal=optional(NUMBER),
    timed_out=FLAG,
    started=optional(INSTANT),
    ended=optional(INSTANT),
)

ATTEMPT = record(
    number=NUMBER,
    state=TEXT,
    place=optional(TEXT),
    agent=optional(AGENT),
    placed=optional(INSTANT),
    started=optional(INSTANT),
    ended=optional(INSTANT),
    return_code=optional(NUMBER),
    signal=optional(NUMBER),
    timed_out=FLAG,
    stdout_bytes=optional(NUMBER),
    stderr_bytes=optional(NUMBER),
    left=optional(NUMBER),
    escaped=optional(NUMBER),
    output=optional(TEXT),
    why=optional(TEXT),
    no_contact_since=optional(INSTANT),
    late_result=optional(RESULT),
)

SHOW = _document("ajsshow", units=every(record(**_LINE)))

SHOW_LONG = _document(
    "ajsshow -l",
    units=every(
        record(
            **_LINE,
            registered_at=optional(INSTANT),
            registered_by=optional(TEXT),
            definition=optional(TEXT),
            started_with_definition=optional(TEXT),
            attempts=every(ATTEMPT),
            status_history=every(EVENT),
        )
    ),
)

LOWER = record(
    unit=TEXT,
    kind=KIND,
    scheduled=FLAG,
    start=optional(WALL),
    original_start=optional(WALL),
    marks=every(MARK),
)

COMING = _document(
    "ajsshow --schedule",
    since=WALL,
    until=WALL,
    runs=every(
        record(
            unit=TEXT,
            comment=TEXT,
            dummy=FLAG,
            execution_id=optional(EXECUTION_ID),
            status=optional(STATUS),
            status_text=optional(TEXT),
            execution_date=DAY,
            original_execution_date=DAY,
            start=WALL,
            original_start=WALL,
            marks=every(MARK),
            lower=every(LOWER),
        )
    ),
    unregistered=every(TEXT),
)

SCHEDULE = _document(
    "ajsschedule",
    time_zone=TEXT,
    begin=DAY,
    end=DAY,
    roots=every(
        record(
            unit=TEXT,
            comment=TEXT,
            registration_method=optional(METHOD),
            counted_from=WALL,
            runs=every(
                record(
                    execution_date=DAY,
                    start=WALL,
                    rules=every(NUMBER),
                    substituted=FLAG,
                    occurrences=every(
                        record(
                            rule=NUMBER,
                            day=DAY,
                            substituted=optional(DAY),
                            runs_on=optional(DAY),
                        )
                    ),
                    nested={"type": "object", "additionalProperties": optional(WALL)},
                    with_upper=every(TEXT),
                    clock_changes={"type": "object", "additionalProperties": TEXT},
                )
            ),
        )
    ),
    notes=every(TEXT),
)

CALENDAR = _document(
    "ajscalendar",
    group=TEXT,
    base_time=record(value=TEXT, group=optional(TEXT)),
    base_day=record(
        day=optional(NUMBER), weekday=optional(TEXT), nth=optional(NUMBER), group=optional(TEXT)
    ),
    month=record(value={"enum": [month.value for month in MonthClass]}, group=optional(TEXT)),
    used_by=every(TEXT),
    days=every(
        record(
            date=DAY,
            open=FLAG,
            setting={"enum": [layer.name for layer in Layer]},
            group=optional(TEXT),
        )
    ),
)

OPERATION_KEYS: dict[str, Schema] = {
    "operation": NUMBER,
    "at": INSTANT,
    "at_utc": STAMP,
    "user": TEXT,
    "verb": TEXT,
    "command": every(TEXT),
    "reason": TEXT,
    "undoes": optional(NUMBER),
    "undone_by": optional(NUMBER),
    "summary": {"type": "object"},
}

CHANGE = record(
    change={"enum": list(WORDS)},
    unit=TEXT,
    execution_id=optional(EXECUTION_ID),
    before=optional(TEXT),
    after=optional(TEXT),
    text=TEXT,
)

HISTORY = _document("ajs history", operations=every(record(**OPERATION_KEYS)))

HISTORY_ENTRY = _document(
    "ajs history NUMBER",
    operation=record(**OPERATION_KEYS, touched=every(TEXT), changes=every(CHANGE)),
)

UNDO = _document(
    "ajs undo",
    operation=optional(NUMBER),
    undone=record(**OPERATION_KEYS),
    changes=every(CHANGE),
    at_once=every(TEXT),
)

REASON = record(
    code={"enum": [because.name for because in Because]}, facts={"type": "object"}, text=TEXT
)

STAND = record(
    path=TEXT,
    status=STATUS,
    status_text=TEXT,
    since=optional(INSTANT),
    cause=optional(_CAUSE["cause"]),
    cause_unit=optional(TEXT),
    cause_value=optional(TEXT),
    text=optional(TEXT),
    pending=FLAG,
    where=optional(TEXT),
)

WHY_RUN = record(
    dummy=FLAG,
    execution_id=optional(EXECUTION_ID),
    registration_number=optional(REGISTRATION_NUMBER),
    execution_date=DAY,
    original_execution_date=DAY,
    start=WALL,
    original_start=WALL,
    unit_start=optional(WALL),
    clock_change=TEXT,
    status=optional(STATUS),
    status_text=optional(TEXT),
    nested=every(REASON),
    delays=every(record(at=INSTANT, **_CAUSE)),
    changes=every(record(operation=record(**OPERATION_KEYS), changes=every(CHANGE))),
    taken_back=every(
        record(unit=TEXT, prohibited=record(**OPERATION_KEYS), taken_back=record(**OPERATION_KEYS))
    ),
    chain=every(STAND),
    waiting=every(STAND),
)

FATE = record(
    fate={"enum": ["ran", "skipped", "prohibited", "cancelled", "missed", "passed"]},
    start=WALL,
    why=TEXT,
    operation=optional(NUMBER),
    execution_id=optional(EXECUTION_ID),
    registration_number=optional(REGISTRATION_NUMBER),
    status=optional(STATUS),
    status_text=optional(TEXT),
    started=optional(INSTANT),
    ended=optional(INSTANT),
)

WHY = _document(
    "ajs why",
    unit=TEXT,
    kind=KIND,
    root=TEXT,
    deleted=optional(record(**OPERATION_KEYS)),
    execution_date=DAY,
    registration=optional(record(method=METHOD, at=INSTANT, by=TEXT)),
    rules=every(record(day=DAY, reasons=every(REASON))),
    if_registered=every(record(start=WALL, execution_date=DAY, nested=every(REASON))),
    passed=optional({"enum": list(PASSED)}),
    gone=every(WALL),
    moved_past_by=optional(WHY_RUN),
    runs=every(WHY_RUN),
    fates=every(FATE),
    lapsed_fates=every(FATE),
    manager_runs=FLAG,
)

RUN = record(
    execution_id=optional(EXECUTION_ID),
    slot=record(start=WALL, execution_date=DAY),
    held=FLAG,
)

ENTRY = _document(
    "ajsentry",
    operation=optional(NUMBER),
    registered=every(record(unit=TEXT, method=METHOD, next=optional(RUN), runs=NUMBER)),
    runs=optional(
        every(
            record(
                unit=TEXT,
                execution_id=EXECUTION_ID,
                status=STATUS,
                status_text=TEXT,
                started=optional(INSTANT),
                ended=optional(INSTANT),
                worst=optional(
                    record(unit=TEXT, status=STATUS, status_text=TEXT, return_code=optional(NUMBER))
                ),
            )
        )
    ),
    notes=every(TEXT),
)

KILL = _document(
    "ajskill and ajsintrpt",
    operation=optional(NUMBER),
    units=every(
        record(
            unit=TEXT,
            execution_id=EXECUTION_ID,
            jobs=every(TEXT),
            waiting=NUMBER,
            already=optional(TEXT),
        )
    ),
    refused=every(record(unit=TEXT, code=TEXT, message=TEXT)),
    notes=every(TEXT),
)

LINT = record(
    level={"enum": ["ok", "mend", *(level.value for level in Severity)]},
    code={"enum": [*CODES, *(lint.name for lint in Lint)]},
    unit=optional(TEXT),
    rule=optional(NUMBER),
    file=optional(TEXT),
    line=optional(NUMBER),
    column=optional(NUMBER),
    text=TEXT,
    hint=TEXT,
    facts={"type": "object"},
)

CHECK: Schema = {
    "$schema": DRAFT,
    "title": "ajs check",
    **record(
        format={"const": 1},
        mend=NUMBER,
        warnings=NUMBER,
        notes=NUMBER,
        parts=every(
            record(
                service=optional(TEXT),
                findings=every(LINT),
            )
        ),
    ),
}

SLOT = record(start=WALL, execution_date=DAY)
PAIR = record(old=TEXT, new=TEXT)
AGENT_NAME = record(kind=TEXT, name=TEXT)

DEFINE: Schema = {
    "$schema": DRAFT,
    "title": "ajsdefine",
    **record(
        format={"const": 1},
        operation=optional(NUMBER),
        added=every(TEXT),
        changed=every(TEXT),
        renamed=every(PAIR),
        not_renamed=every(PAIR),
        removed=every(TEXT),
        agents_added=every(AGENT_NAME),
        agents_changed=every(AGENT_NAME),
        unchanged=NUMBER,
        compared_until=DAY,
        plans=every(
            record(
                unit=TEXT,
                appear=every(SLOT),
                vanish=every(SLOT),
                move=every(record(before=SLOT, after=SLOT)),
                nested=every(
                    record(unit=TEXT, run=SLOT, before=optional(WALL), after=optional(WALL))
                ),
                notes=every(TEXT),
            )
        ),
        rebased=every(record(group=TEXT, what=TEXT, roots=NUMBER)),
        lints=every(LINT),
    ),
}

SCHEMAS: dict[str, Schema] = {
    "define": DEFINE,
    "check": CHECK,
    "entry": ENTRY,
    "kill": KILL,
    "show": SHOW,
    "show-long": SHOW_LONG,
    "show-schedule": COMING,
    "schedule": SCHEDULE,
    "calendar": CALENDAR,
    "history": HISTORY,
    "history-entry": HISTORY_ENTRY,
    "undo": UNDO,
    "why": WHY,
}
"""Every schema by the name under which the manual publishes it."""
