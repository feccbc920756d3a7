from __future__ import annotations

import os

import pytest

from ocr.finding import find_files
from textclf.errors import BadInputError


def _touch(path, content=b"x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_documents_of_a_folder_are_sorted_and_named_by_their_path(tmp_path):
    for name in ("b/2.PDF", "b/1.png", "a.tiff", "labels.csv", ".hidden.png", ".git/x.png", "empty.jpg"):
        _touch(tmp_path / name, b"" if name == "empty.jpg" else b"x")
    _touch(tmp_path / "b" / "misnamed.dat", b"%PDF-1.4")
    _touch(tmp_path / "b" / "other.dat", b"%PDX-1.4")
    ids = [document_id for document_id, _ in find_files([tmp_path])]
    assert ids == ["a.tiff", "b/1.png", "b/2.PDF", "b/misnamed.dat", "empty.jpg"]


def test_a_file_named_outright_is_taken_whatever_it_is(tmp_path):
    file = _touch(tmp_path / "letter.txt")
    assert find_files([str(file)]) == [("letter.txt", file)]


def test_ids_are_distinct_and_a_file_is_listed_once(tmp_path):
    first, second = _touch(tmp_path / "a" / "x.png"), _touch(tmp_path / "b" / "x.png")
    found = find_files([tmp_path / "a", tmp_path / "b", first])
    assert found == [(first.as_posix(), first), (second.as_posix(), second)]


def test_a_link_that_leads_out_of_the_folder_is_passed_over(tmp_path):
    outside = _touch(tmp_path / "secret" / "x.png")
    folder = tmp_path / "scans"
    inside = _touch(folder / "y.png")
    (folder / "out.png").symlink_to(outside)
    (folder / "in.png").symlink_to(inside)
    (folder / "folder").symlink_to(outside.parent, target_is_directory=True)
    assert len(find_files([folder])) == 1


def test_a_pipe_in_a_folder_is_passed_over(tmp_path):
    os.mkfifo(tmp_path / "scan.png")
    assert find_files([tmp_path]) == []


def test_a_name_that_is_not_utf8_gives_an_id_that_can_be_written(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.png")).write_bytes(b"x")
    ((document_id, file),) = find_files([tmp_path])
    assert document_id.encode() == b"caf?.png"
    assert file.exists()


def test_a_missing_path_is_an_error(tmp_path):
    with pytest.raises(BadInputError, match="there is no such file or folder"):
        find_files([tmp_path / "none"])
