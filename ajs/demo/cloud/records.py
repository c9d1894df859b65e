"""What the agents themselves have on record about the attempts that they were given."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from ajs.demo.cloud.layout import POOLS

USUAL_ROOT = ".ajs"
"""The folder for jobs in the home folder of an agent's user."""


@dataclass(frozen=True, slots=True)
class Record:
    """One attempt on one agent.

    ``began`` and ``ended`` say whether its job did, as far as the agent still knows; ``closed`` whether the manager has
    what it wanted, so that the attempt never starts again.
    """

    agent: str
    attempt: str
    began: bool
    ended: bool
    closed: bool


def records(folder: str) -> tuple[Record, ...]:
    """Return what the agents of the cloud in this folder have on record, by agent and attempt."""
    return tuple(
        record
        for pool in POOLS
        for agent in pool.agents
        for root in _roots(os.path.join(folder, agent, USUAL_ROOT))
        for record in _read(agent, root)
    )


def _roots(folder: str) -> Iterator[str]:
    """Give the folders for jobs at or below this one: each holds an epoch."""
    for path, below, files in os.walk(folder):
        if "epoch" in files:
            below.clear()
            yield path


def _read(agent: str, root: str) -> list[Record]:
    jobs = {name: os.path.join(root, "jobs", name) for name in _listed(os.path.join(root, "jobs"))}
    closed = _listed(os.path.join(root, "tombs"))
    ended = _ends(root) | {name for name, path in jobs.items() if _has(path, "result")}
    began = ended | {name for name, path in jobs.items() if _has(path, "pid")}
    return [
        Record(agent, name, name in began, name in ended, name in closed)
        for name in sorted({*jobs, *closed, *ended})
    ]


def _listed(folder: str) -> set[str]:
    with suppress(FileNotFoundError):
        return set(os.listdir(folder))
    return set()


def _has(folder: str, name: str) -> bool:
    return os.path.exists(os.path.join(folder, name))


def _ends(root: str) -> set[str]:
    """Return the attempts that the events say have ended."""
    found = set()
    for name in ("events.old", "events"):
        with suppress(FileNotFoundError), open(os.path.join(root, name), encoding="utf-8") as file:
            words = (line.split() for line in file)
            found |= {line[1] for line in words if line[:1] == ["ended"] and len(line) > 1}
    return found
