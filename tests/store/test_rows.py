"""Stored forms of runs: what went in comes out."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ajs.attempts import Attempt, AttemptState, Result
from ajs.causes import Asked, Cause, Why
from ajs.delays import Watch
from ajs.lifecycle import LiveGeneration, Status, UnitRun
from ajs.store import rows

instants = st.datetimes(
    datetime(1994, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC)
).map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000))  # fmt: skip
walls = st.datetimes(datetime(1994, 1, 1), datetime(2099, 12, 31)).map(
    lambda at: at.replace(microsecond=0)
)
numbers = st.integers(-(2**31), 2**31)
results = st.builds(
    Result,
    return_code=st.none() | numbers,
    signal=st.none() | st.integers(1, 64),
    timed_out=st.booleans(),
    killed=st.booleans(),
    started=st.none() | instants,
    ended=st.none() | instants,
    out_bytes=st.integers(0, 2**62),
    err_bytes=st.integers(0, 2**62),
    left=st.integers(0, 9),
    escaped=st.none() | st.integers(0, 9),
)
texts = st.text(st.characters(exclude_categories=["Cs"]))
attempts = st.builds(
    Attempt,
    generation=st.integers(1, 9),
    path=texts,
    number=st.integers(1, 9),
    state=st.sampled_from(AttemptState),
    place=texts,
    relay=texts,
    placed=st.none() | instants,
    started=st.none() | instants,
    ended=st.none() | instants,
    result=st.none() | results,
    why=texts,
    silent_since=st.none() | instants,
    late=st.none() | results,
)
asked = st.builds(Asked, operation=st.integers(1, 9), by=texts, reason=texts)
unit_runs = st.builds(
    UnitRun,
    path=texts,
    status=st.sampled_from(Status),
    planned=st.none() | walls,
    scheduled=st.booleans(),
    prohibited=st.booleans(),
    held=st.booleans(),
    priority=st.integers(1, 5),
    watch=st.builds(Watch, st.none() | walls, st.none() | walls, st.none() | st.integers(1, 2879)),
    attempt=st.integers(0, 9),
    return_code=st.none() | numbers,
    started=st.none() | instants,
    ended=st.none() | instants,
    kill_asked=st.none() | asked,
)
causes = st.builds(Cause, why=st.sampled_from(Why), unit=texts, value=texts, limit=texts)


@given(attempts)
def test_any_attempt_comes_back_as_it_was_stored(attempt):
    stored: list[Any] = [*attempt.key, *rows.attempt_values(attempt)]
    again = rows.attempt_from(*stored)
    assert again == attempt
    for before, after in ((attempt.result, again.result), (attempt.late, again.late)):
        if before is not None and after is not None:
            assert (after.left, after.escaped) == (before.left, before.escaped)


@given(unit_runs)
def test_any_unit_run_comes_back_as_it_was_stored(run):
    order = run.kill_asked
    who = (None, None) if order is None else (order.by, order.reason)
    stored: list[Any] = [run.path, *rows.unit_run_values(run), *who]
    assert rows.unit_run_from(*stored) == run


@given(causes)
def test_any_cause_comes_back_as_it_was_stored(cause):
    assert rows.cause_from(rows.cause_text(cause)) == cause


COVERED = [
    (
        Attempt,
        {"generation", "path", "number", "state", "place", "placed", "started", "ended", "result"}
        | {"why", "silent_since", "late", "relay"},
    ),
    (
        Result,
        {
            "return_code",
            "signal",
            "timed_out",
            "killed",
            "started",
            "ended",
            "out_bytes",
            "err_bytes",
            "left",
            "escaped",
        },
    ),
    (
        UnitRun,
        {"path", "status", "planned", "scheduled", "prohibited", "held", "attempt", "return_code"}
        | {"started", "ended", "kill_asked", "priority", "watch"},
    ),
    (
        LiveGeneration,
        {"id", "root_path", "execution_id", "exec_date", "definition_hash", "definition", "units"}
        | {"version", "interrupted", "base_time", "delayed"},
    ),
    (Cause, {"why", "unit", "value", "limit"}),
    (Asked, {"operation", "by", "reason"}),
]


@pytest.mark.parametrize(("kind", "known"), COVERED)
def test_every_field_of_a_run_is_stored(kind, known):
    """A field that is new needs a column, and a place in the properties above."""
    assert {field.name for field in fields(kind)} == known
