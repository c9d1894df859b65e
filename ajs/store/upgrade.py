"""Changing the schema: numbered steps, each applied together with its number or not at all.

Steps run without a manager, after a backup, with foreign keys checked at the end of each.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from ajs.errors import SchemaVersion, StoreError
from ajs.moment import Moment
from ajs.store import folder as folders
from ajs.store.backup import copy
from ajs.store.database import APPLICATION_ID, SQLITE_ERRORS, connect, damaged, raise_ours
from ajs.store.presence import FolderLock
from ajs.store.steps import Step, shipped_steps


class Upgraded(NamedTuple):
    """What an upgrade did: schema version before and after, and the backup made first, "" when nothing was to do."""

    before: int
    after: int
    backup: str


def upgrade(folder: str, at: Moment, steps: Sequence[Step] | None = None) -> Upgraded:
    """Bring the database of a service folder to the newest schema, or find that there is nothing to do.

    Raises ManagerRunning, SchemaVersion (written by a newer ajs), StoreError, Damaged or Busy; the steps before the
    one that failed stay, that one leaves nothing.
    """
    known = shipped_steps() if steps is None else tuple(steps)
    newest = max(step.version for step in known)
    file = folders.database(folder)
    if not os.path.exists(file):
        raise StoreError(
            f"there is no scheduler service in {folder}", hint="`ajs init` makes one", value=folder
        )
    with FolderLock.take(folder, "ajs upgrade"):
        db = connect(file)
        try:
            present = _version(db, file)
            if present > newest:
                raise SchemaVersion(
                    f"{file} has schema version {present}, this ajs works with version {newest}",
                    hint="install the version of ajs that wrote it, or a newer one",
                    value=str(present),
                )
            if present == newest:
                return Upgraded(present, present, "")
            name = f"{file}.before-upgrade-{at.utc:%Y%m%dT%H%M%SZ}"
            copy(file, name)
            for step in sorted(known):
                if step.version > present:
                    _apply(db, step)
        except SQLITE_ERRORS as error:
            raise_ours(error, file)
        finally:
            db.close()
    return Upgraded(present, newest, name)


def _version(db: sqlite3.Connection, file: str) -> int:
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise damaged(file, "it is not a database of ajs")
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _apply(db: sqlite3.Connection, step: Step) -> None:
    # Tables that are made anew lose and regain their rows, so references are looked at when all is done.
    db.execute("PRAGMA foreign_keys = OFF")
    try:
        db.executescript(f"BEGIN IMMEDIATE; {step.sql}")
        broken = db.execute("PRAGMA foreign_key_check").fetchone()
        if broken is not None:
            raise StoreError(
                f"step {step.version} of the upgrade leaves rows of {broken[0]} without what they belong to",
                hint="nothing of this step was done; please report it",
                value=str(step.version),
            )
        db.execute(f"PRAGMA user_version = {step.version}")
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
        db.execute("PRAGMA foreign_keys = ON")
