"""What commands print, as transcripts: output, stderr behind ``!``, exit code in brackets.

Each file in ``transcripts/`` is played in a home of its own (``conftest.py``) and must come out the same to the
letter. ``> FILE TEXT`` writes a file, ``~ TIME JOBS`` lets a manager work (``Home.run``), ``^ TIME`` lets time pass
without one. ``AJS_ACCEPT=1`` writes what comes out, to be read and committed.
"""

from __future__ import annotations

import os
import re
import shlex
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

ACCEPT = bool(os.environ.get("AJS_ACCEPT"))  # read before the fence of the tests takes it away
SPOOL = re.compile(
    r"HOME/\S*?spool/[0-9a-f]+-[0-9a-f]+-"
)  # the service's own number is never the same
RANDOM = (
    (re.compile(r"\b[0-9a-f]{32}\b"), "UUID"),
    (re.compile(r"(ajs\.db\.replaced)-\S+"), r"\1-TIME"),
)
FILES = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))


def played(home, text: str) -> str:
    lines: list[str] = []
    for line, following in pairwise([*text.splitlines(), ""]):
        # An empty line before a heading belongs to the transcript, any other one is a command's output.
        if line.startswith("#") or (not line and following.startswith("#")):
            lines.append(line)
        elif line.startswith("> "):
            name, _, content = line[2:].partition(" ")
            home.file(name, content.encode().decode("unicode_escape"))
            lines.append(line)
        elif line.startswith("^ "):
            home.clock.jump_to_wall(datetime.fromisoformat(line[2:]))
            lines.append(line)
        elif line.startswith("~ "):
            home.run(line[2:])
            lines.append(line)
        elif line.startswith("$ "):
            out = home.ajs(shlex.split(line[2:])).replace(str(home.folder), "HOME")
            out = SPOOL.sub("SPOOL/", out)
            for pattern, mask in RANDOM:
                out = pattern.sub(mask, out)
            lines += [line, *out.splitlines()]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_transcript(home, file):
    text = file.read_text()
    out = played(home, text)
    if ACCEPT:
        file.write_text(out)
    assert out == text


def test_there_are_transcripts():
    assert len(FILES) >= 4
