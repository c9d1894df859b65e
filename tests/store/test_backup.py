"""Backup while everything runs, restore, and changes of the schema."""

from __future__ import annotations

import os
import sqlite3

import pytest

from ajs.errors import (
    BadValue,
    Busy,
    Damaged,
    ManagerRunning,
    OtherService,
    SchemaVersion,
    StoreError,
)
from ajs.store import backup as backups
from ajs.store.backup import backup, check, restore
from ajs.store.create import create
from ajs.store.database import SCHEMA, Store, connect
from ajs.store.presence import FolderLock
from ajs.store.steps import Step, shipped_steps
from ajs.store.upgrade import Upgraded, upgrade
from tests.store import kit

AT = kit.at("2026-08-12T09:00:00")


@pytest.fixture
def filled(store):
    kit.define(store, kit.root("/a", "x"), kit.root("/b"))
    kit.register(store, "/a", "2026-08-11T22:00:00")
    return store


def names(folder) -> set[str]:
    """What lies in a service folder, but for SQLite's own files beside an open database."""
    return {name for name in os.listdir(folder) if not name.endswith(("-wal", "-shm"))}


def everything(folder: str) -> dict[str, list[tuple]]:
    with Store.open(str(folder)) as store:
        return kit.state(store)


# -- backup --


def test_a_backup_is_one_file_with_everything(filled, tmp_path):
    target = tmp_path / "monday.db"
    made = backup(filled.folder, str(target))
    assert made.file == str(target)
    assert made.size == target.stat().st_size > 0
    assert made.service.name == "main"
    assert target.stat().st_mode & 0o777 == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"monday.db", "service"}
    assert check(str(target)) == made.service
    copied = sqlite3.connect(target)
    assert copied.execute("SELECT count(*) FROM generation").fetchone() == (1,)
    assert copied.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    copied.close()


def test_a_backup_while_others_write(filled, tmp_path):
    with Store.open(filled.folder) as other, other.write() as tx:
        kit.begin(tx, "uncommitted")
        backup(filled.folder, str(tmp_path / "b.db"))
    copied = sqlite3.connect(tmp_path / "b.db")
    verbs = [row[0] for row in copied.execute("SELECT verb FROM operation ORDER BY id")]
    copied.close()
    assert verbs == ["define", "entry"]


def test_a_backup_beside_a_manager(filled, tmp_path):
    with FolderLock.take(filled.folder):
        backup(filled.folder, str(tmp_path / "b.db"))


def test_a_backup_overwrites_nothing(filled, tmp_path):
    (tmp_path / "b.db").write_text("precious")
    with pytest.raises(BadValue):
        backup(filled.folder, str(tmp_path / "b.db"))
    assert (tmp_path / "b.db").read_text() == "precious"


@pytest.mark.parametrize("target", ["none/b.db", "file/b.db"])
def test_a_backup_that_cannot_be_written(filled, tmp_path, target):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError) as caught:
        backup(filled.folder, str(tmp_path / target))
    assert target in caught.value.message


def test_a_damaged_database_is_not_backed_up(filled, tmp_path):
    filled.close()
    with open(filled.file, "r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 10)
    with pytest.raises(Damaged) as caught:
        backup(filled.folder, str(tmp_path / "b.db"))
    assert f"the database {filled.file} is damaged" in caught.value.message
    assert {path.name for path in tmp_path.iterdir()} == {"service"}


# -- restore --


@pytest.fixture
def saved(filled, tmp_path):
    """A backup, and a state that has gone on since."""
    file = str(tmp_path / "monday.db")
    backup(filled.folder, file)
    kit.define(filled, kit.root("/later"))
    return file


def test_a_restore_brings_back_what_was_and_keeps_what_is(filled, saved, tmp_path):
    later = kit.state(filled)
    filled.close()
    was = check(saved)
    done = restore(saved, filled.folder, AT, "main")
    assert done.service == was._replace(incarnation=done.service.incarnation)
    assert done.service.incarnation != was.incarnation
    with Store.open(filled.folder) as store:
        assert [row[1] for row in kit.rows(store, "unit")] == ["/", "/a", "/b", "/a/x"]
        with store.read() as tx:
            assert tx.service() == done.service
            assert tx.rows("PRAGMA journal_mode") == [("wal",)]
        kit.define(store, kit.root("/c"))
    assert names(filled.folder) == {"ajs.db", "ajs.lock", os.path.basename(done.aside)}
    check(done.aside)
    restore(done.aside, str(tmp_path / "again"), AT, "main")
    assert everything(tmp_path / "again") == later


# The state in the folder, as whose backup, for the service of which name: taken or refused.
OTHERS = """
in the folder   | backup of      | for    | taken
the same        | main           | main   | yes
another main    | main           | main   | no
another         | main           | other  | no
another         | main           | main   | no
none            | main           | main   | yes
none            | main           | other  | no
broken          | main           | main   | yes
broken          | main           | other  | no
"""


@pytest.mark.parametrize("line", OTHERS.strip().splitlines()[1:])
def test_a_backup_of_another_service_is_refused_unless_it_is_meant(filled, saved, tmp_path, line):
    present, _, name, taken = (cell.strip() for cell in line.split("|"))
    filled.close()
    folder = filled.folder if present == "the same" else str(tmp_path / "there")
    if present.startswith("another"):
        own = "main" if present.endswith("main") else "other"
        create(folder, name=own, at=AT, by_version="0.1.0").close()
    elif present == "broken":
        os.mkdir(folder)
        (tmp_path / "there" / "ajs.db").write_bytes(b"\xff" * 9000)
    before = names(folder) if present != "none" else None
    if taken == "no":
        with pytest.raises(OtherService) as caught:
            restore(saved, folder, AT, name)
        uuid = check(saved).uuid
        assert f"a backup of the scheduler service main ({uuid}), and this is {name}" in str(
            caught.value
        )
        assert "--other-service" in caught.value.hint
        assert (names(folder) if present != "none" else None) == before
        assert os.path.exists(folder) == (present != "none")
    done = restore(saved, folder, AT, name, other_service=taken == "no")
    assert done.service.uuid == check(saved).uuid
    assert done.service.name == name
    with Store.open(folder) as store:
        assert [row[1] for row in kit.rows(store, "unit")] == ["/", "/a", "/b", "/a/x"]


def test_a_copy_of_a_service_is_another_service(filled, saved, tmp_path):
    filled.close()
    drill, later = str(tmp_path / "drill"), str(tmp_path / "later.db")
    assert restore(saved, drill, AT, "drill", other_service=True).service.name == "drill"
    backup(drill, later)
    restore(later, drill, AT, "drill")
    with pytest.raises(OtherService):
        restore(later, filled.folder, AT, "main")


def test_numbers_that_the_replaced_state_had_given_out_are_not_given_out_again(
    filled, saved, tmp_path
):
    given = counters(filled.folder)
    assert given["operation"] > counters_of(saved)["operation"]
    filled.close()
    assert restore(saved, filled.folder, AT, "main").goes_on
    assert counters(filled.folder) == given
    with Store.open(filled.folder) as store:
        assert kit.define(store, kit.root("/c"))[0] == given["operation"] + 1
    assert restore(saved, filled.folder, kit.at("2026-08-13T00:00:00"), "main").goes_on
    assert counters(filled.folder)["operation"] == given["operation"] + 1
    new = str(tmp_path / "new")
    assert not restore(saved, new, AT, "main").goes_on
    assert counters(new) == counters_of(saved)


def counters(folder: str) -> dict[str, int]:
    return counters_of(f"{folder}/ajs.db")


def counters_of(file: str) -> dict[str, int]:
    db = sqlite3.connect(file)
    found = dict(db.execute("SELECT name, seq FROM sqlite_sequence"))
    db.close()
    return found


def test_every_restore_is_a_new_incarnation(filled, saved):
    filled.close()
    seen = {check(saved).incarnation}
    for second in range(3):
        at = kit.at(f"2026-08-12T09:00:0{second}")
        seen.add(restore(saved, filled.folder, at, "main").service.incarnation)
    assert len(seen) == 4
    assert len(names(filled.folder)) == 2 + 3


def test_modes_of_a_restored_state(filled, saved, tmp_path):
    filled.close()
    before = os.umask(0)
    try:
        for folder in (filled.folder, str(tmp_path / "new")):
            restore(saved, folder, AT, "main")
            assert os.stat(folder).st_mode & 0o7777 == 0o2770
            assert os.stat(f"{folder}/ajs.db").st_mode & 0o777 == 0o660
    finally:
        os.umask(before)


def test_a_restore_into_a_new_folder(filled, saved, tmp_path):
    done = restore(saved, str(tmp_path / "new"), AT, "main")
    assert done.aside == ""
    assert names(tmp_path / "new") == {"ajs.db", "ajs.lock"}


def test_no_restore_beside_a_manager(filled, saved):
    filled.close()
    before = everything(filled.folder)
    with FolderLock.take(filled.folder), pytest.raises(ManagerRunning):
        restore(saved, filled.folder, AT, "main")
    assert everything(filled.folder) == before


def test_no_restore_beside_a_command(filled, saved, monkeypatch):
    monkeypatch.setattr(backups, "RESTORE_BUSY_S", 0.05)
    before = kit.state(filled)
    with pytest.raises(Busy):
        restore(saved, filled.folder, AT, "main")
    assert kit.state(filled) == before
    assert names(filled.folder) == {"ajs.db", "ajs.lock"}


def test_a_command_that_comes_meanwhile_finds_the_restored_state(filled, saved):
    """It has the file open and has not looked inside yet."""
    filled.close()
    waiting = Store(filled.folder, sqlite3.connect(filled.file, isolation_level=None))
    restore(saved, filled.folder, AT, "main")
    with waiting:
        kit.define(waiting, kit.root("/c"))
    with Store.open(filled.folder) as store:
        assert kit.unit_id(store, "/c")
        with store.read() as tx:
            assert tx.rows("PRAGMA integrity_check") == [("ok",)]


BROKEN = {
    "not a database": b"not a database at all " * 1000,
    "cut off": b"SQLite format 3\0",
    "empty": b"",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_database_is_replaced_and_kept(filled, saved, content):
    filled.close()
    with open(filled.file, "wb") as file:
        file.write(content)
    with open(f"{filled.file}-wal", "wb") as file:
        file.write(b"old log")
    done = restore(saved, filled.folder, AT, "main")
    with Store.open(filled.folder) as store:
        assert kit.unit_id(store, "/a")
    with open(done.aside, "rb") as file:
        assert content in file.read()


def test_a_database_with_broken_pages_is_replaced_and_kept(filled, saved):
    filled.close()
    size = os.path.getsize(filled.file)
    with open(filled.file, "r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    done = restore(saved, filled.folder, AT, "main")
    with Store.open(filled.folder) as store:
        assert kit.unit_id(store, "/a")
        with store.read() as tx:
            assert tx.rows("PRAGMA integrity_check") == [("ok",)]
    assert os.path.getsize(done.aside) >= 4096


@pytest.mark.parametrize(
    ("content", "kind"), [(b"", Damaged), (b"no database " * 1000, Damaged), (None, StoreError)]
)
def test_what_is_no_backup_changes_nothing(filled, tmp_path, content, kind):
    filled.close()
    before = everything(filled.folder)
    if content is not None:
        (tmp_path / "b.db").write_bytes(content)
    with pytest.raises(kind) as caught:
        restore(str(tmp_path / "b.db"), filled.folder, AT, "main")
    assert "b.db" in caught.value.message
    assert everything(filled.folder) == before
    assert names(filled.folder) == {"ajs.db", "ajs.lock"}


def test_a_backup_with_broken_pages_is_noticed(filled, saved):
    filled.close()
    before = everything(filled.folder)
    with open(saved, "r+b") as file:
        file.seek(4096 * 5)
        file.write(b"\xff" * 4096)
    with pytest.raises(Damaged, match="not a backup that can be restored") as caught:
        restore(saved, filled.folder, AT, "main")
    assert "the damaged file is kept" not in caught.value.hint
    assert "name another file" in caught.value.hint
    assert everything(filled.folder) == before


def test_a_backup_with_broken_references_is_noticed(filled, saved):
    other = sqlite3.connect(saved)
    other.execute("UPDATE generation SET root = 999")
    other.commit()
    other.close()
    with pytest.raises(Damaged, match="generation lack what they belong to"):
        check(saved)


def test_a_backup_of_a_newer_ajs_is_refused(filled, saved):
    other = sqlite3.connect(saved)
    other.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    other.close()
    with pytest.raises(SchemaVersion, match=f"schema version {SCHEMA + 1}"):
        restore(saved, filled.folder, AT, "main")


KILLED = """
import os, sys
from ajs.store import backup
from tests.store import kit
real = backup._copy_pages
def die(source, target):
    if target.endswith(sys.argv[3]):
        os.kill(os.getpid(), 9)
    real(source, target)
backup._copy_pages = die
backup.restore(sys.argv[1], sys.argv[2], kit.at(), "main")
"""


@pytest.mark.parametrize("at", [".new", ".part"])
def test_a_killed_restore_leaves_what_was(filled, saved, at):
    filled.close()
    before = everything(filled.folder)
    process = kit.start_python(KILLED, saved, filled.folder, at)
    process.communicate()
    assert process.returncode == -9
    assert everything(filled.folder) == before
    restore(saved, filled.folder, AT, "main")


# -- upgrade --

SECOND = Step(
    SCHEMA + 1,
    "ALTER TABLE unit ADD COLUMN owner TEXT NOT NULL DEFAULT '';"
    "CREATE TABLE place (id INTEGER PRIMARY KEY, unit INTEGER REFERENCES unit (id)) STRICT;",
)
THIRD = Step(SCHEMA + 2, "INSERT INTO place (unit) SELECT id FROM unit;")


def version(folder: str) -> int:
    db = connect(f"{folder}/ajs.db")
    found = db.execute("PRAGMA user_version").fetchone()[0]
    db.close()
    return found


def test_the_newest_step_is_the_version_that_the_code_works_with():
    steps = shipped_steps()
    assert [step.version for step in steps] == list(range(1, SCHEMA + 1))


def test_nothing_to_do(filled):
    assert upgrade(filled.folder, AT) == Upgraded(SCHEMA, SCHEMA, "")
    assert names(filled.folder) == {"ajs.db", "ajs.lock"}


def test_steps_are_applied_in_order_after_a_backup(filled):
    before = kit.state(filled)
    filled.close()
    done = upgrade(filled.folder, AT, (THIRD, SECOND))
    assert (done.before, done.after) == (SCHEMA, SCHEMA + 2)
    assert version(filled.folder) == SCHEMA + 2
    db = connect(filled.file)
    assert db.execute("SELECT count(*) FROM place").fetchone() == (4,)
    db.close()
    with pytest.raises(SchemaVersion):
        Store.open(filled.folder)
    assert upgrade(filled.folder, AT, (SECOND, THIRD)) == Upgraded(SCHEMA + 2, SCHEMA + 2, "")
    restore(done.backup, filled.folder, AT, "main")
    assert everything(filled.folder) == before


BAD_STEPS = [
    ("CREATE TABLE place (a) STRICT", StoreError),
    ("ALTER TABLE unit ADD COLUMN owner TEXT; SELECT 1 FROM nothing;", StoreError),
    ("INSERT INTO fate VALUES (1, 1, '2026-08-11', 'x', '[]', 'x', '', 1, 1, '')", StoreError),
    ("DELETE FROM unit WHERE path = '/a';", StoreError),
]


@pytest.mark.parametrize(("sql", "kind"), BAD_STEPS)
def test_a_step_that_fails_leaves_nothing_and_the_steps_before_stay(filled, sql, kind):
    filled.close()
    with pytest.raises(kind):
        upgrade(filled.folder, AT, (SECOND, Step(SCHEMA + 2, sql)))
    assert version(filled.folder) == SCHEMA + 1
    db = connect(filled.file)
    assert db.execute("SELECT count(*) FROM unit").fetchone() == (4,)
    assert "owner" in [row[1] for row in db.execute("PRAGMA table_info(unit)")]
    assert db.execute("SELECT count(*) FROM place").fetchone() == (0,)
    db.close()


STOPPED = """
import os, sys
from ajs.store import upgrade
from ajs.store.steps import Step
from tests.store import kit
real = upgrade._apply
class Dying:
    def __init__(self, db): self.db = db
    def __getattr__(self, name): return getattr(self.db, name)
    def execute(self, sql):
        if sql == "COMMIT":
            os.kill(os.getpid(), 9)
        return self.db.execute(sql)
upgrade._apply = lambda db, step: real(Dying(db), step)
step = Step(int(sys.argv[2]), "CREATE TABLE place (a TEXT) STRICT")
upgrade.upgrade(sys.argv[1], kit.at(), (step,))
"""


def test_a_killed_upgrade_leaves_what_was(filled):
    before = kit.state(filled)
    filled.close()
    process = kit.start_python(STOPPED, filled.folder, SCHEMA + 1)
    process.communicate()
    assert process.returncode == -9
    assert everything(filled.folder) == before


def test_no_upgrade_beside_a_manager(filled):
    with FolderLock.take(filled.folder), pytest.raises(ManagerRunning):
        upgrade(filled.folder, AT, (SECOND,))
    assert version(filled.folder) == SCHEMA


def test_no_way_back(filled):
    filled.close()
    upgrade(filled.folder, AT, (SECOND,))
    with pytest.raises(SchemaVersion, match=f"schema version {SCHEMA + 1}, this ajs"):
        upgrade(filled.folder, AT)


def test_no_state_to_upgrade(tmp_path):
    with pytest.raises(StoreError, match="no scheduler service"):
        upgrade(str(tmp_path), AT)


def test_another_s_database_is_not_upgraded(tmp_path):
    db = sqlite3.connect(tmp_path / "ajs.db")
    db.execute("CREATE TABLE t (a)")
    db.close()
    with pytest.raises(Damaged, match="not a database of ajs"):
        upgrade(str(tmp_path), AT, (SECOND,))
