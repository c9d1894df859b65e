"""Texts and names as many keys take them."""

from __future__ import annotations

from ajs.definition.kinds import Field, Scalar, Shape
from ajs.definition.scalars import parse_line, parse_text

NAME_CLASS = r"[^\s\"&'*?\[\]^{|}~;,/:@-][^\s\"&'*?\[\]^{|}~;,/:@]*"
"""A name as a regular expression of JSON Schema."""
# YAML as other tools read it types 5 and yes by themselves; a text key means them as text.
TEXT_SHAPE: Shape = {"type": ["string", "number", "boolean"]}
LINE_SHAPE: Shape = {**TEXT_SHAPE, "pattern": r"^[^\n]*\S[^\n]*$"}
TEXT = Scalar("a text", parse_text, TEXT_SHAPE)
LINE = Scalar("a text of one line", parse_line, LINE_SHAPE)
COMMENT = Field(key="comment", kind=TEXT, doc="What it is for, in words.", example="Nightly totals")
