"""Homes for the tests of commands."""

from __future__ import annotations

import pytest

from ajs.operations.service import Service
from tests.cli.home import Home


@pytest.fixture
def home(tmp_path, capsys, monkeypatch):
    """A home with one service ``s`` in UTC, a group ``/g`` and some jobnets; the user is hanako."""
    monkeypatch.delenv("AJS_HOME", raising=False)
    monkeypatch.setattr(Service, "user", "hanako")
    made = Home(tmp_path, capsys)
    made.ajs("ajs init s --time-zone UTC")
    made.file("g.yaml", JOBNETS)
    made.ajs("ajsdefine g.yaml")
    return made


JOBNETS = """\
group: /g
calendar: {closed: [sat, sun]}
jobnets:
  daily:
    schedule: [{start_day: registered, start_time: 22:00, cycle: 1 day}]
    units:
      first: {command: 'true'}
      report:
        after: first
        schedule: [{start_day: registered, start_time: +01:00, cycle: 1 day}]
        units: {print: {command: 'true'}}
  weekly:
    schedule: [{start_day: fri, start_time: 10:00, cycle: 1 week}]
    units: {only: {command: 'true'}}
  never:
    schedule: undefined
    units: {only: {command: 'true'}}
"""
