"""``ajsshow``: units with their generations as plain lines.

Nothing of the core is loaded for it, so that asking for one unit costs little more than starting Python.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from ajs.errors import GenerationNotFound, UsageError
from ajs.operations.listing import is_whole, named_units, on_page
from ajs.operations.show_rows import Plan, Rows, Which, inner_path, loaded
from ajs.operations.targets import Filters, Name
from ajs.operations.times import local
from ajs.statuses import NOT_LET_GO, UNREGISTERED, Status
from ajs.store.folder import FETCHED, SPOOL
from ajs.store.show import (
    AttemptRow,
    GenerationRow,
    RegistrationRow,
)
from ajs.store.units import GROUP, JOB, JOBNET, ROOT, Unit

if TYPE_CHECKING:
    from ajs.agents import AgentIdentity
    from ajs.operations.service import Service
    from ajs.store.database import Reading


class Mark(NamedTuple):
    """Something to know about a unit's run besides its status.

    ``moved`` (value: the time before temporary changes), ``added``, ``also`` (value: the time of the original that
    stays), ``held`` and ``released`` (temporarily), ``hold`` (by definition), ``held_after`` (by definition,
    because of how the run with the execution ID ``value`` ended), ``prohibited``, ``interrupted``, ``priority``,
    ``start_delay``, ``end_delay`` and ``required_time`` (value: the temporary one), ``start_delayed`` and
    ``end_delayed``, ``kill_asked`` and ``killed`` (by an operator), ``new`` (defined after this run started),
    ``undefined`` (no longer defined), ``prohibited_run`` (value: the start of another run, still to come, that is
    prohibited), ``going_too`` and ``waiting_too`` (value: how many other runs go on, and wait for that). ``by`` says
    which operator, and why.
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
        lines_of = _Lines(tx, service, filters, which)
        lines = lines_of.lines(names, inside=inside, attempts=attempts, following=following)
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


class _Lines:
    """The lines of units, made of what was read within one consistent look."""

    def __init__(self, tx: Reading, service: Service, filters: Filters, which: Which) -> None:
        self.tx = tx
        self.filters = filters
        self.which = which
        self.shown = local(service.time_zone)
        self.rows = Rows(tx, service, which)

    def lines(
        self, names: Sequence[Name], *, inside: bool, attempts: bool, following: bool
    ) -> list[Line]:
        found = named_units(self.tx, names, self.filters)
        named = {unit.id: name for unit, name in found}
        listed = on_page(self.tx, [unit for unit, _ in found], names, self.filters, inside=inside)
        self.rows.load([unit for unit, _ in listed], named, attempts=attempts, following=following)
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
        rows = self.rows.shown(root)
        if not rows:
            for unit, depth in part:
                yield from self._of_unit(unit, depth)
        for row in rows:
            for unit, depth in part:
                yield self._in_generation(
                    self._plain(unit, depth), row, inner_path(unit, self.rows.roots)
                )
            yield from self._undefined(row, part)

    # -- lines --

    def _plain(self, unit: Unit, depth: int) -> Line:
        registration = None if unit.root is None else self.rows.registered.get(unit.root)
        status = "" if unit.root is None else UNREGISTERED
        if registration is not None:
            status = Status.NOPLAN.name
        return Line(
            unit.path, unit.name, unit.kind, depth, unit.comment, registration, None, status
        )

    def _of_unit(self, unit: Unit, depth: int) -> Iterator[Line]:
        plain = self._plain(unit, depth)
        rows = [] if unit.root is None else self.rows.shown(unit.root)
        if not rows and (unit.root is None or not self.which.searches):
            yield plain
        for row in rows:
            yield self._in_generation(plain, row, inner_path(unit, self.rows.roots))

    def _in_generation(self, line: Line, row: GenerationRow, inner: str) -> Line:
        """Return the line of a unit in one generation."""
        line = line._replace(
            generation=row,
            attempt=self.rows.attempts.get((row.id, inner)),
            following=self.rows.following.get(row.root),
        )
        held = inner in self.rows.held(row).units
        if not inner:
            return self._root_line(line, row, held)
        stored_plan = self.rows.plan(row)
        plan = stored_plan.nested.get(inner, {})
        run = self.rows.runs.get((row.id, inner))
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
            if row.id in self.rows.started:
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
            line, inner, stored_plan.attributes.get(inner, {}), loaded(row.delayed or "[]")
        )

    def _root_line(self, line: Line, row: GenerationRow, held: bool) -> Line:
        marks = []
        if row.added:
            marks.append(Mark("added"))
        elif (row.start, row.exec_date) != (row.original_start, row.original_exec_date):
            marks.append(Mark("moved", row.original_start))
        if row.kept is not None:
            marks.append(Mark("also", loaded(row.kept)["start"]))
        if row.phase == "prohibited":
            marks.append(Mark("prohibited"))
        else:
            marks += [
                Mark("prohibited_run", start) for start in self.rows.prohibited.get(row.root, ())
            ]
        if row.phase == "running" and row.root in self.rows.beside:
            going, waiting = self.rows.beside[row.root]
            marks += [Mark("going_too", str(going - 1))] if going > 1 else []
            marks += [Mark("waiting_too", str(waiting))] if waiting else []
        interrupted = self.rows.orders.get((row.id, "", "interrupted"))
        if interrupted is not None:
            marks.append(Mark("interrupted", by=interrupted.text))
        marks += self._killed(row, "", Status[row.status])
        if row.phase == "waiting":
            temporary = loaded(row.holds).get("")
            marks += _hold(temporary, held=held)
            if temporary is None and not held and row.id in self.rows.held_after:
                marks.append(Mark("held_after", self.rows.held_after[row.id]))
        line = line._replace(
            status=row.status,
            planned=row.start,
            original=row.original_start,
            started=self.shown(row.started_utc),
            ended=self.shown(row.ended_utc),
            marks=tuple(marks),
        )
        return _with_attributes(
            line, "", loaded(row.attributes or "{}").get("", {}), loaded(row.delayed or "[]")
        )

    def _killed(self, row: GenerationRow, inner: str, status: Status) -> list[Mark]:
        """Return that an operator has the unit killed, or had; a unit that was faster ended by itself."""
        order = self.rows.orders.get((row.id, inner, "kill_asked"))
        if order is None or (status.ended and status is not Status.KILL):
            return []
        return [Mark("killed" if status.ended else "kill_asked", by=order.text)]

    def _on_agent(self, line: Line, row: GenerationRow, inner: str) -> tuple[Line, list[Mark]]:
        """Return the line of a flexible job with its agent, and the marks that say so."""
        found = self.rows.agents.get((row.id, inner))
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
        defined = {inner_path(unit, self.rows.roots) for unit, _ in part}
        for number, path in self.rows.runs:
            if number != row.id or path in defined:
                continue
            full = f"{root.path}/{path}"
            name, depth = path.rpartition("/")[2], top + 1 + path.count("/")
            kind = self.rows.runs[number, path].kind
            registration = self.rows.registered.get(root.id)
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


def _planned(inner: str, plan: Plan) -> bool:
    """Return whether a unit of a generation that waits will have its turn: it and the jobnets above have a schedule."""
    while inner:
        nested = plan.nested.get(inner, {"depends": True})
        if inner in plan.prohibited or nested.get("prohibited"):
            return False
        if not nested.get("depends") and "start" not in nested:
            return False
        inner = inner.rpartition("/")[0]
    return True


def _hold(temporary: bool | None, *, held: bool) -> list[Mark]:
    """Return the mark of a hold: a temporary change counts before the definition."""
    if temporary is not None:
        return [Mark("held" if temporary else "released")]
    return [Mark("hold")] if held else []


KINDS = {GROUP: "job group", ROOT: "root jobnet", JOBNET: "nested jobnet", JOB: "job"}
"""What the kinds of units are called."""
