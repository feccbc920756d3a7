from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from textclf.base.errors import BadDataError, BadInputError, OutputError
from textclf.base.files import output_error, read_small, remove_left_over, write_aside


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_file_appears_whole_and_at_the_end(tmp_path):
    target = tmp_path / "new" / "folder" / "a.txt"
    with write_aside(target) as aside:
        aside.write_text("half")
        assert not target.exists()
        aside.write_text("whole")
    assert target.read_text() == "whole"
    assert names(target.parent) == ["a.txt"]


@pytest.mark.parametrize("fault", [RuntimeError, KeyboardInterrupt, GeneratorExit])
def test_a_fault_leaves_the_old_file_and_nothing_else(tmp_path, fault):
    target = tmp_path / "a.txt"
    target.write_text("old")

    def write() -> None:
        with write_aside(target) as aside:
            aside.write_text("new")
            raise fault

    with pytest.raises(fault):
        write()
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize(
    ("number", "remedy"), [(errno.ENOSPC, "free some space"), (errno.EDQUOT, "free some space"), (errno.EROFS, "-o")]
)
def test_what_the_system_refuses_is_said_with_a_remedy(tmp_path, number, remedy):
    target = tmp_path / "a.txt"
    with pytest.raises(OutputError, match="cannot be written") as caught, write_aside(target):
        raise OSError(number, os.strerror(number))
    assert remedy in str(caught.value)
    assert str(target) in str(caught.value)
    assert isinstance(caught.value.__cause__, OSError)
    assert names(tmp_path) == []


def test_what_a_killed_process_left_is_removed_once_it_is_old(tmp_path):
    old = tmp_path / ".d[1].csv.0123abcd.part"
    others = [".d[1].csv.89abcdef.part", ".d1.csv.0123abcd.part", ".d[1].csv.part", "d[1].csv"]
    for name in (old.name, *others):
        (tmp_path / name).touch()
    for path in tmp_path.iterdir():
        if not path.name.startswith(".d[1].csv.89"):
            os.utime(path, (0, 0))
    remove_left_over(tmp_path / "d[1].csv")
    assert names(tmp_path) == sorted(others)
    remove_left_over(tmp_path / "nowhere" / "d.csv")


def test_a_folder_in_the_way_is_refused_and_stays(tmp_path):
    with pytest.raises(OutputError, match="is a folder"), write_aside(tmp_path):
        pytest.fail("nothing may be written")
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="cannot be written"), write_aside(tmp_path / "file" / "a.txt"):
        pytest.fail("nothing may be written")
    assert names(tmp_path) == ["file"]


def test_a_device_or_a_pipe_is_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match="device or a pipe"), write_aside(pipe):
        pytest.fail("nothing may be written")
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "release-1").write_text("old")
    (tmp_path / "current").symlink_to("release-1")
    with write_aside(tmp_path / "current") as aside:
        aside.write_text("new")
    assert (tmp_path / "current").is_symlink()
    assert (tmp_path / "release-1").read_text() == "new"


def test_the_file_is_as_readable_as_the_umask_says(tmp_path):
    before = os.umask(0o027)
    try:
        with write_aside(tmp_path / "a.txt"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640


def test_a_long_name_is_no_hindrance(tmp_path):
    target = tmp_path / ("a" * 250 + ".txt")
    with write_aside(target) as aside:
        aside.write_text("x")
    assert target.read_text() == "x"


def test_the_message_names_a_reason_also_without_the_systems_words():
    assert "odd" in str(output_error(OSError("odd"), "a.txt"))


def test_settings_are_read_up_to_a_megabyte(tmp_path):
    path = tmp_path / "secret"
    for content in ("", "è\n", "a" * 1_000_000):
        path.write_text(content, encoding="utf-8")
        assert read_small(path, "none") == content
    path.write_bytes(b"a" * 1_000_001)
    with pytest.raises(BadInputError, match="larger than 1 MB"):
        read_small(path, "none")
    path.write_bytes(b"\xff")
    with pytest.raises(BadDataError, match="UTF-8"):
        read_small(path, "none")


def test_settings_are_not_waited_for(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (Path("/dev/zero"), Path("/dev/full"), pipe, tmp_path):
        with pytest.raises(BadInputError, match="not a regular file"):
            read_small(path, "none")
    with pytest.raises(BadInputError, match="cannot be read"):
        read_small(tmp_path / "none", "none")
