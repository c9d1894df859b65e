"""The steps of the schema: the files ``sql/NNNN_name.sql`` in order, never edited once they were released."""

from __future__ import annotations

import os
from typing import NamedTuple

SQL = os.path.join(os.path.dirname(__file__), "sql")


class Step(NamedTuple):
    """One change of the schema: the version that it leads to, and its statements."""

    version: int
    sql: str


def shipped_steps() -> tuple[Step, ...]:
    """Return the steps that this version of ajs knows, in order; the first one makes an empty state."""
    found = []
    for name in sorted(os.listdir(SQL)):
        with open(os.path.join(SQL, name), encoding="utf-8") as file:
            found.append(Step(int(name[:4]), file.read()))
    return tuple(found)
