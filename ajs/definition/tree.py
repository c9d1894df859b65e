"""Bytes → YAML events → a tree of words, lists and tables that know their places.

Scalars stay text: what ``08:00``, ``no`` or ``0755`` means is decided by the key they stand under (``kinds``),
never by YAML. Anchors, aliases and tags are kept as marks for the reader to refuse, because only it knows the unit.
Everything has a limit, so that no file can exhaust memory or the stack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import yaml

from ajs.definition.problems import Problems, shown
from ajs.errors import Place

MAX_BYTES = 16 * 1024 * 1024
"""Size of one file."""
MAX_NODES = 1_000_000
"""Words, lists and tables in one file."""
MAX_DEPTH = 70
"""Levels in one file; a level of jobnets takes two, so this is room for about 30."""

LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
"""What yields the events; the one in C is many times faster."""

_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_NOT_TEXT = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_NO_COMMA = "expected ',' or '"
"""What is complained about where a value in brackets goes on behind its end, perhaps with a second ': '."""
_HINTS = (
    (
        "mapping values are not allowed",
        "check the indentation, and put quotes round a text that contains ': '",
    ),
    (
        "could not find expected ':'",
        "a key needs ': ' and a value; look at the line above too, and at quotes and indentation",
    ),
    (_NO_COMMA, "add the missing comma or close the bracket"),
    ("unexpected end of stream", "close the quote that begins here"),
    ("unexpected document", "close the quote that begins above"),
    ("cannot start any token", "put quotes round a text that begins with this character"),
    ("unknown escape", "write the text in single quotes, or double the backslash"),
)
_HINT = (
    "keys of one level begin in the same column; put quotes round a text with special characters"
)


@dataclass(frozen=True, slots=True)
class Word:
    """One scalar as written; ``plain`` means without quotes."""

    place: Place
    text: str
    plain: bool = True
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    place: Place
    items: tuple[Node, ...]
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping in the order written; a key may come twice."""

    place: Place
    entries: tuple[tuple[Node, Node], ...]
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Alias:
    """A reference to an anchor, which the reader refuses."""

    place: Place
    name: str
    mark: str = ""


Node = Word | Items | Table | Alias


class _Mark(Protocol):
    """A mark of either parser."""

    line: int
    column: int


@dataclass(slots=True)
class _Open:
    """A list or table whose end has not been seen."""

    start: yaml.CollectionStartEvent
    nodes: list[Node] = field(default_factory=list)


def parse(file: str, content: bytes, problems: Problems) -> Node | None:
    """Return the one document of a file, or None after noting why there is none."""
    if len(content) > MAX_BYTES:
        problems.add(
            Place(file),
            f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB",
            hint="split it into several files",
        )
        return None
    text = _decoded(file, content, problems)
    if text is None:
        return None
    try:
        return _document(file, yaml.parse(text, Loader=LOADER), problems)
    except yaml.MarkedYAMLError as error:
        _note_syntax(file, text, error, problems)
    return None


def _decoded(file: str, content: bytes, problems: Problems) -> str | None:
    """Return the text of UTF-8 bytes without byte order mark, or None after noting the first bad byte."""
    try:
        text = content.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode()
        problems.add(
            _place_after(file, before.removeprefix("\ufeff")),
            f"byte 0x{content[error.start]:02x} is not UTF-8 text",
            hint="save the file in the encoding UTF-8",
            value=f"0x{content[error.start]:02x}",
        )
        return None
    if bad := _NOT_TEXT.search(text):
        problems.add(
            _place_after(file, text[: bad.start()]),
            f"the character {bad.group()!a} cannot stand in a text file",
            hint="save the file as plain text in the encoding UTF-8",
            value=ascii(bad.group()),
        )
        return None
    return text


def _place_after(file: str, before: str) -> Place:
    """Return the place of the character that follows this text."""
    lines = _BREAK.split(before)
    return Place(file, len(lines), len(lines[-1]) + 1)


def _document(file: str, events: Iterator[yaml.Event], problems: Problems) -> Node | None:
    """Return the only document of the events; note when it is missing, not the only one, or too big."""
    found: Node | None = None
    documents = nodes = 0
    above: list[_Open] = []
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                problems.add(
                    _place(file, event.start_mark),
                    "a second YAML document begins here",
                    hint="remove the line '---', or put the second document into a file of its own",
                )
                break
        elif isinstance(event, yaml.CollectionStartEvent):
            above.append(_Open(event))
        elif isinstance(event, (yaml.CollectionEndEvent, yaml.ScalarEvent, yaml.AliasEvent)):
            node = _node(file, event, above)
            nodes += 1
            if above:
                above[-1].nodes.append(node)
            else:
                found = node
        if len(above) > MAX_DEPTH:
            problems.add(
                _place(file, event.start_mark),
                f"the text is nested more than {MAX_DEPTH} levels deep",
                hint="make root jobnets of the lower jobnets, or look for a bracket left open",
            )
            return None
        if nodes > MAX_NODES:
            problems.add(
                _place(file, event.start_mark),
                f"the file has more than {MAX_NODES:,} words, lists and tables",
                hint="split it into several files",
            )
            return None
    if found is None or (isinstance(found, Word) and found.plain and not found.text):
        problems.add(
            Place(file, 1, 1),
            "the file defines nothing",
            hint="begin with 'group: /NAME', or leave the file out",
        )
        return None
    return found


def _node(
    file: str,
    event: yaml.CollectionEndEvent | yaml.ScalarEvent | yaml.AliasEvent,
    above: list[_Open],
) -> Node:
    """Return the node that ends with this event; takes the collection that it closes from ``above``."""
    if isinstance(event, yaml.AliasEvent):
        return Alias(_place(file, event.start_mark), event.anchor or "")
    if isinstance(event, yaml.ScalarEvent):
        place = _place(file, event.start_mark)
        return Word(place, event.value, plain=not event.style, mark=_mark(event))
    opened = above.pop()
    place, mark = _place(file, opened.start.start_mark), _mark(opened.start)
    if isinstance(event, yaml.SequenceEndEvent):
        return Items(place, tuple(opened.nodes), mark)
    pairs = zip(opened.nodes[::2], opened.nodes[1::2], strict=True)
    return Table(place, tuple(pairs), mark)


def _mark(event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> str:
    """Return what the reader refuses about a node: its anchor or tag."""
    if event.anchor is not None:
        return f"the anchor {shown('&' + event.anchor)}"
    if event.tag is None:
        return ""
    return f"the tag {shown(event.tag.replace('tag:yaml.org,2002:', '!!'))}"


def _place(file: str, mark: _Mark | None) -> Place:
    """Return the place of a mark, which counts from 0; both parsers give one with every event."""
    return Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)


def _note_syntax(file: str, text: str, error: yaml.MarkedYAMLError, problems: Problems) -> None:
    """Note where and why a text is not YAML."""
    mark = error.problem_mark or error.context_mark
    lines = _BREAK.split(text)
    place = _place(file, mark) if mark else Place(file, len(lines))
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        problems.add(
            place,
            "a tab stands where only spaces indent",
            hint="indent with spaces",
            value="\\t",
        )
        return
    why = error.problem or error.context or "it cannot be read"
    hint = next((hint for part, hint in _HINTS if part in why), _HINT)
    if _NO_COMMA in why and line[place.column - 1 :].startswith(":"):
        hint = "put quotes round a text that contains ': '"
    if (began := _place(file, error.context_mark)).line:
        if why == "found unexpected end of stream":
            place, line = began, lines[began.line - 1]
        elif began.line < place.line:
            hint += f"; it began in line {began.line}"
    problems.add(place, f"not valid YAML: {why}", hint=hint, value=line.strip()[:60])
