"""Reads what a helper answered. No I/O.

Strict: what is not exactly an answer to what was asked becomes ``Unheard``, never a wrong state.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from ajs.dispatch.messages import (
    ATTEMPT_ID,
    Absent,
    Claimed,
    Ended,
    Exited,
    FailedToStart,
    JobResult,
    Lost,
    NotTaken,
    Outcome,
    Remains,
    Running,
    Signalled,
    Standing,
)
from ajs.dispatch.protocol import (
    IDENTITY,
    PROTOCOL,
    QUOTED_BYTES,
    Ack,
    Agent,
    Answer,
    Damaged,
    Data,
    Expired,
    Fetch,
    Heard,
    Hello,
    Introduction,
    Kill,
    KillOrdered,
    List,
    Listed,
    Misunderstood,
    Other,
    Problem,
    Request,
    Stands,
    Start,
    Tomb,
    Unanswered,
    Unheard,
)

NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")
INSTANT_DIGITS = 11  # as far as datetime reaches
KEPT = frozenset({"absent", "tomb", "claimed", "running", "ended", "lost"})
"""The words with which any request about an attempt may be answered, and with which only some are."""
MORE: Mapping[type[Request], set[str]] = {Start: {"refused", "expired", "other"}, Ack: {"acked"}}


class _UnheardError(Exception):
    def __init__(self, problem: Problem, said: bytes) -> None:
        super().__init__(problem.value)
        self.unheard = Unheard(problem, said[:QUOTED_BYTES])


def parse(answer: bytes, nonce: str, requests: Sequence[Request]) -> Heard | Unheard:
    """Return what the helper that was called with ``nonce`` answered to these requests.

    What a login file printed before is skipped. ``CUT`` and everything else that is not a whole answer is ``Unheard``:
    all requests may be sent again.
    """
    try:
        reader = _Reader(answer, nonce)
        agent = reader.begin()
        return Heard(agent, reader.answers(requests))
    except _UnheardError as error:
        return error.unheard


def parse_install(answer: bytes, nonce: str) -> Unheard | None:
    """Return None when the helper is in place now, else what went wrong."""
    try:
        reader = _Reader(answer, nonce)
        reader.installed()
    except _UnheardError as error:
        return error.unheard
    return None


def parse_event(line: bytes) -> str | None:
    """Return the attempt that has ended, from one whole line of the events; None for anything else."""
    found = re.fullmatch(rb"ended ([A-Za-z0-9_][A-Za-z0-9._-]{0,199})\n", line)
    return found[1].decode("ascii") if found else None


class _Reader:
    """A place in the bytes of an answer; its methods raise ``_UnheardError``."""

    def __init__(self, answer: bytes, nonce: str) -> None:
        self.rest = answer
        self.marker = nonce.encode("ascii") + b" "

    def seek(self, words: bytes) -> None:
        """Skip what comes before the first line with our marker and one of these words, divided by ``|``."""
        found = re.search(rb"^%s(?:%s) " % (re.escape(self.marker), words), self.rest, re.MULTILINE)
        if found is None:
            raise _UnheardError(Problem.NO_BEGINNING, self.rest)
        self.rest = self.rest[found.start() :]

    def line(self) -> str:
        """Take the next line, without marker and newline."""
        line, newline, rest = self.rest.partition(b"\n")
        if not newline:
            ours = self.marker.startswith(line[: len(self.marker)])
            raise _UnheardError(Problem.CUT if ours else Problem.FOREIGN, line)
        if not line.startswith(self.marker):
            raise _UnheardError(Problem.FOREIGN, line)
        self.rest = rest
        return line.removeprefix(self.marker).decode("utf-8", "backslashreplace")

    def content(self, length: int) -> bytes:
        """Take raw bytes and the newline after them."""
        found = self.rest[:length]
        if len(self.rest) <= length:
            raise _UnheardError(Problem.CUT, found[-QUOTED_BYTES:])
        if self.rest[length : length + 1] != b"\n":
            raise _UnheardError(Problem.FOREIGN, self.rest[length:])
        self.rest = self.rest[length + 1 :]
        return found

    def begin(self) -> Agent:
        """Skip what comes before and read who answers."""
        self.seek(b"begin|failed")
        line = self.line()
        match line.split(" "):
            case ["failed", *_]:
                raise _UnheardError(Problem.BROKEN, line.encode())
            case ["begin", version, *_] if version != str(PROTOCOL):
                raise _UnheardError(Problem.OTHER_PROTOCOL, line.encode())
            case ["begin", _, epoch, boot_id, uptime] if IDENTITY.fullmatch(
                epoch
            ) and IDENTITY.fullmatch(boot_id):
                return Agent(epoch=epoch, boot_id=boot_id, uptime_s=_number(uptime))
            case _:
                raise _nonsense(line)

    def installed(self) -> None:
        """Read that the helper is in place."""
        self.seek(b"install")
        line = self.line()
        if line != "install installed":
            raise _UnheardError(Problem.BROKEN, line.encode())
        self.end(self.line(), 1)

    def answers(self, requests: Sequence[Request]) -> tuple[Answer, ...]:
        """Read the answers up to the end, which says how many there are."""
        found: list[Answer] = []
        while not (line := self.line()).startswith("end "):
            if len(found) == len(requests):
                raise _nonsense(line)
            understood = not re.fullmatch(r"bad [0-9]+", line)
            request = requests[len(found)]
            found.append(self.answer(line, request) if understood else Misunderstood())
        self.end(line, len(found))
        return (*found, *[Unanswered()] * (len(requests) - len(found)))

    def end(self, line: str, count: int) -> None:
        """Hold the last line to what came before it, and to being the last."""
        if line != f"end {count}":
            raise _nonsense(line)
        if self.rest:
            raise _UnheardError(Problem.FOREIGN, self.rest)

    def answer(self, line: str, request: Request) -> Answer:
        """Read the answer that begins with this line."""
        match request:
            case Hello():
                return _introduction(line)
            case List():
                return self.listed(line)
            case Kill(attempt_id):
                return self.kill_ordered(line, attempt_id)
            case Fetch() if line.startswith("data "):
                return self.data(line, request)
            case Start(attempt_id=attempt_id) if line == f"mismatch {attempt_id}":
                return Damaged(attempt_id)
            case _:
                return _stands(line, request.attempt_id, KEPT | MORE.get(type(request), set()))

    def kill_ordered(self, line: str, attempt_id: str) -> KillOrdered:
        """Read the two lines about a kill."""
        word, name, survivors = _split(line, 3)
        if (word, name) != ("survivors", attempt_id):
            raise _nonsense(line)
        return KillOrdered(_stands(self.line(), attempt_id), _number(survivors))

    def listed(self, line: str) -> Listed:
        """Read the lines of a list; of two about one attempt the later one is the newer."""
        found: dict[str, Stands] = {}
        count = 0
        while not line.startswith("listed "):
            name = line.split(" ")[1] if " " in line else ""
            found[name] = _stands(line, name)
            count += 1
            line = self.line()
        if line != f"listed {count}":
            raise _nonsense(line)
        return Listed(found)

    def data(self, line: str, request: Fetch) -> Data:
        """Read a piece of output."""
        _, name, stream, *numbers = _split(line, 6)
        offset, length, size = map(_number, numbers)
        if (name, stream, offset) != (request.attempt_id, request.stream.value, request.offset):
            raise _nonsense(line)
        if length > request.most:
            raise _nonsense(line)
        return Data(name, request.stream, offset, self.content(length), size)


def _nonsense(line: str) -> _UnheardError:
    return _UnheardError(Problem.NONSENSE, line.encode())


def _split(line: str, count: int) -> list[str]:
    words = line.split(" ")
    if len(words) != count:
        raise _nonsense(line)
    return words


def _number(word: str) -> int:
    if not NUMBER.fullmatch(word):
        raise _nonsense(word)
    return int(word)


def _instant(word: str) -> datetime:
    if len(word) > INSTANT_DIGITS:
        raise _nonsense(word)
    return datetime.fromtimestamp(_number(word), UTC)


def _flag(word: str) -> bool:
    if word not in {"0", "1"}:
        raise _nonsense(word)
    return word == "1"


def _introduction(line: str) -> Introduction:
    word, address, port, ticks, clock, free, hostname, missing = _split(line, 8)
    if word != "hello":
        raise _nonsense(line)
    return Introduction(
        address=None if address == "-" else address,
        port=_maybe(port),
        init_ticks=_maybe(ticks),
        clock=_instant(clock),
        free_kb=_maybe(free),
        hostname=hostname,
        missing=() if missing == "-" else tuple(missing.split(",")),
    )


def _maybe(word: str) -> int | None:
    return None if word == "-" else _number(word)


def _stands(line: str, attempt_id: str, words: frozenset[str] = KEPT) -> Stands:
    """Read how an attempt stands; it must be this one, and said with one of these words."""
    word, _, rest = line.partition(" ")
    name, _, rest = rest.partition(" ")
    if name != attempt_id or word not in words or not ATTEMPT_ID.fullmatch(name):
        raise _nonsense(line)
    try:
        if word == "claimed":
            age, barred = _split(rest, 2)
            return Stands(name, _claimed(barred), _number(age))
        return Stands(name, _STANDINGS[word](rest))
    except (ValueError, _UnheardError) as error:
        raise _nonsense(line) from error


def _plain(standing: Standing | Tomb | Expired) -> Callable[[str], Standing | Tomb | Expired]:
    def read(rest: str) -> Standing | Tomb | Expired:
        if rest:
            raise _nonsense(rest)
        return standing

    return read


def _claimed(word: str) -> Standing:
    """Read what follows the age: a job that was killed before it began will not begin any more."""
    if word not in {"open", "barred"}:
        raise _nonsense(word)
    return Claimed() if word == "open" else Lost(remains=Remains.NEVER_RAN, job_pid=None)


def _running(rest: str) -> Standing:
    guard, job, started = _split(rest, 3)
    return Running(guard_pid=_number(guard), job_pid=_number(job), started=_instant(started))


def _ended(rest: str) -> Standing:
    words = rest.split(" ", 10)
    outcome, code, timed_out, killed, started, ended, out, err, left, escaped = words[:10]
    return Ended(
        JobResult(
            outcome=_outcome(outcome, _number(code), words[10:]),
            timed_out=_flag(timed_out),
            killed=_flag(killed),
            started=_instant(started),
            ended=_instant(ended),
            out_size=_number(out),
            err_size=_number(err),
            left=_number(left),
            escaped=_number(escaped),
        )
    )


def _outcome(word: str, code: int, why: Sequence[str]) -> Outcome:
    match word, why:
        case "exited", [] if code <= 255:  # noqa: PLR2004 what a return code can be
            return Exited(code)
        case "signalled", [] if 0 < code <= 64:  # noqa: PLR2004 the last signal of Linux
            return Signalled(code)
        case "failed", [why_not] if why_not and code == 0:
            return FailedToStart(why_not)
    raise _nonsense(word)


def _lost(rest: str) -> Standing:
    why, remains, job = _split(rest, 3)
    if why not in {"boot", "runner"}:
        raise _nonsense(rest)
    kinds = {"there": Remains.THERE, "gone": Remains.GONE}
    if remains not in kinds:
        raise _nonsense(rest)
    return Lost(remains=kinds[remains], job_pid=_maybe(job), restarted=why == "boot")


def _refused(rest: str) -> Standing:
    if not rest:
        raise _nonsense(rest)
    return NotTaken(rest)


def _other(rest: str) -> Other:
    if rest not in {"epoch", "boot"}:
        raise _nonsense(rest)
    return Other(epoch_differs=rest == "epoch")


_STANDINGS: Mapping[str, Callable[[str], Standing | Tomb | Expired | Other]] = {
    "absent": _plain(Absent()),
    "tomb": _plain(Tomb()),
    "acked": _plain(Tomb()),
    "expired": _plain(Expired()),
    "running": _running,
    "ended": _ended,
    "lost": _lost,
    "refused": _refused,
    "other": _other,
}
