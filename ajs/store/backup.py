"""Backup while everything runs, and restore without a manager.

A backup is one database file, complete as of one instant: definitions, calendars, scripts, plans, runs, history. The
output that jobs wrote lies in the folder beside the database and is not part of it.
"""

from __future__ import annotations

import os
import sqlite3
from typing import NamedTuple

from ajs.errors import BadValue, Damaged, OtherService, SchemaVersion, StoreError
from ajs.moment import Moment
from ajs.store import folder as folders
from ajs.store.create import Staged, new_incarnation
from ajs.store.database import (
    APPLICATION_ID,
    SCHEMA,
    SQLITE_ERRORS,
    Service,
    Store,
    connect,
    damaged,
    ours,
    raise_ours,
)
from ajs.store.presence import FolderLock

BACKUP_MODE = 0o600
RESTORE_BUSY_S = 30.0
"""How long a restore waits for the commands that use the database, in seconds."""

SERVICE = "SELECT uuid, incarnation, name, created_utc, created_by_version FROM service"


class BackedUp(NamedTuple):
    """A backup that was made and checked: its file, its size in bytes, and whose state it holds."""

    file: str
    size: int
    service: Service


class Restored(NamedTuple):
    """Whose state was restored, with its new incarnation; ``aside`` is where the replaced database lies, "" if none.

    ``goes_on``: numbers that the replaced state had given out are not given out again.
    """

    service: Service
    aside: str
    goes_on: bool


def backup(folder: str, target: str) -> BackedUp:
    """Write a backup of the service in this folder to a new file; commands and the manager go on meanwhile.

    Raises what ``Store.open`` raises, BadValue when the target exists, StoreError when it cannot be written.
    """
    with Store.open(folder) as store, store.read() as tx:
        service = tx.service()
    copy(folders.database(folder), target)
    return BackedUp(target, os.stat(target).st_size, service)


def copy(file: str, target: str) -> None:
    """Copy a database in use to a new file, whole or not at all, and check the copy."""
    db = connect(file)
    try:
        _copy_to_new(db, target)
    except Damaged as error:
        raise damaged(file, "a copy of it is not whole") from error
    except SQLITE_ERRORS as error:
        raise_ours(error, file)
    finally:
        db.close()


def _copy_to_new(db: sqlite3.Connection, target: str, *, checked: bool = True) -> None:
    if os.path.lexists(target):
        raise BadValue(
            f"{target} exists already", hint="name a new file for the backup", value=target
        )
    part = f"{target}.part"
    try:
        folders.remove(part)
        folders.touch(part, BACKUP_MODE)
        _copy_pages(db, part)
        if checked:
            check(part)
        os.rename(part, target)
        folders.sync(os.path.dirname(os.path.abspath(target)))
    except OSError as error:
        raise folders.unusable(target, error) from error
    finally:
        folders.remove(part)


def _copy_pages(source: sqlite3.Connection, target: str) -> None:
    """Write all pages of a database into an empty file, as one instant saw them."""
    copied = connect(target)
    try:
        source.backup(copied)
        # A backup is one file: it can be read where nothing can be written beside it.
        copied.execute("PRAGMA journal_mode = DELETE")
    except SQLITE_ERRORS as error:
        raise_ours(error, target)
    finally:
        copied.close()


def check(file: str) -> Service:
    """Return whose state a database file holds, after looking at every page of it.

    Raises StoreError (no such file), SchemaVersion, or Damaged when it is not whole.
    """
    if not os.path.isfile(file):
        raise StoreError(
            f"there is no file {file}", hint="name a backup made by `ajs backup`", value=file
        )
    db = connect(file, mode="ro")
    try:
        if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            raise damaged(file, "it is not a database of ajs")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA:
            raise SchemaVersion(
                f"{file} has schema version {version}, this ajs works with version {SCHEMA}",
                hint="install the version of ajs that wrote it, or a newer one",
                value=str(version),
            )
        wrong = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if wrong != "ok":
            raise damaged(file, str(wrong))
        broken = db.execute("PRAGMA foreign_key_check").fetchone()
        if broken is not None:
            raise damaged(file, f"rows of {broken[0]} lack what they belong to")
        found = db.execute(SERVICE).fetchone()
        if found is None:
            raise damaged(file, "it does not say which scheduler service it belongs to")
        return Service(*found)
    except SQLITE_ERRORS as error:
        raise_ours(error, file)
    finally:
        db.close()


def restore(
    file: str, folder: str, at: Moment, name: str, *, other_service: bool = False
) -> Restored:
    """Replace the state in a service folder by a backup, under a new incarnation; the replaced one is kept beside it.

    Numbers of operations, runs and attempts go on behind those that the replaced one had given out.

    ``name`` is the scheduler service's. A backup of another one is taken only with ``other_service``; it bears this
    service's name then. A backup of an older schema wants ``ajs upgrade`` afterwards. Raises OtherService,
    ManagerRunning, Busy while commands use the database, and what ``check`` raises about the backup; nothing has
    changed then.
    """
    held = _checked(file)
    if not other_service:
        _refuse_other(file, held, folder, name)
    folders.make(folder)
    folders.refuse_network(folder)
    live = folders.database(folder)
    aside = f"{live}.replaced-{at.utc:%Y%m%dT%H%M%S.%fZ}" if os.path.lexists(live) else ""
    with FolderLock.take(folder, "ajs restore"), Staged(folder) as staging:
        _renewed(file, staging.file, name if other_service else held.name)
        replaced = _replace_pages(staging.file, live, aside) if aside else None
        if replaced is None:
            if aside:
                _keep_broken(live, aside)
            staging.put()
    return Restored(check(live), aside, bool(replaced))


def _checked(file: str) -> Service:
    """Return whose state a backup holds; raises what ``check`` raises, said of a backup."""
    try:
        return check(file)
    except Damaged as error:
        raise Damaged(
            f"{file} is not a backup that can be restored: {error.message}",
            hint="nothing was changed; name another file that `ajs backup` made",
            value=file,
        ) from error


def _refuse_other(file: str, held: Service, folder: str, name: str) -> None:
    """Raise OtherService unless the backup is of the service whose state is in the folder.

    Where there is no state, or none that can be read, only the name tells.
    """
    present = _present(folder)
    if present is None:
        same, this = held.name == name, f"{name}, which has no state that tells its number"
    else:
        same = (held.uuid, held.name) == (present.uuid, present.name)
        this = (
            f"{name} ({present.uuid})"
            if name == present.name
            else f"{name} ({present.uuid}, begun as {present.name})"
        )
    if not same:
        raise OtherService(
            f"{file} is a backup of the scheduler service {held.name} ({held.uuid}), and this is {this}",
            hint="choose the service with -F; to put its state here on purpose, add --other-service",
            value=held.name,
        )


def _present(folder: str) -> Service | None:
    """Return whose state is in a folder; None when there is none, or when it cannot be read."""
    file = folders.database(folder)
    if not os.path.exists(file):
        return None
    try:
        db = connect(file, mode="ro")
        try:
            found = db.execute(SERVICE).fetchone()
        finally:
            db.close()
    except (Damaged, *SQLITE_ERRORS):
        return None
    return None if found is None else Service(*found)


def _renewed(file: str, staging: str, name: str) -> None:
    """Copy a backup and give the copy a new incarnation, and this name."""
    source = connect(file, mode="ro")
    try:
        _copy_pages(source, staging)
    finally:
        source.close()
    db = connect(staging)
    try:
        db.execute("UPDATE service SET incarnation = ?, name = ?", (new_incarnation(), name))
        db.execute("PRAGMA journal_mode = WAL")
    except SQLITE_ERRORS as error:
        raise_ours(error, staging)
    finally:
        db.close()


def _replace_pages(staging: str, live: str, aside: str) -> bool | None:
    """Replace a database in place, in one transaction, while nobody else can use it; its old pages go aside first.

    In place, so that a command that has the file open finds the new state and cannot write to a file that is no
    longer there. Returns whether its counters could be continued; None, with nothing changed, when the old one is too
    broken to be locked.
    """
    try:
        db = connect(live, busy_s=RESTORE_BUSY_S)
    except Damaged:
        return None
    try:
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("BEGIN IMMEDIATE")
        db.execute("COMMIT")
    except SQLITE_ERRORS as error:
        db.close()
        if isinstance(ours(error, live), Damaged):
            return None
        raise_ours(error, live)
    source = connect(staging)
    try:
        _copy_to_new(db, aside, checked=False)
        goes_on = _go_on(source, db)
        source.backup(db)
    except SQLITE_ERRORS as error:
        raise_ours(error, live)
    finally:
        source.close()
        db.close()
    return goes_on


def _go_on(restored: sqlite3.Connection, replaced: sqlite3.Connection) -> bool:
    """Let the counters of a state go on behind those of the one that it replaces; False when they cannot be read.

    So a number that people know an operation or a run by never comes to stand for another one.
    """
    try:
        given = replaced.execute("SELECT name, seq FROM sqlite_sequence").fetchall()
    except sqlite3.DatabaseError:
        return False
    own = {
        row[0] for row in restored.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    }
    for name, last in given:
        counted = restored.execute(
            "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (last, name)
        )
        if not counted.rowcount and name in own:
            restored.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, last))
    return True


def _keep_broken(live: str, aside: str) -> None:
    """Give a database that cannot be opened another name beside its own, its log's first."""
    try:
        for tail in ("-wal", "-shm"):
            if os.path.lexists(live + tail):
                os.rename(live + tail, aside + tail)
        os.link(live, aside)
    except OSError as error:
        raise folders.unusable(aside, error) from error
