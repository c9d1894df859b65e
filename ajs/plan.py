"""A registration and the starts that the rules give → generations and dummies.

A *generation* is one run of a root jobnet. Its identity never changes; where it lies (its ``slot``) may. Under
planned registration one generation is real and every later start of the rules is a *dummy* (rule book 6.2); under
fixed and immediate registration every generation is real.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import Enum
from itertools import dropwhile, takewhile

from ajs.attributes import Temporary, together
from ajs.choices import NESTED_LAST_MINUTE, OVERDUE
from ajs.model import Jobnet
from ajs.schedule import Slot, Start, Tie, Timetable

DONE_FOR = timedelta(days=45)
"""How long an occurrence that ran is remembered, so that an edit of its rule or calendar cannot bring it back."""
MOST_DONE = 200
"""How many of them are remembered at most, the latest ones."""


class Method(Enum):
    """How a root jobnet was registered for execution (rule book section 6)."""

    PLANNED = "planned"
    FIXED = "fixed"
    IMMEDIATE = "immediate"


class Phase(Enum):
    """How far a generation has come."""

    WAITING = "waiting"
    """Not started: it waits for its start time, or is held at it. Only these can be changed."""
    RUNNING = "running"
    ENDED = "ended"
    PROHIBITED = "prohibited"
    """Execution prohibited by an operator before it started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NestedPlan:
    """The plan of one nested jobnet in one generation.

    ``start`` is its wall-clock start; None means that it follows its upper jobnet (if it ``depends`` on it) or is not
    scheduled. ``original`` is what ``start`` was before temporary changes. ``by_hand``: it was changed itself.
    ``passed``: how far changes of upper jobnets were passed on to it, relative path of that jobnet → shift. Both count
    as fixing the start (seed 4.5.3 (3), R16): it then follows when the root goes to another date.
    """

    start: datetime | None = None
    original: datetime | None = None
    depends: bool = False
    by_hand: bool = False
    passed: tuple[tuple[str, timedelta], ...] = ()
    prohibited: bool = False
    rule: int = 1
    """The rule that planned it; means nothing when it depends on its upper jobnet."""

    @property
    def scheduled(self) -> bool:
        """Whether the nested jobnet runs in this generation when its turn comes."""
        return (self.depends or self.start is not None) and not self.prohibited

    @property
    def fixed(self) -> bool:
        """Whether a temporary change fixed the start, so that the rules no longer decide it."""
        return self.by_hand or bool(self.passed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The original run that an earlier start left in place (*also in next schedule*, rulings R1, R16, R31)."""

    slot: Slot
    original: Slot
    ties: tuple[Tie, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One run of a root jobnet.

    ``slot`` is where it lies now, ``original`` where it lay before temporary changes. ``ties`` are the occurrences of
    rules that it stands for, empty for immediate and added ones. ``holds`` are temporary: relative path of a unit
    (``""`` the root) → held or released, and so are ``attributes``; ``prohibited`` are the nested jobnets and jobs that
    will be bypassed. ``serial`` is the number within ``registered_for``, the execution date it was made for: together
    they are the execution registration number, which never changes.
    """

    id: int = 0
    method: Method
    slot: Slot
    original: Slot
    phase: Phase = Phase.WAITING
    ties: tuple[Tie, ...] = ()
    kept: Kept | None = None
    added: bool = False
    nested: Mapping[str, NestedPlan] = field(default_factory=dict)
    holds: Mapping[str, bool] = field(default_factory=dict)
    attributes: Temporary = field(default_factory=dict)
    prohibited: frozenset[str] = frozenset()
    version: int = 0

    @property
    def changed(self) -> bool:
        """Whether its start is temporarily changed."""
        return self.slot != self.original


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a fixed registration was computed from, which later edits do not touch (rule book 6.3).

    ``path`` is the root's full path at that moment, ``definition`` and ``calendars`` are the keys under which the
    definition and the calendars of all job groups are stored; ``exclusive`` has path and key of its exclusive jobnet,
    of that one's, and so on.
    """

    path: str
    definition: str
    calendars: str
    exclusive: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """The registration of a root jobnet for execution.

    ``registered`` is the wall-clock moment. ``floor`` is the slot of the last run that started or was passed by: no
    rule start at or before it comes again (ruling R4). ``done`` are occurrences that ran lately, so that an edited rule
    or calendar cannot bring them back (product promise: no edit runs a job twice).

    ``count`` is the number of future generations of a fixed registration by number, 0 for any other; ``cancelled`` are
    recent and coming occurrences that were cancelled (``ajsleave``), which come only when they are registered anew;
    ``frozen`` is what a fixed registration by rules was computed from.
    """

    method: Method
    registered: datetime
    floor: Slot | None = None
    done: frozenset[Tie] = frozenset()
    catch_up: bool = True
    """Whether today's past run counts (``ajsentry -s``) or only the coming ones (``-f``); rule book 6.5."""
    count: int = 0
    cancelled: frozenset[Tie] = frozenset()
    skip_overdue: bool = False
    """Whether a start that was missed without a manager is left out (``ajsentry -o``); rule book 6.11."""
    frozen: Frozen | None = None
    version: int = 0

    @property
    def has_dummies(self) -> bool:
        """Whether its rules plan runs beyond the real ones: planned, and fixed by number (rule book 6.2, 6.4)."""
        return self.method is Method.PLANNED or self.count > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RootPlan:
    """Everything planned for one root: its registration and its generations that wait or were prohibited."""

    registration: Registration
    generations: tuple[Generation, ...] = ()

    def generation(self, number: int) -> Generation | None:
        """Return the generation with this number, or None."""
        return next((g for g in self.generations if g.id == number), None)

    @property
    def waiting(self) -> tuple[Generation, ...]:
        """The generations that have not started, in slot order."""
        found = [g for g in self.generations if g.phase is Phase.WAITING]
        return tuple(sorted(found, key=lambda g: g.slot))

    def with_generation(self, generation: Generation) -> RootPlan:
        """Return the plan with this generation put in place of the one with the same number."""
        kept = tuple(generation if g.id == generation.id else g for g in self.generations)
        return replace(self, generations=kept)

    def without(self, generation: Generation) -> RootPlan:
        """Return the plan without this generation."""
        return replace(self, generations=tuple(g for g in self.generations if g is not generation))


class Gone(Enum):
    """How a planned start can pass without anybody having taken it out of the plan."""

    WENT_BY = "went_by"
    """Its time went by while the run before it waited (rule book 6.10, 6.11)."""
    MOVED_PAST = "moved_past"
    """A run before it was moved past it (seed 4.5.3 (4))."""


@dataclass(frozen=True, slots=True)
class Passed:
    """A planned start that will not run, and why; its fate is kept (product promise 3).

    ``how`` is None for what was skipped, or taken out of the plan.
    """

    slot: Slot
    ties: tuple[Tie, ...]
    why: str
    how: Gone | None = None


def _went_by(start: Start) -> Passed:
    # The run ahead of it started late: it waited, or no manager ran (6.10, 6.11).
    why = "its time went by before the run ahead of it had started"
    return Passed(start.slot, start.ties, why, Gone.WENT_BY)


def _overtaken(start: Start, to: Slot) -> Passed:
    why = f"a run was moved past it, to {to.start}"
    return Passed(start.slot, start.ties, why, Gone.MOVED_PAST)


# -- nested jobnets of one generation --


def nested_plan(
    timetable: Timetable, registered: datetime, slot: Slot, ties: tuple[Tie, ...]
) -> dict[str, NestedPlan]:
    """Return the plan of every nested jobnet by the rules alone (rule book section 5)."""
    starts = timetable.nested(registered, slot.exec_date, slot.start, ties)
    return {
        path: NestedPlan(start=s.at, original=s.at, depends=s.follows, rule=s.rule)
        for path, s in starts.items()
    }


def nested_without_rules(timetable: Timetable) -> dict[str, NestedPlan]:
    """Return nested plans of a run that no rule made: every nested jobnet has the root's time (rule book 6.4)."""
    return {
        path: NestedPlan(depends=True)
        for path, unit in timetable.jobnet.walk()
        if isinstance(unit, Jobnet)
    }


def with_all_nested(generation: Generation, jobnet: Jobnet) -> Generation:
    """Return the generation with a plan for every nested jobnet of its root as it is defined now.

    A fixed or immediate run does not follow later rules (rule book 6.3): a nested jobnet that was defined since has no
    start of its own in it, and starts with its upper jobnet.
    """
    missing = {
        path: NestedPlan(depends=True)
        for path, unit in jobnet.walk()
        if isinstance(unit, Jobnet) and path not in generation.nested
    }
    return replace(generation, nested={**generation.nested, **missing}) if missing else generation


def nested_on_new_date(
    old: Mapping[str, NestedPlan],
    fresh: Mapping[str, NestedPlan],
    timetable: Timetable,
    move: tuple[date, date],
    *,
    by_rule: bool,
) -> dict[str, NestedPlan]:
    """Return the nested plans after the root went from one execution date to another.

    ``fresh`` is what the rules give for the new date, ``move`` the old and the new execution date. With ``by_rule``
    (planned registration) the rules decide, except for what was fixed by hand; otherwise every start follows the
    date at the same offset, inside the 48 hours (seed 4.5.3 (3), rule book 7.3, R20). A prohibition stays (R16).
    """
    shift = move[1] - move[0]
    found = {}
    for path, plan in fresh.items():
        before = old.get(path)
        if before is None or (by_rule and not before.fixed):
            after = plan
        elif before.start is None:
            after = before
        else:
            after = replace(
                before,
                start=_inside(timetable, move[1], before.start + shift),
                original=plan.original if by_rule else _moved(before.original, shift),
            )
        found[path] = replace(after, prohibited=before.prohibited if before else False)
    return found


def _moved(at: datetime | None, shift: timedelta) -> datetime | None:
    return None if at is None else at + shift


def _inside(timetable: Timetable, exec_date: date, at: datetime) -> datetime:
    first, end = timetable.window(exec_date)
    return min(max(at, first), end - NESTED_LAST_MINUTE)


# -- the dummies after the real generations, and what makes one of them real --


def coming(
    plan: RootPlan, timetable: Timetable, starts: Iterable[Start] | None = None
) -> Iterator[Start]:
    """Yield the starts that the rules still plan and no real generation stands for: the dummies, in slot order.

    ``starts`` is what ``after_floor`` gives, where the caller has it already.

    Prohibited occurrences, those that ran away from their rule time, and those that a postponed run has moved past
    do not come (rule book 7.1, 7.4; rulings R1, R4, R16), and neither does one at whose very time a fixed run waits:
    that run is it (2.2, 6.6). The original that a run pushed ahead left in place does.
    """
    registration = plan.registration
    if not registration.has_dummies:
        return
    real = plan.generations
    taken = {tie for g in real for tie in g.ties} | registration.done | registration.cancelled
    first = datetime.min if registration.method is Method.PLANNED else registration.registered
    spent = frozenset(taken)
    moved = [(g.original, g.slot) for g in real if g.phase is Phase.WAITING and not g.kept]
    there = {g.slot for g in real if g.phase is Phase.WAITING and g.method is Method.FIXED}
    kept = [g.kept for g in real if g.kept is not None and g.phase is Phase.WAITING]
    moved += [(k.original, k.slot) for k in kept]
    passed = [(original, last) for original, last in moved if original < last]
    taken |= {tie for k in kept for tie in k.ties}
    waiting_kept = sorted(
        (Start(k.slot, k.ties) for k in kept if not k.ties or not spent.issuperset(k.ties)),
        key=lambda s: s.slot,
    )
    for start in after_floor(registration, timetable) if starts is None else starts:
        if start.slot.start < first or taken.issuperset(start.ties):
            continue
        if start.slot in there:
            continue
        if passed and any(original < start.slot <= last for original, last in passed):
            continue
        while waiting_kept and waiting_kept[0].slot < start.slot:
            yield waiting_kept.pop(0)
        yield start
    yield from waiting_kept


def after_floor(
    registration: Registration, timetable: Timetable, since: date = date.min
) -> Iterator[Start]:
    """Yield the rule starts after the last run; before the first run, from the registration on (6.5, R4, R10).

    ``since``: only those with this execution date or a later one, where it lies after the registration.
    """
    registered, floor = registration.registered, registration.floor
    # The day before is looked at too: on a 48-hour service its 24:00..47:59 lie on this one.
    if floor is not None:
        first = min(floor.exec_date, timetable.day_of(floor.start)) - timedelta(days=1)
        planned = timetable.starts(registered, max(first, since), catch_up=registration.catch_up)
        yield from dropwhile(lambda start: start.slot <= floor, planned)
        return
    today = timetable.day_of(registered)
    first = since if since > today else today - timedelta(days=1)
    starts = timetable.starts(registered, first, catch_up=registration.catch_up)
    yield from last_past(starts, registered)


def last_past(starts: Iterable[Start], registered: datetime) -> Iterator[Start]:
    """Yield the starts without those before the registration, but for the last of these (rule book 6.5)."""
    past = None
    for start in starts:
        if start.slot.start < registered:
            past = start
            continue
        if past is not None:
            yield past
            past = None
        yield start
    if past is not None:
        yield past


def generation_for(
    start: Start,
    registration: Registration,
    timetable: Timetable,
    holds: Mapping[str, bool] | None = None,
    attributes: Temporary | None = None,
) -> Generation:
    """Return the real generation made from one start of the rules, with no temporary changes but those given."""
    return Generation(
        method=registration.method,
        slot=start.slot,
        original=start.slot,
        ties=start.ties,
        nested=nested_plan(timetable, registration.registered, start.slot, start.ties),
        holds=dict(holds or {}),
        attributes=dict(attributes or {}),
    )


def with_next(
    plan: RootPlan,
    timetable: Timetable,
    holds: Mapping[str, bool] | None = None,
    attributes: Temporary | None = None,
) -> RootPlan:
    """Return a planned registration's plan with its next real generation made, if the rules give one.

    Nothing is added when a real generation already waits that is due before every dummy.
    """
    if plan.registration.method is not Method.PLANNED:
        return plan
    following = next(coming(plan, timetable), None)
    waiting = [g for g in plan.waiting if g.method is Method.PLANNED]
    if following is None or (waiting and not following.slot < waiting[0].slot):
        return plan
    made = generation_for(following, plan.registration, timetable, holds, attributes)
    return replace(plan, generations=(*plan.generations, made))


def started(
    plan: RootPlan, generation: Generation, timetable: Timetable, now: datetime
) -> tuple[RootPlan, tuple[Passed, ...]]:
    """Return the plan once this generation has left the waiting ones, with what was passed by.

    It has started, or was skipped. Under planned registration the next real generation is made: the original that
    was kept, anew and without temporary changes, or the first start behind both the old and the new time (rule book
    6.2, 7.1, R1). Under fixed registration by number the first dummy becomes real, unless the generation was an added
    one (6.4, R18). Starts that went by while it waited are missed (6.10, 6.11).
    """
    rest = plan.without(generation)
    if plan.registration.method is Method.FIXED:
        return _fixed_started(plan, generation, timetable, now)
    if generation.method is not Method.PLANNED:
        return rest, ()
    if generation.kept is not None:
        floor = max_slot(plan.registration.floor, generation.slot)
        lost = tuple(_behind(plan, floor, timetable, ()))
        rest = replace(rest, registration=replace(plan.registration, floor=floor))
        return kept_made_real(rest, generation.kept, timetable), lost
    dropped = tuple(_moved_past(plan, generation, timetable))
    floor = max_slot(plan.registration.floor, generation.original, generation.slot)
    rest = replace(rest, registration=_ran(plan.registration, generation, floor))
    missed = []
    for start in coming(rest, timetable):
        if start.slot.start > now - OVERDUE:
            break
        missed.append(_went_by(start))
        floor = max_slot(floor, start.slot)
    missed += _behind(plan, floor, timetable, (*dropped, *missed))
    rest = replace(rest, registration=replace(rest.registration, floor=floor))
    return with_next(rest, timetable), (*dropped, *missed)


def _fixed_started(
    plan: RootPlan, generation: Generation, timetable: Timetable, now: datetime
) -> tuple[RootPlan, tuple[Passed, ...]]:
    """Return a fixed registration's plan without this generation; by number, with the first dummy made real."""
    registration = plan.registration
    rest = plan.without(generation)
    ties = generation.ties or ties_at(registration, timetable, generation.slot)
    if not ties:
        return rest, ()
    floor = max_slot(registration.floor, generation.slot)
    registration = replace(
        _ran(registration, replace(generation, ties=ties), floor), floor=registration.floor
    )
    rest = replace(rest, registration=registration)
    if generation.added and sum(bool(g.ties) for g in rest.waiting) >= registration.count:
        return rest, ()
    passed: list[Passed] = []
    for start in coming(rest, timetable):
        moved_past = generation.original < start.slot and not generation.slot < start.slot
        coming_yet = start.slot.start > now - OVERDUE and generation.slot < start.slot
        if coming_yet and not moved_past:
            break
        passed.append(_overtaken(start, generation.slot) if moved_past else _went_by(start))
    floor = max_slot(floor, *(one.slot for one in passed))
    passed += _behind(rest, floor, timetable, passed)
    rest = replace(rest, registration=replace(registration, floor=floor))
    following = next(coming(rest, timetable), None)
    if following is None:
        return rest, tuple(passed)
    made = generation_for(following, registration, timetable)
    return replace(rest, generations=(*rest.generations, made)), tuple(passed)


def _behind(
    plan: RootPlan, floor: Slot, timetable: Timetable, told: Iterable[Passed]
) -> Iterator[Passed]:
    """Yield the dummies that the floor leaves behind and that are not told yet: other runs have been moved past them.

    Such a run can still be prohibited or moved back; what is behind the floor does not come again then.
    """
    registration = plan.registration
    if not registration.has_dummies:
        return
    known = {tie for g in plan.generations for tie in (*g.ties, *(g.kept.ties if g.kept else ()))}
    known |= registration.done | registration.cancelled
    known |= {tie for one in told for tie in one.ties}
    there = {g.slot for g in plan.waiting if g.method is Method.FIXED}
    first = datetime.min if registration.method is Method.PLANNED else registration.registered
    moved = [(k.original, k.slot) for g in plan.waiting for k in (g, g.kept) if k is not None]
    for start in after_floor(registration, timetable):
        if floor < start.slot:
            return
        if start.slot.start < first or start.slot in there or known.issuperset(start.ties):
            continue
        past = (to for was, to in moved if was < start.slot and not to < start.slot)
        to = next(past, None)
        yield _went_by(start) if to is None else _overtaken(start, to)


def ties_at(registration: Registration, timetable: Timetable, slot: Slot) -> tuple[Tie, ...]:
    """Return the occurrences at whose very time a run lies that no rule made: it is the dummy there (6.6)."""
    if not registration.has_dummies:
        return ()
    near = takewhile(lambda s: s.slot.start <= slot.start, after_floor(registration, timetable))
    return next((start.ties for start in near if start.slot == slot), ())


def _ran(registration: Registration, generation: Generation, floor: Slot) -> Registration:
    """Return the registration once this run has left the plan; what an edit can no longer bring back is forgotten."""
    since = floor.exec_date - DONE_FOR
    return replace(
        registration,
        floor=floor,
        done=_remembered(registration.done | frozenset(generation.ties), floor),
        cancelled=frozenset(tie for tie in registration.cancelled if tie.day >= since),
    )


def _remembered(done: frozenset[Tie], floor: Slot) -> frozenset[Tie]:
    """Return the occurrences that ran and that an edit might still bring back."""
    recent = [tie for tie in done if tie.day >= floor.exec_date - DONE_FOR]
    return frozenset(sorted(recent, key=lambda tie: (tie.day, tie.rule))[-MOST_DONE:])


def kept_made_real(
    rest: RootPlan, kept: Kept, timetable: Timetable, holds: Mapping[str, bool] | None = None
) -> RootPlan:
    """Return the plan with a kept original as a real generation, anew and without changes but ``holds`` (R1)."""
    anew = Generation(
        method=rest.registration.method,
        slot=kept.slot,
        original=kept.original,
        ties=kept.ties,
        nested=nested_plan(timetable, rest.registration.registered, kept.slot, kept.ties),
        holds=dict(holds or {}),
    )
    return replace(rest, generations=(*rest.generations, anew))


def _moved_past(plan: RootPlan, generation: Generation, timetable: Timetable) -> Iterator[Passed]:
    """Yield the dummies that a postponed run was moved past and that are now lost (seed 4.5.3 (4))."""
    unmoved = replace(generation, slot=generation.original)
    for start in coming(plan.with_generation(unmoved), timetable):
        if generation.slot < start.slot:
            return
        yield _overtaken(start, generation.slot)


def max_slot(*slots: Slot | None) -> Slot:
    """Return the latest of the slots given; at least one is not None."""
    return max((s for s in slots if s is not None), key=lambda s: (s.start, s.exec_date))


# -- what a generation hands to the next one --


@dataclass(frozen=True, slots=True)
class Unused:
    """Temporary changes whose turn never came: holds, and attributes."""

    holds: Mapping[str, bool]
    attributes: Temporary

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.holds or self.attributes)

    def handed_on(self, following: Generation) -> Generation:
        """Return the following generation with these changes; its own count before them (rule book 7.8)."""
        return replace(
            following,
            holds={**self.holds, **following.holds},
            attributes=together(self.attributes, following.attributes),
        )
