"""A host of the bed: a network, processes, mounts and a name of its own, and a disk that outlives its processes.

Inside it, besides the system's own files: ``/home/jobs``, the disk and home of the user jobs are run as; ``/run/bed``,
the folder of the host with its configuration; ``/run/bed/records``, where jobs may write down that they were started.
"""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from tests.bed.site import Site, Space, run
from tests.dispatch.waiting import until

USER = "jobs"
USER_ID = 61000
HOME = f"/home/{USER}"
RECORDS = "/run/bed/records"
DISK_MB = 64
FILLER = ".filler"

_BOOT = f"""\
read -r pid rest < /proc/self/stat
own=/mnt/hosts/$1
hostname "$1"
mount -t proc proc /proc
mount --bind "$own/boot_id" /proc/sys/kernel/random/boot_id
echo 0 > /proc/sys/net/ipv4/ip_forward
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/bed /run/sshd
mount --bind "$own" /run/bed
mount --bind /run/bed/passwd /etc/passwd
true > /run/date
mount --bind /usr/bin/date /run/date
mount --bind /run/bed/date /usr/bin/date
mount -t tmpfs -o mode=755 tmpfs /home
mkdir {HOME}
mount --bind "/mnt/disks/$2" {HOME}
mount -t tmpfs -o mode=1777 tmpfs /tmp
umount -l /mnt
cd /
echo "ready $pid"
exec env --ignore-signal=CHLD sleep infinity
"""
_DATE = """\
#!/bin/sh
read -r seconds < /run/bed/clock
[ "$seconds" != 0 ] || exec /run/date "$@"
exec /run/date --date="$seconds seconds" "$@"
"""
_GREET = """\
import socket, sys
for address in sys.argv[1:]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"", (address, 9))
"""


class Host:
    """A machine that can be switched off and on again, and cut off.

    ``addresses`` are those of its interfaces by their names, ``out`` towards us and ``in`` behind the relays.
    """

    uplink: ClassVar[str] = "in"
    """The interface that is cut unless another one is named."""

    def __init__(self, site: Site, folder: Path, name: str, addresses: dict[str, str]) -> None:
        self.site = site
        self.name = name
        self.addresses = addresses
        self.folder = folder / name
        self.space: Space | None = None
        self._disks = 0
        records = self.folder / "records"
        records.mkdir(parents=True)
        records.chmod(0o1777)  # what we were created with may have taken the rights of others away
        self.folder.chmod(0o755)
        own = f"{USER}:*:{USER_ID}:{USER_ID}::{HOME}:/bin/sh\n"
        self.write("passwd", Path("/etc/passwd").read_text() + own)
        self.write("date", _DATE, mode=0o755)
        self.set_clock(0)
        self.new_disk()
        self._connect()

    def __repr__(self) -> str:
        return self.name

    def write(self, name: str, text: str, mode: int = 0o644) -> None:
        """Put a file into the folder of the host, in the place of the one that was there."""
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)

    def _connect(self) -> None:
        lines = [f"netns add {self.name}"]
        for interface in self.addresses:
            port = f"{self.name}.{interface}"
            lines.append(
                f"link add {port} type veth peer name {interface} netns {self.name}",
            )
            lines.append(f"link set {port} master {interface} up")
        self.site.ip(*lines)
        for interface, address in self.addresses.items():
            self.site.ip(
                f"addr add {address}/24 dev {interface}",
                f"link set {interface} up",
                "link set lo up",
                at=self.name,
            )
            self.site.present[interface].add(address)

    # -- on and off --

    @property
    def boot_id(self) -> str:
        """The boot id that it has, or had when it was on."""
        return (self.folder / "boot_id").read_text().strip()

    def start(self) -> None:
        """Switch it on; its service can be used when this returns."""
        assert self.space is None, f"{self.name} is on"
        self.write("boot_id", f"{uuid.uuid4()}\n", mode=0o444)
        network = f"--net=/run/netns/{self.name}"
        enter = ("nsenter", f"--target={self.site.space.pid}", "--mount", "--pid")
        unshare = ("unshare", "--mount", "--pid", "--uts", "--fork", "--kill-child")
        self.space = Space((*enter, "nsenter", network, *unshare), _BOOT, self.name, self._disk)
        self.serve()

    def serve(self) -> None:
        """Start what the host is for, and wait until it can be used."""

    def kill(self) -> None:
        """End all its processes at once, as with a power cut; the kernel still closes their connections.

        For a host that goes without a word, ``drop`` it first.
        """
        if self.space is not None:
            space, self.space = self.space, None
            space.end()

    # -- inside --

    def inside(self, *, user: bool = False) -> tuple[str, ...]:
        """What to write before a command for it to run here: as root, or as the user that jobs are run as."""
        assert self.space is not None, f"{self.name} is off"
        who = (f"--setuid={USER_ID}", f"--setgid={USER_ID}") if user else ()
        spaces = ("--mount", "--uts", "--net", "--pid")
        return ("nsenter", f"--target={self.space.pid}", *spaces, *who, "--")

    def run(
        self, *command: str, user: bool = False, stdin: str = "", check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command here to its end."""
        return run(*self.inside(user=user), *command, stdin=stdin, check=check)

    @property
    def home(self) -> Path:
        """The disk as we see it, also while the host is off."""
        return self.site.path(f"/mnt/disks/{self._disk}")

    def records(self) -> list[str]:
        """The lines that jobs wrote into files in RECORDS, on whatever disk and in whatever instance they ran."""
        files = sorted((self.folder / "records").iterdir())
        return [line for file in files for line in file.read_text().splitlines()]

    # -- disk and clock --

    @property
    def _disk(self) -> str:
        return f"{self.name}-{self._disks}"

    def new_disk(self) -> None:
        """Give it an empty disk, from its next start on."""
        self._disks += 1
        path = f"/mnt/disks/{self._disk}"
        options = f"size={DISK_MB}m,mode=755,uid={USER_ID},gid={USER_ID}"
        script = f"mkdir {path} && mount -t tmpfs -o {options} tmpfs {path}"
        run(*self.site.enter, "sh", "-c", script)

    def fill_disk(self, *, leave_kb: int = 0) -> None:
        """Leave only so much of the disk free."""
        free = os.statvfs(self.home)
        most = free.f_bavail * free.f_frsize - leave_kb * 1024
        with (self.home / FILLER).open("wb") as filler:
            os.posix_fallocate(filler.fileno(), 0, most)
        left = os.statvfs(self.home)
        assert left.f_bavail * left.f_frsize == leave_kb * 1024, left

    def clear_disk(self) -> None:
        """Give back what ``fill_disk`` took."""
        (self.home / FILLER).unlink()

    def set_clock(self, seconds: int) -> None:
        """Let ``date`` be so many seconds ahead from now on; the kernel's clock is the same for all hosts."""
        self.write("clock", f"{seconds}\n")

    # -- the network --

    def drop(self, interface: str = "") -> None:
        """Lose every packet to and from it from now on; nobody is told."""
        self._rules("-A", interface)

    def undrop(self, interface: str = "") -> None:
        """Let packets through again."""
        self._rules("-D", interface)

    def _rules(self, verb: str, interface: str) -> None:
        name = interface or self.uplink
        for chain, way in (("INPUT", "-i"), ("OUTPUT", "-o")):
            network = f"--net=/run/netns/{self.name}"
            rule = ("iptables", "-w", verb, chain, way, name, "-j", "DROP")
            run(*self.site.enter, "nsenter", network, *rule)

    def dropped(self) -> int:
        """How many packets ``drop`` has lost since it was called."""
        network = f"--net=/run/netns/{self.name}"
        list_them = ("iptables", "-w", "-nvxL")
        said = run(*self.site.enter, "nsenter", network, *list_them).stdout
        return sum(int(line.split()[0]) for line in said.splitlines() if " DROP " in line)

    def link_down(self, interface: str = "") -> None:
        """Pull the cable."""
        self.site.present[interface or self.uplink].discard(
            self.addresses[interface or self.uplink]
        )
        self.site.ip(f"link set {interface or self.uplink} down", at=self.name)

    def link_up(self, interface: str = "") -> None:
        """Put the cable in again."""
        self.site.ip(f"link set {interface or self.uplink} up", at=self.name)
        until(lambda: self._is_up(interface or self.uplink), f"{self.name} on the network")
        self._greet(interface or self.uplink)

    def _greet(self, interface: str) -> None:
        """Reach everybody on a network: so they learn at once that they reach us, also if they had given us up."""
        own = self.addresses[interface]
        self.site.present[interface].add(own)
        others = sorted(self.site.present[interface] - {own})
        network = f"--net=/run/netns/{self.name}"
        run(*self.site.enter, "nsenter", network, sys.executable, "-Sc", _GREET, *others)
        show = ("ip", "-netns", self.name, "neigh", "show", "dev", interface, "nud", "reachable")

        def reached() -> bool:
            said = run(*self.site.enter, *show).stdout
            return {line.split()[0] for line in said.splitlines()} >= set(others)

        until(reached, f"{self.name} reaching {others}")

    def _is_up(self, interface: str) -> bool:
        show = ("ip", "-netns", self.name, "-br", "link", "show", interface)
        return " UP " in run(*self.site.enter, *show).stdout

    def leave(self) -> None:
        """Remove it from the network for good; it is off."""
        assert self.space is None, f"{self.name} is on"
        for interface, address in self.addresses.items():
            self.site.present[interface].discard(address)
        ports = (f"link delete {self.name}.{interface}" for interface in self.addresses)
        self.site.ip(*ports, f"netns delete {self.name}")


def lines(*parts: str | Sequence[str]) -> str:
    """Lines of a configuration file, as text."""
    flat = [line for part in parts for line in ([part] if isinstance(part, str) else part)]
    return "\n".join(flat) + "\n"
