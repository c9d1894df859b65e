"""One manager per service, and waking it."""

from __future__ import annotations

import os
import select
import signal
import socket

import pytest

from ajs.errors import ManagerRunning, StoreError
from ajs.store.presence import ADDRESS_BYTES, FolderLock, Owner, WakeSocket, manager, owner, poke
from tests.store import kit

HOLD = """
import sys
from ajs.store.presence import FolderLock, WakeSocket
lock = FolderLock.take(sys.argv[1])
wake = WakeSocket.bind(sys.argv[1])
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path)


@pytest.fixture
def other_manager(folder):
    """A manager in another process."""
    process = kit.start_python(HOLD, folder, stdin=-1)
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.communicate()


def named(who: Owner | None) -> tuple[int, str]:
    assert who is not None
    assert who.host == os.uname().nodename
    return who.pid, who.purpose


def readable(wake: WakeSocket) -> bool:
    return bool(select.select([wake], [], [], 0)[0])


# -- the lock --


def test_a_second_manager_is_refused_by_name(folder, other_manager):
    with pytest.raises(ManagerRunning) as caught:
        FolderLock.take(folder)
    assert f"process {other_manager.pid} on {os.uname().nodename}" in caught.value.message
    assert caught.value.value == str(other_manager.pid)
    assert "ajsstop" in caught.value.hint


def test_the_lock_goes_with_the_process_however_it_ends(folder, other_manager):
    other_manager.send_signal(signal.SIGKILL)
    other_manager.wait()
    with FolderLock.take(folder):
        assert named(owner(folder))[0] == os.getpid()


def test_a_lock_that_was_given_back(folder):
    lock = FolderLock.take(folder)
    lock.release()
    lock.release()
    assert owner(folder) is None
    FolderLock.take(folder).release()


def test_two_in_one_process(folder):
    with FolderLock.take(folder, "ajs restore"):
        with pytest.raises(ManagerRunning) as caught:
            FolderLock.take(folder)
        assert "`ajs restore` is running" in caught.value.message
        assert "wait" in caught.value.hint


def test_whoever_has_not_said_its_name_yet(folder):
    with FolderLock.take(folder):
        os.truncate(os.path.join(folder, "ajs.lock"), 0)
        with pytest.raises(ManagerRunning, match="just taking or leaving"):
            FolderLock.take(folder)


def test_through_a_symbolic_link_it_is_the_same_lock(folder, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(folder)
    with FolderLock.take(folder), pytest.raises(ManagerRunning):
        FolderLock.take(str(link))


def test_no_folder(folder):
    with pytest.raises(StoreError):
        FolderLock.take(os.path.join(folder, "none"))


def test_children_do_not_keep_the_lock(folder):
    lock = FolderLock.take(folder)
    code = "import sys; print('ready', flush=True); sys.stdin.read()"
    child = kit.start_python(code, stdin=-1, close_fds=False)
    assert child.stdout.readline() == "ready\n"
    os.close(lock._fd)  # as when the process ends
    lock._fd = -1
    FolderLock.take(folder).release()
    child.communicate()


def test_a_child_that_is_just_being_started_does_not_keep_it(folder):
    lock = FolderLock.take(folder)
    inherited = os.dup(lock._fd)
    lock.release()
    FolderLock.take(folder).release()
    os.close(inherited)


# -- who is there --


def test_a_manager_is_there_while_it_listens(folder, other_manager):
    assert named(manager(folder)) == (other_manager.pid, "ajsstart")
    other_manager.send_signal(signal.SIGKILL)
    other_manager.wait()
    assert manager(folder) is None
    assert not poke(folder)


def test_nobody_is_there(folder):
    assert manager(folder) is None
    assert not poke(folder)
    assert not poke(os.path.join(folder, "none"))


# -- waking --


def test_a_poke_wakes_and_a_look_does_not(folder):
    with WakeSocket.bind(folder) as wake:
        manager(folder)
        assert not readable(wake)
        assert poke(folder)
        assert readable(wake)
        assert poke(folder)
        assert len(wake.drain()) == 2
        assert not readable(wake)
        assert wake.drain() == []


def test_a_manager_that_does_not_listen_is_not_waited_for(folder):
    with WakeSocket.bind(folder) as wake:
        for _ in range(10_000):
            assert poke(folder)
        assert readable(wake)
        wake.drain()
        assert not readable(wake)


def test_the_place_of_a_dead_manager_is_taken(folder):
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    dead.bind(os.path.join(folder, "ajs.sock"))
    dead.close()
    assert not poke(folder)
    with WakeSocket.bind(folder):
        assert poke(folder)
    assert os.listdir(folder) == []


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_the_group_may_wake_and_others_may_not(folder, umask):
    before = os.umask(umask)
    try:
        with WakeSocket.bind(folder):
            mode = os.stat(os.path.join(folder, "ajs.sock")).st_mode & 0o777
    finally:
        os.umask(before)
    assert mode == 0o660


@pytest.mark.parametrize("longer", [0, 1, 300])
def test_a_folder_with_a_long_name(tmp_path, longer):
    """A socket's own name may have 107 bytes; here it has that, one more, and far more."""
    room = ADDRESS_BYTES - len(os.fsencode(tmp_path)) - len("/") - len("/ajs.sock") + longer
    folder = tmp_path
    while room > 200:
        folder /= "n" * 99
        room -= 100
    folder /= "n" * room
    folder.mkdir(parents=True)
    long = str(folder)
    assert len(os.fsencode(f"{long}/ajs.sock")) == ADDRESS_BYTES + longer
    with FolderLock.take(long), WakeSocket.bind(long) as wake:
        assert poke(long)
        assert readable(wake)
        assert named(manager(long)) == (os.getpid(), "ajsstart")
        assert os.path.lexists(f"{long}/ajs.sock")
    assert not poke(long)
    assert not os.path.lexists(f"{long}/ajs.sock")


def test_a_place_that_cannot_be_taken(folder):
    with pytest.raises(StoreError):
        WakeSocket.bind(os.path.join(folder, "none"))
