"""The page that tells where each rule of the rule book is held names only what is there."""

from __future__ import annotations

import re

import pytest

from tests.oracle.story import PROJECT, load, stories_file
from tests.oracle.test_oracle import ABSENT, MORE, THERE

PAGE = PROJECT / "tests" / "oracle" / "RULES.md"
ROWS = [line.split("|") for line in PAGE.read_text().splitlines() if line.startswith("| ")][1:]
HELD_BY = {name for row in ROWS for name in re.findall(r"`([^`]+)`", row[3])}
STORIES = {name for name in HELD_BY if re.fullmatch(r"[a-z0-9]+-[a-z0-9-]+", name)}
FURTHER = {name for name in STORIES if name.startswith("more-")}
FILES = {name for name in HELD_BY if name.endswith(".py")}


def test_every_further_story_named_is_there():
    assert FURTHER
    assert FURTHER - {story.id for story in load(MORE)} == set()


@pytest.mark.skipif(not THERE, reason=ABSENT)
def test_every_story_named_is_there():
    assert STORIES - FURTHER - {story.id for story in load(stories_file())} == set()


def test_every_test_named_is_there():
    assert FILES
    assert [n for n in FILES if not any((PROJECT / at / n).exists() for at in ("tests", ""))] == []


def test_every_ruling_and_rule_has_a_row():
    said = " ".join(row[1] for row in ROWS)
    for first, last in re.findall(r"R(\d+) to R(\d+)", said):
        said += "".join(f", R{number}" for number in range(int(first), int(last) + 1))
    named = set(re.findall(r"R\d+|\d+\.\d+", said))
    rulings = {f"R{number}" for number in range(1, 40)}
    lengths = {1: 12, 2: 6, 3: 15, 4: 6, 5: 7, 6: 12}
    rules = {f"{part}.{n}" for part, length in lengths.items() for n in range(1, length + 1)}
    assert (rulings | rules) - named == set()
