from __future__ import annotations

import errno
import os

import pytest

from textclf.folders import file_operations as operations
from textclf.folders.file_operations import ChangedError, state_of


@pytest.fixture(params=["by the system", "by a second name", "in two steps"])
def renaming(request, monkeypatch):
    """Also as on file systems that cannot rename without replacing, and that know no second names besides."""
    if request.param != "by the system":
        monkeypatch.setattr(operations, "_system_rename", lambda: lambda source, target: errno.EINVAL)
    if request.param == "in two steps":
        monkeypatch.setattr(operations.os, "link", no_links)


def no_links(source, target, **options):
    raise PermissionError(errno.EPERM, "Operation not permitted", str(source))


def test_a_rename_never_replaces_a_file(tmp_path, renaming):
    source, target = tmp_path / "a\udcff", tmp_path / "b"
    source.write_bytes(b"new")
    operations.rename_new(source, target)
    assert target.read_bytes() == b"new"
    assert not source.exists()
    source.write_bytes(b"other")
    with pytest.raises(FileExistsError):
        operations.rename_new(source, target)
    assert (source.read_bytes(), target.read_bytes()) == (b"other", b"new")
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(FileExistsError):
        operations.rename_new(source, tmp_path / "dangling")
    with pytest.raises(FileNotFoundError):
        operations.rename_new(tmp_path / "missing", tmp_path / "c")


def test_a_file_that_another_program_makes_at_the_last_moment_is_not_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(operations, "_system_rename", lambda: lambda source, target: errno.EINVAL)
    # the target was not there yet when it was looked for
    monkeypatch.setattr(operations.os.path, "lexists", lambda path: False)
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_bytes(b"new")
    target.write_bytes(b"quicker")
    with pytest.raises(FileExistsError):
        operations.rename_new(source, target)
    assert (source.read_bytes(), target.read_bytes()) == (b"new", b"quicker")


def test_a_file_that_cannot_be_taken_out_of_its_folder_has_one_name(tmp_path, monkeypatch):
    monkeypatch.setattr(operations, "_system_rename", lambda: lambda source, target: errno.EINVAL)
    source = tmp_path / "a"
    source.write_bytes(b"1")
    monkeypatch.setattr(operations.Path, "unlink", refuse(operations.Path.unlink, source))
    with pytest.raises(PermissionError):
        operations.rename_new(source, tmp_path / "b")
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize("keeps_time", [False, True])
def test_what_is_written_into_a_file_after_it_was_copied_is_not_lost(
    tmp_path, other_file_system, monkeypatch, keeps_time
):
    source, target = tmp_path / "a", other_file_system / "b"
    source.write_bytes(b"first page")
    before = state_of(source)

    def write_late(folder):
        with source.open("r+b") as file:
            file.write(b"first-" if keeps_time else b"first page, second page")
        if keeps_time:
            os.utime(source, ns=(before.modified, before.modified))

    monkeypatch.setattr(operations, "sync_folder", write_late)
    with pytest.raises(ChangedError):
        operations.move(source, target, other_file_system / ".part", before)
    assert source.read_bytes() == (b"first-page" if keeps_time else b"first page, second page")
    assert list(other_file_system.iterdir()) == []


def test_a_move_to_another_file_system_copies_all_and_its_time(tmp_path, other_file_system):
    source, target = tmp_path / "a", other_file_system / "b"
    source.write_bytes(b"x" * 3_000_000)
    os.utime(source, (1_700_000_000, 1_700_000_000))
    operations.move(source, target, other_file_system / ".part", state_of(source))
    assert target.read_bytes() == b"x" * 3_000_000
    assert target.stat().st_mtime == 1_700_000_000
    assert list(other_file_system.iterdir()) == [target]
    assert not source.exists()


def test_a_file_that_changed_is_not_touched(tmp_path):
    source = tmp_path / "a"
    source.write_bytes(b"1")
    before = state_of(source)
    source.write_bytes(b"22")
    for operation in (
        lambda: operations.move(source, tmp_path / "b", tmp_path / ".p", before),
        lambda: operations.copy(source, tmp_path / "b", tmp_path / ".p", before),
        lambda: operations.link(source, tmp_path / "b", before),
    ):
        with pytest.raises(ChangedError):
            operation()
    assert list(tmp_path.iterdir()) == [source]


def test_a_copy_never_replaces_a_file_and_leaves_nothing_behind(tmp_path):
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_bytes(b"1")
    target.write_bytes(b"2")
    with pytest.raises(FileExistsError):
        operations.copy(source, target, tmp_path / ".p")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
    assert target.read_bytes() == b"2"


def test_a_move_whose_source_cannot_be_removed_leaves_one_file(tmp_path, other_file_system, monkeypatch):
    source = tmp_path / "a"
    source.write_bytes(b"1")
    monkeypatch.setattr(operations.Path, "unlink", refuse(operations.Path.unlink, source))
    with pytest.raises(PermissionError):
        operations.move(source, other_file_system / "b", other_file_system / ".p")
    assert list(other_file_system.iterdir()) == []


def refuse(unlink, path):
    def refused(self, *, missing_ok=False):
        if self == path:
            raise PermissionError(errno.EACCES, "denied", str(path))
        unlink(self, missing_ok=missing_ok)

    return refused
