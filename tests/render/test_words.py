"""Everything that can be shown has a word; nothing is shown that has none."""

from __future__ import annotations

import dataclasses

import pytest

from ajs.attempts import AttemptState
from ajs.operations.row_changes import RowChange, changes_of
from ajs.plan import Phase
from ajs.render.history import NOTHING, PHASES, SIDELESS, WORDS, change_words, typed
from ajs.render.indicators import INDICATORS, ONE, SIGNS, TWO
from ajs.render.show import status_text
from ajs.render.show_long import STATES
from ajs.statuses import UNREGISTERED, Status
from ajs.store.log import COLUMNS, Image

RUN = {
    "id": 1, "root": 1, "registered_for": "2026-08-11", "serial": 1, "method": "planned", "phase": "waiting",
    "status": "TIMEWAIT", "start": "2026-08-11T22:00:00", "exec_date": "2026-08-11",
    "original_start": "2026-08-11T22:00:00", "original_exec_date": "2026-08-11", "ties": "[]", "kept": None,
    "added": 0, "nested": '{"in":{"start":"2026-08-11T23:00:00"}}', "holds": "{}", "prohibited_units": "[]",
    "attributes": None, "interrupted": 0, "definition": None, "started_utc": None, "ended_utc": None, "version": 1,
}  # fmt: skip
REGISTRATION = {
    "root": 1, "method": "planned", "registered": "2026-08-11T10:00:00", "registered_utc": "", "registered_by": "x",
    "catch_up": 1, "floor_start": None, "floor_exec_date": None, "done": "[]", "count": None, "skip_overdue": None,
    "cancelled": None, "frozen_path": None, "frozen_definition": None, "frozen_calendars": None,
    "frozen_exclusive": None, "version": 1,
}  # fmt: skip
UNIT = {
    "id": 1, "path": "/g/a", "name": "a", "kind": "root", "upper": 0, "root": 1, "position": 0, "comment": "",
    "body": None, "definition": "1" * 64, "deleted": None, "version": 1,
}  # fmt: skip
ROWS = {"generation": RUN, "registration": REGISTRATION, "unit": UNIT}

CHANGES = [
    # table, what is changed, what is said
    ("generation", {"start": "2026-08-11T23:30:00"}, "start 2026-08-11 22:00 -> 2026-08-11 23:30"),
    (
        "generation",
        {"start": "2026-08-12T01:00:00"},
        "start 2026-08-11 22:00 -> 2026-08-12 01:00 (execution date 2026-08-11)",
    ),
    ("generation", {"phase": "prohibited", "status": "NOPLAN"}, "run waits -> is prohibited"),
    (
        "generation",
        {"kept": '{"start":"2026-08-11T22:00:00"}'},
        "original run too no -> 2026-08-11 22:00",
    ),
    ("generation", {"interrupted": 1}, "interrupted no -> yes"),
    ("generation", {"status": "HOLDING"}, "status Wait for start time -> Being held"),
    ("generation", {"holds": '{"":true}'}, "hold as defined -> held"),
    ("generation", {"holds": '{"":false}'}, "hold as defined -> released"),
    ("generation", {"attributes": '{"job":{"priority":5}}'}, "/job priority as defined -> 5"),
    ("generation", {"prohibited_units": '["job"]'}, "/job prohibited no -> yes"),
    (
        "generation",
        {"nested": '{"in":{"start":"2026-08-11T23:00:00","prohibited":true}}'},
        "/in prohibited no -> yes",
    ),
    (
        "generation",
        {"nested": '{"in":{"start":"2026-08-12T00:10:00"}}'},
        "/in start 2026-08-11 23:00 -> 2026-08-12 00:10",
    ),
    (
        "generation",
        {"nested": '{"in":{"depends":true}}'},
        "/in start 2026-08-11 23:00 -> with its upper jobnet, or not at all",
    ),
    ("generation", None, "run taken out of the plan: 2026-08-11 22:00"),
    ("registration", {"method": "fixed"}, "registration planned -> fixed"),
    (
        "registration",
        {"floor_start": "2026-08-11T22:00:00"},
        "runs passed by up to none -> 2026-08-11 22:00",
    ),
    ("registration", {"catch_up": 0}, "plan"),
    ("registration", {"count": 3}, "future generations none -> 3"),
    ("registration", None, "registration planned -> none"),
    ("unit", {"path": "/g/b"}, "renamed /g/a -> /g/b"),
    ("unit", {"definition": "2" * 64}, "definition 111111111111 -> 222222222222"),
    ("unit", {"comment": "new"}, "comment none -> 'new'"),
    ("unit", {"body": '{"base_time":480}'}, "calendar changed"),
    ("unit", {"position": 1}, "order changed"),
    ("unit", {"body": '{"planning":true}'}, "planning group no -> yes"),
    ("unit", None, "removed"),
]


@pytest.mark.parametrize(("table", "changed", "said"), CHANGES, ids=[said for *_, said in CHANGES])
def test_what_a_row_change_is_called(table, changed, said):
    before = ROWS[table]
    after = None if changed is None else before | changed
    found = changes_of(Image(table, 1, 1, before, after), "/g/a")
    names = [c.unit.removeprefix("/g/a").removeprefix("/g/b") for c in found]
    assert [f"{name} {change_words(c)}".strip() for name, c in zip(names, found, strict=True)] == [
        said
    ]


def test_a_unit_that_is_deleted_or_defined_again_is_removed_or_added():
    gone = UNIT | {"deleted": 7}
    sides = [(UNIT, gone), (gone, UNIT), (gone, gone | {"position": 2})]
    said = [changes_of(Image("unit", 1, 1, *side), "/g/a") for side in sides]
    assert [[change_words(c) for c in found] for found in said] == [["removed"], ["added"], []]


@pytest.mark.parametrize("table", ROWS)
def test_rows_of_the_table_above_are_whole(table):
    assert tuple(ROWS[table]) == COLUMNS[table]


@pytest.mark.parametrize("table", ROWS)
def test_a_row_that_came_and_went_or_stayed_says_nothing_wrong(table):
    row = ROWS[table]
    assert changes_of(Image(table, 1, 1, row, row), "/g/a") == ()
    (made,) = changes_of(Image(table, 1, 1, None, row), "/g/a")
    assert change_words(made)


def test_every_change_has_a_word():
    said = {change.split(":")[0] for change in WORDS}
    assert NOTHING.keys() | SIDELESS <= said
    assert {phase.value for phase in Phase} == PHASES.keys()


def test_every_status_and_state_has_a_text():
    assert [status_text(s.name) for s in Status] == [s.value for s in Status]
    assert status_text(UNREGISTERED) == "Not registered"
    assert not status_text("")
    assert {state.name for state in AttemptState} == STATES.keys()


def test_row_changes_are_plain_texts():
    assert all(field.type == "str" for field in dataclasses.fields(RowChange))


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        (["ajsplan", "-t", "22:30", "/a/日次"], "ajsplan -t 22:30 /a/日次"),
        (["ajsplan", "--reason", "bank is late", "/a*"], "ajsplan --reason 'bank is late' '/a*'"),
        (["ajsshow", ""], "ajsshow ''"),
    ],
)
def test_commands_can_be_typed_again(command, printed):
    assert typed(command) == printed


def test_no_two_indicators_have_the_same_letters():
    assert len(ONE) == sum(bool(i.one) for i in INDICATORS)
    assert len(TWO) == sum(bool(i.two) for i in INDICATORS)
    assert all(len(i.one) <= 1 and len(i.two) in (0, 2) and i.meaning for i in INDICATORS)
    assert not ONE.keys() & SIGNS.keys()
    assert {i.needs for i in INDICATORS} == {"", "attempts", "following"}
