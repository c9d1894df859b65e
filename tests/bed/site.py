"""A place of its own for a bed: processes, mounts and networks that all end with one process, whatever becomes of us.

The first process of a site reads from a pipe that only we hold. When we are gone, even by SIGKILL, it ends, and the
kernel ends every other process of the site and removes its mounts and networks. In our own namespace there is nothing
but one network interface, whose other end is in the site.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

INTERFACE = "ajsbed"
"""What our interfaces are called, with the number of the bed after it."""
NUMBERS = range(1, 250)
COMMAND_S = 60

_SITE = """\
read -r pid rest < /proc/self/stat
mount -t tmpfs -o mode=755 tmpfs /mnt
mkdir /mnt/hosts /mnt/disks
mount --bind "$1" /mnt/hosts
mount -t tmpfs -o mode=755 tmpfs /run
echo 1 > /proc/sys/net/ipv4/ip_forward
echo 0 > /proc/sys/net/ipv4/icmp_ratelimit
echo "ready $pid"
exec env --ignore-signal=CHLD cat
"""


def run(*command: str, stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; when it fails, an AssertionError has what it wrote."""
    done = subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=COMMAND_S, check=False
    )
    assert done.returncode == 0 or not check, f"{' '.join(command)}: {done.stderr}{done.stdout}"
    return done


class Space:
    """Namespaces, and the process that is number 1 in them: with it everything in them ends.

    The script prints ``ready`` with its process id as we see it, and then becomes something that waits. As a process
    number 1 that ignores SIGCHLD it leaves no zombies.
    """

    def __init__(self, command: Sequence[str], script: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [*command, "sh", "-euc", script, "sh", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # Ctrl-C is for us, and we end it in order
        )
        assert self._process.stdout is not None
        said = []
        with self._process.stdout as lines:
            for line in lines:
                if line.startswith("ready "):
                    self.pid = int(line.split()[1])
                    return
                said.append(line)
        self._reap()
        raise AssertionError("".join(said))

    def end(self) -> None:
        """Kill all of it; afterwards none of its processes is left."""
        if self._process.poll() is None:
            with suppress(ProcessLookupError):  # the space around it has ended
                os.kill(self.pid, signal.SIGKILL)
        self._reap()

    def _reap(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(COMMAND_S)


class Site:
    """One number, the interface of that name, and the namespaces behind it; ``folder`` is seen there as /mnt/hosts."""

    def __init__(self, folder: Path) -> None:
        self.number, self._claim = _claim()
        self._interface = f"{INTERFACE}{self.number}"
        self.present: dict[str, set[str]] = {"out": set(), "in": set()}
        """The addresses on each network that can be reached."""
        try:
            # The number was free, so whoever made it is gone.
            if os.path.exists(f"/sys/class/net/{self._interface}"):
                run("ip", "link", "delete", self._interface)
            unshare = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child")
            self.space = Space(unshare, _SITE, str(folder))
        except BaseException:
            self._claim.close()
            raise

    @property
    def enter(self) -> tuple[str, ...]:
        """What to write before a command for it to run here."""
        return ("nsenter", f"--target={self.space.pid}", "--mount", "--net")

    def path(self, inside: str) -> Path:
        """Where we see what is called so here, such as ``/mnt/disks/agent1``."""
        return Path(f"/proc/{self.space.pid}/root{inside}")

    def ip(self, *lines: str, at: str = "") -> None:
        """Give ``ip`` these lines: in the network of the switch, or in that of a host."""
        network = ("-netns", at) if at else ()
        run(*self.enter, "ip", *network, "-batch", "-", stdin="\n".join(lines) + "\n")

    def join(self, address: str, *routes: str) -> None:
        """Put our own namespace on the network whose bridge is called ``out``."""
        ours = self._interface
        peer = ("peer", "name", "manager", "netns", str(self.space.pid))
        run("ip", "link", "add", ours, "type", "veth", *peer)
        run("ip", "-batch", "-", stdin=f"addr add {address} dev {ours}\nlink set {ours} up\n")
        self.ip("link set manager master out up")
        self.present["out"].add(address.partition("/")[0])
        for route in routes:
            run("ip", "route", "add", *route.split(), "dev", ours)

    def end(self) -> None:
        """Remove all of it."""
        try:
            # At once: the kernel takes its time to remove networks that nobody uses any more.
            if os.path.exists(f"/sys/class/net/{self._interface}"):
                run("ip", "link", "delete", self._interface)
        finally:
            self.space.end()
            self._claim.close()


def _claim() -> tuple[int, socket.socket]:
    """Return the first number that no other bed on this machine has, and what keeps it ours while we live.

    A name in the abstract namespace belongs to a network namespace, as the interfaces and addresses do.
    """
    for number in NUMBERS:
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0{INTERFACE}{number}")
        except OSError as error:
            claim.close()
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return number, claim
    raise AssertionError(f"{len(NUMBERS)} beds at once are too many")
