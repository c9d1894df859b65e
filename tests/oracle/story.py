"""Stories: little worlds of calendar, units, clock, commands and what must be seen, read from YAML files.

A file is ``{stories: [...], left_out: [...]}``. The environment variable ``AJS_ORACLE`` names one; otherwise it is
``shared/oracle/stories.yaml`` beside the project's folder, which need not be there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

VARIABLE = "AJS_ORACLE"
BESIDE = Path("..", "shared", "oracle", "stories.yaml")
CLOCK = "%Y/%m/%d %H:%M"
PROJECT = Path(__file__).resolve().parents[2]

# Read when the module is loaded: what a user has set is taken away from tests before they run.
NAMED = os.environ.get(VARIABLE, "")


def stories_file() -> Path:
    """The file with the stories, whether it is there or not."""
    return Path(NAMED) if NAMED else PROJECT / BESIDE


def load(file: Path) -> list[Story]:
    """All stories of a file, in its order."""
    with file.open(encoding="utf-8") as opened:
        data = yaml.safe_load(opened)
    return [Story(raw) for raw in data["stories"]]


def clock(text: str) -> datetime:
    return datetime.strptime(text, CLOCK)


@dataclass(frozen=True)
class Step:
    """One step: the clock moves on to ``at``, the command is executed, and the expectations are looked at."""

    number: int
    at: datetime
    do: str
    define: Mapping[str, Any]
    expect: Mapping[str, Any]


class Story:
    """One story, with the types and names of its units worked out."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.id: str = raw["id"]
        self.title: str = raw["title"]
        service = raw.get("service", {})
        self.schedule: str = service.get("schedule", "24h")
        self.base_time: str = service.get("base_time", "0:00")
        self.calendars: dict[str, Any] = dict(raw.get("calendars", {}))
        self.units: dict[str, dict[str, Any]] = {unit["path"]: dict(unit) for unit in raw["units"]}
        self.steps = [
            Step(
                number,
                clock(step["at"]),
                step["do"],
                step.get("define", {}),
                step.get("expect", {}),
            )
            for number, step in enumerate(raw["steps"], 1)
        ]

    def __repr__(self) -> str:
        return self.id


class Units:
    """The units of a story as they are defined now, by path, each with its type."""

    def __init__(self, units: Mapping[str, dict[str, Any]]) -> None:
        self.by_path = dict(units)
        self.types: dict[str, str] = {}
        for path, unit in units.items():
            below = self.root_of(path.rpartition("/")[0])
            self.types[path] = unit.get("type", "jobnet" if below else "root")

    def root_of(self, path: str) -> str | None:
        """The root jobnet that this unit is or lies in."""
        while path:
            if self.types.get(path) == "root":
                return path
            path = path.rpartition("/")[0]
        return None

    @property
    def roots(self) -> list[str]:
        return [path for path, kind in self.types.items() if kind == "root"]

    def inside(self, path: str) -> list[str]:
        """The units directly inside one."""
        return [p for p in self.types if p.rpartition("/")[0] == path]

    def named(self, root: str, name: str) -> str:
        """The path of the unit of a root jobnet that a story calls by its last part."""
        below = [p for p in self.types if p == root or p.startswith(f"{root}/")]
        return next(p for p in below if p.rpartition("/")[2] == name)

    def with_changed(self, changed: list[dict[str, Any]]) -> Units:
        """The units after some have been replaced or added."""
        together = dict(self.by_path)
        for unit in changed:
            kept = {"type": self.types[unit["path"]]} if unit["path"] in self.types else {}
            together[unit["path"]] = kept | unit
        return Units(together)
