"""One tree of errors: what is wrong, where, what to do, and the exit code that follows.

Every error that a person or a script can meet is a class here. Its ``code`` is stable, does not depend on
language, and begins with the exit code: ``AJS0801`` ends a command with exit code 8. ``message`` says what is
wrong and names the value, ``hint`` says what to do. The table in ``docs/reference/errors.md`` is made from
these classes.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar, NamedTuple


class ExitCode(IntEnum):
    """What a command's exit code means, the same for every command."""

    DONE = 0
    USAGE = 2
    BAD_VALUE = 4
    NOTHING_FOUND = 8
    REFUSED = 12
    PARTLY = 16
    BUSY = 20
    STATE = 24
    NO_MANAGER = 28
    ENDED_WARNING = 32
    ENDED_ABNORMAL = 36
    ENDED_UNKNOWN = 40


class Place(NamedTuple):
    """Where in a text something stands; line and column count from 1, 0 means not known."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """``file:line:column`` as editors understand it."""
        parts = [self.file, *(str(n) for n in (self.line, self.column) if n)]
        return ":".join(parts)


def is_utf8(text: str) -> bool:
    """Whether a word from outside was UTF-8; Python keeps its bytes as lone surrogates where it was not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def escaped(text: str) -> str:
    r"""Return a word from outside for a message, what is not UTF-8 in it as bytes.

    >>> escaped("/sales/caf\udce9")
    '/sales/caf\\xe9'
    """
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace")


class AjsError(Exception):
    """Base of all errors that a command reports; never raised itself."""

    code: ClassVar[str]
    exit_code: ClassVar[ExitCode]

    def __init__(self, message: str, *, hint: str = "", unit: str = "", value: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.unit = unit
        self.value = value


# -- 2: the command line itself --


class UsageError(AjsError):
    """The options given do not go together, or one is missing."""

    code = "AJS0201"
    exit_code = ExitCode.USAGE


# -- 4: a definition or a value is wrong --


class Problem(NamedTuple):
    """One complaint about a definition text: where, which unit, what, and what to do."""

    place: Place
    message: str
    hint: str = ""
    unit: str = ""
    value: str = ""


class DefinitionError(AjsError):
    """The definitions have problems; all of them are listed, nothing was stored."""

    code = "AJS0401"
    exit_code = ExitCode.BAD_VALUE

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        count = len(problems)
        super().__init__(
            f"{count} problem{'s' if count != 1 else ''} in the definitions: they cannot be stored",
            hint="mend the places named above and run the command again",
        )
        self.problems = problems


class BadValue(AjsError):
    """A value given to an option is not one that it takes."""

    code = "AJS0402"
    exit_code = ExitCode.BAD_VALUE


class NoSuchDate(AjsError):
    """A date or time was given that does not exist or lies outside the years that can be planned."""

    code = "AJS0403"
    exit_code = ExitCode.BAD_VALUE


# -- 8: nothing there --


class UnitNotFound(AjsError):
    """No unit has this name, or the pattern matches none."""

    code = "AJS0801"
    exit_code = ExitCode.NOTHING_FOUND


class GenerationNotFound(AjsError):
    """The unit has no generation with this execution ID or registration number, or none at all."""

    code = "AJS0802"
    exit_code = ExitCode.NOTHING_FOUND


class OperationNotFound(AjsError):
    """The operation log has no entry with this number."""

    code = "AJS0803"
    exit_code = ExitCode.NOTHING_FOUND


class OutputNotFound(AjsError):
    """The unit has left no output: it has not run, or it is not a job."""

    code = "AJS0804"
    exit_code = ExitCode.NOTHING_FOUND


# -- 12: understood and refused; nothing changed --


class Refused(AjsError):
    """The change cannot be made as things stand."""

    code = "AJS1201"
    exit_code = ExitCode.REFUSED


class NoSchedule(Refused):
    """The unit has no execution schedule, so its time cannot be changed."""

    code = "AJS1202"


class AlreadyStarted(Refused):
    """The run has started or was handed over, so it can no longer be changed."""

    code = "AJS1203"


class OutsideWindow(Refused):
    """The new time of a nested jobnet lies outside the 48 hours of the root's execution date."""

    code = "AJS1204"


class WrongKind(Refused):
    """The operation does not exist for this kind of unit."""

    code = "AJS1205"


class AlreadyRegistered(Refused):
    """The jobnet is registered for planned execution and has a next schedule."""

    code = "AJS1206"


class NotRegistered(Refused):
    """The jobnet is not registered for execution."""

    code = "AJS1207"


class PlanMoved(Refused):
    """What was looked at before has changed since: the plan token or an expected version no longer holds."""

    code = "AJS1208"


class NothingToUndo(Refused):
    """The unit or operation has nothing that could be taken back."""

    code = "AJS1209"


class StillRunning(Refused):
    """A generation is running, and the command does not act on running ones."""

    code = "AJS1210"


class NeverRuns(Refused):
    """Nothing would ever run: the schedule is undefined, or a fixed registration would make no run."""

    code = "AJS1211"


class IllegalEvent(Refused):
    """The event does not exist for a unit or an attempt in this status; nothing was changed."""

    code = "AJS1212"


class NotRunning(Refused):
    """Nothing of the unit goes on, so there is nothing to kill or to interrupt."""

    code = "AJS1213"


class OtherService(Refused):
    """The backup holds the state of another scheduler service than the one that it is to replace."""

    code = "AJS1214"


class StillRegistered(Refused):
    """The jobnet is registered for execution, and the command acts only on those that are not."""

    code = "AJS1215"


# -- 16: partly done --


class PartlyDone(AjsError):
    """Some targets were done, others refused; each has its line."""

    code = "AJS1601"
    exit_code = ExitCode.PARTLY


# -- 20: busy --


class Busy(AjsError):
    """Another command or manager holds what is needed and did not let go in time."""

    code = "AJS2001"
    exit_code = ExitCode.BUSY


class TimedOut(AjsError):
    """What was waited for did not happen in the time given."""

    code = "AJS2002"
    exit_code = ExitCode.BUSY


class ManagerRunning(AjsError):
    """A manager of this scheduler service is already running."""

    code = "AJS2003"
    exit_code = ExitCode.BUSY


# -- 24: configuration and state --


class ConfigurationError(AjsError):
    """No usable ajs.toml was found, or something in it is wrong."""

    code = "AJS2401"
    exit_code = ExitCode.STATE


class StoreError(AjsError):
    """The state of the scheduler service cannot be read or written."""

    code = "AJS2402"
    exit_code = ExitCode.STATE


class SchemaVersion(AjsError):
    """The state was written by another version of ajs."""

    code = "AJS2403"
    exit_code = ExitCode.STATE


class Damaged(AjsError):
    """The database of the scheduler service is damaged."""

    code = "AJS2404"
    exit_code = ExitCode.STATE


class Unwritten(AjsError):
    """The answer could not be written to stdout or stderr; what the command did stays done."""

    code = "AJS2405"
    exit_code = ExitCode.STATE


# -- 28: no manager --


class NoManager(AjsError):
    """No manager of the scheduler service is running, so nothing would start."""

    code = "AJS2801"
    exit_code = ExitCode.NO_MANAGER
