"""What ``ajsshow`` and ``ajs why`` say of a run that goes on after its registration was cancelled."""

from __future__ import annotations

import pytest


@pytest.fixture
def going_on(home):
    """A home in which an immediate run of /g/never goes on whose registration is cancelled."""
    home.ajs("ajsentry -n /g/never")
    home.run("2026-08-10T12:01 only=30m")
    home.ajs("ajsleave -B schedule /g/never")
    return home


def test_show_shows_it(going_on):
    out = going_on.ajs("ajsshow /g/never")
    assert "@A1" in out
    assert "Now running" in out
    assert "Not registered" not in out
    assert "Now running" in going_on.ajs("ajsshow /g/never/only")


def test_why_explains_it(going_on):
    first, second, *_ = going_on.ajs("ajs why /g/never").splitlines()
    assert first == "/g/never is not registered for execution any more; its run goes on"
    assert second == "/g/never: Now running, in the run @A1 of 2026-08-10 12:00"


def test_what_has_ended_is_not_shown_without_being_asked_for(going_on):
    going_on.run("2026-08-10T13:00")
    out = going_on.ajs("ajsshow /g/never")
    assert "Not registered" in out
    assert "@A1" not in out
    assert "@A1" in going_on.ajs("ajsshow -g a /g/never")
