"""Files that people wrote, read whole: nothing that never ends, and nothing that waits for somebody."""

from __future__ import annotations

import errno
import os
import stat
from typing import BinaryIO

MIB = 1 << 20


def open_regular(name: str) -> BinaryIO:
    """Open a regular file for reading; raises OSError, also for a pipe, a device and a folder."""
    return open(name, "rb", opener=_opened)


def read_whole(file: BinaryIO, most: int) -> bytes:
    """Return the rest of an open file; raises OSError when it has more than ``most`` bytes."""
    content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"larger than {most:,} bytes")
    return content


def _opened(name: str, flags: int) -> int:
    # Without waiting for who writes into a pipe; looked at through the open file, so that none can take its place.
    descriptor = os.open(name, flags | os.O_NONBLOCK)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
    raise OSError(errno.EINVAL, "not a regular file", name)
