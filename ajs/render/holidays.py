"""Holidays as a definition file that ``ajsdefine`` reads."""

from __future__ import annotations

from ajs.operations.holidays import Holidays


def definition_text(found: Holidays, group: str, weekdays: tuple[str, ...]) -> str:
    """Return YAML that closes these days in ``group``; every day carries its name as a comment."""
    asked = (
        f"--holidays {found.country} --years {found.first_year}-{found.last_year} --group {group}"
    )
    kinds = " and ".join(found.categories)
    years = f"{found.first_year} to {found.last_year}"
    lines = [
        f"# Closed days of {found.country}: {kinds} holidays, {years}.",
        f"# Written with {found.source} by: ajscalendar {asked}",
        f"group: {group}",
        "calendar:",
        "  closed:",
        *(f"    - {day}" for day in weekdays),
        *(f"    - {day.isoformat()}  # {name}" for day, name in found.days),
    ]
    return "\n".join(lines) + "\n"
