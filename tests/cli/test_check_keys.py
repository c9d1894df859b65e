"""What ``ajs check`` says of the private keys for agents."""

from __future__ import annotations

import os

import pytest

from ajs.operations.check import check
from tests.definition.texts import public_key

AGENT = f"host: h, user: u, trust: {{host_keys: {public_key()}}}"
AGENTS = f"""\
agents:
  AGT1: {{{AGENT}, key: HOME/one}}
  AGT2: {{{AGENT}}}
agent_groups: {{RELAYS: {{members: [AGT1, AGT2]}}}}
destinations:
  LB1: {{{AGENT}, key: ~/two}}
"""


@pytest.fixture
def keys(home, monkeypatch):
    """A home with agents whose keys are ``one``, by its full path, and ``two`` in the user's home folder."""
    monkeypatch.setenv("HOME", str(home.folder))
    home.file("agents.yaml", AGENTS.replace("HOME", str(home.folder)))
    home.ajs("ajsdefine agents.yaml")
    for name in ("one", "two"):
        (home.folder / name).touch()
        (home.folder / name).chmod(0o600)
    return home


def findings(home):
    found = [f for part in check(str(home.folder), None) for f in part.findings]
    return [(f.text.replace(str(home.folder), "HOME"), f.hint) for f in found if not f.fine]


def about_keys(home):
    return [(text, hint) for text, hint in findings(home) if "private key" in text]


def test_keys_that_only_their_owner_may_read_are_fine(keys):
    assert about_keys(keys) == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_key_that_others_may_use_is_named_with_its_agent(keys, mode):
    (keys.folder / "one").chmod(mode)
    ((text, hint),) = about_keys(keys)
    assert text == (
        "agent AGT1: the private key HOME/one may be read or changed by others, so SSH would refuse it"
    )
    assert hint == f"chmod 600 {keys.folder}/one"


def test_a_key_that_is_missing_is_named_with_its_agent(keys):
    os.remove(keys.folder / "two")
    ((text, hint),) = about_keys(keys)
    assert text == (
        "destination LB1: the private key HOME/two cannot be used: no such file or directory"
    )
    assert "~ is the home folder of who runs this" in hint


def test_it_asks_for_something_to_be_mended(keys):
    os.remove(keys.folder / "one")
    lines = keys.ajs("ajs check").splitlines()
    assert any(line.startswith("mend  agent AGT1: the private key") for line in lines)
    assert lines[-1] == "[24]"
