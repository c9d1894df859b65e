"""Schedule information text: what is printed reads back to the same, and every mistake is told with its place."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ajs.definition.schedule_text import At, Line, PlannedRun, from_text, to_text
from ajs.errors import BadValue

NAMES = st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1)
STARTS = st.none() | st.builds(
    At, st.dates(date(1994, 1, 1), date(2099, 12, 31)), st.integers(0, 47 * 60 + 59)
)


@st.composite
def runs(draw):
    root = Line(
        "/" + "/".join(draw(st.lists(NAMES, min_size=1))), draw(STARTS), draw(st.booleans())
    )
    nested = draw(st.lists(NAMES, unique=True, max_size=3))
    lines = tuple(Line(name, draw(STARTS), draw(st.booleans())) for name in nested)
    return PlannedRun(root, lines, draw(st.text(st.characters(exclude_categories=["Cs"]))))


@given(st.lists(runs(), max_size=4), st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_what_is_printed_reads_back(planned, heading):
    text = to_text(planned, heading)
    assert from_text(text) == tuple(planned)
    assert to_text(from_text(text)) == to_text([PlannedRun(r.root, r.nested) for r in planned])


MAY = date(2026, 5, 4)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        ("/* nothing\n   but words */\n\n", ()),
        ("/a/b", (PlannedRun(Line("/a/b", None)),)),
        ("/a/b 202605042530\r\n", (PlannedRun(Line("/a/b", At(MAY, 25 * 60 + 30))),)),
        (
            '/a/b 202605040000 hold\n\t"c d/e" - -\n',
            (PlannedRun(Line("/a/b", At(MAY, 0), hold=True), (Line("c d/e", None),)),),
        ),
    ],
)
def test_reads(text, found):
    assert from_text(text) == found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("b -", "f:1:1: 'b' is not the full name of a root jobnet"),
        ("  b -", "f:1:3: there is no root jobnet above 'b'"),
        ("/a\n  b\n  b", "f:3:3: 'b' cannot stand below /a"),
        ("/a\n  /b", "f:2:3: '/b' cannot stand below /a"),
        ("/a 2026", "f:1:4: '2026' is not a start"),
        ("/a 202605044800", "f:1:4: '202605044800' is not a start"),
        ("/a 202605040060", "f:1:4: '202605040060' is not a start"),
        ("/a 199312310000", "f:1:4: '199312310000' is not a start"),
        ("/a 202602300000", "f:1:4: there is no day 2026-02-30"),
        ("/a  -  no", "f:1:8: 'no' is neither hold nor -"),
        ("/a - - -", "f:1:8: '-' is one field too many"),
        ('/a\n  "b', "f:2:3: a quoted name does not end here"),
        ('/a\n  "b"c', "f:2:3: a quoted name does not end here"),
        ('/a\n  "\\q" -', 'f:2:3: "\\q" is not a quoted name'),
        ("/* a */ /b", "f:1:8: something follows the end of a comment"),
        ("/a\n /* b", "f:2:2: the comment does not end"),
    ],
)
def test_tells_mistakes(text, told):
    with pytest.raises(BadValue) as error:
        from_text(text, "f")
    assert (str(error.value), bool(error.value.hint)) == (told, True)


def test_a_place_without_file_is_a_line():
    with pytest.raises(BadValue, match=r"^line 1, column 1: 'x' is not the full name"):
        from_text("x")
