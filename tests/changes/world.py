"""A world for stories about plans: one root jobnet, the real rules, plans and changes, and a clock that is told.

A story is text. Its head gives units, ``R`` the root and others by their path below it, with their rules as in
``tests/notation.py`` separated by ``;`` (``follows``: depends on the upper jobnet, ``job``: a job), and settings. Each
step is ``day hour:minute command => what is seen``, all in August 2025::

    10 12:01 ajsplan -t 21:00 --move => 11 21:00 (11) B=11 23:00 | 12 22:00

Left of ``|`` the runs that wait, separated by ``,``: start, execution date in parentheses where it differs from the
start's day, marks ``held`` ``also`` ``added``, nested starts (``-`` for none). Right of it the first dummies.
``refused WORDS`` means a refusal whose text holds the words. ``ran 13 10:00`` looks at the runs that started.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from ajs.changes import Ground, apply
from ajs.cli.plan import _changes as changes_of
from ajs.cli.plan import command
from ajs.errors import AjsError
from ajs.model import Job, Jobnet
from ajs.plan import (
    Generation,
    Method,
    Registration,
    RootPlan,
    coming,
    nested_without_rules,
    started,
    with_next,
)
from ajs.replanning import recalculated
from ajs.schedule import DayMode, Slot, Timetable
from tests.notation import calendar, rule


class World:
    """One root jobnet at ``/g/R`` and what happens to it."""

    def __init__(self) -> None:
        self.units: dict[str, str] = {}
        self.closed, self.base_time, self.mode = "", "", "24h"
        self.plan: RootPlan | None = None
        self.ran: list[Slot] = []
        self.now = datetime(2025, 8, 1)
        self.last_id = 0
        self.told: tuple[str, ...] = ()

    # -- the head --

    def head(self, line: str) -> None:
        name, _, rest = line.partition(" ")
        match name:
            case "closed":
                self.closed = rest
            case "base_time":
                self.base_time = rest
            case "mode":
                self.mode = rest
            case _:
                self.units[name] = rest

    @property
    def timetable(self) -> Timetable:
        seen = calendar(self.closed, base_time=self.base_time)
        root = self._jobnet("R", self.units["R"], "")
        return Timetable(root, seen, DayMode(self.mode))

    def _jobnet(self, name: str, text: str, path: str) -> Jobnet:
        inside = [p for p in self.units if p != "R" and p.rpartition("/")[0] == path]
        units = tuple(self._unit(p) for p in inside)
        rules = None if text == "follows" else tuple(rule(line) for line in text.split(";"))
        return Jobnet(name=name, rules=rules, units=units)

    def _unit(self, path: str) -> Jobnet | Job:
        name = path.rpartition("/")[2]
        if self.units[path] == "job":
            return Job(name=name, command="true")
        return self._jobnet(name, self.units[path], path)

    # -- steps --

    def step(self, at: datetime, words: list[str]) -> None:
        self.advance(at)
        match words:
            case ["ajsentry", *options]:
                self.entry("-n" in options, "-f" not in options, "-h" in options)
            case ["ajsplan", *options]:
                self.change(options)
            case ["define", *head]:
                base_time_was = self.timetable.calendar.base_time
                self.head(" ".join(head))
                assert self.plan is not None
                self.plan, self.told = recalculated(self.plan, self.timetable, base_time_was)
            case ["advance"]:
                pass
            case _:
                raise AssertionError(words)
        self._number()
        self.advance(at)

    def entry(self, immediate: bool, catch_up: bool, hold: bool) -> None:
        method = Method.IMMEDIATE if immediate else Method.PLANNED
        registration = Registration(method=method, registered=self.now, catch_up=catch_up)
        holds = {"": True} if hold else {}
        if not immediate:
            self.plan = with_next(RootPlan(registration=registration), self.timetable, holds)
            return
        slot = Slot(self.now, self.timetable.day_of(self.now))
        nested = nested_without_rules(self.timetable)
        run = Generation(method=method, slot=slot, original=slot, nested=nested, holds=holds)
        self.plan = RootPlan(registration=registration, generations=(run,))

    def change(self, options: list[str]) -> None:
        unit = options.pop() if options[-1] in self.units else ""
        given = command.make_context("ajsplan", [*options, "/g/R"]).params
        plan = self.plan
        assert plan is not None
        generation = (plan.waiting or plan.generations)[-1 if not plan.waiting else 0]
        ground = Ground("/g/R", self.timetable, self.now)
        for one in changes_of(given):
            done = apply(plan, generation, unit, one, ground)
            plan, generation = done.plan, done.generation
        self.plan = plan

    def advance(self, to: datetime) -> None:
        while self.plan is not None:
            due = [g for g in self.plan.waiting if g.slot.start <= to and not g.holds.get("")]
            if not due:
                break
            at = max(due[0].slot.start, self.now)
            self.ran.append(Slot(at, due[0].slot.exec_date))
            self.plan, _ = started(self.plan, due[0], self.timetable, at)
            self._number()
        self.now = to

    def _number(self) -> None:
        if self.plan is None:
            return
        numbered = []
        for generation in self.plan.generations:
            self.last_id += not generation.id
            numbered.append(replace(generation, id=generation.id or self.last_id))
        self.plan = replace(self.plan, generations=tuple(numbered))

    # -- what is seen --

    def seen(self, dummies: int) -> str:
        assert self.plan is not None
        runs = ", ".join(self._run(g) for g in self.plan.waiting) or "none"
        if not dummies:
            return runs
        planned = islice(coming(self.plan, self.timetable), dummies)
        return f"{runs} | {', '.join(short(s.slot) for s in planned) or 'none'}"

    def _run(self, generation: Generation) -> str:
        words = [short(generation.slot)]
        if generation.added:
            words.append("added")
        words += [f"held {p or 'R'}" for p, on in sorted(generation.holds.items()) if on]
        words += [f"{p}={self._nested(generation, p)}" for p in sorted(generation.nested)]
        words += [f"prohibited {p}" for p in sorted(generation.prohibited)]
        return " ".join(words)

    def _nested(self, generation: Generation, path: str) -> str:
        nested = generation.nested[path]
        if not nested.scheduled:
            return "-"
        return "upper" if nested.start is None else f"{nested.start:%d %H:%M}"


def short(slot: Slot) -> str:
    """``11 21:00``, with the execution date where that is another day."""
    text = f"{slot.start:%d %H:%M}"
    same = slot.start.date() == slot.exec_date
    return text if same else f"{text} ({slot.exec_date:%d})"


def play(story: str) -> list[tuple[str, str, str]]:
    """Return (step, expected, seen) for every step of a story."""
    world, outcomes = World(), []
    for line in filter(None, map(str.strip, story.splitlines())):
        found = re.fullmatch(r"(\d\d?) (\d\d?:\d\d) (.+?) => (.+)", line)
        if found is None:
            world.head(line)
            continue
        day, clock, words, expected = found.groups()
        hour, minute = map(int, clock.split(":"))
        at = datetime(2025, 8, 1, hour, minute) + timedelta(days=int(day) - 1)
        outcomes.append((line, expected, _outcome(world, at, words, expected)))
    return outcomes


def _outcome(world: World, at: datetime, words: str, expected: str) -> str:
    try:
        world.step(at, words.split())
    except AjsError as error:
        wanted = expected.removeprefix("refused").strip()
        said = "refused " + (wanted if wanted in error.message else error.message)
        return said.strip()
    if expected.startswith("ran"):
        return "ran " + (", ".join(map(short, world.ran)) or "none")
    _, bar, dummies = expected.partition("|")
    return world.seen(len(dummies.split(",")) if bar else 0)
