"""A country's public and bank holidays, to be written into definitions once and never looked up when running."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from importlib.metadata import version

from ajs.calendar import FIRST_YEAR, LAST_YEAR
from ajs.errors import BadValue, ConfigurationError


@dataclass(frozen=True, slots=True)
class Holidays:
    """The holidays of a country: which were asked for, the days with their names, and what they were read from."""

    country: str
    categories: tuple[str, ...]
    first_year: int
    last_year: int
    days: tuple[tuple[date, str], ...]
    source: str


def holidays_of(
    country: str, first_year: int, last_year: int, categories: tuple[str, ...] = ("public", "bank")
) -> Holidays:
    """Return the holidays of ``country`` (ISO 3166 code, ``JP``, or with a region, ``DE-BY``), by day.

    Categories that a country does not have are left out. Raises ConfigurationError when the ``holidays`` package is
    not installed, BadValue for an unknown country or years that cannot be planned.
    """
    try:
        import holidays as package
    except ImportError:
        raise ConfigurationError(
            "the package holidays is not installed",
            hint="pipx inject ajs holidays, or install ajs with its holidays extra: pipx install 'ajs[holidays]'",
        ) from None
    if not FIRST_YEAR <= first_year <= last_year <= LAST_YEAR:
        raise BadValue(
            f"years {first_year} to {last_year} cannot be planned",
            hint=f"years go from {FIRST_YEAR} to {LAST_YEAR}, the first one first",
            value=f"{first_year}-{last_year}",
        )
    code, _, region = country.upper().partition("-")
    known = package.list_supported_countries()
    if code not in known or (region and region not in known[code]):
        raise BadValue(
            f"no holidays are known for {country!r}",
            hint="use an ISO 3166 code such as JP, or one with a region such as DE-BY",
            value=country,
        )
    years = range(first_year, last_year + 1)
    probe = package.country_holidays(code, subdiv=region or None, years=years)
    had = tuple(c for c in categories if c in probe.supported_categories)
    found = package.country_holidays(code, subdiv=region or None, years=years, categories=had)
    return Holidays(
        country=country.upper(),
        categories=had,
        first_year=first_year,
        last_year=last_year,
        days=tuple(sorted(found.items())),
        source=f"holidays {version('holidays')}",
    )
