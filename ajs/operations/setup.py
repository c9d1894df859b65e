"""``ajs init``, ``backup``, ``restore`` and ``upgrade``: the state of scheduler services as a whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ajs import config
from ajs.clock import SystemClock
from ajs.errors import ConfigurationError, SchemaVersion
from ajs.operations.service import configured, open_service
from ajs.ports import Clock
from ajs.store import backup as stored
from ajs.store import day, log
from ajs.store.create import create
from ajs.store.upgrade import Upgraded
from ajs.store.upgrade import upgrade as upgrade_folder

UTC_ZONE = "UTC"


@dataclass(frozen=True, slots=True)
class Initialised:
    """The configuration file and the services that were added to it."""

    file: str
    services: tuple[config.Service, ...]


def init(
    folder: str, names: Sequence[str], *, time_zone: str, schedule: str, version: str
) -> Initialised:
    """Set up scheduler services in ``folder``: its ajs.toml, and a state folder for each.

    The state is made first; an ajs.toml that names a service always finds it. Raises ConfigurationError when one is
    there already.
    """
    file = os.path.join(os.path.abspath(folder), config.FILE)
    zone = time_zone or machine_zone()
    known = config.load(file).services if os.path.lexists(file) else {}
    for name in names:
        config.check_name(name)
        if name in known:
            raise ConfigurationError(
                f"{file} has a scheduler service {name} already",
                hint="choose another name, or another folder",
                value=name,
            )
    config.check_zone(zone)
    os.makedirs(folder, exist_ok=True)
    made = []
    for name in names:
        settings = config.Service(
            name, os.path.join(os.path.abspath(folder), "state", name), zone, schedule
        )
        at = SystemClock(zone).now()
        with (
            create(settings.folder, name=name, at=at, by_version=version) as store,
            store.write() as tx,
        ):
            day.adopt(tx, day.Day(zone, schedule))
        config.add_service(file, settings)
        made.append(settings)
    return Initialised(file, tuple(made))


def machine_zone() -> str:
    """Return the machine's IANA time zone by its usual places, else UTC."""
    said = os.environ.get("TZ", "").removeprefix(":")
    if said and not said.startswith("/"):
        return said
    try:
        target = os.path.realpath("/etc/localtime")
    except OSError:
        return UTC_ZONE
    _, found, zone = target.partition("/zoneinfo/")
    return zone if found else UTC_ZONE


def backup(home: str | None, name: str | None, target: str) -> stored.BackedUp:
    """Copy the state of a service into a new file, also while its manager runs."""
    settings, _ = configured(home, name)
    return stored.backup(settings.folder, target)


def restore(
    home: str | None,
    name: str | None,
    file: str,
    *,
    command: Sequence[str],
    other_service: bool = False,
    clock_of: Callable[[str], Clock] | None = None,
) -> tuple[stored.Restored, int]:
    """Put a backup in place of the state of a service; refused while a manager runs.

    A backup of another service is refused too, unless ``other_service`` says that it is meant. Returns what was
    restored, and the number of the entry in its operation log; 0 for a state that wants ``ajs upgrade`` first.
    """
    settings, _ = configured(home, name)
    now = (clock_of or SystemClock)(settings.time_zone).now()
    done = stored.restore(file, settings.folder, now, settings.name, other_service=other_service)
    try:
        service = open_service(home=home, name=name, clock_of=clock_of)
    except SchemaVersion:
        return done, 0
    with service, service.store.write() as tx:
        operation = log.begin(tx, now, os_user=service.user, verb="restore", command=command)
        log.finish(tx, operation, {"file": os.path.abspath(file), "replaced": done.aside})
    return done, operation


def upgrade(home: str | None, name: str | None) -> Upgraded:
    """Bring the state of a service to this version of ajs, after a backup; refused while a manager runs."""
    settings, _ = configured(home, name)
    return upgrade_folder(settings.folder, SystemClock(settings.time_zone).now())
