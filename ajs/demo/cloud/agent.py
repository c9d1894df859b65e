"""An agent: runs command lines as sshd does for a session without a terminal."""

from __future__ import annotations

import os
import select
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import IO, cast

import paramiko

from ajs.demo.cloud.access import LOG, Access
from ajs.demo.cloud.layout import USER
from ajs.dispatch.ssh.transport import STREAM_BYTES

LOOK_MS = 500
"""How often the channel is looked at while the command says nothing."""
NEVER_BEGAN = 1
USUAL_PATH = "/usr/local/bin:/usr/bin:/bin"


class Agent(Access):
    """What one client may do on an agent."""

    def run(self, channel: paramiko.Channel, command: bytes) -> None:
        """Run a command line on a thread of its own."""
        threading.Thread(target=Running(self, channel).run, args=(command,), daemon=True).start()

    def environment(self) -> dict[str, str]:
        """Return what commands find in their environment."""
        ends = (*self.client[:2], *self.own[:2])
        return {
            "HOME": self._folder,
            "LOGNAME": USER,
            "PATH": os.environ.get("PATH", USUAL_PATH),
            "SHELL": "/bin/sh",
            "SSH_CLIENT": "{} {} {}".format(*ends[:2], ends[3]),
            "SSH_CONNECTION": "{} {} {} {}".format(*ends),
            "USER": USER,
        }


class Running:
    """One command, and the session that it talks to."""

    def __init__(self, agent: Agent, channel: paramiko.Channel) -> None:
        self._agent = agent
        self._transport = agent.transport
        self._channel = channel

    def run(self, command: bytes) -> None:
        """Run it until it has ended and nobody holds its output any more.

        When the client closes the channel, or its connection ends, the command loses its streams and nothing else.
        """
        environment = self._agent.environment()
        try:
            process = subprocess.Popen(
                ["/bin/sh", "-c", command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                cwd=environment["HOME"],
                env=environment,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            with suppress(OSError):
                self._send(self._transport.send_err, f"/bin/sh: {why}\n".encode())
            self._transport.send_status(self._channel, NEVER_BEGAN)
            self._channel.close()
            return
        LOG.info("process %d: %s", process.pid, command[:200].decode(errors="replace"))
        threading.Thread(target=self._feed, args=(process,), daemon=True).start()
        with suppress(OSError):
            self._pass_on(process)
        for stream in (process.stdout, process.stderr):
            cast("IO[bytes]", stream).close()
        self._channel.close()
        process.wait()

    def _pass_on(self, process: subprocess.Popen[bytes]) -> None:
        """Send output as it comes, and the status as soon as it is known."""
        end = os.pidfd_open(process.pid)
        streams = {
            cast("IO[bytes]", process.stdout).fileno(): self._transport.send,
            cast("IO[bytes]", process.stderr).fileno(): self._transport.send_err,
        }
        poll = select.poll()
        for fd in (end, *streams):
            poll.register(fd, select.POLLIN)
        waiting = {end, *streams}
        try:
            while waiting and not self._channel.closed:
                for fd, _ in poll.poll(LOOK_MS):
                    if fd == end:
                        self._transport.send_status(self._channel, process.wait())
                    elif data := os.read(fd, STREAM_BYTES):
                        self._send(streams[fd], data)
                        continue
                    poll.unregister(fd)
                    waiting.discard(fd)
        finally:
            os.close(end)

    def _send(self, send: Callable[[paramiko.Channel, bytes], int], data: bytes) -> None:
        while data:
            sent = send(self._channel, data)
            if not sent:
                raise BrokenPipeError
            data = data[sent:]

    def _feed(self, process: subprocess.Popen[bytes]) -> None:
        """Pass stdin on until its end; what the command does not want is thrown away."""
        with cast("IO[bytes]", process.stdin) as stdin:
            os.set_blocking(stdin.fileno(), False)
            wanted = True
            while data := self._channel.recv(STREAM_BYTES):
                wanted = wanted and self._fill(process, stdin.fileno(), data)

    def _fill(self, process: subprocess.Popen[bytes], stdin: int, data: bytes) -> bool:
        """Write data to the command's stdin; False when it reads no more."""
        poll = select.poll()
        poll.register(stdin, select.POLLOUT)
        while data:
            if not poll.poll(LOOK_MS):
                if process.poll() is not None or not self._transport.is_active():
                    return False
                continue
            try:
                data = data[os.write(stdin, data) :]
            except BlockingIOError:
                continue
            except OSError:
                return False
        return True
