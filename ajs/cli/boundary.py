"""The one place where errors become words on stderr and an exit code."""

from __future__ import annotations

import errno
import importlib
import os
import re
import shlex
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import click

from ajs.cli.common import Call
from ajs.errors import (
    AjsError,
    BadValue,
    ConfigurationError,
    DefinitionError,
    ExitCode,
    Unwritten,
    UsageError,
    escaped,
    is_utf8,
)

if TYPE_CHECKING:
    from ajs.ports import Clock

WITHOUT_SERVICE = frozenset({"init", "completion", "demo"})
"""The verbs that work on no scheduler service."""
SETTINGS = ("AJS_HOME", "AJSCONF", "AJSPATH")
"""The environment variables that stand for words of the command."""
WRITING = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF, errno.EAGAIN, errno.EPIPE}
)
"""What writing to stdout or stderr can fail with."""


def run(
    verb: str, program: str, arguments: list[str], *, clock: Callable[[str], Clock] | None = None
) -> int:
    """Load the command's file, run it, and return its exit code; every error ends here.

    ``clock`` gives the clock for a time zone; the system's when it is left out.
    """
    call = Call((*program.split(), *arguments), clock)
    command: click.Command = importlib.import_module(f"ajs.cli.{verb}").command
    try:
        _require_folder()
        _require_utf8(arguments)
        result = command.main(
            args=arguments,
            prog_name=program,
            standalone_mode=False,
            obj=call,
            complete_var=_complete(program),
        )
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.UsageError as error:
        return say(
            program, UsageError(error.format_message(), hint=_usage_hint(program)), arguments
        )
    except (click.Abort, KeyboardInterrupt):
        if not _wants_json(arguments):
            click.echo(f"{program}: interrupted", err=True)
        return 130
    except SystemExit as end:
        # So click ends when the reader has gone (| head): nothing is wrong with the command. It also ends so when a
        # shell has asked for completion; that answer is the shell's.
        if end.code == 1 and _complete(program) not in os.environ:
            return ExitCode.DONE
        raise
    except OSError as error:
        if not of_writing(error):
            raise
        failed: AjsError = not_written(error)
    except AjsError as error:
        failed = error
    else:
        return int(result) if isinstance(result, int) else ExitCode.DONE
    failed.hint = in_service(failed.hint, call.service)
    return say(program, failed, arguments)


def _require_folder() -> None:
    """Refuse to begin in a folder that somebody removed: relative names would mean nothing."""
    try:
        os.getcwd()
    except FileNotFoundError:
        raise ConfigurationError(
            "the current folder no longer exists",
            hint="go to another folder (cd), then run the command again",
        ) from None


def _require_utf8(arguments: list[str]) -> None:
    """Refuse words and settings that are no text: nothing of ours could be named or stored by them."""
    words = [(f"argument {number}", word) for number, word in enumerate(arguments, 1)]
    settings = [(name, os.environ.get(name, "")) for name in SETTINGS]
    for what, text in (*words, *settings):
        if not is_utf8(text):
            raise BadValue(
                f"{what}, '{escaped(text)}', is not UTF-8",
                hint="write it in UTF-8; look at the settings of the terminal or of the program that calls",
                value=escaped(text),
            )


def in_service(hint: str, service: str) -> str:
    """Return a hint whose commands name the scheduler service, so that they can be typed as they stand.

    >>> in_service("ajs why /a says why; ajsentry -n runs it at once", "sales")
    'ajs why -F sales /a says why; ajsentry -F sales -n runs it at once'
    """
    if not service:
        return hint
    from ajs.cli import VERBS

    verbs = "|".join(VERBS.keys() - WITHOUT_SERVICE)
    return re.sub(rf"\bajs ?(?:{verbs})\b(?! -F)", rf"\g<0> -F {shlex.quote(service)}", hint)


def of_writing(error: OSError) -> bool:
    """Whether an error is that of stdout or stderr, which are given up then where they still hold something.

    Those errors name no file; operations turn the errors of what they write themselves into ours.
    """
    if error.filename is not None or error.errno not in WRITING:
        return False
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            # The end of the process would try once more, and complain.
            setattr(sys, name, None)
    return True


def not_written(error: OSError) -> Unwritten:
    """Return the error for an answer that could not be written."""
    return Unwritten(
        f"the answer could not be written: {(error.strerror or str(error)).lower()}",
        hint="what the command did is done: `ajs history` lists it",
    )


def _usage_hint(program: str) -> str:
    return f"{program} --help lists the options"


def _complete(program: str) -> str:
    return f"_{program.replace(' ', '_').upper()}_COMPLETE"


def say(program: str, error: AjsError, arguments: list[str]) -> int:
    """Print an error as far as stderr can be written, and return its exit code."""
    try:
        return _print(program, error, arguments)
    except OSError as failed:
        if not of_writing(failed):
            raise
        return error.exit_code


def _print(program: str, error: AjsError, arguments: list[str]) -> int:
    """Print an error for a person, or as JSON when that is what the command was asked for."""
    if _wants_json(arguments):
        import json

        click.echo(json.dumps({"format": 1, "error": as_json(error)}, ensure_ascii=False), err=True)
        return error.exit_code
    if isinstance(error, DefinitionError):
        for problem in error.problems:
            unit = f" {problem.unit}:" if problem.unit else ""
            click.echo(f"{problem.place}:{unit} {problem.message}", err=True)
            if problem.hint:
                click.echo(f"  hint: {problem.hint}", err=True)
    click.echo(f"{program}: {error.code}: {error.message}", err=True)
    if error.hint:
        click.echo(f"  hint: {error.hint}", err=True)
    return error.exit_code


def as_json(error: AjsError) -> dict[str, object]:
    """Return an error as plain data; the code is stable, the texts may be worded anew."""
    found: dict[str, object] = {
        "code": error.code,
        "exit_code": int(error.exit_code),
        "message": error.message,
        "hint": error.hint,
        "unit": error.unit,
        "value": error.value,
    }
    if isinstance(error, DefinitionError):
        found["problems"] = [
            {
                "file": p.place.file,
                "line": p.place.line,
                "column": p.place.column,
                "unit": p.unit,
                "message": p.message,
                "hint": p.hint,
                "value": p.value,
            }
            for p in error.problems
        ]
    return found


def _wants_json(arguments: list[str]) -> bool:
    """Whether JSON was asked for; read from the words, since parsing itself may be what failed."""
    return "--format=json" in arguments or any(
        a == "--format" and b == "json" for a, b in pairwise(arguments)
    )
