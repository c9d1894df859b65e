"""No-op starts per second: a job under a guard, result on disk, against a bare posix_spawn on the same machine.

Run it as ``PYTHONPATH=. python tests/bench/dispatch_starts.py [STARTS]``; it prints rates and their ratio.
"""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

from ajs.dispatch.local import LocalDispatch
from ajs.dispatch.messages import Ended, JobSpec
from ajs.dispatch.spool import Spool

NUMBERS = count()


def spawned(starts: int, at_once: int) -> float:
    """Return starts per second of ``true`` by posix_spawn, ``at_once`` in flight."""
    began = time.perf_counter()
    alive = 0
    for _ in range(starts):
        if alive == at_once:
            os.wait()
            alive -= 1
        os.posix_spawn("/bin/true", ["true"], {})
        alive += 1
    for _ in range(alive):
        os.wait()
    return starts / (time.perf_counter() - began)


def guarded(dispatch: LocalDispatch, wake: socket.socket, starts: int, at_once: int) -> float:
    """Return starts per second of ``true`` under guards, each result read back, ``at_once`` in flight."""
    began = time.perf_counter()
    waiting: set[str] = set()
    for left in range(starts, -at_once, -1):
        while len(waiting) >= min(at_once, left + at_once) and waiting:
            ended = wake.recv(300).decode()
            assert isinstance(dispatch.states([ended])[ended], Ended)
            waiting.discard(ended)
        if left > 0:
            attempt_id = f"bench-{next(NUMBERS)}"
            spec = JobSpec(attempt_id=attempt_id, argv=("/bin/true",), cwd=Path("/"))
            dispatch.start(spec)
            waiting.add(attempt_id)
    return starts / (time.perf_counter() - began)


def main() -> None:
    """Print the table."""
    starts = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wake,
    ):
        spool, address = Path(folder, "spool"), Path(folder, "wake")
        Spool(spool).create()
        wake.bind(str(address))
        wake.settimeout(30)
        dispatch = LocalDispatch(spool, address)
        guarded(dispatch, wake, 20, 1)
        print("in flight  posix_spawn/s  guarded/s  ratio")
        for at_once in (1, 8, 32):
            bare = spawned(starts, at_once)
            ours = guarded(dispatch, wake, starts, at_once)
            print(f"{at_once:9}  {bare:13.0f}  {ours:9.0f}  {bare / ours:5.1f}")
        dispatch.close()


if __name__ == "__main__":
    main()
