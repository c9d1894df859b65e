"""Runs that have ended and whose details are no longer kept: what the one line says that stays of each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ajs.errors import GenerationNotFound
from ajs.store.database import Reading, id_list
from ajs.store.numbers import execution_id
from ajs.store.units import Unit


class GoneRun(NamedTuple):
    """One run that ended so; ``why`` is what its details went for."""

    id: int
    path: str
    start: str
    exec_date: str
    status: str
    why: str
    started_utc: str | None
    ended_utc: str | None


GONE = """
    SELECT f.generation, u.path, f.start, f.exec_date, f.status, f.why, f.started_utc, f.ended_utc
    FROM fate AS f JOIN unit AS u ON u.id = f.root
    WHERE f.fate = 'ran' AND {which}
"""
SOME = GONE.format(which="f.generation IN (SELECT value FROM json_each(?))")
ONE = GONE.format(
    which="f.root = ?1 AND (f.generation = ?2 OR (f.registered_for = ?3 AND f.serial = ?4))"
)


def some(tx: Reading, numbers: Iterable[int]) -> list[GoneRun]:
    """Return those of these generations whose details are no longer kept."""
    return [GoneRun(*row) for row in tx.rows(SOME, id_list(numbers))]


def refuse(
    tx: Reading, root: Unit, number: int | None, registered: tuple[str, int] | None = None
) -> None:
    """Raise GenerationNotFound, saying how it ended, for a run whose details are no longer kept.

    It is named by its number, or by date and serial number of its registration number.
    """
    row = tx.row(ONE, root.id, number, *(registered or (None, None)))
    if row is None:
        return
    from ajs.causes import ENDED_WORDS

    run = GoneRun(*row)
    name = execution_id(run.id)
    raise GenerationNotFound(
        f"the run {root.path}:{name} of {run.start[:16].replace('T', ' ')} {ENDED_WORDS[run.status]}; "
        f"its details are no longer kept ({run.why})",
        hint=f"ajs why {root.path} {run.exec_date} says what is still known of it",
        unit=root.path,
        value=name,
    )
