"""``ajs`` alone: what there is, and where to begin."""

from __future__ import annotations

import difflib
import sys

import click

from ajs.cli import SCRIPTS, VERBS
from ajs.errors import ExitCode

INTRO = """\
ajs: a workload scheduler with the commands of JP1/AJS3.

Usage: ajs VERB [OPTION]... [ARGUMENT]...
"""
OUTRO = """\
ajs VERB --help explains one. Verbs marked * are installed under their AJS3 name too: ajsshow is ajs show.
New here? ajs demo plays a working day in a fresh folder. Independent of Hitachi; JP1 is a mark of Hitachi, Ltd."""


def overview(arguments: list[str]) -> int:
    """Print the list of verbs, or the version, or what was probably meant; return the exit code."""
    try:
        return _overview(arguments)
    except BrokenPipeError:
        # The reader has gone (| head): there is nothing more to say, not even at the end of the process.
        sys.stdout = None
        return ExitCode.DONE
    except OSError as error:
        from ajs.cli.boundary import not_written, of_writing, say

        if not of_writing(error):
            raise
        return say("ajs", not_written(error), arguments)


def _overview(arguments: list[str]) -> int:
    match arguments:
        case [] | ["--help"]:
            click.echo(INTRO)
            for verb, line in VERBS.items():
                mark = "*" if verb in SCRIPTS else " "
                click.echo(f"  {verb:<11}{mark} {line}")
            click.echo("\n" + OUTRO)
            return ExitCode.DONE
        case ["--version"]:
            from importlib.metadata import version

            click.echo(f"ajs {version('ajs')}")
            return ExitCode.DONE
        case [word, *_]:
            near = difflib.get_close_matches(word.removeprefix("ajs"), VERBS, n=1)
            meant = f" Did you mean ajs {near[0]}?" if near else ""
            click.echo(f"ajs: AJS0201: there is no command {word!r}.{meant}", err=True)
            click.echo("  hint: ajs alone lists all commands", err=True)
            return ExitCode.USAGE
        case _:
            return ExitCode.USAGE
