"""What the project ships beside its code: metadata, pinned versions, the systemd unit."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

COMMANDS = {
    "ajs",
    "ajsdefine",
    "ajsdelete",
    "ajsentry",
    "ajsintrpt",
    "ajskill",
    "ajsleave",
    "ajsplan",
    "ajsschedule",
    "ajsshow",
    "ajsstart",
    "ajsstop",
}
PIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9.+!]+")
REGISTRY = re.compile(
    r"""https?://(?:
        (?:deb|files|registry|security|index|mirror|mirrors|proxy)\.[a-z]
      | [^\s/"'`]*(?:pypi\.|pythonhosted\.|npmjs\.|crates\.io|debian\.org|docker\.io|ghcr\.io)
    )|--(?:extra-)?index-url|PIP_INDEX_URL""",
    re.VERBOSE | re.IGNORECASE,
)
# The one file that has to spell out what it looks for.
SPEAKS_OF_REGISTRIES = {"tests/test_packaging.py"}


@pytest.fixture(scope="module")
def metadata(project: Path) -> dict:
    return tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def names(requirements: list[str]) -> set[str]:
    return {canonical(re.split(r"[^A-Za-z0-9._-]", text, maxsplit=1)[0]) for text in requirements}


def test_every_command_is_one_function(metadata: dict) -> None:
    scripts = metadata["project"]["scripts"]
    assert set(scripts) == COMMANDS
    assert set(scripts.values()) == {"ajs.cli:main"}


def test_every_command_is_installed_and_can_be_loaded() -> None:
    installed = {
        point.name: point
        for point in entry_points(group="console_scripts")
        if point.dist and point.dist.name == "ajs"
    }
    assert set(installed) == COMMANDS
    assert all(callable(point.load()) for point in installed.values())


def test_constraints_pin_every_dependency(project: Path, metadata: dict) -> None:
    pinned = names((project / "constraints.txt").read_text(encoding="utf-8").split())
    extras = metadata["project"]["optional-dependencies"].values()
    wanted = names(
        metadata["project"]["dependencies"] + metadata["build-system"]["requires"]
    ).union(*(names(extra) for extra in extras))
    assert wanted - pinned == set()


def test_constraints_are_names_and_versions_only(project: Path) -> None:
    lines = (project / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not PIN.fullmatch(line)] == []
    assert len(names(lines)) == len(lines)


def test_no_file_names_a_registry(project: Path) -> None:
    command = "git -c safe.directory=* ls-files -z --cached --others --exclude-standard"
    listing = subprocess.run(
        command.split(),
        cwd=project,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    files = {name for name in listing.split("\0") if name and (project / name).is_file()}
    assert "pyproject.toml" in files
    found = [
        f"{name}:{number}: {line.strip()}"
        for name in sorted(files - SPEAKS_OF_REGISTRIES)
        for number, line in enumerate(
            (project / name).read_bytes().decode(errors="replace").splitlines(), 1
        )
        if REGISTRY.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "names_one"),
    [
        ("https://" + "files.pythonhosted.org/packages/x.whl", True),
        ("http://" + "deb.debian.org/debian", True),
        ("pip install --index-url file:///x", True),
        ("http://www.apache.org/licenses/LICENSE-2.0", False),
        ("pipx install ajs", False),
    ],
)
def test_what_counts_as_naming_a_registry(text: str, names_one: bool) -> None:
    assert bool(REGISTRY.search(text)) is names_one


@pytest.fixture(scope="module")
def unit(project: Path) -> str:
    return (project / "packaging/systemd/ajs@.service").read_text(encoding="utf-8")


def verify(unit: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What systemd says of the unit, with a program that exists here in place of the installed one."""
    if shutil.which("systemd-analyze") is None:
        reason = "systemd-analyze is not installed: the systemd unit is not verified"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    copy = folder / "ajs@.service"
    copy.write_text(
        unit.replace("/usr/local/bin/ajsstart", shutil.which("true") or "/bin/true"),
        encoding="utf-8",
    )
    return subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(copy)],
        check=False,
        capture_output=True,
        text=True,
    )


def test_systemd_accepts_the_unit(unit: str, tmp_path: Path) -> None:
    result = verify(unit, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")


def test_systemd_would_refuse_a_wrong_key(unit: str, tmp_path: Path) -> None:
    result = verify(unit.replace("KillMode=", "KillMood="), tmp_path)
    assert result.returncode != 0
    assert "KillMood" in result.stderr


def test_the_unit_lets_jobs_survive_its_manager(unit: str) -> None:
    settings = dict(
        line.split("=", 1) for line in unit.splitlines() if re.match(r"[A-Z]\w*=", line)
    )
    assert settings["ExecStart"] == "/usr/local/bin/ajsstart -F %i"
    assert settings["KillMode"] == "process"
    assert settings["OOMPolicy"] == "continue"
    assert "PrivateTmp" not in settings
