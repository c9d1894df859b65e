"""The service folder: who may enter, and on which disks it may lie."""

from __future__ import annotations

import os

import pytest

from ajs.errors import StoreError
from ajs.store import folder as folders
from ajs.store.database import Store
from tests.store import kit

MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:25 / /proc rw - proc proc rw
40 22 0:44 / /net rw - nfs4 server:/export rw
41 22 0:45 / /net/local rw - tmpfs tmpfs rw
42 22 0:46 / /home/o\\040neil rw - fuse.sshfs server:/home rw
43 22 0:47 /sub /data rw master:3 propagate_from:2 - btrfs /dev/vdb rw
44 22 0:48 / /old rw - ext4 /dev/vdc rw
45 22 0:49 / /old rw - cifs //server/share rw
"""

FILE_SYSTEMS = [
    # path, device of its files, file system
    ("/var/ajs", "254:0", "ext4"),
    ("/net/ajs", "0:44", "nfs4"),
    ("/net", "0:44", "nfs4"),
    ("/net/local/ajs", "0:45", "tmpfs"),
    ("/home/o neil/ajs", "0:46", "fuse.sshfs"),
    ("/elsewhere/bound", "0:44", "nfs4"),
    ("/data/ajs", "0:99", "btrfs"),
    ("/network", "9:9", "ext4"),
    ("/home/o neil", "9:9", "fuse.sshfs"),
    ("/old/ajs", "9:9", "cifs"),
]


@pytest.mark.parametrize(("path", "device", "kind"), FILE_SYSTEMS)
def test_file_system_of_a_folder(path, device, kind):
    assert folders.file_system(path, device, MOUNTS) == kind


def test_no_mounts_no_answer():
    assert folders.file_system("/a", "1:1", "") == ""


@pytest.mark.parametrize(
    ("kind", "fits"),
    [
        *[(kind, True) for kind in ("ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "fuseblk")],
        *[(kind, False) for kind in ("nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "fuse.sshfs")],
        ("fuse.rclone", False),
        ("fuse.gocryptfs", True),
    ],
)
def test_network_file_systems_are_refused(tmp_path, monkeypatch, kind, fits):
    folder = tmp_path / "service"
    kit.new_store(folder).close()
    device = folder.stat().st_dev
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 1 {os.major(device)}:{os.minor(device)} / / rw - {kind} source rw\n")
    monkeypatch.setattr(folders, "MOUNTS", str(mounts))
    if fits:
        Store.open(str(folder)).close()
        kit.new_store(tmp_path / "other").close()
        return
    for use in (lambda: Store.open(str(folder)), lambda: kit.new_store(tmp_path / "other")):
        with pytest.raises(StoreError) as caught:
            use()
        assert kind in caught.value.message
        assert "this machine" in caught.value.hint
    assert not (tmp_path / "other" / "ajs.db").exists()


def test_without_proc_nothing_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "MOUNTS", str(tmp_path / "none"))
    kit.new_store(tmp_path / "service").close()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_modes_whatever_the_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        with kit.new_store(tmp_path / "service") as store, store.write() as tx:
            kit.begin(tx)
            modes = {
                path.name: oct(path.stat().st_mode & 0o7777)
                for path in (tmp_path / "service").iterdir()
            }
            folder = oct((tmp_path / "service").stat().st_mode & 0o7777)
    finally:
        os.umask(before)
    assert folder == "0o2770"
    assert modes == dict.fromkeys(["ajs.db", "ajs.db-wal", "ajs.db-shm", "ajs.lock"], "0o660")


def test_an_existing_folder_gets_the_modes(tmp_path):
    folder = tmp_path / "service"
    folder.mkdir(mode=0o755)
    kit.new_store(folder).close()
    assert folder.stat().st_mode & 0o7777 == 0o2770


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "service").write_text("")
    with pytest.raises(StoreError) as caught:
        kit.new_store(tmp_path / "service")
    assert str(tmp_path / "service") in caught.value.message
