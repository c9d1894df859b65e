"""How the runs of a fixed registration differ from what the rules and calendars of now would plan (rule book 6.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import takewhile

from ajs.operations.plan_diff import nested_may_differ
from ajs.plan import Generation, Phase, RootPlan, nested_plan
from ajs.registering import registrable
from ajs.schedule import Slot, Start, Timetable

DATES = 3
"""How many dates a note names of one kind before it only counts them."""


def behind(plan: RootPlan, frozen: Timetable, now: Timetable) -> tuple[str, ...]:
    """Return a note when the waiting runs of a fixed registration are not those that the rules now give, else none.

    Looked at are the execution dates from the first to the last of them. Runs that no rule made do not count, and
    those that were changed by hand count where they lay before.
    """
    made = {run.original: run for run in plan.waiting if run.ties}
    if plan.registration.frozen is None or not made:
        return ()
    given = list(_given(plan, now, sorted(slot.exec_date for slot in made)))
    told = list(_dates(_by_date(made), _by_date(start.slot for start in given)))
    if nested_may_differ(frozen, now):
        told += _inside(plan, made, given, frozen, now)
    if not told:
        return ()
    told.append("register it anew to pick the changes up")
    return (f"registered for fixed execution: {'; '.join(told)}",)


def _given(plan: RootPlan, now: Timetable, dates: Sequence[date]) -> Iterator[Start]:
    """Yield the starts that the rules now give between the first and the last of the dates."""
    registration = plan.registration
    spent = registration.done | registration.cancelled
    spent |= {tie for run in plan.generations if run.phase is Phase.PROHIBITED for tie in run.ties}
    _, end = now.window(dates[-1])
    for start in takewhile(lambda one: one.slot.start < end, registrable(registration, now)):
        if dates[0] <= start.slot.exec_date <= dates[-1] and not spent.issuperset(start.ties):
            yield start


def _by_date(slots: Iterable[Slot]) -> dict[date, list[datetime]]:
    found: dict[date, list[datetime]] = {}
    for slot in sorted(slots):
        found.setdefault(slot.exec_date, []).append(slot.start)
    return found


def _dates(
    made: Mapping[date, list[datetime]], given: Mapping[date, list[datetime]]
) -> Iterator[str]:
    """Yield on which execution dates it runs although, or does not run although, or runs at other times."""
    left_out = sorted(made.keys() - given.keys())
    added = sorted(given.keys() - made.keys())
    other = [day for day in sorted(made.keys() & given.keys()) if made[day] != given[day]]
    if left_out:
        yield f"still runs on {_named(left_out)}, which the rules now leave out"
    if added:
        yield f"does not run on {_named(added)}, which the rules now plan"
    if other:
        first = other[0]
        was, now = (_times(days[first], first) for days in (made, given))
        more = f" first, {len(other)} days in all" if len(other) > 1 else ""
        yield f"still runs at {was} on {first}, where the rules now plan {now}{more}"


def _inside(
    plan: RootPlan,
    made: Mapping[Slot, Generation],
    given: Sequence[Start],
    frozen: Timetable,
    now: Timetable,
) -> Iterator[str]:
    """Yield on which execution dates nested jobnets would start otherwise."""
    registered = plan.registration.registered
    other = set()
    for start in given:
        run = made.get(start.slot)
        if run is not None:
            was = nested_plan(frozen, registered, start.slot, run.ties)
            if was != nested_plan(now, registered, start.slot, start.ties):
                other.add(start.slot.exec_date)
    if other:
        yield f"nested jobnets run as they were planned on {_named(sorted(other))}"


def _named(days: Sequence[date]) -> str:
    shown = ", ".join(map(str, days[:DATES]))
    return shown if len(days) <= DATES else f"{shown} and {len(days) - DATES} more"


def _times(starts: Sequence[datetime], day: date) -> str:
    shown = [f"{at:%H:%M}" if at.date() == day else f"{at:%Y-%m-%d %H:%M}" for at in starts]
    return ", ".join(shown) if len(shown) <= DATES else f"{shown[0]} to {shown[-1]}"
