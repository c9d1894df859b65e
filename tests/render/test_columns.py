"""Aligned text: wide characters, columns left out, nothing that plays with the terminal; and times beside dates."""

from __future__ import annotations

import sys

import pytest

from ajs.cli.colour import painter
from ajs.render.columns import Cell, aligned, block, fitted, shown, width
from ajs.render.times import lasted, near


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("daily", 5),
        ("日次締め", 8),
        ("ﾆﾁｼﾞ", 4),
        ("か\u3099", 2),
        ("e\u0301", 1),
        ("\uff21", 2),  # a full-width A
        ("", 0),
    ],
)
def test_width(text, places):
    assert width(text) == places


@pytest.mark.parametrize(
    ("stored", "printed"),
    [
        ("a b", "a b"),
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("two\nlines", r"two\nlines"),
        ("\u202egnp.sh", r"\u202egnp.sh"),
        ("締め", "締め"),
    ],
)
def test_nothing_stored_plays_with_the_terminal(stored, printed):
    assert shown(stored) == printed


def rows(*lines: str) -> list[list[Cell]]:
    return [[Cell(text) for text in line.split("|")] for line in lines]


def test_columns_end_where_the_widest_text_does():
    assert aligned(("UNIT", "RC"), rows("日次|0", "monthly|12"), right=frozenset({1})) == [
        "UNIT     RC",
        "日次      0",
        "monthly  12",
    ]


def test_a_column_without_a_text_is_left_out():
    assert aligned(("UNIT", "END", "RC"), rows("a||1", "b||")) == ["UNIT  RC", "a     1", "b"]


def test_without_titles():
    assert aligned((), rows("a|b")) == ["a  b"]


# Lines of at most so many places: rows, what is printed.
FITTED = [
    # Everything fits.
    (40, "a|1|note", ["NAME  NO  NOTES", "a     1   note"]),
    (0, "a|1|" + "note " * 20, ["NAME  NO  NOTES", "a     1   " + ("note " * 20).strip()]),
    # Notes go on below themselves where they have a place.
    (
        32,
        "a|1|changed from 22:00, held by hand, and more / b|2|",
        [
            "NAME  NO  NOTES",
            "a     1   changed from 22:00,",
            "          held by hand, and more",
            "b     2",
        ],
    ),
    # With hardly a place beside they stand below the name, further in.
    (
        26,
        "  a|1|changed from 22:00, held / b|2|",
        ["NAME  NO", "  a   1", "      changed from 22:00,", "      held", "b     2"],
    ),
    # A name that leaves no place has its own line.
    (
        30,
        "/a/very/long/name/of/a/unit|12|held / /b|3|",
        ["NAME  NO  NOTES", "/a/very/long/name/of/a/unit", "      12  held", "/b    3"],
    ),
    (10, "/a/very/long/name||", ["NAME", "/a/very/long/name"]),
    # Wide characters take two places each.
    (
        14,
        "/営業/日次締め処理|12| / /b|3|",
        ["NAME  NO", "/営業/日次締め処理", "      12", "/b    3"],
    ),
    # A word that is too long stays whole.
    (30, "a|1|" + "x" * 40, ["NAME  NO  NOTES", "a     1   " + "x" * 40]),
]


@pytest.mark.parametrize(("most", "text", "printed"), FITTED)
def test_fitted(most, text, printed):
    given = [[Cell(part) for part in row.split("|")] for row in text.split(" / ")]
    assert fitted(("NAME", "NO", "NOTES"), given, most) == printed


def test_fitted_without_titles_and_with_paint():
    given = [[Cell("/a/long/name", "bad"), Cell("1"), Cell("")]]
    assert fitted((), given, 8, paint=lambda style, text: f"<{style}>{text}</>") == [
        "<bad>/a/long/name</>",
        "    1",
    ]


def test_paint_does_not_move_anything():
    painted = aligned(
        ("A", "B"),
        [[Cell("x", "bad"), Cell("y")]],
        paint=lambda style, text: f"<{style}>{text}</>",
    )
    assert painted == ["<dim>A</>  <dim>B</>", "<bad>x</>  y"]


def test_block_leaves_out_what_has_no_value():
    assert block([("Unit", "/a"), ("Comment", ""), ("登録", "no")]) == ["Unit  /a", "登録  no"]


@pytest.mark.parametrize(
    ("at", "day", "printed"),
    [
        ("2026-08-11T22:00:00", "2026-08-11", "22:00"),
        ("2026-08-12T01:30:00", "2026-08-11", "08-12 01:30"),
        ("2027-01-01T01:30:00", "2026-12-31", "2027-01-01 01:30"),
        ("2026-08-11T22:00:05.123+09:00", "2026-08-11T08:00:00", "22:00"),
        ("", "2026-08-11", ""),
    ],
)
def test_near(at, day, printed):
    assert near(at, day) == printed


@pytest.mark.parametrize(
    ("started", "ended", "took"),
    [
        ("2026-08-11T22:00:00.000+09:00", "2026-08-13T01:02:03.999+09:00", "27:02:03"),
        ("2026-10-25T02:30:00.000+02:00", "2026-10-25T02:30:00.000+01:00", "01:00:00"),
        ("2026-08-11T22:00:00.000+09:00", "", ""),
        ("2026-08-11T22:00:01.000+09:00", "2026-08-11T22:00:00.000+09:00", "00:00:00"),
    ],
)
def test_lasted(started, ended, took):
    assert lasted(started, ended) == took


@pytest.mark.parametrize(
    ("terminal", "environment", "printed"),
    [
        (True, {"TERM": "xterm"}, "\x1b[32mx\x1b[0m"),
        (True, {"TERM": "xterm", "NO_COLOR": "1"}, "x"),
        (True, {"TERM": "dumb"}, "x"),
        (False, {"TERM": "xterm"}, "x"),
    ],
)
def test_colour_only_on_a_terminal(monkeypatch, terminal, environment, printed):
    monkeypatch.delenv("NO_COLOR")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    assert painter()("good", "x") == printed
