"""What a story expects, looked up in what the commands print."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from tests.oracle.story import CLOCK, Step, Story, clock
from tests.oracle.world import Ran, Said, World

NOT_RUN = {"NOPLAN", "BYPASS"}
MISSING = "the programs show no such thing"
UNKNOWN = ("No such option", "has no key", "Unexpected extra argument")
"""What a command says that cannot even express what was asked: never the refusal that a story is about."""


class Unmet(AssertionError):
    """Something that a story expects was not seen."""


def told(at: datetime | str | None) -> str:
    """A wall-clock time as stories write it."""
    if at is None:
        return "none"
    seen = datetime.fromisoformat(at) if isinstance(at, str) else at
    return seen.replace(tzinfo=None).strftime(CLOCK)


def told_day(text: str) -> str:
    return text.replace("-", "/")


@dataclass(frozen=True)
class Shown:
    """One generation of a root jobnet as ``ajsshow`` shows it: its lines by path below the root."""

    lines: dict[str, dict[str, Any]]

    @property
    def root(self) -> dict[str, Any]:
        return self.lines[""]

    @property
    def start(self) -> str:
        return told(self.root["started"] or self.root["planned_start"])

    @property
    def changed(self) -> bool:
        """Whether the start is temporarily changed; an added run was changed from where its original lies."""
        marks, root = self.marks(), self.root
        return "moved" in marks or (
            "added" in marks and root["original_start"] != root["planned_start"]
        )

    def marks(self, path: str = "") -> set[str]:
        return {mark["mark"] for mark in self.lines[path]["marks"]}

    @property
    def over(self) -> bool:
        return bool(self.root["ended"]) or self.root["status"] == "EXECDEFFER"

    @property
    def prohibited(self) -> bool:
        return "prohibited" in self.marks()

    def nested(self, path: str) -> str:
        """The planned start of a nested jobnet; one that depends on its upper has that one's."""
        if not path:
            return self.start
        line = self.lines[path]
        if line["status"] in NOT_RUN or "prohibited" in self.marks(path):
            return "none"
        if line["planned_start"]:
            return told(line["planned_start"])
        return self.nested(path.rpartition("/")[0])

    @property
    def held(self) -> list[str]:
        found = (p for p in self.lines if self.marks(p) & {"held", "hold"})
        return sorted(self.lines[p]["name"] for p in found)


class Seen:
    """What can be seen of one root jobnet at the end of a step."""

    def __init__(self, world: World, root: str) -> None:
        self.world = world
        self.root = root

    def generations(self) -> list[Shown]:
        """All that are kept, by start and execution date."""
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for line in self.world.json(f"ajsshow -R -g a {self.root}")["units"]:
            if line["execution_id"]:
                path = line["unit"][len(self.root) + 1 :]
                found.setdefault(line["execution_id"], {})[path] = line
        shown = [Shown(lines) for lines in found.values()]
        return sorted(shown, key=lambda one: (one.start, one.root["execution_date"]))

    def open(self) -> list[Shown]:
        """The generations that have not ended."""
        return [g for g in self.generations() if not g.over and not g.prohibited]

    def path(self, name: str) -> str:
        return self.world.units.named(self.root, name)[len(self.root) + 1 :]

    def generation(self, wanted: dict[str, Any], shown: Shown) -> dict[str, Any]:
        """A generation with the keys that are asked for."""
        full = {
            "exec_date": lambda: told_day(shown.root["execution_date"]),
            "start": lambda: shown.start,
            "nested": lambda: self._nested(wanted["nested"], shown.nested),
            "held": lambda: shown.held,
            "priority": lambda: shown.root.get("priority") or "none",
            "changed": lambda: shown.changed,
            "origin": lambda: "added" if "added" in shown.marks() else "original",
        }
        return {key: full[key]() for key in wanted}

    def _nested(self, wanted: dict[str, str], start_of: Callable[[str], str]) -> dict[str, str]:
        found = {}
        for name, value in wanted.items():
            start = start_of(self.path(name))
            only_day = value != "none" and " " not in value
            found[name] = start.partition(" ")[0] if only_day else start
        return found

    def expect_generations(self, wanted: list[dict[str, Any]]) -> object:
        shown = self.open()
        keys = wanted if len(wanted) == len(shown) else [{"exec_date": 1, "start": 1}] * len(shown)
        return _in_any_order(
            wanted,
            [self.generation(w, g) for w, g in zip(keys, shown, strict=True)],
        )

    def expect_dummies(self, wanted: list[str]) -> list[str]:
        last = clock(wanted[-1]) if wanted else self.world.clock.now().wall + timedelta(days=400)
        ahead = max(1, (last.date() - self.world.clock.now().wall.date()).days + 2)
        runs = self.world.json(f"ajsshow -p --days {min(ahead, 3700)} {self.root}")["runs"]
        found = [told(run["start"]) for run in runs if run["dummy"]]
        return found[: len(wanted)] if wanted else found[:3]

    def expect_ran(self, wanted: list[dict[str, Any]]) -> object:
        now = {g.root["execution_id"]: g for g in self.generations()}
        ran = [(n, r) for n, r in self.world.runs.items() if r.root == self.root]
        ran.sort(key=lambda one: (one[1].start, one[1].exec_date))
        keys = wanted if len(wanted) == len(ran) else [{"start": 1}] * len(ran)
        found = []
        for want, (number, run) in zip(keys, ran, strict=True):
            status = now[number].root["status_text"] if number in now else run.statuses[""]
            full: dict[str, object] = {
                "start": told(run.start),
                "exec_date": told_day(run.exec_date),
                "status": status,
                "nested": self._nested(want.get("nested", {}), _starts_in(run)),
            }
            found.append({key: full[key] for key in want})
        return found

    def expect_kept(self, _: object) -> list[str]:
        ended = (g.root for g in self.generations() if g.root["ended"])
        return [told(root["started"]) for root in ended if root["started"]]

    def expect_skipped(self, _: object) -> list[str]:
        return sorted(told(at) for root, at in self.world.skipped if root == self.root)

    def _last_started(self) -> Shown | None:
        every = [g for g in self.generations() if not g.prohibited]
        begun = [g for g in every if g.root["started"]]
        return begun[-1] if begun else next(iter(every), None)

    def expect_statuses(self, wanted: dict[str, str]) -> dict[str, str]:
        shown = self._last_started()
        if shown is None:
            return dict.fromkeys(wanted, "no generation")
        return {name: shown.lines[self.path(name)]["status_text"] for name in wanted}

    def expect_delayed(self, wanted: dict[str, list[str]]) -> dict[str, object]:
        shown = self._last_started()
        if shown is None:
            return dict.fromkeys(wanted, "no generation")
        return {name: shown.lines[self.path(name)].get("delays", MISSING) for name in wanted}


def _starts_in(run: Ran) -> Callable[[str], str]:
    return lambda path: told(run.nested.get(path))


def _in_any_order(wanted: list[dict[str, Any]], found: list[dict[str, Any]]) -> list[dict[str, Any]]:  # fmt: skip
    """What was found, put into the wanted order where only equal starts stand in another one."""
    same = sorted(map(repr, wanted)) == sorted(map(repr, found))
    return wanted if same and [w["start"] for w in wanted] == [f["start"] for f in found] else found


def _sorted_held(wanted: dict[str, Any]) -> dict[str, Any]:
    return wanted | ({"held": sorted(wanted["held"])} if "held" in wanted else {})


# -- ajsschedule --


def _expected_schedule(seen: Seen, step: Step, said: Said) -> dict[str, object]:
    """What ``ajsschedule`` has printed for a root jobnet."""
    roots = json.loads(said.out)["roots"] if not said.code else []
    runs = [run for root in roots if root["unit"] == seen.root for run in root["runs"]]
    nested = {
        name: [_nested_start(run, seen.path(name)) for run in runs]
        for name in step.expect.get("nested_starts", {})
    }
    return {
        "starts": [told(run["start"]) for run in runs],
        "exec_dates": [told_day(run["execution_date"]) for run in runs],
        "rules": [run["rules"][0] for run in runs],
        "nested_starts": {name: [s for s in v if s != "none"] for name, v in nested.items()},
    }


def _nested_start(run: dict[str, Any], path: str) -> str:
    """When a nested jobnet starts in a run; one that depends on its upper has that one's start."""
    if not path:
        return told(run["start"])
    if path in run["with_upper"] and not run["nested"][path]:
        return _nested_start(run, path.rpartition("/")[0])
    return told(run["nested"][path])


# -- a whole story --


def play(story: Story, world: World) -> None:
    """Go through a story; raise Unmet for the first step at which something expected is not seen."""
    for step in story.steps:
        before = _all(world) if step.expect.get("refused") is True else None
        if before is not None:
            world.advance(step.at)
            before = _all(world)
        said = world.step(step)
        unmet = list(_unmet(world, step, said))
        if before is not None and _all(world) != before:
            unmet.append(("refused", "nothing changed", "something changed"))
        if unmet:
            lines = [f"{story.id}, step {step.number}: {step.do}"]
            for key, wanted, found in unmet:
                lines += [f"  {key}", f"    expected {wanted}", f"    found    {found}"]
            lines += [f"  said {line}" for line in said.err.splitlines()]
            raise Unmet("\n".join(lines))


def _all(world: World) -> str:
    return world.ajs("ajsshow -R -g a --format json /").out


def _unmet(world: World, step: Step, said: Said) -> Iterator[tuple[str, object, object]]:
    """Yield key, what was expected and what was found."""
    expect = dict(step.expect)
    refused, warns = expect.pop("refused", False), expect.pop("warns", False)
    if refused != "either" and bool(said.code) != bool(refused):
        yield ("refused" if refused else "the command succeeds"), bool(refused), said.code
    yield from ((f"no {text!r}", step.do, said.err) for text in UNKNOWN if text in said.err)
    if warns and not said.warns:
        yield "warns", True, said.err
    named = expect.pop("root", None)
    target = world.units.root_of(step.do.split()[-1]) if "/" in step.do else None
    seen = Seen(world, named or target or world.units.roots[0])
    finders: dict[str, Any] = {
        key: getattr(seen, f"expect_{key}", None)
        or partial(lambda key, _: _expected_schedule(seen, step, said)[key], key)
        for key in expect
    }
    for key, wanted in expect.items():
        asked = [_sorted_held(w) for w in wanted] if key == "generations" else wanted
        found = finders[key](asked)
        if found != asked:
            yield key, asked, found
