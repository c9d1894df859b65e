"""What jobs on agents wrote, as far as it has been fetched: a folder for each attempt, a file for each stream.

A stream is fetched from where its file ends, so that a cut costs nothing, and so that who reads here sees the output of
a job that still runs.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from ajs.dispatch.messages import Stream, check_attempt_id
from ajs.errors import OutputNotFound, StoreError

FOLDER_MODE = 0o2770
FILE_MODE = 0o660


class Fetched:
    """The output of jobs that ran on agents, in one folder of the scheduler service."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def size(self, attempt_id: str, stream: Stream) -> int:
        """Return how many bytes of a stream are here; StoreError when nobody can look."""
        file = self._file(attempt_id, stream)
        try:
            return file.stat().st_size
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise StoreError(
                f"nobody can see how much of a job's output is in {file}: {error.strerror}",
                hint="see whether the disk of the service folder is in order, and who may read it",
                value=str(file),
            ) from error

    def append(self, attempt_id: str, stream: Stream, offset: int, content: bytes) -> None:
        """Write bytes that follow what is here; those of another offset are left out, they will come again.

        Raises StoreError when they cannot be written, and what was written of them is taken back.
        """
        file = self._file(attempt_id, stream)
        try:
            self._make_folder(file.parent)
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
            try:
                if os.fstat(descriptor).st_size != offset:
                    return
                os.lseek(descriptor, offset, os.SEEK_SET)
                self._write(descriptor, offset, content)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise StoreError(
                f"what a job wrote cannot be stored in {file}: {error.strerror}",
                hint="make room on the disk of the service folder; the agent keeps it until then",
                value=str(file),
            ) from error

    def sync(self, attempt_id: str) -> None:
        """Make sure that what is here of an attempt outlives a power cut; StoreError when the disk does not let us."""
        folder = self.folder / check_attempt_id(attempt_id)
        try:
            for path in (folder / "out", folder / "err", folder, self.folder):
                if path.exists():
                    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                    try:
                        os.fsync(descriptor)
                    finally:
                        os.close(descriptor)
        except OSError as error:
            raise StoreError(
                f"what a job wrote cannot be made safe in {folder}: {error.strerror}",
                hint="see whether the disk of the service folder is in order",
                value=str(folder),
            ) from error

    def output(self, attempt_id: str, stream: Stream, offset: int, max_bytes: int) -> bytes:
        """Return a part of a stream; OutputNotFound when nothing of the attempt has been fetched."""
        try:
            with self._file(attempt_id, stream).open("rb") as file:
                file.seek(offset)
                return file.read(max_bytes)
        except FileNotFoundError:
            raise OutputNotFound(
                f"nothing that {attempt_id} wrote has been fetched yet", hint="", value=attempt_id
            ) from None

    def touch(self, attempt_id: str) -> None:
        """Mark that everything is here that was written up to now."""
        with suppress(OSError):
            (self.folder / check_attempt_id(attempt_id) / "fetched").touch()

    def mark(self, attempt_id: str) -> int:
        """Return a number that is another one after each ``touch``, 0 before the first."""
        try:
            return (self.folder / check_attempt_id(attempt_id) / "fetched").stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def has(self, attempt_id: str) -> bool:
        """Whether anything of an attempt has been fetched."""
        return (self.folder / check_attempt_id(attempt_id)).is_dir()

    def forget(self, attempt_id: str) -> None:
        """Remove what is here of an attempt, if anything is; StoreError when the disk does not let us."""
        folder = self.folder / check_attempt_id(attempt_id)
        try:
            for name in os.listdir(folder):
                (folder / name).unlink(missing_ok=True)
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(
                f"what a job wrote cannot be removed from {folder}: {error.strerror}",
                hint="see whether the disk of the service folder is in order, and who may write to it",
                value=str(folder),
            ) from error

    def _make_folder(self, folder: Path) -> None:
        for one in (self.folder, folder):
            if not one.is_dir():
                one.mkdir(exist_ok=True)
                one.chmod(FOLDER_MODE)

    @staticmethod
    def _write(descriptor: int, offset: int, content: bytes) -> None:
        written = 0
        try:
            while written < len(content):
                written += os.write(descriptor, content[written:])
        except OSError:
            os.ftruncate(descriptor, offset)
            raise

    def _file(self, attempt_id: str, stream: Stream) -> Path:
        return self.folder / check_attempt_id(attempt_id) / stream.value
