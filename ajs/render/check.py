"""What ``ajs check`` found, as lines and as JSON; equal findings are one line unless all are wanted."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime

from ajs.lint import Severity
from ajs.lint.findings import Fact
from ajs.operations.check import Finding, Part
from ajs.operations.lint import Linted

UNITS = 3
"""How many units a line names that have the same finding."""
LINES = 10
"""How many lines of one kind are shown before they are only counted."""
INDENT = " " * 6


def as_text(parts: Iterable[Part], *, every: bool) -> str:
    """Return all that was found, one part after the other, and how much there is of each kind."""
    parts = list(parts)
    lines = []
    for part in parts:
        if part.service:
            lines.append(f"service {part.service}")
        for finding in part.findings:
            lines += _with_hint("ok  " if finding.fine else "mend", finding.text, finding.hint)
        lines += lint_lines(part.lints, every=every)
    counts = _counts(parts)
    if counts["warn"] or counts["note"] or not any(part.findings for part in parts):
        told = [
            _counted(counts[key], word) for key, word in (("warn", "warning"), ("note", "note"))
        ]
        lines.append(f"definitions: {', '.join(told)}")
    return "\n".join(lines)


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _with_hint(level: str, text: str, hint: str) -> Iterator[str]:
    yield f"{level}  {text}"
    if hint:
        yield f"{INDENT}{hint}"


def lint_lines(lints: Iterable[Linted], *, every: bool) -> Iterator[str]:
    """Yield the lines of lints, warnings first."""
    order = sorted(lints, key=lambda one: one.finding.lint.severity is Severity.NOTE)
    if every:
        for one in order:
            finding = one.finding
            yield from _with_hint(finding.lint.severity.value, _named(one), finding.hint)
        return
    alike: dict[tuple[str, str], list[Linted]] = {}
    for one in order:
        alike.setdefault((one.finding.lint.name, one.finding.text), []).append(one)
    lines: Counter[str] = Counter()
    left: Counter[str] = Counter()
    last = dict(alike.keys())
    for (code, text), group in alike.items():
        finding = group[0].finding
        level = finding.lint.severity.value
        lines[code] += 1
        if lines[code] <= LINES:
            told = _named(group[0]) if len(group) == 1 else f"{_units(group)}: {text}"
            yield from _with_hint(level, told, finding.hint)
        else:
            left[code] += len(group)
        if last[code] == text and left[code]:
            yield f"{level}  ... and {left[code]} more of this kind; --all shows each"


def _named(one: Linted) -> str:
    place = f"{one.place}: " if one.place else ""
    return f"{place}{one.finding.unit}: {one.finding.text}"


def _units(group: list[Linted]) -> str:
    names = [
        f"{one.finding.unit} ({one.place})" if one.place else one.finding.unit for one in group
    ]
    shown = ", ".join(names[:UNITS])
    return shown if len(names) <= UNITS else f"{shown} and {len(names) - UNITS} more"


def _counts(parts: Iterable[Part]) -> Counter[str]:
    """Return how many findings of each level there are."""
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update("ok" if one.fine else "mend" for one in part.findings)
        counts.update(one.finding.lint.severity.value for one in part.lints)
    return counts


def as_json(parts: Iterable[Part]) -> str:
    """Return every finding for machines."""
    parts = list(parts)
    counts = _counts(parts)
    found = {
        "format": 1,
        "mend": counts["mend"],
        "warnings": counts["warn"],
        "notes": counts["note"],
        "parts": [
            {
                "service": part.service or None,
                "findings": [*map(_finding, part.findings), *map(lint_json, part.lints)],
            }
            for part in parts
        ],
    }
    return json.dumps(found, ensure_ascii=False, indent=2)


def _finding(one: Finding) -> dict[str, object]:
    level = "ok" if one.fine else "mend"
    return {
        "level": level,
        "code": one.code,
        "unit": None,
        "rule": None,
        "file": None,
        "line": None,
        "column": None,
        "text": one.text,
        "hint": one.hint,
        "facts": {},
    }


def lint_json(one: Linted) -> dict[str, object]:
    """Return one lint for machines."""
    finding, place = one.finding, one.place
    return {
        "level": finding.lint.severity.value,
        "code": finding.lint.name,
        "unit": finding.unit,
        "rule": finding.rule,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "text": finding.text,
        "hint": finding.hint,
        "facts": {name: _fact(value) for name, value in finding.facts},
    }


def _fact(value: Fact) -> object:
    if isinstance(value, tuple):
        return [day.isoformat() for day in value]
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return value
