"""Opening and transactions, on real files and against everything that can go wrong with them."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess

import pytest

from ajs.errors import Busy, Damaged, SchemaVersion, StoreError
from ajs.store import log
from ajs.store.database import SCHEMA, Store, connect, ours
from tests.store import kit

# -- opening --


def test_a_new_state_says_whose_it_is(store):
    with store.read() as tx:
        service = tx.service()
        assert tx.rows("SELECT path, kind FROM unit") == [("/", "group")]
    assert (service.name, service.created_by_version) == ("main", "0.1.0")
    assert service.created_utc == "2026-08-11T03:00:00.000Z"


def test_no_two_states_have_the_same_identity(tmp_path):
    found = set()
    for name in "abc":
        with kit.new_store(tmp_path / name) as store, store.read() as tx:
            service = tx.service()
            found |= {service.uuid, service.incarnation}
    assert len(found) == 6


def test_settings_of_every_connection(store):
    with store.read() as tx:
        settings = {
            name: tx.rows(f"PRAGMA {name}")[0][0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "page_size")
        }
    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "page_size": 4096,
    }


def test_every_table_is_strict(store):
    with store.read() as tx:
        loose = tx.rows(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND NOT strict"
            " AND name NOT LIKE 'sqlite_%'"
        )
    assert loose == []


@pytest.mark.parametrize("where", ["missing", "missing/below", "file", "file/below", "empty"])
def test_no_state_there(tmp_path, where):
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    with pytest.raises(StoreError) as caught:
        Store.open(str(tmp_path / where))
    assert where in caught.value.message
    assert "ajs init" in caught.value.hint


def test_a_state_is_not_made_twice(store):
    kit.define(store, kit.root("/a"))
    with pytest.raises(StoreError, match="already holds"):
        kit.new_store(store.folder)
    assert kit.unit_id(store, "/a")


def test_what_a_crashed_init_left_is_in_nobody_s_way(tmp_path):
    folder = tmp_path / "service"
    folder.mkdir()
    (folder / "ajs.db.new").write_text("half a database")
    kit.new_store(folder).close()
    assert {path.name for path in folder.iterdir()} == {"ajs.db", "ajs.lock"}


@pytest.mark.parametrize(
    ("version", "hint"), [(SCHEMA - 1, "ajs upgrade"), (SCHEMA + 1, "install the version")]
)
def test_other_schema_versions_are_refused_by_number(store, version, hint):
    store.close()
    db = connect(store.file)
    db.execute(f"PRAGMA user_version = {version}")
    db.close()
    with pytest.raises(SchemaVersion) as caught:
        Store.open(store.folder)
    assert f"version {version}" in caught.value.message
    assert f"version {SCHEMA}" in caught.value.message
    assert hint in caught.value.hint


def test_an_open_state_notices_an_upgrade(store):
    db = connect(store.file)
    db.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    db.close()
    for use in (store.read, store.write):
        with pytest.raises(SchemaVersion), use():
            raise AssertionError


@pytest.mark.parametrize("name", ["a b", "100%", "what?", "a#b", "営業", "a%20b", "x&mode=memory"])
def test_any_folder_name(tmp_path, name):
    with kit.new_store(tmp_path / name) as store:
        kit.define(store, kit.root("/a"))
    with Store.open(str(tmp_path / name)) as store:
        assert kit.unit_id(store, "/a")
    assert os.listdir(tmp_path) == [name]


def test_through_a_symbolic_link(tmp_path, store):
    link = tmp_path / "link"
    link.symlink_to(store.folder)
    with Store.open(str(link)) as other:
        kit.define(other, kit.root("/a"))
        kit.define(store, kit.root("/b"))
        assert kit.unit_id(store, "/a")
        assert kit.unit_id(other, "/b")


# -- damage --


def test_not_a_database(store):
    store.close()
    with open(store.file, "wb") as file:
        file.write(b"not a database, but long enough to be looked at " * 100)
    with pytest.raises(Damaged) as caught:
        Store.open(store.folder)
    assert store.file in caught.value.message
    assert "ajs restore" in caught.value.hint


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0"])
def test_a_cut_off_database(store, content):
    store.close()
    with open(store.file, "wb") as file:
        file.write(content)
    with pytest.raises(Damaged):
        Store.open(store.folder)


def test_a_schema_that_is_no_text(store):
    store.close()
    with open(store.file, "rb") as file:
        content = file.read()
    with open(store.file, "wb") as file:
        file.write(content.replace(b"CREATE TABLE serial", b"CREATE \xc7ABLE serial"))
    with pytest.raises(Damaged, match=r"\\xc7ABLE"):
        Store.open(store.folder)


def test_somebody_else_s_database(store):
    store.close()
    os.unlink(store.file)
    other = sqlite3.connect(store.file)
    other.execute("CREATE TABLE t (a)")
    other.close()
    with pytest.raises(Damaged, match="not a database of ajs"):
        Store.open(store.folder)


def test_overwritten_pages(store):
    kit.define(store, *[kit.root(f"/g{i}/net{i}", "a", "b", "c") for i in range(300)])
    store.close()
    size = os.path.getsize(store.file)
    with open(store.file, "r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    with pytest.raises(Damaged) as caught, Store.open(store.folder) as opened, opened.read() as tx:
        tx.rows("SELECT * FROM unit")
    assert store.file in caught.value.message


def test_a_row_that_makes_no_sense(store):
    kit.define(store, kit.root("/a"))
    kit.register(store, "/a", "2026-08-11T22:00:00")
    with store.write() as tx:
        tx.run("UPDATE generation SET ties = '[[1]]'")
    with pytest.raises(Damaged, match="makes no sense"):
        kit.load(store, "/a")


def test_text_that_is_not_utf8(store):
    with store.write() as tx:
        tx.run("UPDATE unit SET comment = CAST(x'ff' AS TEXT)")
    with pytest.raises(Damaged), store.read() as tx:
        tx.rows("SELECT comment FROM unit")


# -- transactions --


def test_a_change_is_seen_by_others_when_it_is_whole(store):
    with Store.open(store.folder) as other:
        with store.write() as tx:
            kit.begin(tx)
            assert kit.rows(other, "operation") == []
        assert len(kit.rows(other, "operation")) == 1


def test_an_error_takes_the_whole_change_back(store):
    with pytest.raises(KeyError), store.write() as tx:
        raise KeyError(kit.begin(tx))
    assert kit.rows(store, "operation") == []


def test_an_interrupt_takes_the_whole_change_back(store):
    with pytest.raises(KeyboardInterrupt), store.write() as tx:
        raise KeyboardInterrupt(kit.begin(tx))
    assert kit.rows(store, "operation") == []


def test_a_dry_run_takes_the_same_path_and_changes_nothing(store):
    with store.write() as tx:
        number = kit.begin(tx)
        tx.rollback()
        assert log.entry(tx, number).verb == "plan"
    assert kit.rows(store, "operation") == []


def test_a_look_is_of_one_instant(store):
    with Store.open(store.folder) as other, store.read() as tx:
        assert tx.rows("SELECT count(*) FROM operation") == [(0,)]
        with other.write() as changing:
            kit.begin(changing)
        assert tx.rows("SELECT count(*) FROM operation") == [(0,)]
    assert len(kit.rows(store, "operation")) == 1


def test_a_broken_rule_of_the_schema_is_our_error_and_changes_nothing(store):
    bad = (
        "INSERT INTO registration (root, method, registered, registered_utc, registered_by, catch_up, done, version)"
        " VALUES (99, 'planned', 'x', 'x', 'x', 2, '', ?)"
    )
    with pytest.raises(StoreError) as caught, store.write() as tx:
        tx.run(bad, kit.begin(tx))
    assert "CHECK constraint failed" in caught.value.message
    assert kit.rows(store, "operation") == []


def test_what_is_only_noticed_at_the_end_is_taken_back_too(store):
    with pytest.raises(StoreError, match="FOREIGN KEY constraint failed"), store.write() as tx:
        tx.run("UPDATE unit SET path = '/a', upper = ?", 98 + kit.begin(tx))
    assert kit.rows(store, "operation") == []
    kit.define(store, kit.root("/a"))


def test_the_change_counter_sees_others_and_not_oneself(store):
    with Store.open(store.folder) as other:
        before = store.data_version()
        with store.write() as tx:
            kit.begin(tx)
        assert store.data_version() == before
        with other.write() as tx:
            kit.begin(tx)
        assert store.data_version() != before


def test_the_change_counter_of_a_closed_state(store):
    store.close()
    with pytest.raises(StoreError):
        store.data_version()


def test_locked_by_another_command(store):
    with Store.open(store.folder, busy_s=0.01) as other, store.write():
        with pytest.raises(Busy) as caught, other.write():
            raise AssertionError
        assert store.file in caught.value.message
        with other.read() as tx:
            assert tx.service().name == "main"


ERRORS = [
    ("SQLITE_BUSY", Busy),
    ("SQLITE_BUSY_SNAPSHOT", Busy),
    ("SQLITE_LOCKED", Busy),
    ("SQLITE_CORRUPT", Damaged),
    ("SQLITE_CORRUPT_INDEX", Damaged),
    ("SQLITE_NOTADB", Damaged),
    ("SQLITE_FULL", StoreError),
    ("SQLITE_READONLY_DBMOVED", StoreError),
    ("SQLITE_CANTOPEN", StoreError),
    ("SQLITE_IOERR_WRITE", StoreError),
    ("SQLITE_CONSTRAINT_CHECK", StoreError),
    ("", StoreError),
]


@pytest.mark.parametrize(("name", "kind"), ERRORS)
def test_every_error_becomes_one_of_ours(name, kind):
    error = sqlite3.OperationalError("something")
    error.sqlite_errorname = name
    found = ours(error, "/x/ajs.db")
    assert type(found) is kind
    assert "/x/ajs.db" in found.message
    assert found.hint


# -- the disk --

FILL = """
import sys
from ajs.store.database import Store
from ajs.errors import AjsError
from tests.store import kit
{limit}
with Store.open(sys.argv[1]) as store:
    try:
        kit.define(store, *[kit.root(f"/g{{i}}/net{{i}}", "a", "b", "c") for i in range(5000)])
    except AjsError as error:
        print(type(error).__name__, error.message, error.hint)
    with store.read() as tx:
        print(tx.rows("SELECT count(*) FROM unit"), tx.rows("PRAGMA integrity_check"))
"""


def _nothing_is_lost(store, out):
    refused, after = out.splitlines()
    assert refused.startswith(f"StoreError the database {store.file} could not be")
    assert "nothing was changed" in refused
    assert after == "[(2,)] [('ok',)]"
    kit.define(store, kit.root("/b"))
    assert kit.unit_id(store, "/a")


def test_a_file_size_limit(store):
    kit.define(store, kit.root("/a"))
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))"
    _nothing_is_lost(store, kit.run_python(FILL.format(limit=limit), store.folder))


def test_a_full_database(store):
    kit.define(store, kit.root("/a"))
    store._db.execute("PRAGMA max_page_count = 60")
    with pytest.raises(StoreError) as caught:
        kit.define(store, *[kit.root(f"/g{i}/net{i}", "a", "b") for i in range(500)])
    assert "full" in caught.value.message
    assert "free some space" in caught.value.hint
    store._db.execute("PRAGMA max_page_count = 100000")
    kit.define(store, kit.root("/b"))
    assert kit.unit_id(store, "/a")


@pytest.mark.skipif(
    os.geteuid() != 0
    or subprocess.run(["unshare", "--mount", "true"], check=False).returncode != 0,
    reason="a small disk takes root and a mount namespace",
)
def test_a_full_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    code = f"""
import subprocess
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", {str(disk)!r}], check=True)
from tests.store import kit
with kit.new_store({str(disk / "service")!r}) as store:
    kit.define(store, kit.root("/a"))
""" + FILL.format(limit="")
    out = kit.run_python(code, disk / "service", wrapper=("unshare", "--mount"))
    refused, after = out.splitlines()
    assert "StoreError" in refused
    assert "could not be" in refused
    assert "free some space" in refused
    assert after == "[(2,)] [('ok',)]"


@pytest.mark.skipif(kit.unprivileged() is None, reason="root here cannot be held to file modes")
@pytest.mark.parametrize(
    ("folder", "file", "said"),
    [(0o500, 0o600, "ajs.db"), (0o700, 0o400, "ajs.db"), (0o000, 0o600, "permission denied")],
)
def test_what_may_not_be_written(store, folder, file, said):
    kit.define(store, kit.root("/a"))
    store.close()
    os.chmod(store.file, file)
    os.chmod(store.folder, folder)
    code = """
import sys
from ajs.errors import StoreError
from ajs.store.database import Store
try:
    with Store.open(sys.argv[1]) as store, store.write() as tx:
        tx.run("UPDATE service SET name = 'x'")
except StoreError as error:
    print(error.message, "|", error.hint)
"""
    out = kit.run_python(code, store.folder, wrapper=kit.unprivileged() or ())
    os.chmod(store.folder, 0o700)
    os.chmod(store.file, 0o600)
    assert said in out
    assert "check the owner and the modes" in out
    with Store.open(store.folder) as again, again.read() as tx:
        assert tx.service().name == "main"


# -- several processes --

COUNT_UP = """
import sys
from ajs.store.database import Store
with Store.open(sys.argv[1]) as store:
    for _ in range(int(sys.argv[2])):
        with store.write() as tx:
            seen = int(tx.rows("SELECT comment FROM unit WHERE path = '/'")[0][0])
            tx.run("UPDATE unit SET comment = ?, version = ? WHERE path = '/'", str(seen + 1), seen + 2)
"""


def test_many_writers_lose_nothing_and_no_half_change_is_seen(store):
    with store.write() as tx:
        tx.run("UPDATE unit SET comment = '0' WHERE path = '/'")
    writers = [kit.start_python(COUNT_UP, store.folder, 50) for _ in range(4)]
    seen = []
    while any(writer.poll() is None for writer in writers):
        with store.read() as tx:
            comment, version = tx.rows("SELECT comment, version FROM unit")[0]
        assert int(comment) + 1 == version
        seen.append(version)
    assert [writer.communicate() for writer in writers] == [("", "")] * 4
    assert seen == sorted(seen)
    with store.read() as tx:
        assert tx.rows("SELECT comment FROM unit") == [("200",)]


KILLED = """
import sys
from ajs.store.database import Store
from tests.store import kit
with Store.open(sys.argv[1]) as store, store.write() as tx:
    operation = kit.begin(tx)
    tx.run_many("INSERT INTO event VALUES (?, 1, '', ?, ?, 'RUNNING', '{}')", [])
    for number in range(20000):
        tx.insert("INSERT INTO script VALUES (?, ?)", f"{number:064d}", b"x" * 200)
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_a_killed_writer_leaves_what_was_before(store):
    kit.define(store, kit.root("/a"))
    before = {table: kit.rows(store, table) for table in ("unit", "operation", "script")}
    writer = kit.start_python(KILLED, store.folder, stdin=subprocess.PIPE)
    assert writer.stdout.readline() == "ready\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    for stream in (writer.stdin, writer.stdout, writer.stderr):
        stream.close()
    with Store.open(store.folder) as again:
        assert {table: kit.rows(again, table) for table in before} == before
        kit.define(again, kit.root("/b"))
        with again.read() as tx:
            assert tx.rows("PRAGMA integrity_check") == [("ok",)]


# -- starting a command --


def test_a_look_loads_no_value_types(store):
    kit.define(store, kit.root("/a"))
    code = """
import sys
before = set(sys.modules)
from ajs.store.database import Store
from ajs.store import show, units
with Store.open(sys.argv[1]) as store, store.read() as tx:
    found = units.find(tx, "/a")
    show.generations(tx, [found[0].id])
heavy = {"ajs.plan", "ajs.model", "ajs.rules", "ajs.lifecycle", "ajs.definition", "ajs.moment", "pathlib",
         "socket", "zoneinfo", "tomllib", "uuid", "hashlib"}
print(sorted(heavy & (set(sys.modules) - before)))
"""
    assert kit.run_python(code, store.folder) == "[]\n"
