"""What a person sees who files scans: file, and file --undo."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import Mock

import pytest
from sqlalchemy import create_engine, inspect

from textclf.base.errors import ExitCode
from textclf.library.library import Library
from textclf.model.file import load_model, save_model


@pytest.fixture
def file(textclf, desk, model_file, read_pages):
    def call(*arguments, inbox=True, model=True):
        # one process starts quicker than two
        given = [
            *(["--jobs", 1, "--cache", read_pages] if inbox else []),
            *([desk.inbox] if inbox else []),
            "--into",
            desk.out,
            *(["--model", model_file] if model else []),
        ]
        return textclf("file", *given, *arguments)

    return call


FILED = {
    "out/invoice/i.pdf": "i.pdf",
    "out/letter/l.pdf": "l.pdf",
    "out/receipt/r.pdf": "r.pdf",
    "out/_review/u.pdf": "u.pdf",
    "out/_failed/broken.pdf": "broken.pdf",
}


def test_files_go_to_the_folders_of_their_categories_and_back(file, desk, model_file):
    before = desk.places()
    said = file()
    assert said.code == 0, said.err
    assert desk.places() == {place: before[f"in/{name}"] for place, name in FILED.items()}
    assert re.search(rf"^invoice +\d\d\.\d%  filed      i\.pdf -> {desk.out}/invoice/i\.pdf$", said.out, re.MULTILINE)
    assert re.search(r"  review     u\.pdf -> .*/_review/u\.pdf  \(.+\)$", said.out, re.MULTILINE)
    assert "5 files: 3 filed, 1 for review, 1 cannot be read" in said.err
    assert f"moved {desk.inbox}/i.pdf to {desk.out}/invoice/i.pdf (invoice, 9" in desk.log()
    assert "for review: unknown kind" in desk.log()
    with Library.open(desk.out / ".textclf") as library:
        documents = {one.name: one for one in library.list_documents()}
        assert set(documents) == set(FILED.values())
        invoice = documents["i.pdf"]
        assert invoice.sha256 == hashlib.sha256((desk.out / "invoice" / "i.pdf").read_bytes()).hexdigest()
        prediction = library.prediction(invoice.id)
        assert (prediction.predicted_category, prediction.decision) == ("invoice", "accept")
        assert prediction.model_id == hashlib.sha256(model_file.read_bytes()).hexdigest()
        assert "vat" in library.text(invoice.id) or "invoice" in library.text(invoice.id)
        assert documents["broken.pdf"].status == "failed"
    said = file("--undo", inbox=False, model=False)
    assert said.code == 0, said.err
    assert "put back 5 files" in said.err
    assert re.search(rf"^- +-  put back   i\.pdf -> {desk.inbox}/i\.pdf$", said.out, re.MULTILINE)
    assert desk.places() == before
    assert sorted(path.name for path in desk.out.iterdir()) == [".textclf"]
    assert "there is no run to undo" in file("--undo", inbox=False, model=False).err
    assert file().code == 0
    assert set(desk.places()) == set(FILED), "what was undone can be filed again"


def test_a_trial_tells_the_same_and_changes_nothing(file, desk):
    before = desk.places()
    trial = file("--dry-run", "--json")
    assert trial.code == 0, trial.err
    assert desk.places() == before
    assert not desk.out.exists()
    assert trial.out == as_trial(file("--json").out)
    assert {Path(json.loads(line)["target"]).relative_to(desk.top).as_posix() for line in trial.out.splitlines()} == {
        *FILED
    }


def test_a_trial_changes_nothing_of_what_is_known(file, desk, tmp_path):
    known = desk.out / ".textclf"
    known.mkdir(parents=True)
    trial = file("--dry-run")
    assert trial.code == 0, trial.err
    assert re.search(rf"  would file  u\.pdf -> {desk.out}/_review/u\.pdf", trial.out)
    assert "filed" not in trial.out
    assert trial.err.strip().endswith(
        "5 files: 3 to be filed, 1 for review, 1 cannot be read; dry run: nothing was changed"
    )
    assert list(known.iterdir()) == [], "no library is made where only the log of another lies"
    assert file("--dry-run", "--library", tmp_path / "missing").code == 0
    assert not (tmp_path / "missing").exists()
    assert file("--copy").code == 0
    before = contents(known)
    trial = file("--dry-run")
    assert "5 filed before" in trial.err
    assert contents(known) == before


@pytest.mark.slow
def test_a_trial_makes_no_tables_on_a_server(file, desk, new_postgresql):
    address = new_postgresql()
    # as a run has left it whose library was elsewhere
    (desk.out / ".textclf").mkdir(parents=True)
    trial = file("--dry-run", "--json", "--database", address)
    assert trial.code == 0, trial.err
    engine = create_engine(address)
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == []
    engine.dispose()
    assert trial.out == as_trial(file("--json", "--database", address).out)
    desk.write("again.pdf", next((desk.out / "letter").iterdir()).read_bytes())
    assert "1 filed before" in file("--dry-run", "--database", address).err


def as_trial(out):
    assert '"dry_run": true' not in out
    return out.replace('"dry_run": false', '"dry_run": true')


def test_times_of_no_calendar_do_not_end_a_run(file, desk, page):
    os.utime(desk.write("old.pdf", page("letter", 1)), (-6e10, -6e10))
    os.utime(desk.inbox / "l.pdf", (2.6e11, 2.6e11))
    if (desk.inbox / "l.pdf").stat().st_mtime < 2.6e11:
        pytest.skip("this file system keeps no such times")
    said = file("--name", "{date}/{date:%Y}-{name}")
    assert said.code == 0, said.err
    today = f"{datetime.now(UTC).astimezone():%Y-%m-%d}"
    assert f"l.pdf -> {desk.out}/{today}/{today[:4]}-l.pdf  (the time of the file is in no calendar" in said.out
    old = datetime.fromtimestamp(-6e10).astimezone().date().isoformat()
    assert old.startswith("0068-")
    assert f"out/{old}/0068-old.pdf" in desk.places()


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_content_is_told_in_one_run_and_in_another(file, desk, page):
    desk.write("copy of i.pdf", page("invoice"))
    said = file()
    assert f"i.pdf -> {desk.out}/_duplicates/i.pdf  (has the content of {desk.out}/invoice/copy of i.pdf)" in said.out
    desk.write("again.pdf", page("letter"))
    said = file()
    assert f"again.pdf -> {desk.out}/_duplicates/again.pdf  (has the content of {desk.out}/letter/l.pdf)" in said.out
    assert "1 filed before" in said.err
    # where the file that was filed is no more, another of its content is filed
    (desk.out / "letter" / "l.pdf").unlink()
    desk.write("third.pdf", page("letter"))
    assert f"third.pdf -> {desk.out}/letter/third.pdf" in file().out


def test_names_follow_the_pattern_and_are_numbered(file, desk, page):
    desk.write("more/i.pdf", page("invoice", 1))
    os.utime(desk.inbox / "i.pdf", (1_700_000_000, 1_700_000_000))
    said = file("--name", "{category}/{date:%Y}/{name}-{score}")
    assert said.code == 0, said.err
    invoices = sorted(str(path.relative_to(desk.out)) for path in (desk.out / "invoice").rglob("*.pdf"))
    assert re.fullmatch(r"invoice/2023/i-\d\d\.pdf", invoices[0])
    assert re.fullmatch(r"invoice/\d{4}/i-\d\d\.pdf", invoices[1])
    for number in (2, 3):
        desk.write(f"{number}/i.pdf", page("invoice", number))
    said = file()
    assert {"out/invoice/i.pdf", "out/invoice/i-2.pdf"} <= desk.places().keys(), said.out
    said = file("--name", "../{name}")
    assert said.code == ExitCode.USAGE
    assert "--name: '../{name}' leads out of the folder" in said.error


@pytest.mark.parametrize("how", ["--copy", pytest.param("--link", marks=pytest.mark.slow)])
def test_copies_and_second_names_leave_the_inbox_as_it_is(file, desk, how):
    before = desk.places()
    assert file(how).code == 0
    after = desk.places()
    assert after == before | {place: before[f"in/{name}"] for place, name in FILED.items()}
    assert (desk.inbox / "i.pdf").samefile(desk.out / "invoice" / "i.pdf") == (how == "--link")
    again = file(how)
    assert again.code == 0
    assert "5 filed before" in again.err
    assert desk.places() == after
    last = file("--undo", inbox=False, model=False)
    assert (last.code, last.out) == (ExitCode.OK, "")
    assert re.search(
        r"the last run, of \d{4}-\d\d-\d\d \d\d:\d\d, moved no file; "
        r"--undo once more takes back the run of \d{4}-\d\d-\d\d \d\d:\d\d, 5 files",
        last.err,
    )
    assert desk.places() == after, "it was another run that copied them"
    undone = file("--undo", inbox=False, model=False)
    assert desk.places() == before
    assert "removed 5 copies" in undone.err
    copy = desk.out / "invoice" / "i.pdf"
    assert f"removed    i.pdf  (from {copy}; it is still at {desk.inbox}/i.pdf)" in undone.out
    assert "there is no run to undo" in file("--undo", inbox=False, model=False).err


def test_a_run_that_found_no_scan_is_no_run_to_undo(file, desk):
    before = desk.places()
    file()
    assert "no scan waits" in file().err
    assert file("--undo", inbox=False, model=False).code == 0
    assert desk.places() == before


def test_what_was_moved_by_hand_is_told_when_a_run_is_undone(file, desk):
    file()
    (desk.out / "_review" / "u.pdf").rename(desk.out / "letter" / "u.pdf")
    said = file("--undo", inbox=False, model=False)
    assert said.code == ExitCode.OUTPUT
    moved = desk.out / "_review" / "u.pdf"
    assert f"gone       u.pdf  (no longer at {moved}: somebody has moved or removed it)" in said.out
    assert "1 file could not be put back; see their lines" in said.error


def test_files_that_are_empty_or_too_large_go_to_those_that_cannot_be_read(file, desk):
    for name in ("empty.pdf", "more/empty.pdf"):
        desk.write(name, b"")
    desk.write("large.pdf", b"%PDF-1.7" + b" " * 100_000)
    said = file("--max-bytes", 90_000)
    assert said.code == 0, said.err
    failed = {"broken.pdf": 15, "empty.pdf": 0, "empty-2.pdf": 0, "large.pdf": 100_008}
    assert {path.name: path.stat().st_size for path in (desk.out / "_failed").iterdir()} == failed
    assert "(is empty (0 bytes))" in said.out
    assert "4 cannot be read" in said.err
    desk.write("empty.pdf", b"")
    assert "1 cannot be read" in file().err, "also where an empty file was filed before"


def test_what_is_no_document_of_the_inbox_stays(file, desk, page, tmp_path):
    outside = tmp_path / "outside.pdf"
    outside.write_bytes(page("invoice", 3))
    (desk.inbox / "link.pdf").symlink_to(outside)
    (desk.inbox / "a link.pdf").symlink_to("l.pdf")
    names = (".hidden.pdf", "x.pdf.part", "x.pdf~", "~$x.pdf", "x.tmp", "notes.txt")
    for name in names:
        desk.write(name, b"notes" if name == "notes.txt" else page("letter", 3))
    said = file()
    assert said.code == 0, said.err
    assert {path.name for path in desk.inbox.iterdir()} == {*names, "link.pdf", "a link.pdf"}
    assert outside.exists()
    assert (desk.out / "letter" / "l.pdf").is_file(), "the file is filed, not a link to it"
    assert not (desk.out / "letter" / "l.pdf").is_symlink()


def test_folders_of_filed_documents_may_lie_in_the_inbox_but_not_be_it(textclf, desk, model_file, read_pages):
    out = desk.inbox / "filed"
    for _ in range(2):
        given = ("--into", out, "--model", model_file, "--jobs", 1, "--cache", read_pages)
        said = textclf("file", desk.inbox, *given)
        assert said.code == 0, said.err
    assert "no scan waits" in said.err
    assert len(list(out.rglob("*.pdf"))) == 5
    said = textclf("file", desk.inbox, "--into", desk.inbox, "--model", model_file)
    assert said.code == ExitCode.USAGE
    assert "where files are taken from, and where they would go" in said.error


def test_what_was_for_review_can_be_filed_once_more(file, textclf, desk, model_file, page, read_pages):
    """As with a better model: here a document that is sure was for review, and a copy of another is found."""
    file()
    (desk.out / "_review" / "sure.pdf").write_bytes(page("letter", 1))
    before = desk.places()
    again = ("file", desk.out / "_review", "--into", desk.out, "--model", model_file, "--jobs", 1)
    again += ("--cache", read_pages)
    for _ in range(2):
        said = textclf(*again)
        assert said.code == 0, said.err
        assert f"u.pdf -> {desk.out}/_review/u.pdf  (unknown kind)" in said.out
    assert desk.places().keys() == before.keys() - {"out/_review/sure.pdf"} | {"out/letter/sure.pdf"}


def test_what_a_person_decided_holds_when_it_is_filed_again(
    file, textclf, desk, model_file, page, tmp_path, read_pages
):
    known = tmp_path / "known"
    desk.write("recipe.pdf", page("odd"))
    assert file("--library", known).code == 0
    assert {"out/_review/u.pdf", "out/_review/recipe.pdf"} <= desk.places().keys()
    with Library.open(known) as library:
        for one in library.list_documents():
            if one.name in ("u.pdf", "recipe.pdf", "broken.pdf"):
                category = "none of these" if one.name == "recipe.pdf" else "letter"
                library.decide(one.id, category, by="Anna", at=clock())
    again = ["file", desk.out / "_review", desk.out / "_failed", "--into", desk.out, "--model", model_file]
    again += ["--jobs", 1, "--library", known, "--cache", read_pages]
    rows = [json.loads(line) for line in textclf(*again, "--dry-run", "--json").out.splitlines()]
    said = textclf(*again)
    assert said.code == 0, said.err
    assert re.search(
        rf"^letter +-  filed      \S+/u\.pdf -> {desk.out}/letter/u\.pdf  \(decided by Anna\)$", said.out, re.MULTILINE
    )
    assert {"out/letter/u.pdf", "out/none of these/recipe.pdf", "out/letter/broken.pdf"} <= desk.places().keys()
    assert "(letter, decided by Anna)" in desk.log()
    told = [(Path(row["target"]).relative_to(desk.out).as_posix(), row["decided_category"]) for row in rows]
    assert sorted(told) == [
        ("letter/broken.pdf", "letter"),
        ("letter/u.pdf", "letter"),
        ("none of these/recipe.pdf", "none of these"),
    ]
    assert all((row["predicted_category"], row["score"], row["note"]) == ("", None, "decided by Anna") for row in rows)


def test_what_was_decided_before_it_was_filed_goes_where_it_belongs(file, desk, page, tmp_path):
    """As a scan that was dropped on the desk, and is in the inbox too."""
    content = page("unsure")
    with Library.open(tmp_path / "known") as library:
        sha256 = hashlib.sha256(content).hexdigest()
        dropped, _ = library.add_document(sha256=sha256, name="u.pdf", size=len(content), at=clock())
        library.decide(dropped.id, "letter", by="Anna", at=clock())
    assert file("--library", tmp_path / "known").code == 0
    assert "out/letter/u.pdf" in desk.places()


def test_other_folders_and_a_library_elsewhere_and_strict(file, desk, tmp_path):
    said = file(
        "--review", tmp_path / "look", "--failed", tmp_path / "bad", "--library", tmp_path / "known", "--strict"
    )
    assert said.code == ExitCode.SOME_FAILED
    assert "1 of 5 files could not be read" in said.error
    assert (tmp_path / "look" / "u.pdf").exists()
    assert (tmp_path / "bad" / "broken.pdf").exists()
    assert (tmp_path / "known" / "library.sqlite").exists()
    assert not (desk.out / ".textclf" / "library.sqlite").exists()


def test_files_are_known_in_postgresql(file, desk, new_postgresql):
    address = new_postgresql()
    assert file("--database", address).code == 0
    assert set(desk.places()) == set(FILED)
    assert not (desk.out / ".textclf" / "library.sqlite").exists()
    with Library.open(desk.out / ".textclf", address) as library:
        assert len(library.list_documents()) == 5
    assert file("--undo", "--database", address, inbox=False, model=False).code == 0
    assert len(list(desk.inbox.iterdir())) == 5


def test_the_model_on_duty_is_used_if_none_is_given(file, desk, model_file, tmp_path):
    said = file(model=False)
    assert said.code == ExitCode.USAGE
    assert said.error == "error: --model: no model is on duty; give a model file with --model"
    (tmp_path / "bad.textclf").write_bytes(b"no model")
    assert file("--model", tmp_path / "bad.textclf", model=False).code == ExitCode.BAD_MODEL
    assert not desk.out.exists(), "nothing is left behind"
    assert file().code == 0
    file("--undo", inbox=False, model=False)
    assert file(model=False).code == 0
    assert set(desk.places()) == set(FILED)


def test_another_model_does_not_take_the_place_of_the_one_on_duty(file, desk, model_file):
    with Library.open(desk.out / ".textclf") as library:
        on_duty = library.add_model(model_file, at=clock()).id
        library.put_on_duty(on_duty, by="ada", at=clock())
    other = desk.top / "other.textclf"
    save_model(load_model(model_file).with_max_error(0.5), other)
    assert file("--model", other, model=False).code == 0
    with Library.open(desk.out / ".textclf") as library:
        assert len(library.list_models()) == 2
        assert library.model_on_duty().id == on_duty


def clock():
    from datetime import UTC, datetime

    return datetime.now(UTC)


def test_two_runs_into_one_folder_are_kept_apart_and_a_dead_one_does_not_block(file, desk, spawn):
    holder = desk.out / ".textclf" / "lock"
    holder.parent.mkdir(parents=True)
    read, write = os.pipe()
    child = os.fork()
    if not child:
        with holder.open("w") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX)
            lock.write("4711\n")
            lock.flush()
            os.write(write, b"x")
            os.read(os.pipe()[0], 1)
    os.read(read, 1)
    try:
        said = file()
        assert said.code == ExitCode.OUTPUT
        assert "another run files into this folder (process 4711); wait until it has ended" in said.error
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert file().code == 0


def test_a_file_that_cannot_be_moved_stays_and_is_told(file, desk, monkeypatch):
    """As where the account may read the inbox, but not take anything out of it."""
    real = os.rename
    from textclf.folders import file_operations

    def refuse(source, target):
        if source.name == "i.pdf":
            raise PermissionError(13, "Permission denied", str(source))
        real(source, target)

    monkeypatch.setattr(file_operations, "rename_new", refuse)
    said = file()
    assert said.code == ExitCode.OUTPUT
    assert re.search(r"stayed     i\.pdf  \(cannot be moved to .*/invoice/i\.pdf \(permission denied\)\)", said.out)
    assert "1 of 5 files stayed where they were; see their lines" in said.error
    assert (desk.inbox / "i.pdf").exists()
    assert not (desk.out / "invoice").exists()
    assert len(desk.places()) == 5


def test_a_run_whose_files_all_stayed_is_told_and_not_the_one_before_undone(file, desk, monkeypatch, page):
    from textclf.folders import file_operations

    file()
    desk.write("late.pdf", page("letter", 1))
    before = desk.places()
    with monkeypatch.context() as patch:
        patch.setattr(file_operations, "rename_new", Mock(side_effect=PermissionError(13, "Permission denied")))
        assert file().code == ExitCode.OUTPUT
    said = file("--undo", inbox=False, model=False)
    assert (said.code, said.out) == (ExitCode.OK, "")
    assert "moved no file; --undo once more takes back the run of" in said.err
    assert desk.places() == before
    assert "put back 5 files" in file("--undo", inbox=False, model=False).err


def test_a_full_disk_ends_the_run_and_what_was_moved_is_known(file, desk, monkeypatch):
    from textclf.folders import file_operations

    real, moved = file_operations.rename_new, []

    def full(source, target):
        if len(moved) == 2:
            raise OSError(28, "No space left on device", str(target))
        moved.append(source)
        real(source, target)

    monkeypatch.setattr(file_operations, "rename_new", full)
    said = file()
    assert said.code == ExitCode.OUTPUT
    assert "no space left on device); free some space and run the command again" in said.error
    monkeypatch.undo()
    assert file().code == 0
    assert set(desk.places()) == set(FILED)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ((), ExitCode.USAGE, "no folder is given in which scans wait; name one, or give --undo"),
        (("missing",), ExitCode.BAD_INPUT, "missing: there is no such file or folder"),
        (("--undo", "--dry-run"), ExitCode.USAGE, "--undo takes no files, and is no trial"),
        (("--undo",), ExitCode.BAD_INPUT, "there is no such folder"),
        (("--undo", "--into", "."), ExitCode.BAD_INPUT, ".textclf: holds no library; give that of the run"),
        ((".", "--copy", "--link"), ExitCode.USAGE, "--move, --copy and --link exclude each other"),
        ((".", "--database", "nonsense"), ExitCode.USAGE, "--database: is no address of a database"),
        (
            (".", "--database", "mysql://ada@host/name"),
            ExitCode.USAGE,
            "mysql is not supported, only SQLite, and PostgreSQL",
        ),
        ((".", "--name", "{date:{foo}}"), ExitCode.USAGE, "--name: {date:{foo}} means nothing in '{date:{foo}}'; use"),
    ],
)
def test_what_cannot_be_done_is_told(textclf, tmp_path, monkeypatch, model_file, arguments, code, told):
    monkeypatch.chdir(tmp_path)
    into = () if "--into" in arguments else ("--into", tmp_path / "out")
    said = textclf("file", *arguments, *into, "--model", model_file)
    assert said.code == code
    assert told in said.error


def test_a_folder_that_cannot_be_written_names_the_option_that_chose_it(file, desk, tmp_path):
    (tmp_path / "no folder").write_text("")
    for option in ("--into", "--failed", "--review", "--duplicates"):
        said = file(option, tmp_path / "no folder" / "x")
        assert said.code == ExitCode.OUTPUT
        assert said.error.endswith(f"choose another place with {option}"), said.error
