"""No output takes the place of an input, or of a file that the command does not write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from textclf.base.errors import ExitCode, OutputError, UsageError
from textclf.base.overwrite_guard import (
    DOCUMENTS,
    LEXICON,
    MODEL,
    check_output,
    check_output_folder,
    json_kind,
    picture_paths,
)

QUICK = ("--lexicon", "none", "--vectors", "none", "--no-background", "--no-diagnostics", "--jobs", "1")


@pytest.fixture
def documents(tmp_path, table, corpus):
    return table(tmp_path / "documents.csv", corpus(5).rows())


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


COMMANDS = {
    "ocr": ("ocr", "page.png", "-o", "OUT", "--no-cache"),
    "clean": ("clean", "documents.csv", "-o", "OUT"),
    "train": ("train", "documents.csv", "-o", "OUT", *QUICK),
    "tune": ("tune", "documents.csv", "-o", "OUT", "--minutes", "0.01"),
    "predict": ("predict", "model.textclf", "documents.csv", "-o", "OUT"),
    "check": ("check", "documents.csv", "-o", "OUT", "--no-label-issues"),
    "compare": ("compare", "model.textclf", "model.textclf", "documents.csv", "-o", "OUT"),
    "suggest": ("keywords", "suggest", "documents.csv", "-o", "OUT", "--lexicon", "own.toml"),
    "explain": ("classify", "model.textclf", "page.png", "--no-cache", "--explain", "OUT"),
}


@pytest.mark.parametrize("command", list(COMMANDS))
@pytest.mark.parametrize("output", ["page.png", "scan.pdf", "model.textclf", "documents.csv", "labels.csv", "own.toml"])
def test_no_command_writes_over_what_it_reads_or_does_not_write(
    textclf, tmp_path, documents, model_path, monkeypatch, command, output
):
    monkeypatch.chdir(tmp_path)
    Image.new("L", (40, 40), 255).save("page.png")
    Path("scan.pdf").write_bytes(b"%PDF-1.7 and more")
    Path("labels.csv").write_text("file,category\npage.png,invoice\n")
    Path("own.toml").write_text('[invoice]\nen = ["vat"]\n')
    Path("model.textclf").write_bytes(model_path.read_bytes())
    if (command, output) in {("ocr", "documents.csv"), ("train", "model.textclf")}:
        pytest.skip("an older result, which may be replaced")
    before = snapshot(tmp_path)
    said = textclf(*(output if argument == "OUT" else argument for argument in COMMANDS[command]))
    assert said.code == ExitCode.USAGE
    assert said.error.startswith(f"error: {output}: ")
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
def test_an_input_is_known_by_any_name(textclf, tmp_path, documents, link):
    other = tmp_path / "other.csv"
    getattr(other, link)(documents)
    said = textclf("clean", documents, "-o", other)
    assert said.code == ExitCode.USAGE
    assert "is also what the command reads" in said.error


def test_labels_and_scans_in_folders_are_inputs(textclf, tmp_path, scan):
    scan(tmp_path / "in" / "a.png", "one")
    labels = tmp_path / "labels.csv"
    labels.write_text("document_id,text,file,category\n1,x,in/a.png,letter\n")
    for output in (labels, tmp_path / "in" / "a.png"):
        before = output.read_bytes()
        said = textclf("ocr", tmp_path / "in", "--labels", labels, "-o", output, "--no-cache")
        assert (said.code, output.read_bytes()) == (ExitCode.USAGE, before)
        assert "is also what the command reads" in said.error


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("f.csv", ("check", "documents.csv", "--labels", "f.csv", "-o", "f.csv")),
        ("f.csv", ("check", "documents.csv", "--against", "f.csv", "-o", "f.csv")),
        ("f.csv", ("check", "documents.csv", "--against", "documents.csv", "--against-labels", "f.csv", "-o", "f.csv")),
        ("f.csv", ("compare", "model.textclf", "model.textclf", "documents.csv", "--labels", "f.csv", "-o", "f.csv")),
        ("f.csv", ("select", "documents.csv", "--with", "f.csv", "-o", "f.csv")),
        ("f.csv", ("tune", "documents.csv", "--labels", "f.csv", "-o", "f.csv")),
        ("f.csv", ("train", "documents.csv", "--labels", "f.csv", "-o", "f.csv")),
        ("f.csv", ("keywords", "suggest", "documents.csv", "--labels", "f.csv", "-o", "f.csv")),
        ("f/confused_pairs.csv", ("evaluate", "model.textclf", "documents.csv", "--labels", "f/confused_pairs.csv")),
        ("f/datasource.csv", ("prepare", "documents.csv", "--labels", "f/datasource.csv")),
    ],
)
def test_labels_that_a_person_filled_in_are_inputs(
    textclf, tmp_path, documents, model_path, monkeypatch, name, command
):
    monkeypatch.chdir(tmp_path)
    Path("model.textclf").write_bytes(model_path.read_bytes())
    Path("f").mkdir()
    Path(name).write_text("document_id,category\ninvoice-00,letter\n")
    before = snapshot(tmp_path)
    said = textclf(*command, *([] if "-o" in command else ["-o", "f"]))
    assert (said.code, snapshot(tmp_path)) == (ExitCode.USAGE, before)
    assert f"{name}: is also what the command reads" in said.error


@pytest.mark.parametrize(
    ("command", "name"),
    [
        *(("evaluate", name) for name in ("report.html", "metrics.json", "confusion.csv", "confusion.png")),
        ("prepare", "datasource.csv"),
        ("prepare", "datasource.csv.schema"),
        ("prepare", "features/settings.json"),
    ],
)
def test_a_folder_keeps_what_others_put_into_it(textclf, tmp_path, documents, model_path, command, name):
    foreign = tmp_path / "out" / name
    foreign.parent.mkdir(parents=True)
    foreign.write_text("mine")
    said = textclf(command, *([model_path] if command == "evaluate" else []), documents, "-o", tmp_path / "out")
    assert said.code == ExitCode.USAGE
    assert f"{foreign}: exists and is not " in said.error
    assert list(snapshot(tmp_path / "out").values()) == [b"mine"]


def test_what_prepare_wrote_is_not_prepared_onto_itself(textclf, tmp_path, documents):
    options = ("--lexicon", "none", "--vector-size", "4")
    assert textclf("prepare", documents, "-o", tmp_path / "prepared", *options).code == 0
    before = snapshot(tmp_path / "prepared")
    said = textclf("prepare", tmp_path / "prepared", "-o", tmp_path / "prepared", *options)
    assert (said.code, snapshot(tmp_path / "prepared")) == (ExitCode.USAGE, before)
    assert "datasource.csv: is also what the command reads" in said.error


def test_an_older_result_and_an_empty_file_may_be_replaced(textclf, tmp_path, documents, model_path, scan):
    page = scan(tmp_path / "page.png", "Invoice total due", "VAT number 4711")
    commands = [
        ("ocr", page, "-o", tmp_path / "read.csv", "--lang", "eng", "--cache", tmp_path / "cache"),
        ("clean", documents, "-o", tmp_path / "cleaned.csv"),
        ("predict", model_path, documents, "-o", tmp_path / "predictions.csv"),
        ("evaluate", model_path, documents, "-o", tmp_path / "report"),
        ("prepare", documents, "-o", tmp_path / "prepared", "--lexicon", "none", "--vector-size", "4"),
        ("check", documents, "-o", tmp_path / "findings.csv", "--no-label-issues"),
        ("compare", model_path, model_path, documents, "-o", tmp_path / "changes.csv"),
        ("keywords", "suggest", documents, "-o", tmp_path / "lexicon.toml"),
        (
            *("classify", model_path, page, "--lang", "eng", "--cache", tmp_path / "cache"),
            *("--explain", tmp_path / "why.png"),
        ),
    ]
    (tmp_path / "predictions.csv").touch()
    for command in commands * 2:
        assert textclf(*command).code == 0


@pytest.mark.parametrize(
    "content",
    [b"\0", b"\xff\xfe", b'"', b"\r", b"a" * 200_000, b"PK\x03\x04", b"[", b"{", b"\x89PNG", "è".encode("latin-1")],
)
def test_any_content_is_of_a_kind_or_not(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    for kind in (DOCUMENTS, LEXICON, MODEL, json_kind("an object", "key")):
        with pytest.raises(UsageError, match="exists and is not"):
            check_output(path, kind)


def test_what_cannot_be_written_is_told_before_any_work(tmp_path):
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "circle").symlink_to("circle")
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "file" / "x" / "a.csv", tmp_path / "circle", tmp_path / "pipe", Path("a" * 300)):
        with pytest.raises(OutputError):
            check_output(path, DOCUMENTS)
    with pytest.raises(OutputError):
        check_output_folder(tmp_path / "file", {"a.csv": DOCUMENTS})
    (tmp_path / "link").symlink_to(tmp_path / "new" / "a.csv")
    check_output(tmp_path / "link", DOCUMENTS)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to_is_told_before_any_work(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="permission denied"):
        check_output(tmp_path / "new" / "a.csv", DOCUMENTS)


def test_no_picture_leaves_its_folder():
    ids = ["a.pdf", "/etc/a.pdf", "../../a.pdf", "x/../../a.pdf"]
    for path in picture_paths(Path("why"), ids).values():
        assert path.parts[0] == "why"
        assert ".." not in path.parts
