"""Every story, each a test of its own."""

from __future__ import annotations

import pytest

from tests.oracle.expect import play
from tests.oracle.expected_failures import marks
from tests.oracle.story import BESIDE, NAMED, PROJECT, VARIABLE, Story, load, stories_file
from tests.oracle.world import World

FILE = stories_file()
MORE = PROJECT / "tests" / "oracle" / "more_stories.yaml"
THERE = FILE.exists()
ABSENT = f"no stories at {BESIDE} beside the project; {VARIABLE} names another file"


def told(story: Story, tmp_path, monkeypatch) -> None:
    world = World(story, tmp_path, monkeypatch)
    try:
        play(story, world)
    finally:
        world.close()


def parameters(stories):
    return [pytest.param(story, id=story.id, marks=marks(story.id)) for story in stories]


@pytest.mark.parametrize("story", parameters(load(FILE)) if THERE else [])
def test_story(story, tmp_path, monkeypatch):
    told(story, tmp_path, monkeypatch)


@pytest.mark.parametrize("story", parameters(load(MORE)))
def test_further_story(story, tmp_path, monkeypatch):
    told(story, tmp_path, monkeypatch)


@pytest.mark.skipif(not THERE and not NAMED, reason=ABSENT)
def test_stories_are_there():
    assert THERE, f"{VARIABLE} names {FILE}, which is not there"
