"""``ajs output``: what a job wrote to its standard output and standard error, byte for byte, also while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ajs.agents import remote_place
from ajs.attempts import AttemptKey
from ajs.dispatch.fetched import Fetched
from ajs.dispatch.messages import (
    Absent,
    Claimed,
    Ended,
    Lost,
    NotTaken,
    Remains,
    Running,
    Stream,
)
from ajs.dispatch.spool import Spool
from ajs.errors import GenerationNotFound, OutputNotFound
from ajs.operations.manager import system_clock
from ajs.operations.service import Service
from ajs.operations.targets import Name, by_registration_number
from ajs.store import folder as folders
from ajs.store import progress, show, units
from ajs.store.database import Reading
from ajs.store.numbers import execution_id, generation_number
from ajs.store.presence import poke
from ajs.store.show import AttemptRow
from ajs.store.units import JOB, Unit

PIECE_BYTES = 1 << 16
LOOK_S = 0.2
"""How often to look for more while following a job, in seconds."""
BRING_S = 2.0
"""How long to wait for what a job on an agent has written so far, in seconds."""
FETCH_S = 60.0
"""How long to wait for all that a job on an agent wrote, once it has ended, in seconds."""
FETCHED = frozenset({"STORED", "ACKED", "LOST"})
"""States of an attempt on an agent of which nothing more will be fetched."""
TO_COME = frozenset({"QUEUED", "PLACED", "UNKNOWN"})
"""States of an attempt that its place may not have taken yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which output: of the run with this registration number or execution ID, of this attempt, of these streams.

    Left out, the newest run in which the job was started and its newest attempt are meant.
    """

    name: Name
    registration_number: str = ""
    attempt: int | None = None
    streams: tuple[Stream, ...] = (Stream.OUT, Stream.ERR)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of one stream, in order within it."""

    stream: Stream
    content: bytes


def output(service: Service, wanted: Wanted, *, follow: bool = False) -> Iterator[Piece]:
    """Yield what the job has written so far, one stream after the other; with ``follow`` go on until it has ended.

    Raises OutputNotFound, at once, when there is none; UnitNotFound and GenerationNotFound.
    """
    with service.store.read() as tx:
        unit, row, name = _find(tx, wanted)
    job = _Job(service, unit, row, name)
    if not follow:
        job.require_output()
    return _pieces(job, wanted.streams, follow=follow)


class _Source(Protocol):
    """Where the output of one attempt lies."""

    def exists(self) -> bool:
        """Whether there is any record of the attempt."""
        ...

    def is_over(self, state: Callable[[], str]) -> bool:
        """Whether nothing more will be written; ``state`` is how far the attempt has come, as it is stored now."""
        ...

    def read(self, stream: Stream, offset: int) -> bytes:
        """Return the next bytes of a stream; OutputNotFound or none when there are none yet."""
        ...

    def refresh(self) -> None:
        """Have brought here what is not here yet."""
        ...

    def is_fresh(self) -> bool:
        """Whether everything is here that was written before the last ``refresh``."""
        ...


class _Here:
    """The spool of this machine."""

    def __init__(self, folder: str, name: str) -> None:
        self._spool = Spool(Path(folder, folders.SPOOL))
        self._name = name

    def exists(self) -> bool:
        return not isinstance(self._spool.state(self._name), Absent)

    def is_over(self, state: Callable[[], str]) -> bool:
        match self._spool.state(self._name):
            case Claimed() | Running() | Lost(remains=Remains.THERE):
                return False
            case Absent():
                return state() not in TO_COME
            case Ended() | Lost() | NotTaken():
                return True

    def read(self, stream: Stream, offset: int) -> bytes:
        return self._spool.output(self._name, stream, offset, PIECE_BYTES)

    def refresh(self) -> None:
        """Nothing is to be brought."""

    def is_fresh(self) -> bool:
        return True


class _There:
    """What the manager has fetched from an agent; it fetches more when somebody reads."""

    def __init__(self, folder: str, name: str) -> None:
        self._folder = folder
        self._fetched = Fetched(Path(folder, folders.FETCHED))
        self._name = name
        self._mark = self._fetched.mark(name)

    def exists(self) -> bool:
        return self._fetched.has(self._name)

    def is_over(self, state: Callable[[], str]) -> bool:
        return state() in FETCHED

    def read(self, stream: Stream, offset: int) -> bytes:
        return self._fetched.output(self._name, stream, offset, PIECE_BYTES)

    def refresh(self) -> None:
        self._mark = self._fetched.mark(self._name)
        poke(self._folder, self._name)

    def is_fresh(self) -> bool:
        return self._fetched.mark(self._name) != self._mark


class _Job:
    """One attempt of a job and what it wrote."""

    def __init__(self, service: Service, unit: Unit, row: AttemptRow, name: str) -> None:
        self.clock = system_clock(service)
        self._store = service.store
        self._unit = unit
        self._row = row
        there = remote_place(row.place) is not None
        self._source: _Source = (_There if there else _Here)(service.folder, name)

    def require_output(self) -> None:
        """Raise OutputNotFound when there is nothing of this attempt, saying why."""
        self._bring()
        if self._source.exists():
            return
        waits = self._state() in TO_COME
        raise OutputNotFound(
            f"{self._unit.path} has not begun yet, so there is no output"
            if waits
            else f"the output of {self._unit.path} is not there: it never began, or was removed",
            hint="--follow waits for it"
            if waits
            else f"ajsshow -l {self._unit.path} shows its runs",
            unit=self._unit.path,
        )

    def is_over(self) -> bool:
        """Whether nothing more will be written."""
        return self._source.is_over(self._state)

    def refresh(self) -> None:
        """Have brought what is not here yet, without waiting for it."""
        self._source.refresh()

    def read(self, stream: Stream, offset: int) -> bytes:
        """Return the next bytes of a stream, none when there are none yet."""
        with suppress(OutputNotFound):
            return self._source.read(stream, offset)
        return b""

    def _bring(self) -> None:
        """Have brought what a job that runs has written, and wait for it a little."""
        if self._source.is_over(self._state):
            return
        self._source.refresh()
        for _ in range(int(BRING_S / LOOK_S)):
            if self._source.is_fresh():
                break
            self.clock.sleep(LOOK_S)
        for _ in range(int(FETCH_S / LOOK_S)):
            # It has ended and all of it is on its way: what is here now would pass for the whole.
            if self._state() != "ENDED":
                return
            self.clock.sleep(LOOK_S)

    def _state(self) -> str:
        with self._store.read() as tx:
            found = show.attempts(tx, [self._row.generation], self._row.path)
        return next((row.state for row in found if row.number == self._row.number), "")


def _find(tx: Reading, wanted: Wanted) -> tuple[Unit, AttemptRow, str]:
    unit = units.find(tx, wanted.name.path, deleted=True)[0]
    if unit.kind != JOB or unit.root is None:
        raise OutputNotFound(
            f"{unit.path} is not a job, so it writes nothing",
            hint=f"name a job; ajsshow -R -J {unit.path} lists those below it",
            unit=unit.path,
        )
    root = units.by_id(tx, [unit.root])[unit.root]
    found = _attempts(tx, unit, root, wanted)
    if wanted.attempt is not None:
        found = [row for row in found if row.number == wanted.attempt]
    if not found:
        raise _nothing(unit, wanted)
    newest = max(found, key=lambda row: row.id)
    key = AttemptKey(newest.generation, newest.path, newest.number)
    return unit, newest, progress.attempt_names(tx, [key])[key]


def _attempts(tx: Reading, unit: Unit, root: Unit, wanted: Wanted) -> list[AttemptRow]:
    """Return the attempts of the job in the run that is meant."""
    inner = unit.path[len(root.path) + 1 :]
    number = generation_number(wanted.name.execution_id)
    if wanted.registration_number:
        number = by_registration_number(tx, root, wanted.registration_number)
    known = [row.id for row in show.generations(tx, [root.id])]
    if number is None:
        found = show.attempts(tx, known, inner)
        newest = max((row.generation for row in found), default=0)
        return [row for row in found if row.generation == newest]
    if number not in known:
        show.refuse_no_longer_kept(tx, root, number)
        raise GenerationNotFound(
            f"{root.path} has no run {execution_id(number)}",
            hint=f"ajsshow -g a {root.path} lists its runs",
            unit=root.path,
            value=execution_id(number),
        )
    return show.attempts(tx, [number], inner)


def _nothing(unit: Unit, wanted: Wanted) -> OutputNotFound:
    attempt = "" if wanted.attempt is None else f"attempt {wanted.attempt} of "
    run = wanted.name.execution_id or wanted.registration_number
    where = f" in the run {run}" if run else ""
    return OutputNotFound(
        f"{attempt}{unit.path} has not been started{where}, so there is no output",
        hint=f"ajs why {unit.path} says what it waits for",
        unit=unit.path,
    )


def _pieces(job: _Job, streams: Sequence[Stream], *, follow: bool) -> Iterator[Piece]:
    offsets = dict.fromkeys(streams, 0)
    while True:
        # Looked at before reading: what was written before the end is then read for certain.
        over = not follow or job.is_over()
        for stream in streams:
            while content := job.read(stream, offsets[stream]):
                offsets[stream] += len(content)
                yield Piece(stream, content)
        if over:
            return
        job.refresh()
        job.clock.sleep(LOOK_S)
