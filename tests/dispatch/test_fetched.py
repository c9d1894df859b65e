"""What has been fetched of the output of jobs on agents."""

from __future__ import annotations

import errno
import os

import pytest

from ajs.dispatch.fetched import FILE_MODE, FOLDER_MODE, Fetched
from ajs.dispatch.messages import Stream
from ajs.errors import OutputNotFound, StoreError

OUT, ERR = Stream


@pytest.fixture
def fetched(tmp_path) -> Fetched:
    return Fetched(tmp_path / "fetched")


def test_nothing_is_there_before_anything_was_fetched(fetched):
    assert not fetched.has("a-1")
    assert fetched.size("a-1", OUT) == 0
    with pytest.raises(OutputNotFound):
        fetched.output("a-1", OUT, 0, 10)
    fetched.sync("a-1")
    assert not fetched.folder.exists()


def test_pieces_follow_one_another(fetched):
    fetched.append("a-1", OUT, 0, b"abc")
    fetched.append("a-1", OUT, 3, b"def")
    fetched.append("a-1", ERR, 0, b"")
    fetched.sync("a-1")
    assert fetched.has("a-1")
    assert (fetched.size("a-1", OUT), fetched.size("a-1", ERR)) == (6, 0)
    assert fetched.output("a-1", OUT, 2, 3) == b"cde"
    assert fetched.output("a-1", OUT, 9, 3) == b""
    assert fetched.output("a-1", ERR, 0, 3) == b""


@pytest.mark.parametrize("offset", [0, 2, 4, 99])
def test_a_piece_of_another_place_is_left_out(fetched, offset):
    fetched.append("a-1", OUT, 0, b"abc")
    fetched.append("a-1", OUT, offset, b"xyz")
    assert fetched.output("a-1", OUT, 0, 99) == b"abc"


def test_a_disk_that_is_full_takes_back_what_was_written_of_a_piece(fetched, monkeypatch):
    fetched.append("a-1", OUT, 0, b"abc")
    real = os.write
    room = [2]

    def write(descriptor: int, content: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        room[0] -= 1
        return real(descriptor, content[:1])

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(StoreError) as caught:
        fetched.append("a-1", OUT, 3, b"def")
    monkeypatch.undo()
    assert "No space left" in caught.value.message
    assert fetched.output("a-1", OUT, 0, 99) == b"abc"
    fetched.append("a-1", OUT, 3, b"def")
    assert fetched.output("a-1", OUT, 0, 99) == b"abcdef"


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "fetched").write_text("a file")
    with pytest.raises(StoreError):
        Fetched(tmp_path / "fetched").append("a-1", OUT, 0, b"abc")


def test_a_disk_that_cannot_make_it_safe_is_said(fetched, monkeypatch):
    fetched.append("a-1", OUT, 0, b"abc")

    def fsync(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(StoreError) as caught:
        fetched.sync("a-1")
    assert "cannot be made safe" in caught.value.message


def test_files_are_for_the_group_of_the_service(fetched):
    fetched.append("a-1", OUT, 0, b"abc")
    folder = fetched.folder / "a-1"
    assert folder.stat().st_mode & 0o7777 == FOLDER_MODE
    assert not (folder / "out").stat().st_mode & 0o7777 & ~FILE_MODE


@pytest.mark.parametrize("name", ["../a", "", ".hidden", "a/b"])
def test_an_attempt_has_a_plain_name(fetched, name):
    with pytest.raises(ValueError, match="is not an attempt id"):
        fetched.append(name, OUT, 0, b"abc")
