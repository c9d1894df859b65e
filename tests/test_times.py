"""Stored instants as they are told: wall-clock time with the offset that it had."""

from __future__ import annotations

import pytest

from ajs.operations.times import happened_at, local

NEW_YORK = "America/New_York"

# Time zone, wall clock to the second, UTC, what is told. Clocks go back at 2026-11-01 02:00 in New York.
INSTANTS = [
    ("UTC", "2026-08-11T13:00:05", "2026-08-11T13:00:05.123Z", "2026-08-11T13:00:05.123+00:00"),
    ("Asia/Tokyo", "2026-08-12T00:00:05", "2026-08-11T15:00:05.999Z", "2026-08-12T00:00:05.999+09:00"),
    ("Asia/Kolkata", "2026-08-11T18:30:05", "2026-08-11T13:00:05.000Z", "2026-08-11T18:30:05.000+05:30"),
    (NEW_YORK, "2026-11-01T01:30:00", "2026-11-01T05:30:00.000Z", "2026-11-01T01:30:00.000-04:00"),
    (NEW_YORK, "2026-11-01T01:30:00", "2026-11-01T06:30:00.000Z", "2026-11-01T01:30:00.000-05:00"),
]  # fmt: skip


@pytest.mark.parametrize(("zone", "wall", "utc", "told"), INSTANTS)
def test_an_instant_is_told_with_its_offset_whichever_way_it_is_stored(zone, wall, utc, told):
    assert happened_at(wall, utc) == told
    assert local(zone)(utc) == told


def test_what_is_not_known_is_told_as_nothing():
    assert local("UTC")(None) == ""
