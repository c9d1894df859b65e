"""What every test stands on: the hypothesis profiles, and a fence around the user's real files and settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile("ci", max_examples=200, derandomize=True, deadline=None, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

# What a user may have set and a test must not see. AJSPATH to JP1_USERNAME are the names JP1/AJS3 users have set.
FOREIGN = (
    "AJSAUTOJUDGE",
    "AJSCONF",
    "AJSMANAGERHOST",
    "AJSPATH",
    "AJSUSER",
    "COLORTERM",
    "CLICOLOR_FORCE",
    "FORCE_COLOR",
    "JP1_HOSTNAME",
    "JP1_USERNAME",
    "LANGUAGE",
    "LC_MESSAGES",
    "LC_TIME",
    "NOTIFY_SOCKET",
    "SSH_AGENT_PID",
    "SSH_ASKPASS",
    "SSH_AUTH_SOCK",
    "SUDO_USER",
)


@pytest.fixture(scope="session", autouse=True)
def fence(tmp_path_factory: pytest.TempPathFactory):
    """Nothing a test or a process it starts does by default reaches the user's home, state or configuration.

    AJS_HOME names a folder that does not exist: a command under test that was not told its home says so
    instead of finding a real one. Every test may set what it needs with monkeypatch.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name in FOREIGN or name.startswith("AJS_")]:
            patch.delenv(name)
        outside = tmp_path_factory.mktemp("outside")
        for name, folder in {
            "HOME": "home",
            "XDG_CACHE_HOME": "cache",
            "XDG_CONFIG_HOME": "config",
            "XDG_DATA_HOME": "data",
            "XDG_RUNTIME_DIR": "run",
            "XDG_STATE_HOME": "state",
        }.items():
            path = outside / folder
            path.mkdir(mode=0o700)
            patch.setenv(name, str(path))
        patch.setenv("AJS_HOME", str(outside / "no-such-home"))
        patch.setenv("COLUMNS", "120")
        patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        patch.setenv("LC_ALL", "C.UTF-8")
        patch.setenv("NO_COLOR", "1")
        patch.setenv("TERM", "dumb")
        patch.setenv("TZ", "UTC")
        yield


@pytest.fixture(scope="session")
def project() -> Path:
    """The top folder of the project."""
    return Path(__file__).resolve().parent.parent
