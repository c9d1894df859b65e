"""The layouts of ``ajsshow -f`` and ``-i``: text with indicators, one line for each unit and generation.

``INDICATORS`` is the whole table (commands.md 5.3): the command, its errors and the manual are made from it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ajs.errors import UsageError
from ajs.operations.show import KINDS, Line, Page
from ajs.render.columns import Cell, aligned
from ajs.render.show import note, status_text
from ajs.render.times import lasted, minute, second
from ajs.store.units import GROUP, JOB


class Facts(NamedTuple):
    """What indicators tell that is not of one line: the page, and what gives the present wall-clock time as text."""

    page: Page
    now: Callable[[], str]


class Indicator(NamedTuple):
    """One indicator: its letter after ``%`` in ``-f``, its letters in ``-i`` ("" where it has none), what it shows.

    ``needs`` names what has to be read for it besides the line: ``attempts`` or ``following``.
    """

    one: str
    two: str
    meaning: str
    value: Callable[[Line, Facts], str]
    needs: str = ""


def _slashed(at: str) -> str:
    return at.replace("-", "/")


def _minute(at: str) -> str:
    return _slashed(minute(at))


def _second(at: str) -> str:
    return _slashed(second(at))


def _return_code(line: Line, _: Facts) -> str:
    if line.kind != JOB:
        return "***"
    return "" if line.return_code is None else str(line.return_code)


def _output(line: Line, facts: Facts, stream: str) -> str:
    if line.attempt is None:
        return ""
    begins = facts.page.output if line.agent is None else facts.page.fetched
    return f"{begins}{line.attempt.incarnation}-{line.attempt.id}/{stream}"


def _where(line: Line) -> str:
    if line.agent is not None:
        return line.agent.label
    return "" if line.attempt is None else line.attempt.place


def _following(line: Line) -> str:
    return "" if line.following is None else line.following.start


def _following_original(line: Line) -> str:
    return "" if line.following is None else line.following.original_start


def _changed(line: Line, _: Facts) -> str:
    day = line.generation.exec_date if line.generation is not None else ""
    return ", ".join(note(mark, day) for mark in line.marks if mark.what in TEMPORARY)


def _hold(line: Line, _: Facts) -> str:
    marks = {mark.what for mark in line.marks}
    if "held" in marks:
        return "temporary"
    return "definition" if marks & {"hold", "held_after"} else "none"


TEMPORARY = frozenset(
    {
        "moved",
        "added",
        "also",
        "held",
        "released",
        "priority",
        "start_delay",
        "end_delay",
        "required_time",
        "prohibited",
    }
)
"""The marks that temporary changes leave."""

INDICATORS: tuple[Indicator, ...] = (
    Indicator("j", "", "unit name", lambda line, _: line.name),
    Indicator("J", "JJ", "full name", lambda line, _: line.unit),
    Indicator("T", "TT", "unit type", lambda line, _: KINDS[line.kind]),
    Indicator("C", "CC", "status", lambda line, _: status_text(line.status)),
    Indicator(
        "#",
        "##",
        "execution ID",
        lambda line, _: "" if line.generation is None else line.generation.execution_id,
    ),
    Indicator(
        "G",
        "",
        "generation number",
        lambda line, _: "" if line.generation is None else str(line.generation.id),
    ),
    Indicator(
        "l",
        "ll",
        "execution registration number",
        lambda line, _: "" if line.generation is None else line.generation.registration_number,
    ),
    Indicator(
        "",
        "OP",
        "execution date",
        lambda line, _: "" if line.generation is None else _slashed(line.generation.exec_date),
    ),
    Indicator("S", "SS", "start, to the minute", lambda line, _: _minute(line.started)),
    Indicator("s", "ss", "start, to the second", lambda line, _: _second(line.started)),
    Indicator("E", "EE", "end, to the minute", lambda line, _: _minute(line.ended)),
    Indicator("e", "ee", "end, to the second", lambda line, _: _second(line.ended)),
    Indicator("a", "", "elapsed time, hh:mm:ss", lambda line, _: lasted(line.started, line.ended)),
    Indicator("R", "RR", "return code; *** for jobnets", _return_code),
    Indicator(
        "I",
        "II",
        "job number: the number of the newest attempt",
        lambda line, _: "" if line.attempt is None else str(line.attempt.id),
        "attempts",
    ),
    Indicator(
        "",
        "ex",
        "where the job runs or ran",
        lambda line, _: _where(line),
        "attempts",
    ),
    Indicator(
        "",
        "so",
        "standard output file",
        lambda line, facts: _output(line, facts, "out"),
        "attempts",
    ),
    Indicator(
        "r",
        "rr",
        "standard error file",
        lambda line, facts: _output(line, facts, "err"),
        "attempts",
    ),
    Indicator(
        "B",
        "",
        "scheduled start before temporary changes, to the minute",
        lambda line, _: _minute(line.original),
    ),
    Indicator(
        "b",
        "",
        "scheduled start before temporary changes, to the second",
        lambda line, _: _second(line.original),
    ),
    Indicator(
        "K",
        "",
        "scheduled start after temporary changes, to the minute",
        lambda line, _: _minute(line.planned),
    ),
    Indicator(
        "k",
        "",
        "scheduled start after temporary changes, to the second",
        lambda line, _: _second(line.planned),
    ),
    Indicator(
        "",
        "ds",
        "scheduled start day, after temporary changes",
        lambda line, _: _slashed(line.planned[:10]),
    ),
    Indicator(
        "",
        "St",
        "scheduled start time, after temporary changes",
        lambda line, _: line.planned[11:16],
    ),
    Indicator("", "st", "scheduled start time, to the second", lambda line, _: line.planned[11:19]),
    Indicator("", "de", "end day", lambda line, _: _slashed(line.ended[:10])),
    Indicator("M", "", "what temporary changes changed", _changed),
    Indicator(
        "Y",
        "",
        "whether it will be held",
        lambda *given: "no" if _hold(*given) == "none" else "yes",
    ),
    Indicator("H", "", "kind of hold: temporary, definition, none", _hold),
    Indicator(
        "P",
        "",
        "next scheduled start before temporary changes, to the minute",
        lambda line, _: _minute(_following_original(line)),
        "following",
    ),
    Indicator(
        "p",
        "",
        "next scheduled start before temporary changes, without the year",
        lambda line, _: _minute(_following_original(line))[5:],
        "following",
    ),
    Indicator(
        "m",
        "",
        "next scheduled start before temporary changes, the time alone",
        lambda line, _: _following_original(line)[11:16],
        "following",
    ),
    Indicator(
        "V",
        "",
        "next scheduled start after temporary changes, to the minute",
        lambda line, _: _minute(_following(line)),
        "following",
    ),
    Indicator(
        "v",
        "",
        "next scheduled start after temporary changes, to the second",
        lambda line, _: _second(_following(line)),
        "following",
    ),
    Indicator(
        "",
        "Pt",
        "next scheduled start after temporary changes, the time alone",
        lambda line, _: _following(line)[11:16],
        "following",
    ),
    Indicator(
        "Q",
        "",
        "registration method",
        lambda line, _: "" if line.registration is None else line.registration.method,
    ),
    Indicator(
        "D",
        "",
        "registered at, to the minute",
        lambda line, _: "" if line.registration is None else _minute(line.registration.registered),
    ),
    Indicator(
        "d",
        "",
        "registered at, to the second",
        lambda line, _: "" if line.registration is None else _second(line.registration.registered),
    ),
    Indicator("x", "", "today", lambda _, facts: _slashed(facts.now()[:10])),
    Indicator("X", "", "now, to the second", lambda _, facts: _second(facts.now())),
)
"""Every indicator that a layout may hold, in the order of the manual."""

SIGNS = {"%": "%", "n": "\n", "t": "\t"}
"""``%%``, ``%n`` and ``%t`` in all layouts."""
SIGN_MEANINGS = {"%": "a percent sign", "n": "a new line", "t": "a tab"}
TITLE = {indicator.one: indicator for indicator in INDICATORS if indicator.one in ("x", "X")}
"""The indicators of a title line: what is the same for every line."""

ONE = {indicator.one: indicator for indicator in INDICATORS if indicator.one}
TWO = {indicator.two: indicator for indicator in INDICATORS if indicator.two}


class Layout(NamedTuple):
    """A layout taken apart: texts and indicators in order; ``quoted``: values stand in single quotes (``-i``)."""

    parts: tuple[str | Indicator, ...]
    quoted: bool

    @property
    def needs(self) -> frozenset[str]:
        """What has to be read for it besides the lines."""
        return frozenset(part.needs for part in self.parts if isinstance(part, Indicator))

    def of(self, line: Line, facts: Facts) -> str:
        """Return one line in this layout."""
        return "".join(
            part if isinstance(part, str) else self._value(part, line, facts) for part in self.parts
        )

    def _value(self, indicator: Indicator, line: Line, facts: Facts) -> str:
        value = indicator.value(line, facts)
        return f"'{value}'" if self.quoted else value


def one_letter(text: str) -> Layout:
    """Return the layout of ``-f``; raises UsageError for an indicator that is not known."""
    return Layout(_parts("-f", text, ONE, 1), quoted=False)


def two_letters(text: str) -> Layout:
    """Return the layout of ``-i``; raises UsageError for an indicator that is not known."""
    return Layout(_parts("-i", text, TWO, 2), quoted=True)


def title(text: str) -> Layout:
    """Return the layout of ``-t``; raises UsageError for an indicator that no title can have."""
    return Layout(_parts("-t", text, TITLE, 1), quoted=False)


def _parts(
    option: str, text: str, known: dict[str, Indicator], letters: int
) -> tuple[str | Indicator, ...]:
    before, *rest = text.split("%")
    parts: list[str | Indicator] = [before]
    pieces = iter(rest)
    for piece in pieces:
        if not piece:
            # "%%": the piece between the two signs is empty, and what follows is plain text.
            following = next(pieces, None)
            if following is None:
                raise _unknown(option, "", known)
            parts.append(f"%{following}")
        elif piece[:letters] in known:
            parts += [known[piece[:letters]], piece[letters:]]
        elif piece[0] in SIGNS:
            parts.append(SIGNS[piece[0]] + piece[1:])
        else:
            raise _unknown(option, piece[:letters], known)
    return tuple(part for part in parts if part != "")


def _unknown(option: str, found: str, known: dict[str, Indicator]) -> UsageError:
    every = " ".join(f"%{name}" for name in (*known, *SIGNS))
    return UsageError(
        f"{option}: %{found} is no indicator",
        hint=f"known are {every}; write %% for a percent sign",
        value=f"%{found}",
    )


def listing() -> str:
    """Return every indicator as a line: as ``-f`` has it, as ``-i`` has it, and what it shows."""
    rows = [
        (Cell(_sign(indicator.one)), Cell(_sign(indicator.two)), Cell(indicator.meaning))
        for indicator in INDICATORS
    ]
    rows += [(Cell(f"%{sign}"), Cell(f"%{sign}"), Cell(SIGN_MEANINGS[sign])) for sign in SIGNS]
    return "\n".join(aligned(("-f", "-i", "MEANING"), rows))


def _sign(letters: str) -> str:
    return f"%{letters}" if letters else ""


def as_text(page: Page, layout: Layout, heading: Layout | None, now: Callable[[], str]) -> str:
    """Return the page in a layout, below its title line if there is one; job groups have no line unless alone."""
    facts = Facts(page, now)
    lines = [line for line in page.lines if line.kind != GROUP] or list(page.lines)
    shown = [layout.of(line, facts) for line in lines]
    if heading is not None and page.lines:
        shown.insert(0, heading.of(page.lines[0], facts))
    return "\n".join(shown)
