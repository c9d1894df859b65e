"""``ajsdefine`` and ``ajs check`` let go of the database before they work out what they only tell of."""

from __future__ import annotations

import pytest

from ajs.lint import Linter
from ajs.operations.plan_diff import compared
from ajs.store.database import Store
from tests.cli.conftest import JOBNETS

CLOSED = "group: /\ncalendar: {closed: [2026-12-31]}\n"


@pytest.fixture
def others(home, monkeypatch):
    """Let another command change the state whenever a root jobnet is linted or its plans are compared."""
    home.ajs("ajsentry /g/daily /g/weekly")
    told: list[str] = []

    def meanwhile(what, function):
        def called(*given, **named):
            with Store.open(str(home.folder / "state/s"), busy_s=0) as store:
                with store.write() as tx:
                    tx.run("UPDATE service SET name = name")
                busy, *_ = store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            assert not busy, "a reader is still there"
            told.append(what)
            return function(*given, **named)

        return called

    monkeypatch.setattr(Linter, "root", meanwhile("lint", Linter.root))
    monkeypatch.setattr("ajs.operations.define.compared", meanwhile("compare", compared))
    return told


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
def test_no_command_waits_for_lints_and_comparisons(home, others, dry_run):
    home.file("top.yaml", CLOSED)
    home.file("later.yaml", JOBNETS.replace("22:00", "23:00"))
    out = home.ajs(["ajsdefine", *dry_run, "top.yaml", "later.yaml"])
    assert "20 runs move by" in out
    assert {*others} == {"lint", "compare"}


def test_check_lints_without_an_open_look(home, others):
    home.ajs("ajs check")
    assert {*others} == {"lint"}
