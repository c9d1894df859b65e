"""``ajsshow``: units with their generations as plain lines.

Nothing of the core is loaded for it, so that asking for one unit costs little more than starting Python.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from ajs.errors import GenerationNotFound, UsageError
from ajs.operations.listing import is_whole, named_units, on_page
from ajs.operations.targets import Filters, Name, by_registration_number
from ajs.operations.times import local
from ajs.statuses import NOT_LET_GO, UNREGISTERED, Status
from ajs.store import show as stored
from ajs.store import units
from ajs.store.folder import FETCHED, SPOOL
from ajs.store.numbers import execution_id
from ajs.store.show import AttemptRow, GenerationRow, OnAgent, RegistrationRow, UnitRunRow
from ajs.store.units import GROUP, JOB, JOBNET, ROOT, Unit

if TYPE_CHECKING:
    from ajs.agents import AgentIdentity
    from ajs.causes import Asked
    from ajs.operations.service import Service
    from ajs.store.database import Reading

ALL = 1 << 62
"""As many generations as there are."""


class Which(NamedTuple):
    """Which generations of each root jobnet: without anything said the one that counts now.

    ``newest`` so many of the latest starts; ``number`` the one with that registration number; ``since`` and ``until``
    (both included, either may be "") days of the calendar, or execution dates with ``by_exec_date``.
    """

    newest: int = 0
    number: str = ""
    since: str = ""
    until: str = ""
    by_exec_date: bool = False

    @property
    def searches(self) -> bool:
        """Whether units without such a generation are left out; job groups stay where something in them is shown."""
        return bool(self.number or self.since or self.until)


class Mark(NamedTuple):
    """Something to know about a unit's run besides its status.

    ``moved`` (value: the time before temporary changes), ``added``, ``also`` (value: the time of the original that
    stays), ``held`` and ``released`` (temporarily), ``hold`` (by definition), ``prohibited``, ``interrupted``,
    ``priority``, ``start_delay``, ``end_delay`` and ``required_time`` (value: the temporary one), ``start_delayed`` and
    ``end_delayed``, ``kill_asked`` and ``killed`` (by an operator), ``new`` (defined after this
    run started), ``undefined`` (no longer defined), ``prohibited_run`` (value: the start of another run, still to come,
    that is prohibited), ``going_too`` and ``waiting_too`` (value: how many other runs go on, and wait for that). ``by``
    says which operator, and why.
    """

    what: str
    value: str = ""
    by: str = ""


class Line(NamedTuple):
    """One unit in one generation, or without one.

    Plan times are wall-clock text, real times ISO text with offset; what there is not is "". ``depth`` counts from the
    unit that was asked for. ``status`` is a constant of ``statuses``, UNREGISTERED, or "" for a job group.
    """

    unit: str
    name: str
    kind: str
    depth: int
    comment: str
    registration: RegistrationRow | None
    generation: GenerationRow | None
    status: str
    planned: str = ""
    original: str = ""
    started: str = ""
    ended: str = ""
    return_code: int | None = None
    priority: int | None = None
    """The temporary priority."""
    delays: tuple[str, ...] = ()
    """Which of its ``start`` and ``end`` came too late."""
    marks: tuple[Mark, ...] = ()
    agent: AgentIdentity | None = None
    """The agent on which a flexible job ran or runs, and the relay agent through which it was last heard of."""
    relay: str = ""
    attempt: AttemptRow | None = None
    """Its newest attempt, where attempts were asked for."""
    following: GenerationRow | None = None
    """The next run of the root jobnet that waits, where it was asked for."""


class Page(NamedTuple):
    """What ``ajsshow`` shows of one scheduler service.

    Attempt n left its output in the folder ``output`` + n, one on an agent in ``fetched`` + n.
    """

    service: str
    lines: tuple[Line, ...]
    output: str = ""
    fetched: str = ""


def show(
    service: Service,
    names: Sequence[Name],
    filters: Filters,
    which: Which | None = None,
    *,
    inside: bool = True,
    attempts: bool = False,
    following: bool = False,
) -> Page:
    """Return the named units, each with the generations asked for, newest first.

    ``inside`` puts what is directly in a job group below it; ``attempts`` adds each job's newest attempt, ``following``
    the next run. Raises UnitNotFound; GenerationNotFound when an execution ID, a registration number or a period finds
    nothing at all.
    """
    which = which or Which()
    _refuse_mixed(names, which)
    with service.store.read() as tx:
        reading = _Reading(tx, service, filters, which)
        lines = reading.lines(names, inside=inside, attempts=attempts, following=following)
        output = [_output(service, tx, name) if attempts else "" for name in (SPOOL, FETCHED)]
    if not lines and which.searches:
        named = ", ".join(name.path for name in names)
        raise GenerationNotFound(
            f"{named}: no run in that period",
            hint="ajsshow -g a lists all runs; ajsshow --schedule the coming ones",
            unit=named,
        )
    return Page(service.name, tuple(lines), *output)


def _output(service: Service, tx: Reading, name: str) -> str:
    """Return what every attempt's folder begins with: its place, and the service's part of the attempt's name."""
    return f"{service.folder}/{name}/{tx.service().uuid}-"


def _refuse_mixed(names: Sequence[Name], which: Which) -> None:
    by_id = next((name for name in names if name.execution_id), None)
    if by_id is not None and which != Which():
        raise UsageError(
            f"{by_id.path}:{by_id.execution_id} names one run, so -g, -b, -v and -B say nothing more",
            hint="leave the execution ID or the option away",
        )


class _Plan(NamedTuple):
    """What a generation's plan says of the units below its root, by relative path."""

    nested: dict[str, dict[str, Any]]
    holds: dict[str, bool]
    attributes: dict[str, dict[str, Any]]
    prohibited: frozenset[str]


class _Reading:
    """Everything that the lines are made of, read within one consistent look."""

    def __init__(self, tx: Reading, service: Service, filters: Filters, which: Which) -> None:
        self.tx = tx
        self.service = service
        self.filters = filters
        self.which = which
        self.shown = local(service.time_zone)
        self.registered: dict[int, RegistrationRow] = {}
        self.generations: dict[int, list[GenerationRow]] = {}
        self.roots: dict[int, Unit] = {}
        self.by_id: dict[int, str] = {}
        self.runs: dict[tuple[int, str], UnitRunRow] = {}
        self.started: set[int] = set()
        self.held: dict[str, frozenset[str]] = {}
        self.plans: dict[int, _Plan] = {}
        self.attempts: dict[tuple[int, str], AttemptRow] = {}
        self.agents: dict[tuple[int, str], OnAgent] = {}
        self.following: dict[int, GenerationRow] = {}
        self.prohibited: dict[int, list[str]] = {}
        self.beside: dict[int, tuple[int, int]] = {}
        self.orders: dict[tuple[int, str, str], Asked] = {}

    def lines(
        self, names: Sequence[Name], *, inside: bool, attempts: bool, following: bool
    ) -> list[Line]:
        found = named_units(self.tx, names, self.filters)
        named = {unit.id: name for unit, name in found}
        listed = on_page(self.tx, [unit for unit, _ in found], names, self.filters, inside=inside)
        self._load([unit for unit, _ in listed], named, attempts=attempts, following=following)
        every: list[Line] = []
        for root, together in groupby(listed, key=lambda one: one[0].root):
            part = [(unit, depth) for unit, depth in together if depth >= 0]
            if root is not None and is_whole(self.filters):
                every += self._tree(root, part)
            else:
                every += [line for unit, depth in part for line in self._of_unit(unit, depth)]
        gone = {unit.path for unit, _ in found if unit.deleted is not None}
        every = [_as_gone(line) if line.unit in gone else line for line in every]
        return _without_empty_groups(every) if self.which.searches else every

    def _tree(self, root: int, part: list[tuple[Unit, int]]) -> Iterator[Line]:
        """Yield a part of a root jobnet's tree, once whole for each generation."""
        rows = self._shown(root)
        if not rows:
            for unit, depth in part:
                yield from self._of_unit(unit, depth)
        for row in rows:
            for unit, depth in part:
                yield self._in_generation(self._plain(unit, depth), row, _inner(unit, self.roots))
            yield from self._undefined(row, part)

    # -- what is known of them --

    def _load(
        self, every: list[Unit], named: dict[int, Name], *, attempts: bool, following: bool
    ) -> None:
        ids = {unit.root for unit in every if unit.root is not None}
        if not ids:
            return
        self.roots = units.by_id(self.tx, ids)
        self.registered = {row.root: row for row in stored.registrations(self.tx, ids)}
        for row in self._generations(every, named):
            self.generations.setdefault(row.root, []).append(row)
        for rows in self.generations.values():
            rows.reverse()
        every_row = [row for rows in self.generations.values() for row in rows]
        inside = {_inner(unit, self.roots) for unit in every if unit.root is not None}
        one = next(iter(inside)) if len(inside) == 1 else None
        begun = [row.id for row in every_row if row.phase in ("running", "ended")]
        if begun:
            self.orders = stored.orders(self.tx, begun)
        if begun and inside != {""}:
            found = stored.on_agents(self.tx, begun, one)
            self.agents = {(a.generation, a.path): a for a in found}
        if inside != {""}:
            for run in stored.unit_runs(self.tx, begun, one):
                self.runs[run.generation, run.path] = run
                self.started.add(run.generation)
        waiting = {self.roots[row.root].definition for row in every_row if row.phase == "waiting"}
        waiting |= {row.definition for row in every_row if row.phase == "running"}
        self.held = stored.held_by_definition(self.tx, filter(None, waiting))
        if attempts:
            rows_ = stored.attempts(self.tx, [row.id for row in every_row], one)
            self.attempts = {(row.generation, row.path): row for row in rows_}
        if following:
            for row in stored.generations(self.tx, ids, phase="waiting"):
                self.following.setdefault(row.root, row)
        if self.which == Which():
            self._load_prohibited(ids - self.by_id.keys())
            self.beside = stored.beside(self.tx, ids - self.by_id.keys())

    def _load_prohibited(self, ids: set[int]) -> None:
        """Note the starts of the prohibited runs that are still to come."""
        found = stored.prohibited(self.tx, ids)
        if not found:
            return  # So a look at what has none does not pay for the clock.
        now = self.service.clock.now().wall.isoformat()
        for root, start in found:
            if start > now:
                self.prohibited.setdefault(root, []).append(start)

    def _generations(self, every: list[Unit], named: dict[int, Name]) -> Iterable[GenerationRow]:
        """Return the generations asked for, in order of start."""
        ids = {unit.root for unit in every if unit.root is not None}
        which = self.which
        self.by_id = {
            unit.root: named[unit.id].execution_id
            for unit in every
            if unit.root is not None and unit.id in named and named[unit.id].execution_id
        }
        if self.by_id:
            rest = [root for root in ids if root not in self.by_id]
            chosen = [stored.generation(self.tx, self.roots[r], i) for r, i in self.by_id.items()]
            return [*chosen, *stored.current(self.tx, rest)]
        if which.number:
            return [
                stored.generation(self.tx, self.roots[root], execution_id(number))
                for root in ids
                for number in (by_registration_number(self.tx, self.roots[root], which.number),)
            ]
        if which.newest:
            return stored.generations(self.tx, ids, newest=which.newest)
        if which.searches:
            return self._in_period(ids)
        return stored.current(self.tx, ids)

    def _in_period(self, ids: set[int]) -> list[GenerationRow]:
        from datetime import date, timedelta

        which = self.which
        # An execution date is at most two days from the start, whatever the base time and the length of the day.
        slack = timedelta(days=3 if which.by_exec_date else 0)
        since = (date.fromisoformat(which.since) - slack).isoformat() if which.since else None
        until = None
        if which.until:
            until = (date.fromisoformat(which.until) + slack + timedelta(days=1)).isoformat()
        rows = stored.generations(self.tx, ids, since=since, until=until)
        if not which.by_exec_date:
            return rows
        last = which.until or "9999"
        return [row for row in rows if which.since <= row.exec_date <= last]

    # -- lines --

    def _plain(self, unit: Unit, depth: int) -> Line:
        registration = None if unit.root is None else self.registered.get(unit.root)
        status = "" if unit.root is None else UNREGISTERED
        if registration is not None:
            status = Status.NOPLAN.name
        return Line(
            unit.path, unit.name, unit.kind, depth, unit.comment, registration, None, status
        )

    def _shown(self, root: int) -> list[GenerationRow]:
        """Return the generations of a root jobnet that are shown, newest first.

        What ran before a registration was cancelled is shown only to who asks for it.
        """
        rows = self.generations.get(root, [])
        asked = self.which != Which() or root in self.by_id
        return rows if asked or root in self.registered else []

    def _of_unit(self, unit: Unit, depth: int) -> Iterator[Line]:
        plain = self._plain(unit, depth)
        rows = [] if unit.root is None else self._shown(unit.root)
        if not rows and (unit.root is None or not self.which.searches):
            yield plain
        for row in rows:
            yield self._in_generation(plain, row, _inner(unit, self.roots))

    def _in_generation(self, line: Line, row: GenerationRow, inner: str) -> Line:
        """Return the line of a unit in one generation."""
        line = line._replace(
            generation=row,
            attempt=self.attempts.get((row.id, inner)),
            following=self.following.get(row.root),
        )
        definition = row.definition or self.roots[row.root].definition
        held = inner in self.held.get(definition or "", ())
        if not inner:
            return self._root_line(line, row, held)
        stored_plan = self._plan(row)
        plan = stored_plan.nested.get(inner, {})
        run = self.runs.get((row.id, inner))
        prohibited = inner in stored_plan.prohibited or plan.get("prohibited", False)
        marks = []
        planned, original = plan.get("start", ""), plan.get("original", "")
        if planned != original and (plan.get("by_hand") or plan.get("passed")):
            marks.append(Mark("moved", original))
        if prohibited:
            marks.append(Mark("prohibited"))
        if run is None:
            known = row.phase == "waiting" and _planned(inner, stored_plan)
            status = Status.TERMWAIT if known else Status.NOPLAN
            if row.id in self.started:
                marks.append(Mark("new"))
        else:
            status = Status[run.status]
            line = line._replace(
                started=self.shown(run.started_utc),
                ended=self.shown(run.ended_utc),
                return_code=run.return_code,
            )
            held = bool(run.held)
            marks += self._killed(row, inner, status)
            line, where = self._on_agent(line, row, inner)
            marks += where
        if status in NOT_LET_GO:
            marks += _hold(stored_plan.holds.get(inner), held=held)
        line = line._replace(
            status=status.name, planned=planned, original=original, marks=tuple(marks)
        )
        return _with_attributes(
            line, inner, stored_plan.attributes.get(inner, {}), _loaded(row.delayed or "[]")
        )

    def _plan(self, row: GenerationRow) -> _Plan:
        found = self.plans.get(row.id)
        if found is None:
            found = _Plan(
                _loaded(row.nested),
                _loaded(row.holds),
                _loaded(row.attributes or "{}"),
                frozenset(_loaded(row.prohibited_units)),
            )
            self.plans[row.id] = found
        return found

    def _root_line(self, line: Line, row: GenerationRow, held: bool) -> Line:
        marks = []
        if row.added:
            marks.append(Mark("added"))
        elif (row.start, row.exec_date) != (row.original_start, row.original_exec_date):
            marks.append(Mark("moved", row.original_start))
        if row.kept is not None:
            marks.append(Mark("also", _loaded(row.kept)["start"]))
        if row.phase == "prohibited":
            marks.append(Mark("prohibited"))
        else:
            marks += [Mark("prohibited_run", start) for start in self.prohibited.get(row.root, ())]
        if row.phase == "running" and row.root in self.beside:
            going, waiting = self.beside[row.root]
            marks += [Mark("going_too", str(going - 1))] if going > 1 else []
            marks += [Mark("waiting_too", str(waiting))] if waiting else []
        interrupted = self.orders.get((row.id, "", "interrupted"))
        if interrupted is not None:
            marks.append(Mark("interrupted", by=interrupted.text))
        marks += self._killed(row, "", Status[row.status])
        if row.phase == "waiting":
            marks += _hold(_loaded(row.holds).get(""), held=held)
        line = line._replace(
            status=row.status,
            planned=row.start,
            original=row.original_start,
            started=self.shown(row.started_utc),
            ended=self.shown(row.ended_utc),
            marks=tuple(marks),
        )
        return _with_attributes(
            line, "", _loaded(row.attributes or "{}").get("", {}), _loaded(row.delayed or "[]")
        )

    def _killed(self, row: GenerationRow, inner: str, status: Status) -> list[Mark]:
        """Return that an operator has the unit killed, or had; a unit that was faster ended by itself."""
        order = self.orders.get((row.id, inner, "kill_asked"))
        if order is None or (status.ended and status is not Status.KILL):
            return []
        return [Mark("killed" if status.ended else "kill_asked", by=order.text)]

    def _on_agent(self, line: Line, row: GenerationRow, inner: str) -> tuple[Line, list[Mark]]:
        """Return the line of a flexible job with its agent, and the marks that say so."""
        found = self.agents.get((row.id, inner))
        if found is None:
            return line, []
        from ajs.agents import remote_place

        place = remote_place(found.place)
        if place is None:
            return line, []
        through = f" via {found.relay}" if found.relay else ""
        marks = [Mark("agent", f"{place.agent.label}{through}")]
        if found.silent_since_utc:
            marks.append(Mark("silent", self.shown(found.silent_since_utc)))
        return line._replace(agent=place.agent, relay=found.relay), marks

    def _undefined(self, row: GenerationRow, part: list[tuple[Unit, int]]) -> Iterator[Line]:
        """Yield what is in a generation and no longer defined, where the whole root jobnet is shown."""
        root, top = part[0]
        if root.kind != ROOT:
            return
        defined = {_inner(unit, self.roots) for unit, _ in part}
        for number, path in self.runs:
            if number != row.id or path in defined:
                continue
            full = f"{root.path}/{path}"
            name, depth = path.rpartition("/")[2], top + 1 + path.count("/")
            kind = self.runs[number, path].kind
            registration = self.registered.get(root.id)
            line = Line(full, name, kind, depth, "", registration, None, "")
            line = self._in_generation(line, row, path)
            yield line._replace(marks=(*line.marks, Mark("undefined")))


def _with_attributes(
    line: Line, inner: str, attributes: dict[str, Any], delayed: list[list[str]]
) -> Line:
    """Return the line with what is temporarily set for the unit, and what of it came too late."""
    if not attributes and not delayed:
        return line
    late = tuple(delay for delay in ("start", "end") if [inner, delay] in delayed)
    marks = [Mark(name, str(value)) for name, value in attributes.items()]
    marks += [Mark(f"{delay}_delayed") for delay in late]
    return line._replace(
        priority=attributes.get("priority"), delays=late, marks=(*line.marks, *marks)
    )


def _as_gone(line: Line) -> Line:
    """Return the line of a unit that was deleted."""
    mark = Mark("undefined")
    return line if mark in line.marks else line._replace(marks=(*line.marks, mark))


def _without_empty_groups(lines: list[Line]) -> list[Line]:
    """Return the lines without the job groups in which none of them shows a generation."""
    holding = {"/"} if any(line.generation is not None for line in lines) else set()
    for line in lines:
        upper = line.unit.rpartition("/")[0] if line.generation is not None else ""
        while upper and upper not in holding:
            holding.add(upper)
            upper = upper.rpartition("/")[0]
    return [line for line in lines if line.kind != GROUP or line.unit in holding]


def _inner(unit: Unit, roots: dict[int, Unit]) -> str:
    """Return the unit's path relative to its root jobnet."""
    root = roots[unit.root] if unit.root is not None else unit
    return unit.path[len(root.path) + 1 :]


def _planned(inner: str, plan: _Plan) -> bool:
    """Return whether a unit of a generation that waits will have its turn: it and the jobnets above have a schedule."""
    while inner:
        nested = plan.nested.get(inner, {"depends": True})
        if inner in plan.prohibited or nested.get("prohibited"):
            return False
        if not nested.get("depends") and "start" not in nested:
            return False
        inner = inner.rpartition("/")[0]
    return True


def _loaded(text: str) -> Any:
    """Return what a stored JSON text says; most say nothing, which needs no reader."""
    if text == "{}":
        return {}
    if text == "[]":
        return []
    import json

    return json.loads(text)


def _hold(temporary: bool | None, *, held: bool) -> list[Mark]:
    """Return the mark of a hold: a temporary change counts before the definition."""
    if temporary is not None:
        return [Mark("held" if temporary else "released")]
    return [Mark("hold")] if held else []


KINDS = {GROUP: "job group", ROOT: "root jobnet", JOBNET: "nested jobnet", JOB: "job"}
"""What the kinds of units are called."""
