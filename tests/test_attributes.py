"""Which priority counts, and what becomes of temporary attributes."""

from __future__ import annotations

import pytest

from ajs.attributes import NOTHING_SET, Attributes, priorities, together, with_set
from tests.driver import job, net

PRIORITIES = [
    # root, nested and job by definition, temporary ones, what counts
    ((None, None, None), {}, (1, 1, 1)),
    ((3, None, None), {}, (3, 3, 3)),
    ((3, 2, None), {}, (3, 2, 2)),
    ((3, 2, 5), {}, (3, 2, 5)),
    ((None, None, 5), {}, (1, 1, 5)),
    ((3, None, None), {"": 5}, (5, 5, 5)),
    ((3, 2, None), {"": 5}, (5, 2, 2)),
    ((3, 2, None), {"in": 4}, (3, 4, 4)),
    ((3, 2, 5), {"in": 4}, (3, 4, 5)),
    ((3, 2, 5), {"in": 4, "in/a": 1}, (3, 4, 1)),
]


@pytest.mark.parametrize(("defined", "temporary", "counts"), PRIORITIES)
def test_the_priority_that_counts(defined, temporary, counts):
    lower = net("in", job("a", priority=defined[2]), priority=defined[1])
    root = net("r", lower, priority=defined[0])
    set_now = {path: Attributes(priority=one) for path, one in temporary.items()}
    found = priorities(root, set_now)
    assert (found[""], found["in"], found["in/a"]) == counts


def test_what_says_nothing_is_not_kept():
    before = {"a": Attributes(priority=2)}
    assert with_set(before, "a", NOTHING_SET) == {}
    assert with_set(before, "b", Attributes(priority=1)).keys() == {"a", "b"}


def test_what_is_set_later_counts():
    first = {"a": Attributes(priority=2), "b": Attributes(priority=2)}
    after = together(first, {"b": Attributes(priority=3), "c": Attributes(priority=4)})
    assert {path: one.priority for path, one in after.items()} == {"a": 2, "b": 3, "c": 4}
