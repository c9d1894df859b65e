"""Real SSH servers on loopback, each with a configuration, keys and certificates of its own."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from ajs.dispatch.link import Endpoint, Trust
from tests.dispatch.waiting import until

SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/sbin")
USER = getpass.getuser()
CONFIGURATION = """\
ListenAddress 127.0.0.1
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PermitUserRC no
LogLevel VERBOSE
"""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def keygen(*arguments: str) -> None:
    subprocess.run(["ssh-keygen", "-q", *arguments], check=True, capture_output=True)


@dataclass(frozen=True)
class Key:
    """A pair of files as ssh-keygen makes them."""

    path: Path

    @property
    def public(self) -> str:
        return self.path.with_name(f"{self.path.name}.pub").read_text().strip()

    @property
    def fingerprint(self) -> str:
        listing = subprocess.run(
            ["ssh-keygen", "-l", "-f", self.path], check=True, capture_output=True, text=True
        )
        return listing.stdout.split()[1]


class Keys:
    """Keys by name, made when they are first asked for, and certificates."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, name: str) -> Key:
        path = self._folder / name
        if not path.exists():
            kind = name.partition(":")[0] if ":" in name else "ed25519"
            keygen("-t", kind, "-N", "", "-C", name, "-f", str(path))
        return Key(path)

    def certified(self, name: str, *options: str, authority: str = "ca", host: bool = True) -> Path:
        """The certificate of the key called name; options as for ssh-keygen -s."""
        public = f"{self[name].path}.pub"
        kind = ["-h"] if host else []
        keygen("-s", str(self[authority].path), "-I", f"id of {name}", *kind, *options, public)
        # Not beside the key, where it would be taken for a certificate of the user's.
        certificate = self._folder / "certificates" / f"{name}.pub"
        certificate.parent.mkdir(exist_ok=True)
        return (self._folder / f"{name}-cert.pub").rename(certificate)


def parents() -> dict[int, int]:
    """Every process with its parent, as far as they still are there; a zombie is not."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with suppress(OSError):
                text = Path("/proc", name, "stat").read_text()
                state, parent, *_ = text.rpartition(")")[2].split()
                if state != "Z":
                    found[int(name)] = int(parent)
    return found


def below(pid: int) -> set[int]:
    """The processes that this one has started, and those that they have."""
    up = parents()
    found = {pid}
    while more := {child for child, parent in up.items() if parent in found} - found:
        found |= more
    return found - {pid}


@dataclass
class Server:
    """One sshd; ``name`` is what the endpoint is called."""

    name: str
    folder: Path
    keys: Keys
    host_key: str
    port: int
    process: subprocess.Popen[bytes] | None = None
    stopped: list[int] = field(default_factory=list)

    def start(self, options: tuple[str, ...], certificate: Path | None) -> None:
        assert SSHD is not None
        if os.getuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        lines = [
            *options,  # the first one of a name counts
            f"Port {self.port}",
            f"HostKey {self.keys[self.host_key].path}",
            f"SetEnv HOME={self.folder}",  # the rc files of whoever runs the tests are none of ours
            f"AuthorizedKeysFile {self.folder / 'authorized_keys'}",
            *([f"HostCertificate {certificate}"] if certificate else []),
        ]
        path = self.folder / "sshd_config"
        path.write_text("\n".join(lines) + "\n" + CONFIGURATION)
        authorized = self.folder / "authorized_keys"
        if not authorized.exists():
            authorized.write_text(self.keys["user"].public + "\n")
        self.process = subprocess.Popen(
            [SSHD, "-D", "-f", path, "-E", self.folder / "log"], stdin=subprocess.DEVNULL
        )
        until(self._listens, f"{self.name} listening: {path}")

    def _listens(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "log").read_text()
        with suppress(FileNotFoundError):
            return "Server listening on" in (self.folder / "log").read_text()
        return False

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def endpoint(self, **other: object) -> Endpoint:
        fields: dict = {
            "host": "127.0.0.1",
            "port": self.port,
            "user": USER,
            "key_file": str(self.keys["user"].path),
            "trust": Trust(pinned=(self.keys[self.host_key].public,)),
            "name": self.name,
        }
        return Endpoint(**{**fields, **other})

    def connections(self) -> set[int]:
        assert self.process is not None
        return below(self.process.pid)

    def pause(self) -> None:
        """Stop it and all its connections, so that nobody answers but the kernel."""
        assert self.process is not None
        self.stopped = [self.process.pid, *self.connections()]
        for pid in self.stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

    def kill(self) -> None:
        """End it and all its connections at once."""
        if self.process is None:
            return
        pids = self.connections()
        self.process.kill()
        self.process.wait()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(lambda: not pids & set(parents()), f"{self.name} dead")
        self.process = None

    def end(self) -> None:
        """Stop it; by now no connection may be left, unless it was paused."""
        if self.process is None:
            return
        if not self.stopped:
            until(lambda: not self.connections(), f"no connections to {self.name}")
        self.kill()


@contextmanager
def silent() -> Iterator[int]:
    """The port of somebody who takes connections and says nothing."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(16)
        yield sock.getsockname()[1]


@contextmanager
def ssh_agent(folder: Path, *keys: Key) -> Iterator[str]:
    """The socket of an ssh-agent with these keys."""
    path = folder / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL)
    try:
        until(path.exists, "ssh-agent")
        environment = {**os.environ, "SSH_AUTH_SOCK": str(path)}
        for key in keys:
            subprocess.run(
                ["ssh-add", "-q", key.path], check=True, env=environment, capture_output=True
            )
        yield str(path)
    finally:
        process.kill()
        process.wait()
