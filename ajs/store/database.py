"""Opening the database of a scheduler service, transactions, and SQLite's errors turned into ours.

A change is ``with store.write() as tx:`` -- all of it is committed at the end of the block, or none of it. A look is
``with store.read() as tx:`` -- short and consistent; read, leave the block, then render, because an open reader makes
the write-ahead log grow. SQLite's errors are translated where such a block ends, and nowhere else.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, NamedTuple, NoReturn, Self, TypeVar

from ajs.errors import AjsError, Busy, Damaged, SchemaVersion, StoreError
from ajs.store import folder as folders

APPLICATION_ID = 0x616A7331
"""What a database of ours bears in its header: "ajs1"."""
SCHEMA = 9
"""The version of the schema that this code reads and writes; the number of the newest file in ``sql/``."""
BUSY_S = 30.0
"""How long a command waits for another one to finish its change, in seconds."""
OLDEST_SQLITE = (3, 38, 0)
"""Has STRICT tables, RETURNING and JSON without being asked."""

SqliteError = sqlite3.Error | UnicodeDecodeError
SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What SQLite raises: the second where its complaint quotes a damaged schema that is no text any more."""

Row = tuple[Any, ...]
Made = TypeVar("Made")


class Service(NamedTuple):
    """Whose state it is. ``uuid`` and ``incarnation`` go into attempt ids."""

    uuid: str
    incarnation: str
    name: str
    created_utc: str
    created_by_version: str


class Reading:
    """A consistent look at the state; made by ``Store.read``."""

    def __init__(self, db: sqlite3.Connection, file: str, begin: str = "BEGIN") -> None:
        self._db = db
        self._begin = begin
        self._rolled_back = False
        self.file = file

    def __enter__(self) -> Self:
        try:
            self._db.execute(self._begin)
            _check_schema(self._db, self.file)
        except SQLITE_ERRORS as error:
            self._roll_back()
            raise_ours(error, self.file)
        except AjsError:
            self._roll_back()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None and not self._rolled_back:
            try:
                self._db.execute("COMMIT")
            except SQLITE_ERRORS as failed:
                self._roll_back()
                raise_ours(failed, self.file)
            return
        self._roll_back()
        if isinstance(error, SQLITE_ERRORS):
            raise_ours(error, self.file)

    def _roll_back(self) -> None:
        # SQLite has already rolled back by itself after some errors (full disk); its answer adds nothing.
        if self._db.in_transaction:
            try:
                self._db.execute("ROLLBACK")
            except SQLITE_ERRORS:
                self._db.close()

    def rows(self, sql: str, *values: object) -> list[Row]:
        """Return all rows that a query gives."""
        return self._db.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> Row | None:
        """Return the first row that a query gives, or None."""
        found: Row | None = self._db.execute(sql, values).fetchone()
        return found

    def made(self, make: Callable[..., Made], sql: str, *values: object) -> list[Made]:
        """Return what ``make`` makes of each row's columns; a row that it cannot take means a damaged database."""
        found = self.rows(sql, *values)
        try:
            return [make(*row) for row in found]
        except (ValueError, KeyError, TypeError) as error:
            raise damaged(self.file, f"a stored row makes no sense ({error})") from error

    def service(self) -> Service:
        """Return whose state this is."""
        found = self.row(
            "SELECT uuid, incarnation, name, created_utc, created_by_version FROM service"
        )
        if found is None:
            raise damaged(self.file, "it does not say which scheduler service it belongs to")
        return Service(*found)


class Writing(Reading):
    """One change of the state, all or nothing; made by ``Store.write``."""

    def run(self, sql: str, *values: object) -> int:
        """Run one statement and return the number of rows that it changed."""
        return self._db.execute(sql, values).rowcount

    def run_many(self, sql: str, rows: Iterable[Sequence[object]]) -> int:
        """Run one statement for each row of values and return the number of rows changed in all."""
        return max(self._db.executemany(sql, rows).rowcount, 0)

    def insert(self, sql: str, *values: object) -> int:
        """Run one INSERT and return the id of the new row."""
        made = self._db.execute(sql, values).lastrowid
        assert made is not None  # noqa: S101  an INSERT always sets it
        return made

    def rollback(self) -> None:
        """Let the block end without a change: a dry run takes the same path and calls this."""
        self._rolled_back = True


class Store:
    """The open state of one scheduler service."""

    def __init__(self, folder: str, db: sqlite3.Connection) -> None:
        self.folder = folder
        self.file = folders.database(folder)
        self._db = db

    @classmethod
    def open(cls, folder: str, *, busy_s: float = BUSY_S) -> Store:
        """Open the state in this folder.

        Raises StoreError (nothing there, network file system, not readable), SchemaVersion, Damaged or Busy.
        """
        file = folders.database(folder)
        try:
            os.stat(file)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise StoreError(
                f"there is no scheduler service in {folder}",
                hint="`ajs init` makes one; `ajs restore` brings a lost one back",
                value=folder,
            ) from error
        except OSError as error:
            raise folders.unusable(file, error) from error
        folders.refuse_network(folder)
        store = cls(folder, connect(file, busy_s=busy_s))
        try:
            with store.read():
                pass
        except AjsError:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self) -> Reading:
        """Begin a consistent look: ``with store.read() as tx:``."""
        return Reading(self._db, self.file)

    def write(self) -> Writing:
        """Begin a change: ``with store.write() as tx:``; waits for other writers, then raises Busy."""
        return Writing(self._db, self.file, "BEGIN IMMEDIATE")

    def data_version(self) -> int:
        """Return a number that differs from the last one exactly when another process changed the state since."""
        try:
            found = self._db.execute("PRAGMA data_version").fetchone()
        except SQLITE_ERRORS as error:
            raise_ours(error, self.file)
        return int(found[0])


def connect(file: str, *, busy_s: float = BUSY_S, mode: str = "rw") -> sqlite3.Connection:
    """Return a connection to an existing database file, set up as every one of ours is; ``mode`` as in SQLite URIs."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise StoreError(
            f"this Python comes with SQLite {sqlite3.sqlite_version}, which is too old",
            hint="use a Python that is linked with SQLite 3.38 or newer",
            value=sqlite3.sqlite_version,
        )
    quoted = file.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    db: sqlite3.Connection | None = None
    try:
        db = sqlite3.connect(
            f"file:{quoted}?mode={mode}", uri=True, timeout=busy_s, isolation_level=None
        )
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA synchronous = FULL")
    except SQLITE_ERRORS as error:
        if db is not None:
            db.close()
        raise_ours(error, file)
    return db


def _check_schema(db: sqlite3.Connection, file: str) -> None:
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise damaged(file, "it is not a database of ajs")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version != SCHEMA:
        raise SchemaVersion(
            f"{file} has schema version {version}, this ajs works with version {SCHEMA}",
            hint="run `ajs upgrade`"
            if version < SCHEMA
            else "install the version of ajs that wrote it, or a newer one",
            value=str(version),
        )


def damaged(file: str, why: str) -> Damaged:
    """Return the error for a database that cannot be made sense of."""
    return Damaged(
        f"the database {file} is damaged: {why}",
        hint="bring back the newest backup with `ajs restore`; the damaged file is kept beside it",
        value=file,
    )


def raise_ours(error: SqliteError, file: str) -> NoReturn:
    """Raise what stands for an error of SQLite's in our tree."""
    raise ours(error, file) from error


def ours(error: SqliteError, file: str) -> AjsError:
    """Return the error of our tree for one of SQLite's; nothing was changed in any of these cases."""
    if isinstance(error, UnicodeDecodeError):
        return damaged(file, error.object.decode(errors="backslashreplace"))
    name: str = getattr(error, "sqlite_errorname", "")
    kind = "_".join(name.split("_")[:2])
    if kind in ("SQLITE_BUSY", "SQLITE_LOCKED"):
        return Busy(
            f"the database {file} is in use by another command that did not finish in time",
            hint="nothing was changed; run the command again",
            value=file,
        )
    if kind in ("SQLITE_CORRUPT", "SQLITE_NOTADB") or str(error).startswith("Could not decode"):
        return damaged(file, str(error))
    hints = {
        "SQLITE_FULL": "free some space on its disk; nothing was changed",
        "SQLITE_READONLY": "check the owner and the modes of the file and of its folder; nothing was changed",
        "SQLITE_CANTOPEN": "check the owner and the modes of the file and of its folder",
        "SQLITE_PERM": "check the owner and the modes of the file and of its folder",
        "SQLITE_IOERR": "check the disk and its free space; nothing was changed",
    }
    doing = "read or written" if kind in hints else "changed"
    return StoreError(
        f"the database {file} could not be {doing}: {error}",
        hint=hints.get(kind, "this is an error in ajs, nothing was changed; please report it"),
        value=file,
    )


def id_list(ids: Iterable[int]) -> str:
    """Return ids as the JSON text that ``json_each(?)`` takes apart again."""
    return f"[{','.join(map(str, ids))}]"
