"""What a key can take: how it is read, its JSON Schema, and its words in messages and in the reference page.

Reading never raises: a node that is wrong is noted and gives None, so that the rest of the file is still checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar, cast, overload

from ajs.definition.problems import Problems, listed, meant, shown
from ajs.definition.scalars import NotThis, parse_number
from ajs.definition.tree import Alias, Items, Node, Table, Word
from ajs.errors import Place

Shape = dict[str, Any]
"""A piece of JSON Schema."""
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where the reader is: what messages call the unit and the key."""

    problems: Problems
    unit: str = ""
    key: str = ""
    example: str = ""

    def refuse(self, place: Place, message: str, *, hint: str = "", value: str = "") -> None:
        """Note a complaint about this unit."""
        self.problems.add(place, message, hint=hint, unit=self.unit, value=value)

    def at(self, key: str, example: str = "") -> Spot:
        """Return the same unit, another key; ``example`` is what a hint may show."""
        return Spot(self.problems, self.unit, key, example)

    @property
    def instance(self) -> str:
        """The hint that shows the example, or nothing."""
        return f"for example {self.key}: {self.example}" if self.example else ""

    def of(self, unit: str) -> Spot:
        """Return another unit."""
        return Spot(self.problems, unit, self.key, self.example)


@dataclass(frozen=True, slots=True)
class Placed(Generic[T_co]):
    """A value with its place in the text."""

    value: T_co
    place: Place


class Kind(Protocol[T_co]):
    """What a key can take."""

    @property
    def words(self) -> str:
        """What it is, after *is not*: ``a time from 00:00 to 11:59``."""

    def read(self, node: Node, spot: Spot) -> T_co | None:
        """Return the value of a node, or None after noting what is wrong."""

    def schema(self) -> Shape:
        """Return its JSON Schema for YAML as other tools type it (YAML 1.2)."""


def mended(node: Node, spot: Spot) -> Word | Items | Table | None:
    """Return the node, or None for an alias; note anchors, aliases and tags, which are refused."""
    refused = f"the alias {shown('*' + node.name)}" if isinstance(node, Alias) else node.mark
    if refused:
        spot.refuse(
            node.place,
            f"{refused} is refused in definitions",
            hint="write the value itself",
            value=refused.rpartition(" ")[2].strip("'"),
        )
    return None if isinstance(node, Alias) else node


def _form(node: Word | Items | Table) -> tuple[str, str]:
    """Return what a node is in words and, of a scalar, its text."""
    match node:
        case Word(plain=True, text=""):
            return "nothing", ""
        case Word():
            return shown(node.text), node.text
        case Items():
            return "a list", ""
        case Table():
            return "a mapping", ""


def _not_this(node: Word | Items | Table, spot: Spot, wanted: str, hint: str = "") -> None:
    """Note that a node has another form than its key takes."""
    form, text = _form(node)
    if form == "nothing":
        spot.refuse(
            node.place,
            f"{spot.key} has no value",
            hint=f"give {wanted}, or remove the key",
        )
        return
    spot.refuse(
        node.place,
        f"{spot.key} must be {wanted}, not {form}",
        hint=hint or spot.instance or f"write {wanted}",
        value=text,
    )


@dataclass(frozen=True, slots=True)
class Scalar(Generic[T_co]):
    """A single word; ``parse`` returns its value or raises ``NotThis``."""

    words: str
    parse: Callable[[str], T_co]
    shape: Shape
    options: tuple[str, ...] = ()
    """The words there are, when they are few."""

    def read(self, node: Node, spot: Spot) -> T_co | None:
        """Return the value of the word."""
        found = mended(node, spot)
        if found is None:
            return None
        if not isinstance(found, Word) or (found.plain and not found.text):
            _not_this(found, spot, self.words)
            return None
        try:
            return self.parse(found.text)
        except NotThis as wrong:
            why = wrong.why or f"is not {self.words}"
            spot.refuse(
                found.place,
                f"{spot.key} {why}" if wrong.secret else f"{spot.key} {shown(found.text)} {why}",
                hint=wrong.hint
                or meant(spot.problems.nearest(found.text, self.options))
                or spot.instance
                or f"write {self.words}",
                value="" if wrong.secret else found.text,
            )
            return None

    def schema(self) -> Shape:
        """Return the shape of the word."""
        return dict(self.shape)


def choice(values: Mapping[str, T_co]) -> Scalar[T_co]:
    """Return the kind of a word out of a few."""

    def parse(text: str) -> T_co:
        if text.lower() not in values:
            raise NotThis
        return values[text.lower()]

    return Scalar(listed(values, "or"), parse, {"enum": list(values)}, tuple(values))


def whole(low: int, high: int) -> Scalar[int]:
    """Return the kind of a whole number within limits."""
    return Scalar(
        f"a whole number from {low} to {high}",
        lambda text: parse_number(text, low, high),
        {"type": "integer", "minimum": low, "maximum": high},
    )


@dataclass(frozen=True, slots=True)
class OneOrMore(Generic[T_co]):
    """A list, or one value without the brackets."""

    item: Kind[T_co]
    least: int = 0

    @property
    def words(self) -> str:
        """``... or a list of such``."""
        return f"{self.item.words}, or a list of these"

    def read(self, node: Node, spot: Spot) -> tuple[Placed[T_co], ...] | None:
        """Return the values that are right, each with its place."""
        found = mended(node, spot)
        if found is None:
            return None
        nodes = found.items if isinstance(found, Items) else (found,)
        read = [(self.item.read(item, spot), item.place) for item in nodes]
        if len(nodes) < self.least:
            spot.refuse(found.place, f"{spot.key} is an empty list", hint="remove the key")
            return None
        return tuple(Placed(value, place) for value, place in read if value is not None)

    def schema(self) -> Shape:
        """Return either form."""
        item = self.item.schema()
        several: Shape = {"type": "array", "items": item}
        if self.least:
            several["minItems"] = self.least
        return {"anyOf": [item, several]}


@dataclass(frozen=True, slots=True)
class Either(Generic[T_co]):
    """A word, or another form: a mapping or a list."""

    word: Kind[T_co]
    other: Kind[T_co]

    @property
    def words(self) -> str:
        """Both forms."""
        return f"{self.word.words}, or {self.other.words}"

    def read(self, node: Node, spot: Spot) -> T_co | None:
        """Return the value of whichever form was written."""
        return (self.word if isinstance(node, Word) else self.other).read(node, spot)

    def schema(self) -> Shape:
        """Return either form."""
        return {"anyOf": [self.word.schema(), self.other.schema()]}


@dataclass(frozen=True, slots=True)
class Pairs(Generic[T_co]):
    """A mapping whose keys are free names; what ``item`` reads is kept with each name."""

    key: Scalar[str]
    item: Kind[T_co]
    what: str
    """What one entry is: ``unit``."""

    @property
    def words(self) -> str:
        """A mapping, and of what."""
        return f"a mapping of {self.what} names, each with {self.item.words}"

    def read(self, node: Node, spot: Spot) -> tuple[tuple[Placed[str], T_co], ...] | None:
        """Return the entries that are right in the order written, each name with its place."""
        found = mended(node, spot)
        if found is None:
            return None
        if not isinstance(found, Table):
            _not_this(found, spot, self.words, hint=f"write 'NAME: ...' for each {self.what}")
            return None
        seen: dict[str, Place] = {}
        entries = []
        for key, value in found.entries:
            name = self.key.read(key, spot.at(f"{self.what} name"))
            if name is None:
                continue
            if name in seen:
                spot.refuse(
                    key.place,
                    f"{self.what} {shown(name)} is defined twice",
                    hint=f"the first stands in line {seen[name].line}; rename or remove one",
                    value=name,
                )
                continue
            seen[name] = key.place
            read = self.item.read(value, spot.at(f"{self.what} {shown(name)}"))
            if read is not None:
                entries.append((Placed(name, key.place), read))
        return tuple(entries)

    def schema(self) -> Shape:
        """Return a mapping with free keys."""
        return {
            "type": "object",
            "propertyNames": self.key.schema(),
            "additionalProperties": self.item.schema(),
        }


@dataclass(frozen=True, slots=True)
class Later:
    """A node that is read later, when what stands around it is known; ``record`` says what it will be."""

    record: str
    words: str

    def read(self, node: Node, spot: Spot) -> Node | None:
        """Return the node itself."""
        del spot
        return node

    def schema(self) -> Shape:
        """Refer to the record."""
        return {"$ref": f"#/$defs/{self.record}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field(Generic[T_co]):
    """One key of the definition language."""

    key: str
    kind: Kind[T_co]
    doc: str
    default: str = ""
    example: str = ""
    required: bool = False

    def schema(self) -> Shape:
        """Return the shape of its value with the sentence that explains it."""
        default = f" Default: {self.default}." if self.default else ""
        return {"description": self.doc + default} | self.kind.schema()


class Values:
    """What a mapping says, by field."""

    def __init__(self, place: Place) -> None:
        """Begin with nothing said."""
        self.place = place
        self.meant: set[str] = set()
        """Keys that unknown keys were probably meant to be."""
        self._values: dict[str, object] = {}
        self._places: dict[str, Place] = {}

    def put(self, key: str, place: Place, value: object) -> None:
        """Keep what a key says; a value of None was wrong."""
        self._places[key] = place
        if value is not None:
            self._values[key] = value

    @overload
    def get(self, field: Field[T]) -> T | None: ...
    @overload
    def get(self, field: Field[T], default: T) -> T: ...
    def get(self, field: Field[T], default: T | None = None) -> T | None:
        """Return the value of a field, or the default when it was not given or was wrong."""
        return cast("T | None", self._values.get(field.key, default))

    def yes(self, field: Field[bool]) -> bool:
        """Return whether a flag was given and is yes."""
        return bool(self.get(field))

    def given(self, field: Field[Any]) -> bool:
        """Return whether the key was written, rightly or not."""
        return field.key in self._places

    def wrong(self, field: Field[Any]) -> bool:
        """Return whether the key was written with a wrong value."""
        return field.key in self._places and field.key not in self._values

    def at(self, field: Field[Any]) -> Place:
        """Return where the value of a field stands, or the mapping when it was not given."""
        return self._places.get(field.key, self.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A mapping with fixed keys."""

    name: str
    """Its name in the JSON Schema."""
    title: str
    """What messages call it: ``a schedule rule``."""
    doc: str
    fields: tuple[Field[Any], ...]
    example: str = ""
    hints: Mapping[str, str] = field(default_factory=dict)
    """What to do about keys that people write here by mistake."""
    limits: Shape = field(default_factory=dict)
    """JSON Schema of what the fields say together."""

    def values(self, node: Node, spot: Spot) -> Values | None:
        """Return what the mapping says, or None when it is no mapping; note unknown, double and missing keys."""
        found = mended(node, spot)
        if found is None:
            return None
        if not isinstance(found, Table):
            _not_this(
                found, spot, "a mapping", hint=f"write 'key: value' with the keys {self.keys}"
            )
            return None
        values = Values(found.place)
        fields = {f.key: f for f in self.fields}
        first: dict[str, Place] = {}
        for key, value in found.entries:
            name = self._key(key, spot, values.meant)
            if name is None:
                continue
            if name in first:
                spot.refuse(
                    key.place,
                    f"the key {shown(name)} is given twice",
                    hint=f"the first stands in line {first[name].line}; keep one of them",
                    value=name,
                )
                continue
            first[name] = key.place
            values.put(
                name,
                value.place,
                fields[name].kind.read(value, spot.at(name, fields[name].example)),
            )
        for f in self.fields:
            if f.required and f.key not in first and f.key not in values.meant:
                spot.refuse(
                    found.place,
                    f"{self.title} needs the key {shown(f.key)}",
                    hint=f"add {f.key}: {f.example}",
                )
        return values

    @property
    def keys(self) -> str:
        """All keys, for hints."""
        return ", ".join(f.key for f in self.fields)

    def _key(self, key: Node, spot: Spot, guesses: set[str]) -> str | None:
        """Return a key of this record, or None after noting that it is none; guess what was meant."""
        found = mended(key, spot)
        if not isinstance(found, Word):
            if found is not None:
                spot.refuse(
                    found.place,
                    f"a key of {self.title} must be a word, not {_form(found)[0]}",
                    hint="put quotes round a text that begins with a bracket",
                )
            return None
        known = [f.key for f in self.fields]
        if found.text in known:
            return found.text
        near = "" if found.text in self.hints else spot.problems.nearest(found.text, known)
        guesses.add(near)
        hint = self.hints.get(found.text) or meant(near) or f"its keys are {self.keys}"
        spot.refuse(
            found.place,
            f"{self.title} has no key {shown(found.text)}",
            hint=hint,
            value=found.text,
        )
        return None

    def schema(self) -> Shape:
        """Return the full JSON Schema of the mapping."""
        shape: Shape = {
            "description": self.doc,
            "type": "object",
            "properties": {f.key: f.schema() for f in self.fields},
            "additionalProperties": False,
        }
        if required := [f.key for f in self.fields if f.required]:
            shape["required"] = required
        return shape | self.limits


@dataclass(frozen=True, slots=True)
class Described(Generic[T_co]):
    """A value described by a mapping; ``build`` makes it from what the mapping says, or notes what is wrong."""

    record: Record
    build: Callable[[Values, Spot], T_co | None]

    @property
    def words(self) -> str:
        """A mapping, and its keys."""
        return f"a mapping with the keys {self.record.keys}"

    def read(self, node: Node, spot: Spot) -> T_co | None:
        """Return the value that the mapping describes."""
        values = self.record.values(node, spot)
        return None if values is None else self.build(values, spot)

    def schema(self) -> Shape:
        """Refer to the record."""
        return {"$ref": f"#/$defs/{self.record.name}"}
