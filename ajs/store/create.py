"""Making the state of a new scheduler service: whole, or not at all."""

from __future__ import annotations

import os
import uuid
from typing import Self

from ajs.errors import StoreError
from ajs.moment import Moment
from ajs.store import folder as folders
from ajs.store.database import APPLICATION_ID, SCHEMA, SQLITE_ERRORS, Store, connect, raise_ours
from ajs.store.presence import FolderLock
from ajs.store.steps import shipped_steps

PAGE = 4096
"""Bytes of a database page; the same everywhere, so that any backup fits into any database."""


def create(folder: str, *, name: str, at: Moment, by_version: str) -> Store:
    """Make the folder and an empty state in it, and open it; StoreError when one is there already.

    ``name`` is the scheduler service's, ``by_version`` the version of ajs that makes it.
    """
    folders.make(folder)
    folders.refuse_network(folder)
    with FolderLock.take(folder, "ajs init"):
        if os.path.lexists(folders.database(folder)):
            raise StoreError(
                f"{folder} already holds a scheduler service",
                hint="choose another folder, or go on with the service that is there",
                value=folder,
            )
        with Staged(folder) as staging:
            _build(staging.file, name, at, by_version)
            staging.put()
    return Store.open(folder)


class Staged:
    """``with Staged(folder) as staging:`` a new database, ``staging.file``, that ``put`` gives its name.

    Only for who holds the folder's lock. The file is complete and synced before it gets its name, so that a crash
    leaves what was there before or a whole new database.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.file = f"{folders.database(folder)}.new"

    def __enter__(self) -> Self:
        self._clear()
        folders.touch(self.file)
        return self

    def put(self) -> None:
        """Give the file the database's name."""
        try:
            os.rename(self.file, folders.database(self._folder))
            folders.sync(self._folder)
        except OSError as error:
            raise folders.unusable(self._folder, error) from error

    def __exit__(self, *_: object) -> None:
        self._clear()

    def _clear(self) -> None:
        for tail in ("", "-wal", "-shm", "-journal"):
            folders.remove(self.file + tail)


def new_incarnation() -> str:
    """Return a random incarnation: attempts begun under it can be taken for no other ones."""
    return uuid.uuid4().hex[:12]


def _build(file: str, name: str, at: Moment, by_version: str) -> None:
    script = "\n".join(step.sql for step in shipped_steps())
    db = connect(file)
    try:
        db.execute(f"PRAGMA page_size = {PAGE}")
        db.executescript(f"BEGIN IMMEDIATE; {script}")
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {SCHEMA}")
        db.execute(
            "INSERT INTO service (id, uuid, incarnation, name, created_utc, created_by_version)"
            " VALUES (1, ?, ?, ?, ?, ?)",
            (uuid.uuid4().hex, new_incarnation(), name, at.stamp, by_version),
        )
        db.execute(
            "INSERT INTO unit (path, name, kind, position, comment, version)"
            " VALUES ('/', '/', 'group', 0, '', 1)"
        )
        db.execute("COMMIT")
        db.execute("PRAGMA journal_mode = WAL")
    except SQLITE_ERRORS as error:
        raise_ours(error, file)
    finally:
        db.close()
