from __future__ import annotations

from contextlib import closing
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from textclf.base.errors import OutputError
from textclf.base.hashing import hash_bytes
from textclf.folders import file_operations as operations
from textclf.folders.mover import aside_of
from textclf.folders.undo import undo_last_run
from textclf.service.pages.page_pictures import PagePictures


class Killed(BaseException):
    """Stands for a kill: nothing that would be done afterwards is done."""


def kill_at(monkeypatch, desk, moment):
    """Stop as kill -9 would, before or after the file operation; what would put it right is not done either."""
    real = operations.move

    def move(source, target, aside, expected=None):
        if moment == "after":
            real(source, target, aside, expected)
        if moment == "in a copy":
            aside.write_bytes(b"con")
        raise Killed

    def killed(*arguments, **options):
        raise Killed

    monkeypatch.setattr(operations, "move", move)
    monkeypatch.setattr("textclf.folders.mover.settled", killed)
    monkeypatch.setattr("textclf.folders.undo.settled", killed)


@pytest.mark.parametrize("moment", ["before", "in a copy", "after"])
def test_what_a_kill_left_half_done_is_finished_or_taken_back(desk, monkeypatch, moment):
    with monkeypatch.context() as patch:
        kill_at(patch, desk, moment)
        with pytest.raises(Killed):
            desk.put("x.pdf")
    assert desk.states() == ["planned"]
    assert desk.mover().recover() == 1
    assert desk.files() == {"out/a/x.pdf" if moment == "after" else "in/x.pdf": b"content"}
    assert desk.states() == ["done" if moment == "after" else "failed"]
    assert desk.library.document(1).path == str((desk.into / "a" if moment == "after" else desk.inbox) / "x.pdf")
    assert ("as a run that was interrupted had begun" in desk.log()) == (moment == "after")
    assert desk.mover().recover() == 0


@pytest.mark.parametrize("moment", ["before", "in a copy", "after"])
def test_a_kill_while_a_run_is_undone_leaves_each_file_in_one_place(desk, monkeypatch, moment):
    desk.put("x.pdf")
    with monkeypatch.context() as patch:
        kill_at(patch, desk, moment)
        with pytest.raises(Killed):
            list(undo_last_run(desk.library, desk.into, desk.mover().log, desk.clock))
    assert desk.states() == ["undoing"]
    assert desk.mover().recover() == 1
    assert desk.files() == {"in/x.pdf" if moment == "after" else "out/a/x.pdf": b"content"}
    assert desk.states() == ["undone" if moment == "after" else "done"]
    assert desk.library.document(1).path == str((desk.inbox if moment == "after" else desk.into / "a") / "x.pdf")


def test_a_copy_that_arrived_in_another_file_system_is_finished(desk, other_file_system):
    path, document_id = desk.add("x.pdf")
    target = other_file_system / "x.pdf"
    run = desk.library.journal.begin_run("file", str(desk.into), at=desk.clock())
    planned = desk.library.journal.plan(run.id, document_id, str(path), str(target), "move", at=desk.clock())
    target.write_bytes(b"content")
    aside_of(planned).write_bytes(b"con")
    desk.mover().recover()
    assert not path.exists()
    assert list(other_file_system.iterdir()) == [target]
    assert desk.states() == ["done"]


def test_a_file_that_has_its_old_and_its_new_name_keeps_the_new_one(desk):
    """As a kill leaves it on a file system where a file is renamed by a second name."""
    path, document_id = desk.add("x.pdf")
    run = desk.library.journal.begin_run("file", str(desk.into), at=desk.clock())
    desk.library.journal.plan(run.id, document_id, str(path), str(desk.into / "x.pdf"), "move", at=desk.clock())
    (desk.into / "x.pdf").hardlink_to(path)
    desk.mover().recover()
    assert desk.files() == {"out/x.pdf": b"content"}
    assert desk.states() == ["done"]


def test_a_file_of_somebody_else_at_the_target_is_left_alone(desk):
    path, document_id = desk.add("x.pdf")
    target = desk.into / "x.pdf"
    run = desk.library.journal.begin_run("file", str(desk.into), at=desk.clock())
    desk.library.journal.plan(run.id, document_id, str(path), str(target), "move", at=desk.clock())
    target.write_bytes(b"of somebody else")
    desk.mover().recover()
    assert desk.files() == {"in/x.pdf": b"content", "out/x.pdf": b"of somebody else"}
    assert desk.states() == ["failed"]


def test_a_new_file_at_the_source_of_what_was_moved_is_left_alone(desk, monkeypatch):
    with monkeypatch.context() as patch:
        kill_at(patch, desk, "after")
        with pytest.raises(Killed):
            desk.put("x.pdf")
    (desk.inbox / "x.pdf").write_bytes(b"new")
    desk.mover().recover()
    assert desk.files() == {"in/x.pdf": b"new", "out/a/x.pdf": b"content"}
    assert desk.states() == ["done"]


def test_what_somebody_took_away_is_told_and_that_of_a_missing_share_waits(desk):
    path, document_id = desk.add("x.pdf")
    run = desk.library.journal.begin_run("file", str(desk.into), at=desk.clock())
    for target in (desk.into / "x.pdf", desk.into / "not mounted" / "x.pdf"):
        desk.library.journal.plan(run.id, document_id, str(path), str(target), "move", at=desk.clock())
    path.unlink()
    desk.mover().recover()
    assert desk.states() == ["lost", "planned"]
    assert "somebody has taken away since" in desk.log()


@pytest.mark.parametrize("how", ["move", "copy", "link"])
def test_the_library_knows_where_a_document_lies_that_was_filed_and_put_back(desk, how):
    place = desk.put("x.pdf", how)
    assert desk.library.document(1).path == str(place if how == "move" else desk.inbox / "x.pdf")
    (desk.inbox / "x.pdf").unlink(missing_ok=how == "move")
    (desk.inbox / "x.pdf").write_bytes(b"content" if how != "move" else b"new")
    list(undo_last_run(desk.library, desk.into, desk.mover().log, desk.clock))
    assert Path(desk.library.document(1).path).read_bytes() == b"content"


def test_a_page_of_a_document_that_was_moved_is_still_drawn(desk):
    content = BytesIO()
    Image.new("L", (60, 80), 255).save(content, "PNG")
    desk.put("x.png", content=content.getvalue())
    with closing(PagePictures(desk.library)) as pictures:
        assert pictures.picture(desk.library.document(1), 1, 0).startswith(b"\xff\xd8")


def test_a_taken_name_is_numbered(desk):
    first, second = desk.put("x.pdf"), desk.put("x.pdf", content=b"other")
    assert (first.name, second.name) == ("x.pdf", "x-2.pdf")
    assert desk.files() == {"out/a/x.pdf": b"content", "out/a/x-2.pdf": b"other"}


def test_a_name_that_is_taken_at_the_last_moment_is_numbered(desk, monkeypatch):
    real = operations.move

    def move(source, target, aside, expected):
        if target.name == "x.pdf":
            target.write_bytes(b"quicker")
        real(source, target, aside, expected)

    monkeypatch.setattr(operations, "move", move)
    assert desk.put("x.pdf").name == "x-2.pdf"
    assert desk.states() == ["failed", "done"]
    assert desk.files() == {"out/a/x.pdf": b"quicker", "out/a/x-2.pdf": b"content"}


def test_a_file_in_the_way_of_a_folder_is_an_error_and_moves_nothing(desk):
    (desk.into / "a").write_bytes(b"a file")
    with pytest.raises(NotADirectoryError):
        desk.put("x.pdf")
    assert desk.files() == {"in/x.pdf": b"content", "out/a": b"a file"}


@pytest.mark.parametrize("how", ["move", "copy", "link"])
def test_a_run_is_undone_as_if_it_had_not_been(desk, how):
    desk.put("x.pdf", how)
    desk.put("y.pdf", how, b"other")
    undone = list(undo_last_run(desk.library, desk.into, desk.mover().log, desk.clock))
    assert [one.result for one in undone] == ["put back" if how == "move" else "removed"]
    assert (desk.into / "a" / "x.pdf").exists(), "that was another run"
    list(undo_last_run(desk.library, desk.into, desk.mover().log, desk.clock))
    assert desk.files() == {"in/x.pdf": b"content", "in/y.pdf": b"other"}
    assert not (desk.into / "a").exists()
    assert list(undo_last_run(desk.library, desk.into, desk.mover().log, desk.clock)) == []


def test_what_came_into_the_inbox_meanwhile_is_not_replaced_by_undoing(desk):
    desk.put("x.pdf")
    (desk.inbox / "x.pdf").write_bytes(b"new")
    (filed,) = undo_last_run(desk.library, desk.into, desk.mover().log, desk.clock)
    assert filed.target == desk.inbox / "x-2.pdf"
    assert desk.files() == {"in/x.pdf": b"new", "in/x-2.pdf": b"content"}


@pytest.mark.parametrize("gone", ["source", "changed source", "changed copy"])
def test_a_copy_that_is_the_last_of_its_content_stays(desk, gone):
    copy = desk.put("x.pdf", "copy")
    if gone == "source":
        (desk.inbox / "x.pdf").unlink()
    else:
        (copy if gone == "changed copy" else desk.inbox / "x.pdf").write_bytes(b"changed")
    (stayed,) = undo_last_run(desk.library, desk.into, desk.mover().log, desk.clock)
    assert stayed.result == "stayed"
    assert copy.exists()
    assert [move.target for move in desk.library.journal.done(hash_bytes(b"content"), str(desk.into))] == [str(copy)]
    assert desk.library.journal.sizes(str(desk.into)) == {len(b"content")}


def test_a_copy_that_stays_does_not_keep_the_run_before_from_being_undone(desk):
    desk.put("x.pdf", "copy")
    copy = desk.put("y.pdf", "copy", b"other")
    (desk.inbox / "y.pdf").unlink()
    undone = [
        [one.result for one in undo_last_run(desk.library, desk.into, desk.mover().log, desk.clock)] for _ in "123"
    ]
    assert undone == [["stayed"], ["removed"], []]
    assert desk.files() == {"in/x.pdf": b"content", "out/a/y.pdf": b"other"}
    assert copy.exists()


@pytest.mark.parametrize(("how", "missing"), [("move", "out/a"), ("copy", "out/a"), ("copy", "in")])
def test_what_is_on_a_share_that_is_not_mounted_can_be_undone_later(desk, how, missing):
    desk.put("x.pdf", how)
    share = desk.into.parent / missing
    share.rename(desk.into.parent / "not mounted")
    (stayed,) = undo_last_run(desk.library, desk.into, desk.mover().log, desk.clock)
    assert stayed.result == "stayed"
    assert desk.states() == ["done"]
    (desk.into.parent / "not mounted").rename(share)
    (filed,) = undo_last_run(desk.library, desk.into, desk.mover().log, desk.clock)
    assert filed.result == ("put back" if how == "move" else "removed")
    assert desk.files() == {"in/x.pdf": b"content"}


def test_what_was_taken_away_is_told_also_if_its_folder_becomes_empty_by_undoing(desk):
    mover = desk.mover()
    for name in ("x.pdf", "y.pdf"):
        path, document_id = desk.add(name, name.encode())
        mover.put(document_id, path, desk.into / "a" / name, "move", operations.state_of(path), str)
    (desk.into / "a" / "x.pdf").unlink()
    undone = list(undo_last_run(desk.library, desk.into, mover.log, desk.clock))
    assert [one.result for one in undone] == ["put back", "gone"]
    assert desk.states() == ["lost", "undone"]


def test_a_file_that_is_written_to_while_it_is_put_back_stays_and_the_others_go_back(
    desk, other_file_system, monkeypatch
):
    mover = desk.mover()
    for name in ("x.pdf", "y.pdf"):
        path, document_id = desk.add(name, name.encode())
        mover.put(document_id, path, other_file_system / name, "move", operations.state_of(path), str)
    written = other_file_system / "y.pdf"

    def write_late(folder):
        if written.exists():
            written.write_bytes(b"written late")

    monkeypatch.setattr(operations, "sync_folder", write_late)
    stayed, filed = undo_last_run(desk.library, desk.into, mover.log, desk.clock)
    assert (stayed.result, stayed.note) == ("stayed", f"stayed at {written} (it was changed meanwhile)")
    assert filed.result == "put back"
    assert (written.read_bytes(), (desk.inbox / "x.pdf").read_bytes()) == (b"written late", b"x.pdf")
    assert not (desk.inbox / "y.pdf").exists()
    assert desk.states() == ["undone", "done"]


@pytest.mark.parametrize("how", ["move", "copy"])
def test_what_somebody_took_out_of_the_folder_is_told(desk, how):
    desk.put("x.pdf", how).unlink()
    (gone,) = undo_last_run(desk.library, desk.into, desk.mover().log, desk.clock)
    assert (gone.result, gone.note) == ("gone", f"no longer at {gone.source}: somebody has moved or removed it")
    assert list(undo_last_run(desk.library, desk.into, desk.mover().log, desk.clock)) == []


def test_a_second_name_in_another_file_system_is_refused(desk, other_file_system):
    path, document_id = desk.add("x.pdf")
    with pytest.raises(OutputError, match="use --copy in place of --link"):
        desk.mover().put(document_id, path, other_file_system / "x.pdf", "link", operations.state_of(path), str)
    assert path.exists()
    assert list(other_file_system.iterdir()) == []
