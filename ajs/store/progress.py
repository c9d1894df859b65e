"""How far runs have come, for those who wait for them; and the names of attempts at their places."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

from ajs.attempts import AttemptKey
from ajs.lifecycle import Status
from ajs.store.database import Reading, id_list
from ajs.store.numbers import attempt_id

PROGRESS = """
    SELECT id, phase,
           iif(EXISTS (SELECT 1 FROM unit_run
                       WHERE generation = g.id AND unit_run.status = 'UNKNOWN'), 'UNKNOWN', status)
    FROM generation AS g WHERE id IN (SELECT value FROM json_each(?1))
    UNION ALL
    SELECT generation, 'ended', iif(fate = 'ran', status, 'EXECDEFFER') FROM fate
    WHERE generation IN (SELECT value FROM json_each(?1)) AND fate IN ('ran', 'skipped')
"""

# Attempts given by generation, path and number, with what makes their names.
NAMES = """
    SELECT a.generation, a.path, a.number, s.uuid, a.incarnation, a.id
    FROM json_each(?) AS wanted JOIN attempt AS a
      ON a.generation = json_extract(wanted.value, '$[0]')
     AND a.path = json_extract(wanted.value, '$[1]')
     AND a.number = json_extract(wanted.value, '$[2]')
    JOIN service AS s
"""


class Progress(NamedTuple):
    """How far one generation has come."""

    ended: bool
    """Whether it will never run, or never run any more: it has ended, or was prohibited."""
    status: Status
    """Of its root jobnet; UNKNOWN when how a unit in it ended cannot be known."""


def progress(tx: Reading, ids: Iterable[int]) -> dict[int, Progress]:
    """Return how far these generations have come; those that are gone are left out."""
    return {
        number: Progress(phase in ("ended", "prohibited"), Status[status])
        for number, phase, status in tx.rows(PROGRESS, id_list(ids))
    }


def attempt_names(tx: Reading, keys: Iterable[AttemptKey]) -> dict[AttemptKey, str]:
    """Return the names that these attempts have at their places; those that are not stored are left out."""
    found = tx.rows(NAMES, json.dumps(list(keys)))
    return {
        AttemptKey(generation, path, number): attempt_id(uuid, incarnation, row)
        for generation, path, number, uuid, incarnation, row in found
    }
