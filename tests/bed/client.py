"""OpenSSH's client in the bed: commands that end, and commands that keep talking."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bed.bed import Bed
from tests.bed.server import Agent
from tests.bed.site import COMMAND_S, run

TALK = "while :; do echo $$; sleep 0.02; done"
"""A command that says its process id again and again."""


def ssh(bed: Bed, *command: str, to: Agent | None = None, relay: int = 1) -> str:
    """What a command that succeeds writes."""
    return run(*bed.ssh(*command, to=to, relay=relay)).stdout.strip()


def fails(bed: Bed, *, to: Agent | None = None, relay: int = 1) -> str:
    """What the client says when no connection comes about; 255 is its own exit status."""
    done = run(*bed.ssh("true", to=to, relay=relay), check=False)
    assert done.returncode == 255, done
    return done.stderr


def reached(bed: Bed, *, times: int, relay: int = 1) -> list[str]:
    """The agents that so many connections through the load balancer came to."""
    return [ssh(bed, "cat /proc/sys/kernel/hostname", relay=relay) for _ in range(times)]


class Talk:
    """A connection on which a command keeps talking."""

    def __init__(self, client: subprocess.Popen[bytes]) -> None:
        self.client = client
        self.hear()

    def hear(self) -> bytes:
        """Wait for something to be said from now on."""
        assert self.client.stdout is not None
        said = self.client.stdout.readline()
        assert said, "the connection has ended"
        return said

    def goes_on(self) -> None:
        """See that the connection is not cut: what was not yet read is passed over."""
        for _ in range(50):
            self.hear()

    def ended(self) -> int:
        """Wait for the connection to end, and return the exit status of the client."""
        self.client.communicate(timeout=COMMAND_S)
        return self.client.returncode


@contextmanager
def talking(
    bed: Bed, *, to: Agent | None = None, relay: int = 1, first: str = ""
) -> Iterator[Talk]:
    """A connection on which something is said again and again; it ends with the block.

    Another command may come first.
    """
    command = bed.ssh(f"{first}{TALK}", to=to, relay=relay)
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as client:
        try:
            yield Talk(client)
        finally:
            client.kill()
