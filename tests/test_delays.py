"""Limits of starts and ends: what they say, when they come, and that each is noted once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from ajs.attributes import Attributes
from ajs.delays import NOT_MONITORED, Delay, Limit, Since, Starts, Watch, limit_at, limit_from
from ajs.plan import Generation, Kept, Method, NestedPlan
from ajs.schedule import Slot, Tie
from ajs.watching import watches
from tests.driver import job, net
from tests.notation import clock, rule

TEXTS = [
    ("10:30", Limit(630, Since.CLOCK)),
    ("0:00", Limit(0, Since.CLOCK)),
    ("47:59", Limit(2879, Since.CLOCK)),
    ("48:00", None),
    ("10:60", None),
    ("M-90", Limit(90, Since.ROOT)),
    ("U90", Limit(90, Since.UPPER)),
    ("C-0", Limit(0, Since.OWN)),
    ("C-2879", Limit(2879, Since.OWN)),
    ("C-2880", None),
    ("X-1", None),
    ("5 min", Limit(5, Since.STARTED)),
    ("none", NOT_MONITORED),
    ("", None),
]


@pytest.mark.parametrize(("text", "limit"), TEXTS)
def test_what_a_limit_says(text, limit):
    assert limit_from(text) == limit
    if limit is not None:
        assert limit_from(limit.text) == limit


TIMES = [
    # limit, own start, base time, when it comes; root starts at 10:00 and upper at 10:20 of execution date 11
    ("10:30", "11 10:40", 0, "11 10:30"),
    ("27:30", "11 10:40", 0, "11 23:59"),
    ("27:30", "11 10:40", 480, "12 03:30"),
    ("7:59", "11 10:40", 480, "12 07:59"),
    ("8:00", "11 10:40", 480, "11 08:00"),
    ("47:59", "11 10:40", 480, "12 07:59"),
    ("30:00", "12 05:00", 0, "12 06:00"),
    ("10:00", "12 05:00", 0, "12 00:00"),
    ("M-90", "11 10:40", 0, "11 11:30"),
    ("U-90", "11 10:40", 0, "11 11:50"),
    ("C-90", "11 10:40", 0, "11 12:10"),
    ("C-0", "11 10:40", 0, "11 10:40"),
    ("C-240", "11 22:00", 0, "11 23:59"),
    ("C-2879", "11 10:40", 480, "12 07:59"),
    ("none", "11 10:40", 0, None),
    ("5 min", "11 10:40", 0, None),
]


@pytest.mark.parametrize(("text", "own", "base", "comes"), TIMES)
def test_when_a_limit_comes(text, own, base, comes):
    root, upper, own = (clock(f"2025/08/{at}") for at in ("11 10:00", "11 10:20", own))
    limit = limit_from(text)
    assert limit is not None
    at = limit_at(limit, Starts(root, upper, own, root.date(), base))
    assert at == (None if comes is None else clock(f"2025/08/{comes}"))


OWN_60 = Limit(60, Since.OWN)
LATE_RULE = replace(rule("n=2 sd=en"), end_delay=Limit(90, Since.OWN))
ROOT = net(
    "r",
    net(
        "in",
        net("low", job("a")),
        rules=(replace(rule("n=1 sd=en"), start_delay=Limit(5, Since.UPPER)),),
        required_time=30,
    ),
    job("b"),
    rules=(replace(rule("n=1 sd=en"), end_delay=OWN_60), LATE_RULE),
)
TEN = datetime(2025, 8, 11, 10)
SLOT = Slot(TEN, TEN.date())


def at(hour: int, minute: int = 0) -> datetime:
    return TEN.replace(hour=hour, minute=minute)


def run(rule_number: int | None = 1, **fields) -> Generation:
    ties = () if rule_number is None else (Tie(rule_number, TEN.date()),)
    nested = {"in": NestedPlan(start=at(11)), "in/low": NestedPlan(depends=True)}
    made = Generation(method=Method.PLANNED, slot=SLOT, original=SLOT, ties=ties, nested=nested)
    return replace(made, **fields)


IN = Watch(start=at(10, 5), within=30)
COUNTS = [
    # what: run, what is watched
    ("the rule that made it", run(), {"": Watch(end=at(11)), "in": IN}),
    ("another rule", run(2), {"": Watch(end=at(11, 30)), "in": IN}),
    ("no rule", run(None), {"in": IN}),
    (
        "the rule of the original that it kept",
        run(None, kept=Kept(slot=SLOT, original=SLOT, ties=(Tie(2, TEN.date()),))),
        {"": Watch(end=at(11, 30)), "in": IN},
    ),
    (
        "set for this run",
        run(
            attributes={"": Attributes(start_delay=OWN_60), "in/low": Attributes(end_delay=OWN_60)}
        ),
        {"": Watch(start=at(11), end=at(11)), "in": IN, "in/low": Watch(end=at(12))},
    ),
    ("not monitored", run(attributes={"": Attributes(end_delay=NOT_MONITORED)}), {"in": IN}),
    (
        "a nested one by hand",
        run(nested={"in": NestedPlan(start=at(12), by_hand=True, rule=2)}),
        {"": Watch(end=at(11)), "in": Watch(within=30)},
    ),
    ("a nested one that does not run", run(nested={"in": NestedPlan()}), {"": Watch(end=at(11))}),
    (
        "a nested one that is prohibited",
        run(nested={"in": NestedPlan(start=at(11), prohibited=True)}),
        {"": Watch(end=at(11))},
    ),
]


@pytest.mark.parametrize(("generation", "watched"), [c[1:] for c in COUNTS], ids=[c[0] for c in COUNTS])  # fmt: skip
def test_which_limits_count(generation, watched):
    assert watches(ROOT, generation, 0) == watched


def test_both_delays_have_a_word():
    assert [delay.value for delay in Delay] == ["start", "end"]
