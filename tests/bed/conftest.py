"""A bed of its own for every test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bed.bed import Bed, require_bed
from tests.bed.linked import Linked


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    """Two relays, the load balancer and two agents."""
    require_bed()
    with Bed(tmp_path) as bed:
        yield bed


@pytest.fixture
def linked(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> Iterator[Linked]:
    """Links into the bed."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    linked = Linked(bed)
    yield linked
    linked.end()
