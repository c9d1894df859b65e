"""What the times of the stored plans mean: the time zone and the schedule that they were made with."""

from __future__ import annotations

from typing import NamedTuple

from ajs.store.database import Reading, Writing


class Day(NamedTuple):
    """The IANA time zone and the 24- or 48-hour schedule of a scheduler service."""

    time_zone: str
    schedule: str


def recorded(tx: Reading) -> Day | None:
    """Return what the plans were made with, None when no version that records it has worked on them yet."""
    found = tx.row("SELECT time_zone, schedule FROM service WHERE time_zone IS NOT NULL")
    return None if found is None else Day(*found)


def adopt(tx: Writing, day: Day) -> bool:
    """Record what plans are made with from now on, unless there are plans that were made with something else."""
    return bool(
        tx.run(
            "UPDATE service SET time_zone = ?, schedule = ?"
            " WHERE time_zone IS NULL OR NOT EXISTS (SELECT 1 FROM registration)",
            *day,
        )
    )
