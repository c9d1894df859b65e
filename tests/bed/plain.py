"""Machines as they are before anybody has set them up, for pages that say how: nothing of the bed's own configuration.

::

    manager ---- relay1, relay2 ---- ca, lb, sales-1, sales-2, ga-1
       192.0.2.0/24            10.20.0.0/24

A machine has an ``/etc`` of its own, as Debian's packages leave it, host keys of its own, and sshd running; nothing
else of the system can be written there. The manager is a network only: its commands are run with our own files.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.bed.host import Host
from tests.bed.site import COMMAND_S, Site
from tests.dispatch.waiting import until

OUT, IN = "192.0.2", "10.20.0"
BALANCERS = {"lb1.cloud.example.com": f"{IN}.5", "lb2.cloud.example.com": f"{IN}.6"}
MACHINES = {
    "relay1": {"out": f"{OUT}.11", "in": f"{IN}.11"},
    "relay2": {"out": f"{OUT}.12", "in": f"{IN}.12"},
    "ca": {"in": f"{IN}.2"},
    "lb": {"in": BALANCERS["lb1.cloud.example.com"]},
    "sales-1": {"in": f"{IN}.101"},
    "sales-2": {"in": f"{IN}.102"},
    "ga-1": {"in": f"{IN}.201"},
}
MANAGER = "manager"
WITHOUT_SSHD = {"lb"}
"""Machines whose port 22 is for something else."""
NAMES = {
    f"{OUT}.11": "relay1.example.com",
    f"{OUT}.12": "relay2.example.com",
    f"{IN}.2": "ca.cloud.example.com",
} | {address: name for name, address in BALANCERS.items()}

_SETUP = """\
umount /etc/passwd /home/jobs
rmdir /home/jobs
cp -a /etc /run/etc
cp /run/bed/hosts /run/etc/hosts
rm -rf /run/etc/ssh/ssh_host_* /run/etc/ssh/sshd_config.d /run/etc/ssh/ssh_known_hosts
mkdir /run/etc/ssh/sshd_config.d
mount --bind /run/etc /etc
mount -t tmpfs -o mode=700 tmpfs /root
mount -o remount,bind,ro /
ssh-keygen -A > /run/keys
"""
_SYSTEMCTL = """\
#!/bin/sh
# What systemd would do: the same programs, with the files where Debian has them.
set -eu
listening() { grep -c 'Server listening' /run/bed/log || true; }
case "$*" in
"start ssh")
    /usr/sbin/sshd -E /run/bed/log
    ;;
"reload ssh")
    /usr/sbin/sshd -t
    before=$(listening)
    kill -HUP "$(cat /run/sshd.pid)"
    until [ "$(listening)" -gt "$before" ]; do sleep 0.05; done
    ;;
"stop haproxy")
    kill "$(cat /run/haproxy.pid)"
    rm /run/haproxy.pid
    ;;
"restart haproxy")
    haproxy -c -q -f /etc/haproxy/haproxy.cfg
    [ ! -e /run/haproxy.pid ] || kill "$(cat /run/haproxy.pid)"
    haproxy -D -p /run/haproxy.pid -f /etc/haproxy/haproxy.cfg
    ;;
*)
    echo "systemctl $*: not known here" >&2
    exit 1
    ;;
esac
"""
_AT_MANAGER = 'mount --bind "$1" /etc/hosts; cd "$2"; shift 2; exec "$@"'


class Machine(Host):
    """A machine that nobody has set up yet."""

    def serve(self) -> None:
        """Give it an ``/etc`` and host keys of its own, and start sshd."""
        self.write("hosts", _hosts_file())
        (self.folder / "bin").mkdir(exist_ok=True)
        self.write("bin/systemctl", _SYSTEMCTL, mode=0o755)
        self.run("sh", "-euc", _SETUP)
        self.write("log", "")
        if self.name not in WITHOUT_SSHD:
            self.shell("systemctl start ssh")

    def shell(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script as root to its end; what it writes to stderr comes with stdout."""
        path = "PATH=/run/bed/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        command = (*self.inside(), "env", "-i", "HOME=/root", path, "sh", "-euc", script)
        return _run(command)

    def put(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file as root."""
        self.run("install", "-D", "-m", f"{mode:o}", "/dev/stdin", path, stdin=text)


class Manager(Host):
    """The manager's place in the network; what is run there sees our own files, and names as everybody there."""

    def shell(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script to its end in the folder of the manager; stderr comes with stdout."""
        return _run((*self._enter(), "sh", "-euc", script), self._environment())

    def begin(self, command: str) -> subprocess.Popen[bytes]:
        """Start a command and leave it running; what it writes is in the file ``log``."""
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [*self._enter(), "sh", "-euc", f"exec {command}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment(),
            )

    def times_running(self) -> int:
        """How many managers have said that they run."""
        log = self.folder / "log"
        return log.read_text().count(" runs, process ") if log.exists() else 0

    def put(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file into its folder."""
        file = self.work / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        file.chmod(mode)

    @property
    def work(self) -> Path:
        """The folder that commands are run in, with HOME beside it."""
        return self.folder / "work"

    def _enter(self) -> tuple[str, ...]:
        self.write("hosts", _hosts_file())
        for folder in (self.work, self.folder / "home"):
            folder.mkdir(exist_ok=True)
        network = self.site.path(f"/run/netns/{self.name}")
        hosts = str(self.folder / "hosts")
        enter = ("nsenter", f"--net={network}", "unshare", "--mount")
        return (*enter, "sh", "-euc", _AT_MANAGER, "sh", hosts, str(self.work))

    def _environment(self) -> dict[str, str]:
        programs = str(Path(sys.executable).parent)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AJS", "SSH_", "LC_"))}
        home = str(self.folder / "home")
        return kept | {"HOME": home, "PATH": f"{programs}:{os.environ['PATH']}", "LANG": "C.UTF-8"}


class Plain:
    """The machines as a context manager; ``folder`` is the test's own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "machines"
        self._folder.mkdir()
        self._machines: dict[str, Machine] = {}
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.site = Site(self._folder)
            stack.callback(self.site.end)
            self.site.ip(
                "link set lo up",
                *(f"link add {bridge} type bridge" for bridge in ("out", "in")),
                *(f"link set {bridge} up" for bridge in ("out", "in")),
            )
            self.manager = Manager(self.site, self._folder, MANAGER, {"out": f"{OUT}.10"})
            for name, addresses in MACHINES.items():
                self._machines[name] = Machine(self.site, self._folder, name, addresses)
            for address in BALANCERS.values():
                if address not in MACHINES["lb"].values():
                    self.site.ip(f"addr add {address}/24 dev in", at="lb")
            stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            for process in self._processes:
                process.terminate()
            for process in self._processes:
                process.wait(COMMAND_S)
        finally:
            for machine in self._machines.values():
                machine.kill()
            self.site.end()

    def machine(self, name: str) -> Machine:
        """Return a machine; it is switched on when it is asked for first."""
        machine = self._machines[name]
        if machine.space is None:
            machine.start()
        return machine

    def begin_manager(self, command: str) -> None:
        """Start a manager and wait until it says that it runs; it ends with the machines at the latest."""
        before = self.manager.times_running()
        process = self.manager.begin(command)
        self._processes.append(process)
        until(
            lambda: process.poll() is not None or self.manager.times_running() > before,
            f"{command} running",
        )
        assert process.poll() is None, f"{command} has ended"


def _hosts_file() -> str:
    return "127.0.0.1 localhost\n" + "".join(f"{a} {name}\n" for a, name in NAMES.items())


def _run(
    command: tuple[str, ...], environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=COMMAND_S,
        check=False,
        env=environment,
    )
