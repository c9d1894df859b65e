"""Commands on a terminal of their own: a pty of a known width."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from pathlib import Path


def on_terminal(
    code: str,
    words: Sequence[str],
    folder: Path,
    *,
    out: bool = True,
    columns: int = 80,
    **environment: str,
) -> str:
    """Run a Python text with arguments on a terminal, with ``out`` also its stdout; return what the terminal got."""
    upper, lower = pty.openpty()
    fcntl.ioctl(lower, termios.TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
    inherited = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    started = subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=folder,
        env={**inherited, "TERM": "xterm", **environment},
        stdout=lower if out else subprocess.DEVNULL,
        stderr=lower,
    )
    os.close(lower)
    got = b""
    while piece := _read(upper):
        got += piece
    os.close(upper)
    assert started.wait() == 0, got.decode()
    return got.decode().replace("\r\n", "\n")


def _read(upper: int) -> bytes:
    try:
        return os.read(upper, 4096)
    except OSError:  # how a terminal says that nobody is at its other end any more
        return b""
