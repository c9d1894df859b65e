"""Execution IDs, registration numbers and attempt ids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ajs.store.numbers import (
    LAST,
    attempt_id,
    execution_id,
    generation_number,
    registration_number,
    registration_parts,
)

EXECUTION_IDS = [
    (1, "@A1"),
    (101, "@A101"),
    (9999, "@A9999"),
    (10000, "@B1"),
    (9999 * 26, "@Z9999"),
    (9999 * 26 + 1, "@1A1"),
    (9999 * 26 * 10 + 200, "@10A200"),
    (LAST, "@9999Z9999"),
]


@pytest.mark.parametrize(("number", "text"), EXECUTION_IDS)
def test_execution_ids(number, text):
    assert execution_id(number) == text
    assert generation_number(text) == number
    assert len(text) <= 10


@given(st.integers(1, LAST))
def test_every_number_has_one_execution_id(number):
    assert generation_number(execution_id(number)) == number


@given(
    st.builds(
        "@{}{}{}".format,
        st.one_of(st.just(""), st.integers(1, 9999)),
        st.characters(min_codepoint=ord("A"), max_codepoint=ord("Z")),
        st.integers(1, 9999),
    )
)
def test_every_execution_id_has_one_number(text):
    number = generation_number(text)
    assert number is not None
    assert execution_id(number) == text


NO_EXECUTION_IDS = [
    *("", "@", "A1", "@1", "@A", "@A0", "@A01", "@A10000", "@0A1", "@01A1", "@10000A1", "@a1"),
    *("@AA1", "@A1 ", "@Á1", "@A\uff11", "@A1B", "@1AB1", "@-1A1", "@A-1", "20260811001"),
]


@pytest.mark.parametrize("text", NO_EXECUTION_IDS)
def test_no_execution_id(text):
    assert generation_number(text) is None


@given(st.text())
def test_any_text_is_an_execution_id_or_none(text):
    number = generation_number(text)
    assert number is None or execution_id(number) == text


@pytest.mark.parametrize("number", [0, -1, LAST + 1])
def test_numbers_without_an_execution_id(number):
    with pytest.raises(ValueError, match="no execution ID"):
        execution_id(number)


@given(st.dates(), st.integers(1, 12345))
def test_registration_numbers(day, serial):
    text = registration_number(day.isoformat(), serial)
    assert registration_parts(text) == (day.isoformat(), serial)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "20260811",
        "2026081101",
        "20260811000",
        "202608110001",
        "@A1",
        "20260811" + "9" * 10,
        "1" * 5000,
    ],
)
def test_no_registration_number(text):
    assert registration_parts(text) is None


def test_attempt_ids_are_made_of_numbers_alone():
    assert attempt_id("f" * 32, "0" * 12, 7) == "f" * 32 + "-" + "0" * 12 + "-7"
