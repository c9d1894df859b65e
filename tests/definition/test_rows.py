"""How many jobnets may exclude one another in a row."""

from __future__ import annotations

import pytest

from ajs.definition.reader import read
from ajs.definition.siblings import MOST_IN_A_ROW
from ajs.errors import DefinitionError
from ajs.model import StoredUnits


def text(first: int, last: int) -> bytes:
    """Jobnets ``n<first>`` to ``n<last>``, of which each but the last excludes the one after it."""
    lines = ["group: /g", "jobnets:"]
    for number in range(first, last + 1):
        exclusive = f"exclusive: n{number + 1}, " if number < last else ""
        lines.append(f"  n{number}: {{{exclusive}units: {{x: {{command: x}}}}}}")
    return "\n".join(lines).encode()


def no_script(*_: object) -> bytes:
    raise AssertionError


def test_a_row_may_be_as_long_as_that():
    assert len(read([("a.yaml", text(1, MOST_IN_A_ROW))], no_script).roots) == MOST_IN_A_ROW


def test_a_longer_row_is_one_mistake_with_its_place():
    with pytest.raises(DefinitionError) as caught:
        read([("a.yaml", text(1, 320))], no_script)
    (problem,) = caught.value.problems
    assert problem.unit == "/g/n1"
    assert "a.yaml:3:" in str(problem.place)
    assert "320 jobnets exclude one another in a row" in problem.message


def test_stored_jobnets_count():
    stored = {f"/g/n{number}": f"n{number + 1}" for number in range(1, MOST_IN_A_ROW)}
    with pytest.raises(DefinitionError) as caught:
        read(
            [("a.yaml", text(MOST_IN_A_ROW, MOST_IN_A_ROW + 1))],
            no_script,
            units=StoredUnits(groups={"/g": False}, roots=stored),
        )
    (problem,) = caught.value.problems
    assert problem.unit == f"/g/n{MOST_IN_A_ROW}"
    assert f"{MOST_IN_A_ROW + 1} jobnets exclude one another in a row" in problem.message
