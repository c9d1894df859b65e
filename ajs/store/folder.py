"""The folder of a scheduler service: what lies in it, who may enter, and on what kind of disk."""

from __future__ import annotations

import os

from ajs.errors import StoreError

DATABASE = "ajs.db"
LOCK = "ajs.lock"
SOCKET = "ajs.sock"
SPOOL = "spool"
"""What jobs on this machine wrote, and how they ended (``dispatch/spool.py``)."""
FETCHED = "fetched"
"""What jobs on agents wrote, as far as it has been fetched (``dispatch/fetched.py``)."""
SCRIPTS = "scripts"
"""Scripts of jobs as files, named by their SHA-256; made anew from the database when they are missing."""

FOLDER_MODE = 0o2770
"""Only the owner and the group may enter; what is made inside belongs to the group."""
FILE_MODE = 0o660

MOUNTS = "/proc/self/mountinfo"

NETWORK = frozenset({
    "9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4",
    "ocfs2", "orangefs", "pvfs2", "smb3", "smbfs", "vboxsf",
})  # fmt: skip
"""File systems shared between machines: SQLite's write-ahead log needs memory that all its users share."""
NETWORK_FUSE = frozenset({
    "afpfs", "ceph", "curlftpfs", "davfs2", "gcsfuse", "glusterfs", "goofys", "juicefs", "mergerfs", "rclone", "s3fs",
    "smbnetfs", "sshfs",
})  # fmt: skip


def database(folder: str) -> str:
    """Return the path of the database file in a service folder."""
    return os.path.join(folder, DATABASE)


def make(folder: str) -> None:
    """Make the service folder with its modes, whatever the umask; one that exists gets the modes too."""
    try:
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, FOLDER_MODE)
    except OSError as error:
        raise unusable(folder, error) from error


def touch(file: str, mode: int = FILE_MODE) -> None:
    """Make an empty file with its modes, whatever the umask; StoreError when there is one."""
    try:
        fd = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
        os.fchmod(fd, mode)
        os.close(fd)
    except OSError as error:
        raise unusable(file, error) from error


def remove(file: str) -> None:
    """Remove a file if there is one."""
    try:
        os.unlink(file)
    except FileNotFoundError:
        return
    except OSError as error:
        raise unusable(file, error) from error


def sync(folder: str) -> None:
    """Write the folder's list of names to the disk, so that a file put into place stays there."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def unusable(path: str, error: OSError) -> StoreError:
    """Return the error for a file or folder of the state that the operating system does not let us use."""
    return StoreError(
        f"cannot use {path}: {(error.strerror or str(error)).lower()}",
        hint="check the owner and the modes of the state folder, and the free space of its disk",
        value=path,
    )


def refuse_network(folder: str) -> None:
    """Raise StoreError when the folder lies on a file system that is shared between machines."""
    try:
        with open(MOUNTS, encoding="utf-8", errors="surrogateescape") as file:
            mounts = file.read()
        device = os.stat(folder).st_dev
    except OSError:
        return  # No /proc: nothing is known. A missing folder is the opener's to report.
    kind = file_system(os.path.realpath(folder), f"{os.major(device)}:{os.minor(device)}", mounts)
    if kind in NETWORK or (kind.startswith("fuse.") and kind[5:] in NETWORK_FUSE):
        raise StoreError(
            f"the state folder {folder} lies on a network file system ({kind})",
            hint="put the folder on a disk of this machine and name it in ajs.toml",
            value=folder,
        )


def file_system(path: str, device: str, mounts: str) -> str:
    """Return the type of the file system of a path, "" when no mount tells.

    ``mounts`` is the text of ``/proc/self/mountinfo``. The device number decides; where a file system shows other
    numbers in its files than in its mount (btrfs), the longest mount point above the path does.
    """
    longest, by_path = -1, ""
    for line in mounts.splitlines():
        mounted, _, described = line.partition(" - ")
        fields = mounted.split(" ")
        kind = described.partition(" ")[0]
        if fields[2] == device:
            return kind
        point = _unescaped(fields[4])
        if f"{path}/".startswith(f"{point.rstrip('/')}/") and len(point) >= longest:
            longest, by_path = len(point), kind
    return by_path


def _unescaped(point: str) -> str:
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(code, char)
    return point
