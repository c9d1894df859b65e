"""What ``ajs check`` does where the operating system fences services off from each other."""

from __future__ import annotations

import os


def test_a_service_that_is_closed_to_this_user_is_passed_over(home, monkeypatch):
    home.ajs("ajs init t --time-zone UTC")
    access = os.access
    # The tests may run as root, to whom nothing is closed.
    closed = lambda path, mode: not path.endswith("state/t") and access(path, mode)
    monkeypatch.setattr(os, "access", closed)
    out = home.ajs("ajs check")
    assert f"service t\nok    not looked at: {home.folder}/state/t is closed to this user" in out
    assert "[24]" not in out
    assert "not looked at" not in home.ajs("ajs check -F t")
