"""The pages on cloud agents are true: machines that nobody has set up become what they say, by what they say."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bed.bed import require_bed
from tests.bed.howto import PIECE, Player, masked
from tests.bed.plain import Plain

TOP = Path(__file__).resolve().parents[2]
PAGE = TOP / "docs" / "how-to" / "cloud-agents.md"
JOBNETS = TOP / "jobnets" / "cloud"
FENCES = {"```console", "```sh", "```yaml", "```text"}


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Plain]:
    """The machines, and the manager with the jobnets of this repository."""
    require_bed()
    with Plain(tmp_path) as machines:
        shutil.copytree(JOBNETS, machines.manager.work / "jobnets" / "cloud")
        yield machines


def test_cloud_agents_come_about_as_the_page_says(plain):
    page = PAGE.read_text("utf-8")
    assert Player(plain).played(page) == page, "where this is so on purpose, change the page"


def test_every_block_and_mark_is_played():
    page = PAGE.read_text("utf-8")
    pieces = list(PIECE.finditer(page))
    assert len(pieces) == page.count("<!--") > 40
    assert sum(piece["kind"] is not None for piece in pieces) == sum(
        line in FENCES for line in page.splitlines()
    )


def test_the_page_fills_in_the_agents_of_the_repository():
    pieces = PIECE.finditer(PAGE.read_text("utf-8"))
    texts = [piece["text"] for piece in pieces if piece["file"] == "jobnets/cloud/agents.yaml"]
    lines = (JOBNETS / "agents.yaml").read_text("utf-8")
    assert texts == [lines]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("09:59  10:00   0", "09:00  09:00   0"),
        ("at 2026-08-13 22:01:07", "at 2026-11-24 09:00:00"),
        ("on LB1 10.20.0.102:22 via AGT2", "on LB1 10.20.0.101:22 via AGT1"),
        ("on LB2 10.20.0.201:22 via AGT1", "on LB2 10.20.0.201:22 via AGT1"),
        ("PermitOpen *:22", "PermitOpen *:22"),
    ],
)
def test_only_what_differs_between_playings_is_masked(said, shown):
    assert masked(said) == shown
