"""What the manager clears away when it has nothing else to do: the output of runs that went, and old fates.

In small steps, so that nothing that is due waits for it. What is left over when a manager dies, the next one finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta

from ajs.dispatch.fetched import Fetched
from ajs.dispatch.spool import Spool
from ajs.errors import StillRunning, StoreError
from ajs.moment import Moment
from ajs.store import logs
from ajs.store.database import Store

ATTEMPTS_AT_ONCE = 100
FATES_AT_ONCE = 500

Remove = Callable[[Sequence[str]], Sequence[str]]
"""Removes what is on the disk of these attempts, and returns those of which nothing is left there."""


class Tidying:
    """What there is to clear away, as far as it is known; ``look`` has it looked for."""

    def __init__(self, store: Store, remove: Remove, keep_fates_days: int) -> None:
        self._store = store
        self._remove = remove
        self._keep = timedelta(days=keep_fates_days)
        self._after: str | None = ""
        self._fates_on: date | None = None

    def look(self) -> None:
        """Take note that the output of more attempts is to be removed."""
        self._after = ""

    def step(self, now: Moment) -> bool:
        """Clear a little away; return whether there was anything.

        What cannot be removed from the disk is tried again after the next ``look``.
        """
        if self._after is not None:
            with self._store.read() as tx:
                found = logs.leftovers(tx, self._after, ATTEMPTS_AT_ONCE)
            self._after = found[-1] if found else None
            gone = self._remove(found) if found else ()
            if gone:
                with self._store.write() as tx:
                    logs.removed(tx, gone)
            if found:
                return True
        if self._fates_on == now.wall.date():
            return False
        before = now.wall - self._keep
        with self._store.read() as tx:
            old = logs.has_old_fates(tx, before)
        if old:
            with self._store.write() as tx:
                old = logs.forget_fates(tx, before, FATES_AT_ONCE) == FATES_AT_ONCE
        if not old:
            self._fates_on = now.wall.date()
        return old


def remover(spool: Spool, fetched: Fetched) -> Remove:
    """Return what removes the output of attempts, where it was written here and where it was fetched from agents."""

    def remove(attempts: Sequence[str]) -> Sequence[str]:
        try:
            spool.epoch()
        except StoreError:
            # Not there now: what lies in it would stay for ever.
            return ()
        return tuple(_removed(attempts, spool, fetched))

    return remove


def _removed(attempts: Sequence[str], spool: Spool, fetched: Fetched) -> Iterable[str]:
    for attempt in attempts:
        try:
            spool.forget(attempt)
            fetched.forget(attempt)
        except (StillRunning, StoreError):
            continue
        yield attempt
