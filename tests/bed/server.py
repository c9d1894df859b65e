"""Hosts with an SSH server: relays, and agents behind the load balancer."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from pathlib import Path

from tests.bed.host import Host, lines
from tests.bed.site import Site, run
from tests.dispatch.waiting import until
from tests.ssh.servers import SSHD, Keys

POOL = "pool"
"""The principal in the certificates of all agents."""
ALWAYS = "always:forever"

_CONFIGURATION = """\
AddressFamily inet
HostKey /run/bed/host_key
AuthorizedKeysFile /run/bed/authorized_keys
PidFile /run/sshd.pid
UsePAM no
UseDNS no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PrintMotd no
PrintLastLog no
LogLevel VERBOSE
"""
_SESSIONS = "sshd|sshd-session|sshd-auth"


class SshHost(Host):
    """A host whose sshd lets the key called ``user`` in; ``options`` are lines for sshd_config."""

    def __init__(
        self,
        site: Site,
        folder: Path,
        name: str,
        addresses: dict[str, str],
        keys: Keys,
        options: Sequence[str] = (),
    ) -> None:
        super().__init__(site, folder, name, addresses)
        self.keys = keys
        self.options = tuple(options)
        self.write("authorized_keys", keys["user"].public + "\n")
        self.set_host_key(name)

    @property
    def host_key(self) -> str:
        """The public key that it shows, from its last start on."""
        return (self.folder / "host_key.pub").read_text().strip()

    def set_host_key(self, name: str) -> None:
        """Give it the host key of this name, from its next start on."""
        key = self.keys[name]
        self.write("host_key", key.path.read_text(), mode=0o600)
        self.write("host_key.pub", key.public + "\n")

    def serve(self) -> None:
        """Start sshd and wait until it listens."""
        self._configure()
        (self.folder / "log").unlink(missing_ok=True)
        assert SSHD is not None
        command = (SSHD, "-f", "/run/bed/sshd_config", "-E", "/run/bed/log")
        assert self.run(*command, check=False).returncode == 0, self.log()
        until(lambda: self._times_listening() == 1, f"{self.name} listening: {self.folder / 'log'}")

    def configure(self, *options: str) -> None:
        """Let its sshd have these options instead, for new connections; those that are there live on."""
        self.options = options
        before = self._times_listening()
        self._configure()
        self.run("sh", "-c", "kill -HUP $(cat /run/sshd.pid)")
        until(lambda: self._times_listening() > before, f"{self.name} listening again")

    def _configure(self) -> None:
        certificate: list[str] = []
        if (self.folder / "host_key-cert.pub").exists():
            certificate = ["HostCertificate /run/bed/host_key-cert.pub"]
        exempt = ["PerSourcePenaltyExemptList 198.18.0.0/15"] if penalises() else []
        # The first one of a name counts.
        self.write("sshd_config", lines(self.options, certificate, exempt, _CONFIGURATION))

    def _times_listening(self) -> int:
        log = self.folder / "log"
        return log.read_text().count("Server listening on") if log.exists() else 0

    def log(self) -> str:
        """What its sshd has written since the host was switched on."""
        return (self.folder / "log").read_text()

    def kill_sessions(self) -> None:
        """Kill every process of sshd that serves a connection; what it has started lives on."""
        script = f"""
        listener=$(cat /run/sshd.pid)
        for pid in $(pgrep -x '{_SESSIONS}'); do [ "$pid" = "$listener" ] || kill -s KILL "$pid"; done
        pgrep -x '{_SESSIONS}' | grep -cvx "$listener" || true
        """
        until(lambda: self.run("sh", "-c", script).stdout.strip() == "0", "no sessions")


class Relay(SshHost):
    """What lets us through to the load balancer and the agents; it forwards connections, never packets."""

    uplink = "out"


class Agent(SshHost):
    """Where jobs are run; each instance of it has its own host key and certificate."""

    def __init__(
        self,
        site: Site,
        folder: Path,
        name: str,
        addresses: dict[str, str],
        keys: Keys,
        options: Sequence[str] = (),
    ) -> None:
        super().__init__(site, folder, name, addresses, keys, options)
        self._instances = 0
        self.new_instance()

    @property
    def instance(self) -> str:
        """The id of the instance, which is also the key id of its certificate."""
        return f"i-{self.name}-{self._instances}"

    def new_instance(
        self, *, authority: str = "ca", principal: str = POOL, valid: str = ALWAYS
    ) -> None:
        """Give it the host key and certificate of another instance, from its next start on."""
        self._instances += 1
        self.set_host_key(self.instance)
        options = ("-I", self.instance, "-n", principal, "-V", valid)
        certificate = self.keys.certified(self.instance, *options, authority=authority)
        self.write("host_key-cert.pub", certificate.read_text())


@functools.cache
def penalises() -> bool:
    """Whether sshd holds logins that failed against the address that they came from, as it does since 9.8."""
    assert SSHD is not None
    found = re.search(r"OpenSSH_(\d+)\.(\d+)", run(SSHD, "-V", check=False).stderr)
    return found is not None and (int(found[1]), int(found[2])) >= (9, 8)
