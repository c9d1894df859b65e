"""Definition files and the scripts beside them, as they are named and read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from ajs.errors import BadValue, escaped, is_utf8
from ajs.files import MIB, open_regular, read_whole

ENDINGS = (".yaml", ".yml")
MOST_DEFINITIONS = 64 * MIB
"""How large a definition file can be to be read at all; what one may hold is for the reader to say."""
MOST_SCRIPT = 64 * MIB
"""How large a script can be; agents take no more."""


def definition_texts(paths: Sequence[str]) -> tuple[tuple[str, bytes], ...]:
    """Return name and content of the files that the arguments mean, folders being all YAML files below them."""
    return tuple((name, _content(name)) for name in _files(paths))


def _files(paths: Sequence[str]) -> list[str]:
    """Return the definition files that the arguments mean, each once, folders in order of name."""
    found: dict[str, None] = {}
    for path in paths:
        if os.path.isdir(path):
            inside = list(_below(path))
            if not inside:
                raise BadValue(
                    f"there is no definition file below {path}",
                    hint="definition files end in .yaml or .yml",
                    value=path,
                )
            found |= dict.fromkeys(inside)
        else:
            found[path] = None
    for path in found:
        if not is_utf8(path):
            raise BadValue(
                f"the name of the file {escaped(path)} is not UTF-8",
                hint="rename it, or the folder that it is in",
                value=escaped(path),
            )
    return list(found)


def _below(folder: str) -> Iterator[str]:
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        yield from (os.path.join(here, n) for n in sorted(names) if n.endswith(ENDINGS))


def _content(name: str) -> bytes:
    try:
        with open_regular(name) as file:
            return read_whole(file, MOST_DEFINITIONS)
    except OSError as error:
        raise BadValue(
            f"{name} cannot be read: {error.strerror}",
            hint="name a definition file, or a folder that holds some",
            value=name,
        ) from error


def script_text(file: str, path: str) -> bytes:
    """Return the content of a script that a definition file names; raises OSError."""
    with open_regular(os.path.join(os.path.dirname(file), path)) as script:
        return read_whole(script, MOST_SCRIPT)
