"""A bed and departments of its own for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bed.bed import Bed, require_bed
from tests.faults.kit import Department


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    """Two relays, the load balancer and two agents."""
    require_bed()
    with Bed(tmp_path) as bed:
        yield bed


@pytest.fixture
def lone(tmp_path: Path) -> Iterator[Bed]:
    """The same with one agent, so that everybody knows where a job runs."""
    require_bed()
    with Bed(tmp_path, agents=1) as bed:
        yield bed


@pytest.fixture
def department(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Department]:
    """A department whose jobs run in the bed that the test asks for."""
    which = "lone" if "lone" in request.fixturenames else "bed"
    department = Department(tmp_path / "department", request.getfixturevalue(which))
    yield department
    department.end()
