from __future__ import annotations

import os
from contextlib import chdir
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr.file_search import find_documents, find_files, printable
from textclf.base.errors import BadInputError


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


def test_of_several_paths_each_id_begins_with_the_path_as_given(tmp_path, monkeypatch, caplog):
    for name in ("here/2023/invoice/1.png", "here/2023/2.png", "2024/invoice/1.png", "3.png"):
        _touch(tmp_path / name)
    monkeypatch.chdir(tmp_path / "here")
    root = tmp_path.as_posix().lstrip("/")
    given = ["./2023/", "2023/../../2024", "../3.png", f"{tmp_path}/2024/invoice/1.png"]
    found = find_documents(given[:3])
    assert [one.document_id for one in found] == ["2023/2.png", "2023/invoice/1.png", "2024/invoice/1.png", "3.png"]
    assert caplog.messages == []
    # in another order, or beside others, each keeps its id
    assert {one.document_id for one in find_documents(given[2::-1])} == {one.document_id for one in found}
    assert find_files(given[1::2]) == [("2024/invoice/1.png", found[2].file)]
    assert find_files(given[:1:-1]) == [(f"{root}/2024/invoice/1.png", Path(given[3])), ("3.png", Path("../3.png"))]


@given(st.lists(st.sampled_from(["a", "b", "a/a", "a/b", "./a", "b/../a", "a/1.png", "b/1.png"]), min_size=2))
def test_no_id_depends_on_other_paths(tree, paths):
    with chdir(tree):
        ids = {os.path.realpath(file): document_id for document_id, file in find_files(paths)}
        assert len(set(ids.values())) == len(ids)
        for path in paths:
            for document_id, file in find_files([path, path]):
                assert ids[os.path.realpath(file)] == document_id


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Folders that hold files and folders of the same names."""
    root = tmp_path_factory.mktemp("tree")
    for name in ("a/1.png", "a/a/1.png", "a/b/1.png", "b/1.png", "b/a/1.png"):
        _touch(root / name)
    return root


def test_a_file_met_twice_is_listed_once_and_that_is_told(tmp_path, monkeypatch, caplog):
    file = _touch(tmp_path / "a" / "x.png")
    (tmp_path / "a" / "y.png").symlink_to("x.png")
    monkeypatch.chdir(tmp_path)
    assert find_documents(["a", "a/x.png"]) == [("a/x.png", Path("a/x.png"), "")]
    assert caplog.messages == ["passed over files that were met before, as each is read once (2): a/x.png, a/y.png"]
    assert find_documents([file, file])[0].file == file
    assert caplog.messages[1:] == [f"passed over files that were met before, as each is read once (1): {file}"]


def test_files_that_would_share_an_id_get_their_paths_from_the_root(tmp_path, monkeypatch, caplog):
    for name in ("here/scans/1.png", "scans/1.png", "scans/2.png"):
        _touch(tmp_path / name)
    monkeypatch.chdir(tmp_path / "here")
    ids = [one.document_id for one in find_documents(["scans", "../scans"])]
    assert ids == [f"{tmp_path}/here/scans/1.png", f"{tmp_path}/scans/1.png", "scans/2.png"]
    assert caplog.messages == [
        "ids that several files would have, so that these get their paths from the root: scans/1.png"
    ]


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("ending", ["", "/", "/.", "/../2023"])
def test_the_folder_is_the_first_one_under_the_path_given(tmp_path, monkeypatch, absolute, ending):
    for name in ("2023/invoice/deep/1.png", "2024/invoice/deep/1.png", "2024/letter/2.png", "2024/3.png"):
        _touch(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    before = f"{tmp_path}/" if absolute else ""
    found = find_documents([f"{before}2023{ending}", f"{before}2024"])
    assert [one.folder for one in found] == ["invoice", "", "invoice", "letter"]
    assert len({one.document_id for one in found}) == 4


def test_a_path_within_another_takes_no_folder_away(tmp_path):
    file = _touch(tmp_path / "scans" / "invoice" / "1.png")
    for paths in ([file, tmp_path / "scans"], [tmp_path / "scans" / "invoice", tmp_path / "scans"]):
        assert [one.folder for one in find_documents(paths)] == ["invoice"]
    (tmp_path / "link").symlink_to(tmp_path / "scans")
    assert [one[::2] for one in find_documents([tmp_path / "link"])] == [("invoice/1.png", "invoice")]


def test_a_link_that_leads_out_of_the_folder_is_passed_over(tmp_path):
    outside = _touch(tmp_path / "secret" / "x.png")
    folder = tmp_path / "scans"
    inside = _touch(folder / "y.png")
    (folder / "out.png").symlink_to(outside)
    (folder / "in.png").symlink_to(inside)
    (folder / "folder").symlink_to(outside.parent, target_is_directory=True)
    assert len(find_files([folder])) == 1


def test_what_is_passed_over_is_told_once_for_each_reason(tmp_path, caplog):
    folder = tmp_path / "scans"
    for name in ("a.png", "b.docx", "c.DOCX", "d.eml", "README", "Thumbs.db", ".DS_Store", "__MACOSX/x.docx"):
        _touch(folder / name)
    for name in ("e.png", "f.png"):
        (folder / name).symlink_to(_touch(tmp_path / "outside" / name))
    (folder / "circle").symlink_to("circle")
    (folder / "nowhere.png").symlink_to("gone.png")
    os.mkfifo(folder / "scan.png")
    assert [one.document_id for one in find_documents([folder])] == ["a.png"]
    assert caplog.messages == [
        "passed over 4 files that are no scans (.docx 2, without extension 1, .eml 1)",
        f"passed over links that lead nowhere (2): {folder}/circle, {folder}/nowhere.png",
        "passed over links that lead out of the folder, where what they lead to was not given itself (2): "
        f"{folder}/e.png, {folder}/f.png",
        f"passed over pipes, sockets and devices (1): {folder}/scan.png",
    ]


@pytest.mark.parametrize("name", ["photo.HEIC", "photo.heif", "photo.avif", "scan.jp2", "scan.J2K", "scan.jpx"])
def test_photos_and_jpeg_2000_are_scans(tmp_path, name):
    _touch(tmp_path / name)
    assert [document_id for document_id, _ in find_files([tmp_path])] == [name]


def test_a_folder_is_entered_once_whatever_links_lead_there(tmp_path):
    _touch(tmp_path / ".store" / "x.png")
    _touch(tmp_path / "invoice" / "y.png")
    (tmp_path / "invoice" / "back").symlink_to(tmp_path)
    (tmp_path / "invoice" / "more").symlink_to("../.store")
    (tmp_path / "letter").symlink_to("invoice")
    assert [document_id for document_id, _ in find_files([tmp_path])] == ["invoice/more/x.png", "invoice/y.png"]


def test_a_deep_folder_ends_nothing(tmp_path):
    made = []
    try:
        for depth in range(1, 1_201):
            place = tmp_path / ("d/" * depth)
            place.mkdir()
            made.append(place)
    except OSError:
        # the system bears no deeper one
        assert made
    _touch(tmp_path / "x.png")
    try:
        assert find_files([tmp_path]) == [("x.png", tmp_path / "x.png")]
    finally:
        # too deep for what clears up after tests
        for place in reversed(made):
            place.rmdir()


def test_a_folder_that_may_not_be_listed_is_passed_over_and_one_given_is_an_error(unprivileged, caplog):
    _touch(unprivileged / "x.png")
    closed = unprivileged / "lost+found"
    closed.mkdir(mode=0)
    assert len(find_documents([unprivileged])) == 1
    assert caplog.messages == [f"passed over folders that cannot be listed, permission denied (1): {closed}"]
    with pytest.raises(BadInputError, match="cannot be listed"):
        find_files([closed])


def test_names_that_are_no_text_give_ids_that_can_be_written_and_told_apart(tmp_path):
    names = [b"caf\xe8.png", b"caf\xe9.png", b"caf\\xe9.png", b"two\nlines\x1b.png", "caffè.png".encode()]
    for name in names:
        (tmp_path / os.fsdecode(name)).write_bytes(b"x")
    found = find_files([tmp_path])
    assert sorted(document_id for document_id, _ in found) == [
        *("caf\\\\xe9.png", "caf\\xe8.png", "caf\\xe9.png", "caffè.png", "two\\nlines\\x1b.png")
    ]
    assert all(file.exists() for _, file in found)


@given(st.lists(st.binary(max_size=6), unique=True, max_size=6))
def test_no_two_names_are_written_alike(names):
    written = {printable(os.fsdecode(name)) for name in names}
    assert len(written) == len(names)
    assert all(name.isascii() or name.encode() for name in written)


def test_a_missing_path_is_an_error(tmp_path):
    with pytest.raises(BadInputError, match="there is no such file or folder"):
        find_files([tmp_path / "none"])
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(BadInputError, match="cannot be read"):
        find_files([tmp_path / "circle"])
    with pytest.raises(BadInputError, match="cannot be read"):
        find_files([tmp_path / ("x" * 5_000)])
