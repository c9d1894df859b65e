"""A service of its own for each test."""

from __future__ import annotations

import pytest

from tests.crash.kit import Place


@pytest.fixture
def place(tmp_path) -> Place:
    return Place(tmp_path)
