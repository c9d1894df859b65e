"""The keys that say about a jobnet's runs what its schedule rules do not."""

from __future__ import annotations

from dataclasses import replace

from ajs.attributes import LEAST_PRIORITY, MOST_PRIORITY, USUAL_PRIORITY
from ajs.definition.kinds import Field, Scalar, choice, whole
from ajs.definition.scalars import (
    DAY_PATTERN,
    MONTH_PATTERN,
    YEAR_PATTERN,
    NotThis,
    parse_date,
    parse_duration,
    parse_flag,
)
from ajs.definition.text_schema import FLAG, NAME, PATH
from ajs.delays import MOST_MINUTES
from ajs.model import LOGS_TO_KEEP, HoldIf, Overlap

MOST_LOGS = 999
"""The most runs that can be kept (rule book 6.8)."""
HOLD_IF = {f"if {condition.value}": condition for condition in HoldIf}
"""What a root jobnet's ``hold`` can say besides yes and no."""


def _parse_root_hold(text: str) -> bool | HoldIf:
    """Return whether, or after which end of the run before it, a root jobnet is held."""
    condition = HOLD_IF.get(text.lower())
    return parse_flag(text) if condition is None else condition


ROOT_HOLD: Field[bool | HoldIf] = Field(
    key="hold",
    kind=Scalar(
        "yes, no, if abnormal or if warning",
        _parse_root_hold,
        {"enum": [*FLAG.shape["enum"], *HOLD_IF]},
        ("yes", "no", *HOLD_IF),
    ),
    doc=(
        "Hold it at its start until an operator releases it: always, or only if the run before it ended abnormally "
        "(if abnormal), or also if it ended with warning (if warning)."
    ),
    default="no",
    example="if abnormal",
)
PRIORITY = Field(
    key="priority",
    kind=whole(LEAST_PRIORITY, MOST_PRIORITY),
    doc=(
        "Which of the jobs that wait for a free slot starts first: 5 before 4, and so on to 1; of equal ones the one "
        "that has waited longest. A job has the priority of the jobnet above it unless it gives its own."
    ),
    default="that of the jobnet above",
    example="3",
)
ROOT_PRIORITY = replace(PRIORITY, default=str(USUAL_PRIORITY))


def _parse_required_time(text: str) -> int:
    """Return the minutes that a run may take."""
    minutes, seconds = divmod(parse_duration(text), 60)
    if seconds or not 1 <= minutes <= MOST_MINUTES:
        raise NotThis
    return minutes


REQUIRED_TIME = Field(
    key="required_time",
    kind=Scalar(
        f"a length of time from 1 to {MOST_MINUTES:,} min",
        _parse_required_time,
        {"type": "string", "pattern": "^([0-9]{1,7} ?[a-z]+ ?)+$"},
    ),
    doc="How long a run may take from its start, in whole minutes; after that its end counts as delayed.",
    default="any time",
    example="90 min",
)
VALID_UNTIL = Field(
    key="valid_until",
    kind=Scalar(
        "a day such as 2027-03-31",
        parse_date,
        {"type": "string", "pattern": f"^{YEAR_PATTERN}[-/]{MONTH_PATTERN}[-/]{DAY_PATTERN}$"},
    ),
    doc="The last day on which its rules plan a run; 25:00 of that day still runs.",
    default="no last day",
    example="2027-03-31",
)
CALENDAR_OF = Field(
    key="calendar_of",
    kind=PATH,
    doc="The job group whose calendar it uses: open and closed days, base day and base time.",
    default="the job group that it stands in",
    example="/head-office",
)
NESTED_CALENDAR_OF = replace(
    CALENDAR_OF,
    doc=(
        "The job group whose open and closed days and base day its rules use; the base time stays that of the "
        "root jobnet."
    ),
    default="that of the jobnet above",
)
EXCLUSIVE = Field(
    key="exclusive",
    kind=NAME,
    doc=(
        "A root jobnet of the same job group: on an execution date on which the rules of that one plan a run, this "
        "one has none."
    ),
    default="none",
    example="month-close",
)
NESTED_EXCLUSIVE = replace(
    EXCLUSIVE,
    doc="A jobnet beside this one: in a run in which that one is scheduled, this one is not.",
    example="total",
)
OVERLAP = Field(
    key="overlap",
    kind=choice({overlap.value: overlap for overlap in Overlap}),
    doc=(
        "What a start does while an earlier run goes on: it is skipped (skip), waits for that one's end (multi), or "
        "starts beside it (concurrent)."
    ),
    default="skip",
    example="multi",
)
LOGS = Field(
    key="logs_to_keep",
    kind=whole(1, MOST_LOGS),
    doc="How many ended runs are kept.",
    default=str(LOGS_TO_KEEP),
    example="7",
)
