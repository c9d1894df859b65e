"""Texts, names, and yes or no, as many keys take them."""

from __future__ import annotations

from ajs.definition.kinds import Field, Scalar, Shape
from ajs.definition.scalars import (
    RESERVED_NAMES,
    parse_flag,
    parse_line,
    parse_name,
    parse_path,
    parse_text,
)
from ajs.model import NAME_BYTES, PATH_BYTES

NAME_CLASS = r"[^\s\"&'*?\[\]^{|}~;,/:@-][^\s\"&'*?\[\]^{|}~;,/:@]*"
"""A name as a regular expression of JSON Schema."""
# YAML as other tools read it types 5 and yes by themselves; a text key means them as text.
TEXT_SHAPE: Shape = {"type": ["string", "number", "boolean"]}
LINE_SHAPE: Shape = {**TEXT_SHAPE, "pattern": r"^[^\n]*\S[^\n]*$"}
TEXT = Scalar("a text", parse_text, TEXT_SHAPE)
LINE = Scalar("a text of one line", parse_line, LINE_SHAPE)
COMMENT = Field(key="comment", kind=TEXT, doc="What it is for, in words.", example="Nightly totals")
_NAME_LIMITS: Shape = {
    "maxLength": NAME_BYTES,
    "pattern": f"^{NAME_CLASS}$",
    "not": {"enum": list(RESERVED_NAMES)},
}
NAME = Scalar(
    f"a unit name of 1 to {NAME_BYTES} bytes",
    parse_name,
    {"type": "string", **_NAME_LIMITS},
)
NAME_VALUE = Scalar(NAME.words, parse_name, TEXT_SHAPE | _NAME_LIMITS)
PATH = Scalar(
    "the full path of a job group, such as /sales or /sales/tokyo",
    parse_path,
    {"type": "string", "maxLength": PATH_BYTES, "pattern": f"^(/|(/{NAME_CLASS})+/?)$"},
)
FLAG = Scalar("yes or no", parse_flag, {"enum": [True, False, "yes", "no", "on", "off"]})
