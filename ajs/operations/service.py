"""A scheduler service, opened: its configuration, state, clock, and who is asking."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self

from ajs import config
from ajs.errors import ConfigurationError
from ajs.store.database import Store
from ajs.store.presence import manager

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from types import TracebackType

    from ajs.ports import Clock
    from ajs.schedule import DayMode


class Service:
    """One opened scheduler service.

    ``configuration`` is the path of its ajs.toml, ``home`` the folder of that: where jobs run unless they say
    otherwise. ``folder`` holds its state, ``schedule`` is ``24h`` or ``48h``. ``jobs_at_once`` is the limit
    of jobs on this machine, None when none is set; ``keep_fates_days`` how long what became of planned runs is kept.
    ``user`` is the operating-system user of this process. ``default``: commands find it without ``-F``. What costs time
    to load is loaded when it is first asked for.
    """

    def __init__(
        self,
        settings: config.Service,
        configuration: str,
        store: Store,
        clock: Clock | None = None,
        *,
        default: bool = True,
    ) -> None:
        self.default = default
        self.name = settings.name
        self.configuration = configuration
        self.home = os.path.dirname(os.path.abspath(configuration))
        self.folder = settings.folder
        self.time_zone = settings.time_zone
        self.schedule = settings.schedule
        self.jobs_at_once = settings.jobs_at_once
        self.keep_fates_days = settings.keep_fates_days
        self.store = store
        self._clock = clock

    @property
    def clock(self) -> Clock:
        """The clock in the service's time zone."""
        if self._clock is None:
            from ajs.clock import SystemClock

            self._clock = SystemClock(self.time_zone)
        return self._clock

    @property
    def mode(self) -> DayMode:
        """How long the day of a root jobnet is."""
        from ajs.schedule import DayMode

        return DayMode(self.schedule)

    @property
    def today(self) -> date:
        """The calendar date now, in the service's time zone."""
        return self.clock.now().wall.date()

    @property
    def user(self) -> str:
        """The name of the operating-system user of this process, or its number."""
        import pwd

        try:
            return pwd.getpwuid(os.geteuid()).pw_name
        except KeyError:
            return str(os.geteuid())

    def manager_runs(self) -> bool:
        """Whether a manager runs for this service."""
        return manager(self.folder) is not None

    def hold_to_day(self) -> None:
        """See to it that ajs.toml gives times the meaning with which the plans were made; for who changes something.

        Recorded is what was never recorded, and anew what differs while no jobnet is registered. Raises
        ConfigurationError where plans would come to mean something else.
        """
        from ajs.store.day import Day, adopt, recorded

        wanted = Day(self.time_zone, self.schedule)
        with self.store.read() as tx:
            kept = recorded(tx)
        if kept == wanted:
            return
        with self.store.write() as tx:
            if adopt(tx, wanted):
                return
        for key, now, before in zip(Day._fields, wanted, kept or wanted, strict=True):
            if now != before:
                raise ConfigurationError(
                    f"{self.configuration}: services.{self.name}.{key} is {now!r}, but what is registered was planned "
                    f"with {before!r}",
                    hint=f"put {before!r} back, or cancel the registrations first: ajsleave -R -T -E /",
                    value=now,
                )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.store.close()


def configured(home: str | None, name: str | None) -> tuple[config.Service, str]:
    """Return the settings of the service to work on, and the path of the ajs.toml that has them.

    ``home`` and ``name`` are what ``--home`` and ``-F`` said. Raises ConfigurationError.
    """
    found = _configuration(home)
    return found.service(name, os.environ), found.file


def service_names(home: str | None) -> tuple[str, ...]:
    """Return the names of all scheduler services of the ajs.toml to use; raises ConfigurationError."""
    return tuple(_configuration(home).services)


def _configuration(home: str | None) -> config.Config:
    return config.load(config.find(home, os.environ, os.getcwd()))


def open_service(
    *, home: str | None, name: str | None, clock_of: Callable[[str], Clock] | None = None
) -> Service:
    """Open the scheduler service to work on; raises ConfigurationError or what opening its state raises.

    ``clock_of`` gives the clock for a time zone; the system's when it is left out.
    """
    found = _configuration(home)
    settings = found.service(name, os.environ)
    clock = None if clock_of is None else clock_of(settings.time_zone)
    default = found.default(os.environ) == settings.name
    return Service(settings, found.file, Store.open(settings.folder), clock, default=default)
