"""The system's clock: moments as they are stored, wall-clock times as instants, waiting."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta

import pytest

from ajs.clock import SystemClock
from ajs.errors import ConfigurationError
from ajs.moment import utc_from_text, wall_text


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_moment_survives_being_stored():
    now = SystemClock("Asia/Tokyo").now()
    assert utc_from_text(now.stamp) == now.utc
    assert datetime.fromisoformat(wall_text(now.wall)) == now.wall
    assert now.wall.tzinfo is None
    tokyo = now.utc.replace(tzinfo=None, microsecond=0) + timedelta(hours=9)
    assert now.wall == tokyo


def test_the_clock_goes_on():
    clock = SystemClock("UTC")
    first = clock.now()
    clock.sleep(0.002)
    assert first.utc < clock.now().utc


def test_elapsed_time_never_goes_back():
    clock = SystemClock("UTC")
    first = clock.elapsed_s()
    clock.sleep(0.002)
    assert first < clock.elapsed_s()


@pytest.mark.parametrize("zone", ["Asia/Tokio", "", "../passwd", "Asia"])
def test_an_unknown_zone(zone):
    with pytest.raises(ConfigurationError) as caught:
        SystemClock(zone)
    assert repr(zone) in caught.value.message


INSTANTS = [
    # zone, wall-clock time, the first UTC instant that shows it or a later one
    ("Asia/Tokyo", "2026-08-11T22:00:00", "2026-08-11T13:00:00"),
    ("UTC", "2026-08-11T22:00:00", "2026-08-11T22:00:00"),
    # Berlin, 29 March 2026: 2:00 to 3:00 is left out; the gap ends at 1:00 UTC.
    ("Europe/Berlin", "2026-03-29T01:59:59", "2026-03-29T00:59:59"),
    ("Europe/Berlin", "2026-03-29T02:00:00", "2026-03-29T01:00:00"),
    ("Europe/Berlin", "2026-03-29T02:30:00", "2026-03-29T01:00:00"),
    ("Europe/Berlin", "2026-03-29T02:59:59", "2026-03-29T01:00:00"),
    ("Europe/Berlin", "2026-03-29T03:00:00", "2026-03-29T01:00:00"),
    # Berlin, 25 October 2026: 2:00 to 3:00 comes twice; the first time counts.
    ("Europe/Berlin", "2026-10-25T02:00:00", "2026-10-25T00:00:00"),
    ("Europe/Berlin", "2026-10-25T02:30:00", "2026-10-25T00:30:00"),
    ("Europe/Berlin", "2026-10-25T03:00:00", "2026-10-25T02:00:00"),
    # Lord Howe Island moves its clocks by half an hour.
    ("Australia/Lord_Howe", "2026-10-04T02:10:00", "2026-10-03T15:30:00"),
    # Samoa left out the whole of 30 December 2011.
    ("Pacific/Apia", "2011-12-30T12:00:00", "2011-12-30T10:00:00"),
]


@pytest.mark.parametrize(("zone", "shown", "instant"), INSTANTS)
def test_first_instant(zone, shown, instant):
    found = SystemClock(zone).first_instant(wall(shown))
    assert found == wall(instant).replace(tzinfo=UTC)


def test_waiting_ends_at_the_wall_clock_time():
    clock = SystemClock("Asia/Tokyo")
    until = clock.now().wall + timedelta(seconds=1)
    assert clock.wait([], until) == ()
    assert clock.now().wall >= until


@pytest.mark.parametrize("at_most_s", [0, 0.01])
def test_waiting_ends_after_at_most_so_long(at_most_s):
    clock = SystemClock("UTC")
    far = clock.now().wall + timedelta(days=1)
    assert clock.wait([], far, at_most_s) == ()
    assert clock.wait([], None, at_most_s) == ()


def test_what_is_past_is_not_waited_for():
    clock = SystemClock("UTC")
    assert clock.wait([], clock.now().wall - timedelta(days=1)) == ()


def test_waiting_ends_when_something_can_be_read():
    clock = SystemClock("UTC")
    one, other = os.pipe(), os.pipe()
    try:
        writer = threading.Timer(0.01, os.write, (other[1], b"x"))
        writer.start()
        assert clock.wait([one[0], other[0]]) == (other[0],)
        writer.join()
        os.write(one[1], b"x")
        assert set(clock.wait([one[0], other[0]])) == {one[0], other[0]}
        os.close(one[1])
    finally:
        for fd in (one[0], *other):
            os.close(fd)


def test_a_wait_is_cut_into_pieces_without_ending_early(monkeypatch):
    monkeypatch.setattr("ajs.clock.LONGEST_S", 0.001)
    monkeypatch.setattr("ajs.clock.CLOCK_CHECK_S", 0.001)
    clock = SystemClock("UTC")
    until = clock.now().wall + timedelta(seconds=1)
    assert clock.wait([], until, 60) == ()
    assert clock.now().wall >= until


@pytest.mark.parametrize(
    ("now", "wall", "due"),
    [
        # Berlin, 25 October 2026: at 01:00 UTC the clock goes back from 3:00 to 2:00.
        ("2026-10-24T23:30:00", "2026-10-25T02:30:00", "2026-10-25T00:30:00"),
        ("2026-10-25T00:40:00", "2026-10-25T02:30:00", "2026-10-25T00:30:00"),
        ("2026-10-25T01:10:00", "2026-10-25T02:30:00", "2026-10-25T01:30:00"),
        ("2026-10-25T01:40:00", "2026-10-25T02:30:00", "2026-10-25T00:30:00"),
    ],
    ids=["ahead", "the first time has passed", "ahead the second time", "both have passed"],
)
def test_a_time_that_comes_twice_is_not_due_while_it_is_ahead(now, wall, due):
    clock = SystemClock("Europe/Berlin")
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    found = clock.due(datetime.fromisoformat(wall), at)
    assert found == datetime.fromisoformat(due).replace(tzinfo=UTC)
