"""A fresh store for each test."""

from __future__ import annotations

import pytest

from tests.store import kit


@pytest.fixture
def store(tmp_path):
    with kit.new_store(tmp_path / "service") as opened:
        yield opened
