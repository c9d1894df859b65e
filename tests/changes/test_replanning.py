"""What an edit of rules or calendars does to runs that wait: their identity, and what is said of changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ajs.plan import Generation, Method
from ajs.schedule import Slot
from tests.changes.world import World

AT = datetime(2025, 8, 10, 12, 0)


def world(*head: str) -> World:
    made = World()
    for line in head:
        made.head(line)
    made.step(AT, ["ajsentry"])
    return made


def edited(made: World, *head: str) -> World:
    for line in head:
        made.step(made.now + timedelta(minutes=1), ["define", *line.split()])
    return made


def waiting(made: World) -> list[tuple[int, str]]:
    assert made.plan is not None
    return [(g.id, f"{g.slot.start:%d %H:%M}") for g in made.plan.waiting]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("sd=2025/08/11 cy=1,d st=20:00", [(1, "11 20:00")]),
        ("sd=2025/08/11 cy=1,d st=22:30", [(1, "11 22:30")]),
        ("sd=2025/08/11 cy=2,d st=20:00", [(1, "11 20:00")]),
        ("sd=2025/08/12 cy=1,d st=20:00", [(2, "12 20:00")]),
    ],
)
def test_a_run_keeps_its_identity_while_it_stands_for_the_same_occurrence(rule, expected):
    made = world("R sd=2025/08/11 cy=1,d st=20:00")
    assert waiting(made) == [(1, "11 20:00")]
    assert waiting(edited(made, f"R {rule}")) == expected


def test_a_held_run_keeps_its_identity_and_its_hold():
    made = world("R sd=2025/08/11 cy=1,d st=20:00")
    made.step(made.now, ["ajsplan", "-h"])
    edited(made, "R sd=2025/08/11 cy=1,d st=21:00")
    assert waiting(made) == [(1, "11 21:00")]
    assert made.seen(0) == "11 21:00 held R"


@pytest.mark.parametrize(
    ("changes", "edit", "told"),
    [
        (
            ["-c 30"],
            "R sd=2025/08/11 cy=1,d st=14:00",
            "the start changed to 2025-08-11 20:30 stays; the rules plan that run at 2025-08-11 14:00 now",
        ),
        (
            ["-c 30"],
            "R sd=2025/08/20 st=14:00",
            "the start changed to 2025-08-11 20:30 is lost: the rules no longer plan the run that it changed",
        ),
        (
            ["-t 19:00"],
            "R sd=2025/08/11 cy=1,d st=18:30",
            "the start changed to 2025-08-11 19:00 stays; its original is planned before it, at 2025-08-11 18:30",
        ),
        (
            ["-t 19:00"],
            "R sd=2025/08/20 st=18:30",
            "the start changed to 2025-08-11 19:00 stays; the original that it kept is gone",
        ),
        (["-h"], "R sd=2025/08/11 cy=1,d st=21:00", ""),
    ],
)
def test_what_becomes_of_a_change_is_said(changes, edit, told):
    made = world("R sd=2025/08/11 cy=1,d st=20:00")
    for change in changes:
        made.step(made.now, ["ajsplan", *change.split()])
    edited(made, edit)
    assert made.told == ((told,) if told else ())


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ("R sd=2025/08/11 cy=1,d st=18:30", [(2, "11 18:30"), (1, "11 19:00")]),
        ("R sd=2025/08/20 st=18:30", [(1, "11 19:00")]),
    ],
)
def test_an_early_run_whose_original_left_it_outlives_every_later_edit(edit, expected):
    made = world("R sd=2025/08/11 cy=1,d st=20:00")
    made.step(made.now, ["ajsplan", "-t", "19:00"])
    for _ in range(3):
        edited(made, edit)
        assert sorted(waiting(made)) == sorted(expected)
    assert made.told == ()


def test_what_is_lost_is_called_what_it_was():
    made = world("R sd=2025/08/11 cy=1,d st=20:00", "J job", "K job")
    made.step(made.now, ["ajsplan", "-p", "J"])
    edited(made, "R sd=2025/08/20 st=20:00")
    assert made.told == (
        "what was changed in the run of 2025-08-11 20:00 is lost: the rules no longer plan the run that it changed",
    )


def test_a_change_of_a_unit_that_is_gone_is_said():
    made = world("R sd=2025/08/11 cy=1,d st=20:00", "B follows", "J job")
    for change in ("-h J", "-p B"):
        made.step(made.now, ["ajsplan", *change.split()])
    del made.units["J"]
    del made.units["B"]
    edited(made, "R sd=2025/08/11 cy=1,d st=20:00")
    assert made.told == (
        "the hold of J is lost: the unit is no longer defined",
        "the change of B is lost: the unit is no longer defined",
    )
    assert made.seen(0) == "11 20:00"


changes = st.sampled_from(
    ["-t 19:00", "-t 23:00", "-c -60 -p", "-c 90", "-b 1", "-b 2 -p", "-p", "-u", "-h", "-r", "-q"]
)
edits = st.builds(
    "R sd=2025/08/11 cy={},d st={}:00 sh={}".format,
    st.integers(1, 3),
    st.integers(0, 30),
    st.sampled_from(["be", "af", "ca", "no"]),
)
closings = st.builds("closed 2025/08/{}".format, st.integers(11, 20))
steps = st.lists(
    st.tuples(st.integers(1, 1400), changes | edits | closings), min_size=1, max_size=12
)


@given(steps)
def test_no_edit_and_no_change_makes_an_occurrence_run_over_and_over(taken):
    """However rules, calendar and runs are changed: one run a day by the rule, and one more for each early one."""
    from ajs.errors import AjsError

    made = world("R sd=2025/08/11 cy=1,d st=20:00")
    early = 0
    for minutes, what in taken:
        words = what.split()
        verb = "define" if words[0] in ("R", "closed") else "ajsplan"
        early += verb == "ajsplan" and words[0] in ("-t", "-c", "-q")
        try:
            made.step(made.now + timedelta(minutes=minutes), [verb, *words])
        except AjsError:
            continue
    end = datetime(2025, 8, 31)
    made.advance(end)
    days = (end.date() - date(2025, 8, 11)).days + 1
    assert len(made.ran) <= days + early
    starts = [(slot.start, slot.exec_date) for slot in made.ran]
    assert sorted(starts) == starts


def test_an_immediate_run_that_is_held_outlives_an_edit_of_the_rules_beside_it():
    made = world("R sd=2025/08/11 cy=1,d st=20:00")
    assert made.plan is not None
    slot = Slot(AT, AT.date())
    held = Generation(id=9, method=Method.IMMEDIATE, slot=slot, original=slot, holds={"": True})
    made.plan = replace(made.plan, generations=(*made.plan.generations, held))
    edited(made, "R sd=2025/08/12 cy=1,d st=20:00")
    assert held in made.plan.generations
    assert [at for _, at in waiting(made)] == ["10 12:00", "12 20:00"]
