"""ajs.toml: which scheduler services there are and where their state lies.

Every command reads it, so what is not needed for that is imported where it is used.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

from ajs.errors import ConfigurationError
from ajs.files import MIB, open_regular, read_whole

FILE = "ajs.toml"
SYSTEM_WIDE = "/etc/ajs/ajs.toml"
NAME_BYTES = 30
"""Longest name of a scheduler service in bytes of UTF-8 (commands.md 1)."""
MOST = MIB
"""How large an ajs.toml can be, in bytes."""
SCHEDULES = ("24h", "48h")
DEFAULT_SCHEDULE = "24h"

TOP_KEYS = ("default_service", "services")
SERVICE_KEYS = ("folder", "time_zone", "schedule", "jobs_at_once", "keep_fates_days")
KEEP_FATES_DAYS = 400
"""How long what became of a planned run is kept, in days after its planned start, when the file does not say."""


class Service(NamedTuple):
    """One scheduler service: its state folder (absolute), IANA time zone, and 24- or 48-hour schedule.

    ``jobs_at_once`` is how many jobs may run on this machine at once, None when the file does not say;
    ``keep_fates_days`` how many days what became of a planned run is kept.
    """

    name: str
    folder: str
    time_zone: str
    schedule: str
    jobs_at_once: int | None = None
    keep_fates_days: int = KEEP_FATES_DAYS


class Config(NamedTuple):
    """What one ajs.toml says; ``default_service`` is "" when it names none."""

    file: str
    services: Mapping[str, Service]
    default_service: str

    def service(
        self, name: str | None = None, environment: Mapping[str, str] | None = None
    ) -> Service:
        """Return the service to work on.

        The one named, else the one in the environment variable AJSCONF, else the default one, else the only one
        (commands.md 1). Raises ConfigurationError.
        """
        source, wanted = "-F", name or ""
        if not wanted and environment is not None:
            source, wanted = "the environment variable AJSCONF", environment.get("AJSCONF", "")
        if not wanted:
            source, wanted = f"default_service in {self.file}", self.default_service
        if wanted:
            found = self.services.get(wanted)
            if found is None:
                raise ConfigurationError(
                    f"{source} names the scheduler service {wanted!r}, which {self.file} does not have",
                    hint=_near(wanted, self.services) or "`ajs init` adds one",
                    value=wanted,
                )
            return found
        if len(self.services) == 1:
            return next(iter(self.services.values()))
        raise ConfigurationError(
            f"{self.file} has {len(self.services)} scheduler services and no default_service",
            hint=f"name one with -F: {', '.join(self.services)}"
            if self.services
            else "`ajs init` adds one",
        )

    def default(self, environment: Mapping[str, str]) -> str:
        """Return the name of the service that commands work on without ``-F``, "" when they need it."""
        wanted = environment.get("AJSCONF", "") or self.default_service
        if not wanted and len(self.services) == 1:
            return next(iter(self.services))
        return wanted


# -- finding the file --


def find(home: str | None, environment: Mapping[str, str], folder: str) -> str:
    """Return the path of the ajs.toml to use; raises ConfigurationError when there is none.

    Looked for in ``home`` (``--home``) and nowhere else; else in the folder that AJS_HOME names and nowhere else; else
    in ``folder`` and those above it; else in /etc/ajs.
    """
    for source, named in (("--home", home), ("AJS_HOME", environment.get("AJS_HOME"))):
        if named:
            file = os.path.join(os.path.abspath(named), FILE)
            if not os.path.lexists(file):
                raise ConfigurationError(
                    f"{source} names {named}, where there is no {FILE}",
                    hint=f"name a folder with an {FILE}, or make one there with `ajs init`",
                    value=named,
                )
            return file
    looked = folder = os.path.abspath(folder)
    while True:
        file = os.path.join(folder, FILE)
        if os.path.lexists(file):
            return file
        above = os.path.dirname(folder)
        if above == folder:
            break
        folder = above
    if os.path.lexists(SYSTEM_WIDE):
        return SYSTEM_WIDE
    raise ConfigurationError(
        f"there is no {FILE} in {looked}, in a folder above it, or in {os.path.dirname(SYSTEM_WIDE)}",
        hint="make one with `ajs init`, or say where it is with --home or AJS_HOME",
        value=looked,
    )


# -- reading --


def load(file: str) -> Config:
    """Return what an ajs.toml says.

    Raises ConfigurationError when it cannot be read, belongs to somebody who is neither the user nor root, can be
    written by all, or when something in it is wrong.
    """
    return _parsed(file, _read(file))


def _parsed(file: str, text: str) -> Config:
    import tomllib

    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(
            f"{file} is not TOML: {str(error)[:1].lower()}{str(error)[1:]}",
            hint="mend the place named",
            value=file,
        ) from error
    return _checked(file, found)


def _read(file: str) -> str:
    try:
        with open_regular(file) as opened:
            # Looked at through the open file, so that nobody can put another in its place meanwhile.
            status = os.fstat(opened.fileno())
            if status.st_uid not in (0, os.geteuid()):
                _wrong(
                    f"{file} belongs to user {_user(status.st_uid)}, who could have commands run in your name",
                    "use an ajs.toml of your own (--home, AJS_HOME), or let root own this one",
                )
            if status.st_mode & 0o002:
                _wrong(f"{file} can be written by everybody", f"take that away: chmod o-w {file}")
            return read_whole(opened, MOST).decode()
    except OSError as error:
        raise ConfigurationError(
            f"cannot read {file}: {(error.strerror or str(error)).lower()}",
            hint="check the owner and the mode of the file",
            value=file,
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{file} is not UTF-8 text: byte {error.start + 1}",
            hint="write it in UTF-8",
            value=file,
        ) from error


def _user(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _checked(file: str, found: Mapping[str, Any]) -> Config:
    _only(file, "", found, TOP_KEYS)
    tables = found.get("services", {})
    if not isinstance(tables, dict):
        _wrong(f"{file}: services is not a table", "write [services.NAME] with the keys below it")
    services = {name: _service(file, name, table) for name, table in tables.items()}
    folders: dict[str, str] = {}
    for service in services.values():
        real = os.path.realpath(service.folder)
        if real in folders:
            _wrong(
                f"{file}: the services {folders[real]} and {service.name} have the same folder",
                "give each service a folder of its own",
                service.folder,
            )
        folders[real] = service.name
    default = _text(file, "default_service", found.get("default_service", ""))
    return Config(file, services, default)


def _service(file: str, name: str, table: object) -> Service:
    where = f"services.{name}"
    check_name(name, file)
    if not isinstance(table, dict):
        _wrong(f"{file}: {where} is not a table", f"write [{where}] with the keys below it")
    _only(file, where, table, SERVICE_KEYS)
    for key in ("folder", "time_zone"):
        if not table.get(key):
            _wrong(f"{file}: {where} has no {key}", f"add a line {key} = ... below [{where}]", name)
    folder = _text(file, f"{where}.folder", table["folder"])
    zone = _text(file, f"{where}.time_zone", table["time_zone"])
    schedule = _text(file, f"{where}.schedule", table.get("schedule", DEFAULT_SCHEDULE))
    check_zone(zone, file)
    if schedule not in SCHEDULES:
        _wrong(
            f"{file}: {where}.schedule is {schedule!r}", f"use {' or '.join(SCHEDULES)}", schedule
        )
    jobs = _count(file, f"{where}.jobs_at_once", table.get("jobs_at_once"))
    days = _count(file, f"{where}.keep_fates_days", table.get("keep_fates_days"))
    base = os.path.dirname(os.path.abspath(file))
    return Service(
        name,
        os.path.normpath(os.path.join(base, folder)),
        zone,
        schedule,
        jobs,
        days or KEEP_FATES_DAYS,
    )


def check_name(name: str, file: str = FILE) -> None:
    """Raise ConfigurationError unless a scheduler service can have this name: 1..30 bytes, no ``/``, ``:``, blanks."""
    if not 1 <= len(name.encode()) <= NAME_BYTES:
        _wrong(
            f"{file}: the service name {name!r} has {len(name.encode())} bytes",
            f"use 1 to {NAME_BYTES} bytes",
            name,
        )
    bad = [char for char in name if char in "/:" or char.isspace() or not char.isprintable()]
    if bad:
        _wrong(
            f"{file}: the service name {name!r} has the character {bad[0]!r}",
            "use letters, digits and signs other than / and :",
            name,
        )


def check_zone(zone: str, file: str = FILE) -> None:
    """Raise ConfigurationError unless this machine knows the time zone."""
    if _zone_file(zone):
        return
    import zoneinfo

    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigurationError(
            f"{file}: this machine knows no time zone {zone!r}",
            hint=_near(zone, zoneinfo.available_timezones())
            or "name one of the IANA list, such as Asia/Tokyo",
            value=zone,
        ) from error


def _zone_file(zone: str) -> bool:
    """Whether the usual place has a file for this zone: enough to know, and no import."""
    parts = zone.split("/")
    if not all(part.replace("_", "").replace("-", "").replace("+", "").isalnum() for part in parts):
        return False
    try:
        with open(os.path.join("/usr/share/zoneinfo", *parts), "rb") as file:
            return file.read(4) == b"TZif"
    except OSError:
        return False


def _count(file: str, key: str, value: object) -> int | None:
    if value is not None and (type(value) is not int or value < 1):
        _wrong(
            f"{file}: {key} is {value!r}",
            "write a whole number from 1 on, or leave the line out",
            str(value),
        )
    return value if isinstance(value, int) else None


def _text(file: str, key: str, value: object) -> str:
    if not isinstance(value, str):
        _wrong(
            f"{file}: {key} is {value!r}, not a text", f'write it in quotes: "{value}"', str(value)
        )
    return value


def _only(file: str, where: str, found: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in found:
        if key not in known:
            name = f"{where}.{key}" if where else key
            _wrong(
                f"{file}: unknown key {name}",
                _near(key, known) or f"known keys are {', '.join(known)}",
                key,
            )


def _near(word: str, known: object) -> str:
    import difflib

    near = difflib.get_close_matches(word, list(known), n=1)  # type: ignore[call-overload]
    return f"did you mean {near[0]}?" if near else ""


def _wrong(message: str, hint: str, value: str = "") -> NoReturn:
    raise ConfigurationError(message, hint=hint, value=value)


# -- writing --


def add_service(file: str, service: Service) -> Config:
    """Write an ajs.toml with one more service, the default one if it is the first, and return what it says then.

    A folder below the file's is written relative to it; what stands in the file stays as it is. The file appears whole
    or not at all. Raises ConfigurationError when the service is there already, or the file cannot be written.
    """
    import tomli_w

    check_name(service.name)
    check_zone(service.time_zone)
    before = ""
    content: dict[str, Any] = {"default_service": service.name}
    if os.path.lexists(file):
        if service.name in load(file).services:
            _wrong(
                f"{file} has a scheduler service {service.name} already",
                "choose another name",
                service.name,
            )
        before, content = f"{_read(file).rstrip()}\n\n", {}
    base = os.path.dirname(os.path.abspath(file))
    folder = os.path.join(base, service.folder)
    if folder.startswith(f"{base}/"):
        folder = os.path.relpath(folder, base)
    table = {"folder": folder, "time_zone": service.time_zone, "schedule": service.schedule}
    content["services"] = {service.name: table}
    text = before + tomli_w.dumps(content)
    config = _parsed(file, text)
    _write(file, text)
    return config


def _write(file: str, text: str) -> None:
    part = f"{file}.part"
    try:
        with open(part, "w", encoding="utf-8") as opened:
            opened.write(text)
            opened.flush()
            os.fchmod(opened.fileno(), 0o644)
            os.fsync(opened.fileno())
        os.replace(part, file)
    except OSError as error:
        raise ConfigurationError(
            f"cannot write {file}: {(error.strerror or str(error)).lower()}",
            hint="check the owner and the modes of the folder",
            value=file,
        ) from error
