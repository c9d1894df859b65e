"""A load balancer for TCP: ``python -m ajs.demo.cloud.balancer FOLDER PORT PARENT``.

FOLDER holds ``backends``, read anew for each connection: a line ``NAME HOST:PORT`` for each, with ``drain`` at its end
when it is to get no new connections. They take turns; one whose SSH server does not greet is left out until it does.
It says ``ready`` on stdout when it listens, and ends with the process PARENT.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from contextlib import suppress
from dataclasses import dataclass

from ajs.demo.cloud.process import ParentGone, listening, say_ready, watch_parent

LOG = logging.getLogger("ajs.demo.cloud")
CONNECT_S = 5.0
CHECK_EVERY_S = 0.5
PIECE = 64 * 1024
GREETING = b"SSH-"


@dataclass(frozen=True, slots=True)
class Backend:
    """One line of the file."""

    name: str
    host: str
    port: int
    drains: bool

    @classmethod
    def read(cls, line: str) -> Backend:
        """Return what a line says."""
        name, address, *state = line.split()
        host, _, port = address.rpartition(":")
        return cls(name, host, int(port), state == ["drain"])


class Balancer:
    """Passes connections on to backends in turn."""

    def __init__(self, folder: str) -> None:
        self._file = os.path.join(folder, "backends")
        self._down: set[str] = set()
        self._last = ""

    def backends(self) -> list[Backend]:
        """Return all of them, those that are down too."""
        with open(self._file, encoding="utf-8") as file:
            return [Backend.read(line) for line in file]

    def turns(self) -> list[Backend]:
        """Return those that may take a connection, first the one whose turn it is."""
        every = self.backends()
        names = [one.name for one in every]
        at = names.index(self._last) + 1 if self._last in names else 0
        return [
            one
            for one in (*every[at:], *every[:at])
            if not one.drains and one.name not in self._down
        ]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on, and close it when nobody takes it."""
        try:
            for backend in self.turns():
                try:
                    far = await connect(backend)
                except OSError:
                    self.mark(backend, up=False)
                    continue
                self._last = backend.name
                await splice((reader, writer), far)
                return
            LOG.info("nobody takes the connection")
        finally:
            writer.close()

    def mark(self, backend: Backend, *, up: bool) -> None:
        """Note whether a backend answers."""
        if up == (backend.name in self._down):
            LOG.info("%s is %s", backend.name, "up" if up else "down")
            (self._down.discard if up else self._down.add)(backend.name)

    async def check(self) -> None:
        """Look at all backends again and again."""
        while True:
            for backend in self.backends():
                self.mark(backend, up=await greets(backend))
            await asyncio.sleep(CHECK_EVERY_S)


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connect(backend: Backend) -> Streams:
    """Return a connection to a backend; OSError when there is none in time."""
    async with asyncio.timeout(CONNECT_S):
        return await asyncio.open_connection(backend.host, backend.port)


async def greets(backend: Backend) -> bool:
    """Whether an SSH server answers there."""
    writer = None
    try:
        reader, writer = await connect(backend)
        async with asyncio.timeout(CONNECT_S):
            return await reader.read(len(GREETING)) == GREETING
    except OSError:
        return False
    finally:
        if writer is not None:
            writer.close()


async def splice(near: Streams, far: Streams) -> None:
    """Carry bytes between two connections, each way until its end; when one breaks the other is closed too."""
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(carry(near[0], far[1]))
            both.create_task(carry(far[0], near[1]))
    except* OSError:
        near[1].transport.abort()
    finally:
        far[1].close()


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry one way, its end too."""
    while data := await reader.read(PIECE):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


async def main(folder: str, port: str, parent: str) -> None:
    """Balance until the parent ends."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    with suppress(ParentGone):
        end = watch_parent(int(parent))
        balancer = Balancer(folder)
        server = await asyncio.start_server(balancer.serve, sock=listening(int(port)))
        checks = asyncio.create_task(balancer.check())
        say_ready()
        over = asyncio.Event()
        asyncio.get_running_loop().add_reader(end, over.set)
        await over.wait()
        checks.cancel()
        server.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
