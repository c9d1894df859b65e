"""Which options of ``ajsshow`` go together, and which runs they mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ajs.errors import BadValue, UsageError
from ajs.operations.show_rows import ALL, Which

if TYPE_CHECKING:
    from ajs.operations.service import Service

LETTERS = {
    "-p": "schedule",
    "--days": "days",
    "-l": "long",
    "-f": "layout",
    "-i": "quoted_layout",
    "-t": "title",
    "-k": "no_title",
    "-g": "generations",
    "-b": "begin",
    "-e": "end",
    "-v": "begin_exec_date",
    "-w": "end_exec_date",
    "-B": "registration_number",
    "-J": "jobs_only",
    "-T": "roots_only",
}

EXCLUDED = {
    "-p": ("-l", "-f", "-i", "-g", "-b", "-e", "-v", "-w", "-B", "-J"),
    "-l": ("-f", "-i", "-b", "-e", "-v", "-w", "-k"),
    "-f": ("-i",),
    "-g": ("-b", "-e", "-v", "-w", "-B"),
    "-B": ("-b", "-e", "-v", "-w"),
    "-b": ("-v", "-w"),
    "-e": ("-v", "-w"),
    "-t": ("-k",),
    "-T": ("-J",),
}
"""Options that do not go together (commands.md 5.1). Periods and -B go with the page itself too, -B with -l."""
NEEDED = {"-e": ("-b",), "-w": ("-v",), "-t": ("-f", "-i"), "--days": ("-p",)}
"""Options that mean nothing without one of others."""
LAYOUTS = ("-f", "-i", "-t")
MONTH = re.compile(r"([0-9]{4})[/-]([0-9]{1,2})")


def check(given: Mapping[str, Any]) -> None:
    """Raise UsageError for options that do not go together."""
    used = {
        letter
        for letter, name in LETTERS.items()
        if given[name] is not None and given[name] is not False
    }
    for letter, others in EXCLUDED.items():
        for other in others:
            if letter in used and other in used:
                raise UsageError(
                    f"{letter} and {other} exclude each other", hint="give one of them"
                )
    for letter, others in NEEDED.items():
        if letter in used and not used.intersection(others):
            listed = " or ".join(others)
            raise UsageError(f"{letter} goes with {listed} only", hint=f"add {listed}")
    layout = next((letter for letter in LAYOUTS if letter in used), None)
    if layout is not None and given["form"] != "text":
        raise UsageError(
            f"{layout} and --format {given['form']} exclude each other",
            hint="a layout is text; leave one of them away",
        )


def which_of(given: Mapping[str, Any], service: Service) -> Which:
    """Return which generations the options mean; what a date leaves out is today's."""
    if given["generations"] is not None:
        return Which(newest=_count(given["generations"]))
    if given["registration_number"] is not None:
        return Which(number=given["registration_number"])
    for letters, by_exec_date in (("-b", "-e"), False), (("-v", "-w"), True):
        first, last = (given[LETTERS[letter]] for letter in letters)
        if first is not None:
            since = _day(letters[0], first, service, last=False)
            until = _day(letters[1], last, service, last=True) if last is not None else ""
            if until and until < since:
                raise BadValue(
                    f"{letters[1]} {last} is before {letters[0]} {first}",
                    hint="give the earlier date first",
                    value=last,
                )
            return Which(since=since, until=until, by_exec_date=by_exec_date)
    return Which()


def _count(text: str) -> int:
    if text in ("a", "all"):
        return ALL
    if not (text.isdecimal() and text.isascii() and 0 < int(text) < ALL):
        raise BadValue(
            f"-g {text!r} is not a number of runs",
            hint="write how many, 1 or more, or a for all",
            value=text,
        )
    return int(text)


def _day(option: str, text: str, service: Service, *, last: bool) -> str:
    """Return the day that was typed as stored text; a month alone means its first, or its last day."""
    from datetime import timedelta

    from ajs.cli.values import typed_date

    month = MONTH.fullmatch(text.strip())
    if month is None:
        return typed_date(option, text, service.today).isoformat()
    first = typed_date(option, f"{text.strip()}-01".replace("/", "-"), service.today)
    if last:
        first = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return first.isoformat()
