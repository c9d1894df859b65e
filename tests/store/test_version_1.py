"""A state that version 1 of the schema left is brought up to date with all that it holds."""

from __future__ import annotations

import sqlite3

import pytest

from ajs.agents import Agents
from ajs.errors import SchemaVersion
from ajs.store import agents, log
from ajs.store.backup import restore
from ajs.store.database import SCHEMA, Store
from ajs.store.day import Day, adopt, recorded
from ajs.store.undo import undo_rows
from ajs.store.upgrade import upgrade
from tests.store import kit

UNSET = (
    *(("deleted", None), ("time_zone", None), ("schedule", None), ("status", None)),
    *(("registered_for", None), ("serial", None), ("started_utc", None), ("ended_utc", None)),
    *(("count", None), ("skip_overdue", None), ("cancelled", None), ("frozen_path", None)),
    *(("frozen_definition", None), ("frozen_calendars", None), ("frozen_exclusive", None)),
    *(("attributes", None), ("priority", 1), ("watch", None), ("base_time", 0), ("delayed", None)),
)
"""What no version before could say: who deleted a unit, what the times of the plans mean, how a run ended that went,
fixed registration, priority, delays."""
HOLD = 6
"""The newest operation of that state: a hold."""


@pytest.fixture
def folder(tmp_path):
    kit.new_store(tmp_path / "service").close()
    kit.version_1(tmp_path / "service")
    return str(tmp_path / "service")


def dumped(folder: str, *but: str) -> dict[str, list[dict[str, object]]]:
    """Return all rows of all tables."""
    db = sqlite3.connect(f"{folder}/ajs.db")
    db.row_factory = sqlite3.Row
    tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {
        t: [dict(row) for row in db.execute(f"SELECT * FROM {t}")] for t in tables if t not in but
    }
    db.close()
    return found


def as_kept(state: dict[str, list[dict[str, object]]]) -> dict[str, list[str]]:
    """Return what every version keeps: 0 was how it said that nobody interrupted or killed anything."""
    ours = {"interrupted", "kill_asked", "relay"}
    return {
        table: sorted(
            repr(
                sorted((k, v) for k, v in row.items() if k not in ours and (k, v) not in UNSET)
            ).replace('"interrupted":0', '"interrupted":null')
            for row in rows
        )
        for table, rows in state.items()
    }


def schema(folder: str) -> list[tuple]:
    db = sqlite3.connect(f"{folder}/ajs.db")
    found = db.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name"
    ).fetchall()
    db.close()
    return found


def test_it_is_refused_as_it_is(folder):
    with pytest.raises(SchemaVersion, match="has schema version 1") as caught:
        Store.open(folder)
    assert "ajs upgrade" in caught.value.hint


def test_nothing_is_lost_and_the_schema_is_that_of_a_new_state(folder, tmp_path):
    before = dumped(folder)
    done = upgrade(folder, kit.at())
    assert (done.before, done.after) == (1, SCHEMA)
    after = dumped(folder, "agent_definition", "fleet", "leftover", "frozen_calendars")
    assert as_kept(after) == as_kept(before)
    kit.new_store(tmp_path / "new").close()
    assert schema(folder) == schema(str(tmp_path / "new"))


def test_the_log_goes_on_and_what_was_done_before_can_be_undone(folder):
    upgrade(folder, kit.at())
    with Store.open(folder) as store:
        with store.read() as tx:
            assert [entry.id for entry in log.history(tx)] == [6, 5, 4, 3, 2, 1]
            (held,) = log.images(tx, HOLD)
        operation = kit.define(store, agents=kit.agents(kit.agent("AGT1")))[0]
        assert operation == HOLD + 1
        for number in (HOLD, operation):
            with store.write() as tx:
                undo_rows(tx, number, kit.begin(tx, "undo", undoes=number))
        with store.read() as tx:
            assert agents.load(tx) == Agents()
            now = tx.row("SELECT holds FROM generation WHERE id = ?", held.key)
        assert held.before is not None
        assert now == (held.before["holds"],)


def test_the_backup_made_first_is_the_old_state_and_can_be_brought_up_to_date_again(folder):
    before = dumped(folder, "service")
    saved = upgrade(folder, kit.at()).backup
    restore(saved, folder, kit.at(), "s")
    assert dumped(folder, "service") == before
    assert upgrade(folder, kit.at("2026-08-12T00:00:00")).before == 1


def test_what_the_times_mean_is_recorded_once_and_held_while_there_are_registrations(folder):
    upgrade(folder, kit.at())
    tokyo, berlin = Day("Asia/Tokyo", "24h"), Day("Europe/Berlin", "48h")
    with Store.open(folder) as store, store.write() as tx:
        assert recorded(tx) is None
        assert tx.row("SELECT count(*) FROM registration") != (0,)
        assert adopt(tx, tokyo)
        assert not adopt(tx, berlin)
        assert recorded(tx) == tokyo
        tx.run("DELETE FROM registration")
        assert adopt(tx, berlin)
        assert recorded(tx) == berlin
