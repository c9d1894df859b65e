"""Stored instants in the time zone of the scheduler service, with its offset: how all that happened is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

LEFT_OUT = "this time does not exist; it runs at the first instant after it"
TWICE = "this time comes twice; it runs the first time"

Local = Callable[[str | None], str]
"""Turns a stored UTC instant into ISO text with the zone's offset; None into ""."""


def happened_at(wall: str, stamp: str) -> str:
    """Return an instant that is stored as wall-clock time to the second and as UTC, in the form of ``local``.

    >>> happened_at("2026-08-11T22:00:05", "2026-08-11T13:00:05.123Z")
    '2026-08-11T22:00:05.123+09:00'
    """
    from datetime import datetime, timezone

    utc = datetime.fromisoformat(stamp)
    ahead = datetime.fromisoformat(wall) - utc.replace(tzinfo=None, microsecond=0)
    return utc.astimezone(timezone(ahead)).isoformat(timespec="milliseconds")


def local(time_zone: str) -> Local:
    """Return what shows stored instants in a zone: ``2026-08-11T22:00:05.123+09:00``.

    The zone's rules are loaded when the first instant is shown, so that a command that shows none does not pay.
    """
    zones: list[object] = []

    def shown(stamp: str | None) -> str:
        if not stamp:
            return ""
        from datetime import datetime
        from zoneinfo import ZoneInfo

        if not zones:
            zones.append(ZoneInfo(time_zone))
        zone = zones[0]
        at = datetime.fromisoformat(stamp).astimezone(zone)  # type: ignore[arg-type]  # the ZoneInfo above
        return at.isoformat(timespec="milliseconds")

    return shown


def odd_hour(wall: datetime, time_zone: str) -> str:
    """Return what becomes of a start at a time that the clocks leave out or show twice, "" for any other time.

    >>> from datetime import datetime
    >>> odd_hour(datetime(2027, 3, 28, 2, 30), "Europe/Berlin")
    'this time does not exist; it runs at the first instant after it'
    """
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(time_zone)
    first, second = (wall.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    if first is None or second is None or first == second:
        return ""
    return LEFT_OUT if first < second else TWICE
