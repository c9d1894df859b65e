"""The keys of a schedule rule (rule book 2.3, 2.4); the start day is in ``start_day_schema``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ajs.choices import OPEN_DAYS_WITHIN, USUAL_SUBSTITUTE
from ajs.definition.kinds import (
    Described,
    Either,
    Field,
    OneOrMore,
    Placed,
    Record,
    Scalar,
    Spot,
    Values,
    choice,
    whole,
)
from ajs.definition.problems import listed
from ajs.definition.scalars import (
    CYCLE_PATTERN,
    SINCE,
    NotThis,
    parse_cycle,
    parse_duration,
    parse_limit,
    parse_number,
    parse_start_time,
    start_time_text,
)
from ajs.definition.start_day_schema import START_DAY_KIND
from ajs.delays import MOST_MINUTES, Limit, Since
from ajs.rules import (
    MAX_RULES,
    Cycle,
    CycleUnit,
    DaysFromStart,
    FromStart,
    Rule,
    StartTime,
    Substitute,
)
from ajs.start_days import Counting, DayFromEnd, DayNumber, RegisteredDay, StartDay

LEAST_REPEAT, MOST_REPEAT = 10, 120
"""Minutes between two starts of a repetition (rule book 2.5)."""


def _signed_days(text: str) -> int:
    """Return a number of days that is not 0."""
    days = parse_number(text, -31, 31)
    if not days:
        raise NotThis
    return days


OPEN_DAYS = Field(
    key="open",
    kind=Scalar(
        "a number of days from 1 to 31, or -1 to -31",
        _signed_days,
        {"type": "integer", "minimum": -31, "maximum": 31, "not": {"const": 0}},
    ),
    doc="Open days after the day, or before it when negative; looked for within some days.",
    example="-1",
)
PLAIN_DAYS = Field(
    key="plain",
    kind=OPEN_DAYS.kind,
    doc="Days after the day, or before it when negative, open or closed.",
    example="2",
)
WITHIN = Field(
    key="within",
    kind=whole(1, 31),
    doc="How many days are searched for the open day; none found: no run.",
    default=str(OPEN_DAYS_WITHIN),
    example="10",
)
DAYS_FROM_START_RECORD = Record(
    name="daysFromStart",
    title="days from start",
    doc="A run some days before or after the day that the rule gives: open days or plain days.",
    fields=(OPEN_DAYS, PLAIN_DAYS, WITHIN),
    example="{open: -1, within: 10}",
    limits={
        "oneOf": [{"required": ["open"]}, {"required": ["plain"]}],
        "dependentRequired": {"within": ["open"]},
    },
)


def _days_from_start(values: Values, spot: Spot) -> DaysFromStart | None:
    """Return the days from start that a mapping describes (rule book 3.12)."""
    if values.given(OPEN_DAYS) == values.given(PLAIN_DAYS):
        both = values.given(OPEN_DAYS)
        spot.refuse(
            values.place,
            f"days_from_start has {'open and plain together' if both else 'neither open nor plain'}",
            hint="give open for open days, or plain for days of any kind",
        )
        return None
    if values.given(WITHIN) and values.given(PLAIN_DAYS):
        spot.refuse(
            values.at(WITHIN),
            "days_from_start has within, but plain days are not searched for",
            hint="remove within, or count open days",
        )
    if open_days := values.get(OPEN_DAYS):
        kind = FromStart.OPEN_BEFORE if open_days < 0 else FromStart.OPEN_AFTER
        return DaysFromStart(kind, abs(open_days), values.get(WITHIN, OPEN_DAYS_WITHIN))
    if plain := values.get(PLAIN_DAYS):
        return DaysFromStart(
            FromStart.PLAIN_BEFORE if plain < 0 else FromStart.PLAIN_AFTER, abs(plain)
        )
    return None


@dataclass(frozen=True, slots=True)
class Repeat:
    """A repetition: every so many minutes up to a last time, which stands at a place."""

    every: int
    until: Placed[StartTime]


def _repeat_minutes(text: str) -> int:
    """Return the minutes between two starts of a repetition (rule book 2.5)."""
    minutes, seconds = divmod(parse_duration(text), 60)
    if seconds or not LEAST_REPEAT <= minutes <= MOST_REPEAT:
        raise NotThis
    return minutes


def _repeat(values: Values, spot: Spot) -> Repeat | None:
    """Return the repetition that a mapping describes."""
    del spot
    every, until = values.get(EVERY), values.get(UNTIL)
    return (
        None if every is None or until is None else Repeat(every, Placed(until, values.at(UNTIL)))
    )


NUMBER = Field(
    key="rule",
    kind=whole(1, MAX_RULES),
    doc="The number of the rule.",
    default="the smallest free number",
    example="1",
)
START_DAY: Field[StartDay] = Field(
    key="start_day",
    kind=START_DAY_KIND,
    doc=(
        "The first day: that of the registration, a day of the month or a full date, a weekday, "
        "or a counted day of the month."
    ),
    default="registered",
    example="{open: last}",
)
START_TIME = Field(
    key="start_time",
    kind=Scalar(
        "a time from 00:00 to 47:59, or +00:00 to +47:59",
        parse_start_time,
        {"type": "string", "pattern": r"^\+?([0-3]?[0-9]|4[0-7]):[0-5][0-9]$"},
    ),
    doc=(
        "When to start on that day. With + it counts from the base time of the day, in a nested jobnet from the "
        "start of the jobnet above."
    ),
    default="+00:00",
    example="22:00",
)
CYCLE = Field(
    key="cycle",
    kind=Scalar(
        "a cycle such as 1 day, 2 weeks, 1 month or 1 year",
        parse_cycle,
        {"type": "string", "pattern": CYCLE_PATTERN},
    ),
    doc="How often to run: every 1 to 31 days, 1 to 5 weeks, 1 to 12 months or 1 to 9 years.",
    default="once",
    example="1 month",
)
SUBSTITUTE = Field(
    key="substitute",
    kind=choice({s.value: s for s in Substitute}),
    doc="What to do on a closed day: run on the open day before or after it, skip the run, or run.",
    default=f"{USUAL_SUBSTITUTE}; with a closed start day run",
    example="before",
)
SHIFT_DAYS = Field(
    key="shift_days",
    kind=whole(1, 31),
    doc="How many days are searched for the open day before or after; none found: no run.",
    default="2",
    example="5",
)
DAYS_FROM_START = Field(
    key="days_from_start",
    kind=Described(DAYS_FROM_START_RECORD, _days_from_start),
    doc="Run some days before or after the day that all the above gives.",
    default="none",
    example="{open: -1, within: 10}",
)
EVERY = Field(
    key="every",
    kind=Scalar(
        f"a length of time from {LEAST_REPEAT} to {MOST_REPEAT} min",
        _repeat_minutes,
        {"type": "string", "pattern": "^([0-9]{1,7} ?[a-z]+ ?)+$"},
    ),
    doc="How long after each start the next one follows, in whole minutes.",
    example="30 min",
    required=True,
)
UNTIL = Field(
    key="until",
    kind=START_TIME.kind,
    doc="The last time; it gets a start when the steps hit it. With + like start_time.",
    example="18:00",
    required=True,
)
REPEAT_RECORD = Record(
    name="repeat",
    title="a repetition",
    doc="More starts on the same day, each a rule of its own with the smallest free number.",
    fields=(EVERY, UNTIL),
    example="{every: 30 min, until: 18:00}",
)
REPEAT = Field(
    key="repeat",
    kind=Described(REPEAT_RECORD, _repeat),
    doc=(
        "Start again every so often up to a last time: makes rules like this one with later start times, which follow "
        "the same rule of the jobnet above."
    ),
    default="none",
    example="{every: 30 min, until: 18:00}",
)
LINK = Field(
    key="link",
    kind=whole(1, MAX_RULES),
    doc="The rule of the jobnet above that this rule follows: it is alive in runs which that rule made.",
    default="the rule with the same number",
    example="1",
)
_LENGTH = f"from 1 to {MOST_MINUTES:,} min"


def _limit_kind(words: Iterable[Since]) -> Scalar[Limit]:
    """Return what a delay takes that can count from these starts."""
    since = {SINCE[one]: one for one in words}
    said = listed([f"{word} + 90 min" for word in since], "or")
    return Scalar(
        f"a time from 00:00 to 47:59, or {said} ({_LENGTH})",
        lambda text: parse_limit(text, since),
        {
            "type": "string",
            "pattern": rf"^(([0-3]?[0-9]|4[0-7]):[0-5][0-9]|({'|'.join(since)}) *\+ *([0-9]{{1,7}} ?[a-z]+ ?)+)$",
        },
    )


START_DELAY = Field(
    key="start_delay",
    kind=_limit_kind(SINCE),
    doc=(
        "By when a run must have started, else its start counts as delayed: a time of the execution date, or so long "
        "after the scheduled start of the root jobnet (root), of the jobnet above (upper) or of itself (own). It is "
        "not later than the end of the day on which the jobnet starts."
    ),
    default="not monitored",
    example="root + 90 min",
)
END_DELAY = replace(
    START_DELAY,
    key="end_delay",
    doc="By when a run must have ended, else its end counts as delayed; like start_delay.",
    example="27:30",
)
ROOT_START_DELAY = replace(
    START_DELAY,
    kind=_limit_kind([Since.OWN]),
    doc=(
        "By when a run must have started, else its start counts as delayed: a time of the execution date, or so long "
        "after its scheduled start (own). It is not later than the end of the day on which it starts."
    ),
    example="own + 30 min",
)
ROOT_END_DELAY = replace(END_DELAY, kind=_limit_kind([Since.OWN]))
_FIELDS = (
    NUMBER,
    START_DAY,
    START_TIME,
    REPEAT,
    CYCLE,
    SUBSTITUTE,
    SHIFT_DAYS,
    DAYS_FROM_START,
)
_HINTS = {
    "number": "write rule",
    "time": "write start_time",
    "day": "write start_day",
    "every": "write cycle",
}
ROOT_RULE_RECORD = Record(
    name="rule",
    title="a schedule rule of a root jobnet",
    doc="One schedule rule of a root jobnet: when it runs.",
    fields=(*_FIELDS, ROOT_START_DELAY, ROOT_END_DELAY),
    example="{rule: 1, start_day: registered, start_time: 22:00, cycle: 1 day, substitute: skip}",
    hints=_HINTS | {"link": "only a nested jobnet has a jobnet above whose rule it could follow"},
)
NESTED_RULE_RECORD = Record(
    name="nestedRule",
    title="a schedule rule of a nested jobnet",
    doc="One schedule rule of a nested jobnet: in which runs of the jobnet above it takes part, and when.",
    fields=(*_FIELDS, START_DELAY, END_DELAY, LINK),
    example="{rule: 1, link: 1, start_time: +01:00}",
    hints=_HINTS,
)


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """A rule whose number and link still depend on what stands around it; None where they were not given.

    ``numbered`` is False when a number was given that is wrong. ``repeats`` are the start times of the rules that its
    repetition makes.
    """

    number: Placed[int] | None
    link: Placed[int] | None
    rule: Rule
    numbered: bool
    repeats: tuple[StartTime, ...] = ()


def _rule_draft(values: Values, spot: Spot) -> RuleDraft:
    """Return the rule that a mapping describes; note keys that do not go together."""
    start_day: StartDay = values.get(START_DAY, RegisteredDay())
    counted = start_day.counting if isinstance(start_day, (DayNumber, DayFromEnd)) else None
    cycle = values.get(CYCLE)
    if cycle and cycle.unit is CycleUnit.WEEK and counted in {Counting.OPEN, Counting.CLOSED}:
        _refuse_weeks(values, spot, cycle, counted)
    closed = counted is Counting.CLOSED
    substitute = values.get(SUBSTITUTE, Substitute.RUN if closed else Rule().substitute)
    if closed and substitute is Substitute.SKIP:
        spot.refuse(
            values.at(SUBSTITUTE),
            "substitute skip with a closed start day never runs",
            hint="write run, before or after, or remove substitute",
            value="skip",
        )
    rule = Rule(
        start_day=start_day,
        start_time=values.get(START_TIME, StartTime()),
        cycle=cycle,
        substitute=substitute,
        shift_days=values.get(SHIFT_DAYS, 2),
        days_from_start=values.get(DAYS_FROM_START),
        start_delay=values.get(START_DELAY),
        end_delay=values.get(END_DELAY),
    )
    return RuleDraft(
        number=_placed(values, NUMBER),
        link=_placed(values, LINK),
        rule=rule,
        numbered=not values.wrong(NUMBER) and not values.wrong(LINK),
        repeats=_repeats(values, spot, rule.start_time),
    )


def _repeats(values: Values, spot: Spot, first: StartTime) -> tuple[StartTime, ...]:
    """Return the start times that a repetition adds to the first one, the last time included (rule book 2.5)."""
    repeat = values.get(REPEAT)
    if repeat is None or values.wrong(START_TIME):
        return ()
    until = repeat.until.value
    said = f"until {start_time_text(until)}"
    if until.relative != first.relative:
        spot.refuse(
            repeat.until.place,
            f"{said} is not counted like start_time {start_time_text(first)}",
            hint="write both with + or both without",
            value=start_time_text(until),
        )
        return ()
    if until.minutes <= first.minutes:
        spot.refuse(
            repeat.until.place,
            f"{said} does not lie after start_time {start_time_text(first)}",
            hint="times go up to 47:59; after midnight write 24:00 and more",
            value=start_time_text(until),
        )
    times = range(first.minutes + repeat.every, until.minutes + 1, repeat.every)
    return tuple(StartTime(minutes, relative=first.relative) for minutes in times)


def _refuse_weeks(values: Values, spot: Spot, cycle: Cycle, counted: Counting) -> None:
    """Note a weekly cycle of a start day that counts open or closed days (rule book 2.3)."""
    spot.refuse(
        values.at(CYCLE),
        f"a cycle of weeks does not go with a start day that counts {counted.value} days",
        hint="use a cycle of days, months or years, or a start day such as fri",
        value=f"{cycle.every} week",
    )


def _placed(values: Values, field: Field[int]) -> Placed[int] | None:
    """Return a number with its place."""
    number = values.get(field)
    return None if number is None else Placed(number, values.at(field))


def _parse_undefined(text: str) -> tuple[Placed[RuleDraft], ...]:
    """Return no rules for the word ``undefined``."""
    if text.lower() != "undefined":
        raise NotThis(hint="write undefined, or a list of rules such as [{start_time: 22:00}]")
    return ()


def _schedule_kind(record: Record) -> Either[tuple[Placed[RuleDraft], ...]]:
    """Return what the key ``schedule`` takes: the word ``undefined``, or rules."""
    return Either(
        Scalar("the word undefined", _parse_undefined, {"const": "undefined"}),
        OneOrMore(Described(record, _rule_draft), least=1),
    )


ROOT_SCHEDULE = Field(
    key="schedule",
    kind=_schedule_kind(ROOT_RULE_RECORD),
    doc="The schedule rules, or the word undefined: then no run is ever planned.",
    default="one rule on the registered day at the base time",
    example="[{start_time: 22:00, cycle: 1 day}]",
)
NESTED_SCHEDULE = Field(
    key="schedule",
    kind=_schedule_kind(NESTED_RULE_RECORD),
    doc="The schedule rules, or the word undefined: then it never runs.",
    default="it depends on the jobnet above and runs whenever that one runs",
    example="[{link: 1, start_time: +01:00}]",
)
