"""Plays a page that sets up machines: each block on the machine that the page names, as it is written.

Comments before blocks say where:

- ``<!-- on relay1, relay2 -->``: commands; of the kind ``sh`` as one script, of the kind ``console`` one by one, the
  lines after each being what it prints. With ``until so`` at the end of the comment, until it prints what is shown.
- ``<!-- on relay1, relay2: file /etc/some.conf -->``: a file; a mode such as ``0600`` may follow its name.
- ``<!-- on sales-1, sales-2: boot -->``: what cloud-init is given for the first start of a machine.
- ``<!-- on ga-1, booted -->``: another machine is given the same.
- ``<!-- on sales-1, unseen: ...commands, one a line... -->``: what readers need not see.
- ``<!-- copied from ca:/a/file to sales-1:/another -->``: a file that an image would have.

Keys on the page are examples. A command that prints a key, as the page shows it, says which real one stands for it
from there on. A command on the manager that ends in ``&`` starts a manager, and is left running.
A machine is switched on when the page first names it.
"""

from __future__ import annotations

import re
import select
from collections.abc import Iterator

import yaml

from ajs.clock import SystemClock
from tests.bed.plain import MANAGER, Machine, Manager, Plain
from tests.played import HOME, commands

PIECE = re.compile(
    r"<!-- on (?P<hosts>[\w-]+(?:, [\w-]+)*?)"
    r"(?:, (?P<booted>booted)|, unseen:(?P<unseen>.*?)"
    r"|(?:: file (?P<file>\S+)(?: (?P<mode>0\d+))?|: (?P<boot>boot)|(?P<soon>, until so))?)\s-->\n"
    r"(?(unseen)|(?(booted)|```(?P<kind>\w*)\n(?P<text>.*?)```\n))"
    r"|<!-- copied from (?P<source>\S+):(?P<path>\S+) to (?P<target>\S+):(?P<copy>\S+) -->\n",
    re.DOTALL,
)
KEY = re.compile(r"AAAAC3NzaC1lZDI1NTE5AAAAI[\w+/]{43}|SHA256:[\w+/]{43}")
MASKS = (
    # Which relay agent was quicker to be found is not the point of the page.
    (r" via AGT\d", " via AGT1"),
    (r"\d{4}-\d\d-\d\d", "2026-11-24"),
    (r"\d{4}/\d\d/\d\d", "2026/11/24"),
    (r"(?<![\d:.])\d\d:\d\d(:\d\d)?(?![\d:])", lambda found: "09:00" + (":00" if found[1] else "")),
    (r"again in \d+ s\b", "again in 60 s"),
    (r"\bby root at\b", "by you at"),
    (r"10\.20\.0\.10[12]\b", "10.20.0.101"),
    (r"i-sales-[12]\b", "i-sales-1"),
    (r"(Valid: from )\S+ to \S+", r"\g<1>2026-11-24T08:55:00 to 2026-12-01T09:00:00"),
)
"""What differs from one playing to the next; of the agents of a pool any may be the one."""

ZONE = "Asia/Tokyo"
LAST_HOUR = 23
LOOK_EVERY_S = 0.2
LOOKS = 150
"""How often to look for what is to become so."""


class Player:
    """One playing of a page."""

    def __init__(self, plain: Plain) -> None:
        self._plain = plain
        self._real: dict[str, str] = {}
        """The real key for each one on the page."""
        evening = SystemClock(ZONE).now().wall.hour == LAST_HOUR
        self._zone = "UTC" if evening else ZONE
        """A run that begins before midnight and ends after it would be shown with its date."""
        self._looks = LOOKS
        self._given = ""
        """What cloud-init was given last."""

    def played(self, page: str) -> str:
        """Return the page with what its commands print now."""
        return PIECE.sub(self._piece, page)

    def _piece(self, found: re.Match[str]) -> str:
        if found["source"]:
            text = self._machine(found["source"]).run("cat", found["path"]).stdout
            self._machine(found["target"]).put(found["copy"], text, 0o600)
            return found[0]
        hosts = [self._machine(name) for name in found["hosts"].split(", ")]
        said = [self._on(host, found) for host in hosts]
        assert len(set(said)) == 1, said
        return said[0]

    def _on(self, host: Machine | Manager, found: re.Match[str]) -> str:
        if found["unseen"] is not None:
            for line in filter(None, map(str.strip, found["unseen"].splitlines())):
                self._do(host, line)
            return found[0]
        text = found["text"]
        if found["booted"]:
            assert isinstance(host, Machine)
            self._boot(host, self._given)
        elif found["file"]:
            host.put(found["file"], self._to_real(text), int(found["mode"] or "0644", 8))
        elif found["boot"]:
            assert isinstance(host, Machine)
            self._given = self._to_real(text)
            self._boot(host, self._given)
        elif found["kind"] == "sh":
            self._do(host, text)
        else:
            assert found["kind"] == "console", found[0]
            shown = "".join(self._console(host, text, soon=bool(found["soon"])))
            head = found[0].partition("```")[0]
            return f"{head}```console\n{shown}```\n"
        return found[0]

    def _machine(self, name: str) -> Machine | Manager:
        return self._plain.manager if name == MANAGER else self._plain.machine(name)

    # -- commands --

    def _do(self, host: Machine | Manager, script: str) -> None:
        if script.endswith(" &"):
            self._plain.begin_manager(self._to_real(script.removesuffix(" &")))
            return
        done = host.shell(self._to_real(script))
        assert done.returncode == 0, f"{host.name}: {script}\n{done.stdout}"

    def _console(self, host: Machine | Manager, text: str, *, soon: bool) -> Iterator[str]:
        for line in commands(text):
            shown = _after(text, line)
            if line.endswith(" &"):
                self._do(host, line)
                said = ""
            elif soon:
                said = self._in_time(host, line, shown)
            else:
                said = self._said(host, line, shown)
            yield f"$ {line}\n{said}"

    def _in_time(self, host: Machine | Manager, line: str, shown: str) -> str:
        said = ""
        for _ in range(self._looks):
            said = self._said(host, line, shown)
            if said == shown:
                return said
            select.select([], [], [], LOOK_EVERY_S)
        self._looks = 1  # the page that comes back differs, so there is nothing to wait for
        return said

    def _said(self, host: Machine | Manager, line: str, shown: str) -> str:
        """Return what a command prints, with the keys of the page in place of real ones."""
        done = host.shell(self._to_real(line))
        said = done.stdout.replace(str(self._plain.manager.work), HOME)
        said = said.replace(str(self._plain.manager.folder / "home"), "/home/you")
        said = said.replace(f", {self._zone},", f", {ZONE},")
        known = set(self._real.values())
        of_page = [key for key in KEY.findall(shown) if key not in self._real]
        new = [key for key in KEY.findall(said) if key not in known]
        self._real.update(zip(dict.fromkeys(of_page), dict.fromkeys(new), strict=False))
        for key, real in self._real.items():
            said = said.replace(real, key)
        rows = [row.rstrip() for row in said.splitlines()]
        if done.returncode:
            rows.append(f"[exit code {done.returncode}]")
        return masked("".join(f"{row}\n" for row in rows))

    def _to_real(self, text: str) -> str:
        for key, real in self._real.items():
            text = text.replace(key, real)
        text = text.replace(ZONE, self._zone)
        assert not (left := set(KEY.findall(text)) - set(self._real.values())), (
            f"no command has shown {left}"
        )
        return text

    # -- the first start of a machine --

    def _boot(self, host: Machine, text: str) -> None:
        """Do what cloud-init does with the keys that the page uses, in its order."""
        assert text.startswith("## template: jinja\n#cloud-config\n"), text
        given = yaml.safe_load(text.replace("{{ v1.instance_id }}", f"i-{host.name}"))
        assert given.keys() == {"write_files", "runcmd"}
        for file in given["write_files"]:
            assert file.keys() <= {"path", "permissions", "content"}, file
            host.put(file["path"], file["content"], int(file.get("permissions", "0644"), 8))
        self._do(host, "\n".join(given["runcmd"]))


def masked(text: str) -> str:
    """Return what was printed without what differs from one playing to the next."""
    for pattern, said in MASKS:
        text = re.sub(pattern, said, text)
    return text


def _after(text: str, command: str) -> str:
    """Return what a console block shows after a command."""
    rest = text.partition(f"$ {command}\n")[2]
    return re.split(r"^\$ ", rest, maxsplit=1, flags=re.MULTILINE)[0]
