"""A manager whose own words cannot be written goes on: its log is not the service."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ajs.store.presence import manager
from tests.crash.kit import PATIENCE_S, Place
from tests.dispatch.waiting import until

NET = """\
group: /day
jobnets:
  net: {schedule: undefined, units: {one: {command: echo one >> ran}}}
"""


@contextmanager
def full_disk() -> Iterator[int]:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    yield descriptor
    os.close(descriptor)


@contextmanager
def nobody_reads() -> Iterator[int]:
    reads, writes = os.pipe()
    os.close(reads)
    yield writes
    os.close(writes)


@pytest.mark.parametrize("where", [full_disk, nobody_reads])
def test_a_manager_whose_log_is_gone_starts_jobs_and_ends_as_told(place: Place, where):
    place.define(NET)
    with where() as log:
        process = place.start("ajsstart", to=log)
        try:
            until(lambda: manager(str(place.state)), "the manager runs")
            for _ in range(3):
                place.run("ajsentry", "-n", "-w", "/day/net")
            assert process.poll() is None
            place.run("ajsstop")
            assert process.wait(PATIENCE_S) == 0
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert place.ran() == ["one"] * 3
