"""What a shell may put behind a word that was begun: names of units and of scheduler services.

Somebody is in the middle of typing: whatever goes wrong, there is just nothing to offer.
"""

from __future__ import annotations

import click

MOST = 200
"""How many names are offered at most."""


def unit_names(context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """Return the full names that a word may become, level by level; what has units below it also with a slash."""
    from ajs.operations.listing import beginning
    from ajs.operations.service import open_service

    try:
        given = context.params
        with open_service(home=given.get("home"), name=given.get("service")) as service:
            return list(beginning(service, begun or "/", MOST))
    except Exception:  # noqa: BLE001  see above
        return []


def service_names(context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """Return the scheduler services of ajs.toml whose name begins so."""
    from ajs.operations.service import service_names as known

    try:
        return [name for name in known(context.params.get("home")) if name.startswith(begun)]
    except Exception:  # noqa: BLE001  see above
        return []
