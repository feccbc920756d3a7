"""``textclf paperless`` on an archive: learning, trying, filing."""

from __future__ import annotations

import copy
import csv
import json
import re
import socket

import pytest

pytest.importorskip("httpx", reason="the extra [desk] is not installed")

from fastapi.responses import JSONResponse
from hypothesis import given, settings
from hypothesis import strategies as st

import textclf as package
from textclf.base.errors import ExitCode
from textclf.bridges.paperless_report import render_report
from textclf.bridges.paperless_trial import Judged, Step, Trial, TypeFigures

QUICK = ("--vectors", "none", "--lexicon", "none", "--no-background", "--jobs", "1")


@pytest.fixture
def consumed(monkeypatch):
    """Sets the environment in which paperless-ngx runs a post-consume script."""

    def set_environment(number, source="/nowhere/scan.pdf"):
        for name, value in {
            "DOCUMENT_ID": number,
            "DOCUMENT_SOURCE_PATH": source,
            "DOCUMENT_ARCHIVE_PATH": "",
            "DOCUMENT_TYPE": "None",
            "DOCUMENT_TAGS": "inbox",
            "TASK_ID": "0b2d7b4e",
        }.items():
            monkeypatch.setenv(name, str(value))

    return set_environment


def test_a_model_is_learned_from_what_is_filed(filed, textclf, tmp_path, corpus):
    filed.types |= {4: "memo", 5: "none of these"}
    filed.add(201, "the only memo that there is", 4)
    filed.add(202, "a type that was deleted", 99)
    filed.add(203, "nobody has said what this is")
    filed.add(204, "of no kind that is known", 5)
    model, table = tmp_path / "m.textclf", tmp_path / "documents.csv"
    said = textclf("paperless", "learn", "-o", model, "--table", table, *QUICK)
    assert said.code == 0, said.err
    assert "38 filed documents of 3 document types, 2 without a type, 4 in the inbox" in said.err
    assert "types of too few documents, learned as papers to turn away: memo (1)" in said.err
    loaded = package.load(model)
    assert loaded.training.documents == {"invoice": 12, "letter": 12, "receipt": 12}
    assert loaded.training.out_of_distribution == 2
    assert loaded.training.unlabelled.given == 2
    with table.open(newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 40
    assert filed.writes() == []
    # the model and the table stand, and can be made again
    assert textclf("paperless", "learn", "-o", model, "--table", table, *QUICK).code == 0


def test_an_archive_that_is_too_small_says_what_is_missing(paperless, textclf, tmp_path):
    paperless.add(1, "text", 1)
    said = textclf("paperless", "learn", "-o", tmp_path / "m.textclf")
    assert said.code == ExitCode.BAD_DATA
    assert "fewer than two document types have 5 documents out of the inbox (found: 'invoice' (1))" in said.error
    assert not list(tmp_path.glob("*.textclf"))


def test_files_are_not_overwritten_by_learning(filed, textclf, tmp_path):
    (tmp_path / "mine.csv").write_text("a,b\n1,2\n")
    said = textclf("paperless", "learn", "-o", tmp_path / "m.textclf", "--table", tmp_path / "mine.csv")
    assert said.code == ExitCode.USAGE
    assert filed.requests == []


def test_a_trial_says_what_both_would_do_and_only_reads(filed, textclf, tmp_path):
    filed.documents[3]["title"] = "<script>alert(1)</script>"
    filed.documents[3]["document_type"] = 2
    before = copy.deepcopy(filed.documents)
    page = tmp_path / "trial.html"
    said = textclf("paperless", "try", "--report", page, "--max-error", "0.4", *QUICK)
    assert said.code == 0, said.err
    assert "36 filed documents of 3 document types, 0 without a type, 4 in the inbox" in said.out
    assert "paperless-ngx itself, asked about 36 documents of these: right in 26 of 36" in said.out
    assert "wrong in 1, no suggestion for 9" in said.out
    assert "maximum error" in said.out
    assert {method for method, _, _ in filed.requests} == {"GET"}
    assert filed.documents == before
    shown = page.read_text(encoding="utf-8")
    assert "<script" not in shown
    assert "textclf on your archive" in shown
    # written again over itself, but not over another page
    page.write_text("my own page")
    assert textclf("paperless", "try", "--report", page, *QUICK).code == ExitCode.USAGE


def test_a_trial_in_json_counts_every_document_once(filed, textclf):
    filed.types[4] = "memo"
    filed.add(201, "total due vat net", 4)
    said = textclf("paperless", "try", "--json", "--sample", "5", *QUICK)
    trial = json.loads(said.out)
    assert (trial["documents"], trial["rare"], trial["inbox"]) == (36, 1, 4)
    assert trial["own"]["documents"] == 5
    assert trial["own"]["right"] + trial["own"]["wrong"] + trial["own"]["none"] == 5
    assert sum(one["documents"] for one in trial["types"]) == 36
    for step in trial["steps"]:
        assert 0 <= step["wrong"] <= step["accepted"] <= 37
    assert [step["max_error"] for step in trial["steps"]] == sorted(step["max_error"] for step in trial["steps"])


@pytest.mark.slow
def test_figures_can_be_those_of_new_senders(filed, textclf, tmp_path):
    for number, row in filed.documents.items():
        row["correspondent"] = number % 4 + 1
    said = textclf("paperless", "try", "--new-senders", "--sample", "0", *QUICK)
    assert said.code == 0, said.err
    assert "nor on any other of the same correspondent" in said.out
    model = tmp_path / "m.textclf"
    assert textclf("paperless", "learn", "--new-senders", "-o", model, *QUICK).code == 0
    assert package.load(model).training.kept_together == 4


def test_a_consumed_document_is_filed(paperless, textclf, model_path, consumed, corpus):
    paperless.add(7, corpus(3, seed=11).texts[0])
    consumed(7)
    said = textclf("paperless", "post-consume", model_path, "--review-tag", "check", "--score-field", "score")
    assert said.code == 0
    assert "document 7: " in said.err
    assert paperless.value(7, 1) is not None
    first = copy.deepcopy(paperless.documents)
    said = textclf("paperless", "post-consume", model_path, "--review-tag", "check", "--score-field", "score")
    assert "nothing to change" in said.err
    assert paperless.documents == first


def test_a_consumption_never_fails(paperless, textclf, model_path, consumed, tmp_path, monkeypatch):
    command = ("paperless", "post-consume")
    consumed(7)
    assert "not there any more" in textclf(*command, model_path).err
    paperless.add(7, "text")
    for arguments, message in (
        ((tmp_path / "missing.textclf",), "missing.textclf"),
        ((model_path, "--no-such-option"), "No such option"),
        ((), "Missing argument"),
        ((model_path, "--review-tag", "missing"), "has no tag 'missing'"),
        ((model_path, "--url", "nonsense"), "not the address of a server"),
        ((model_path, "--token-file", tmp_path / "missing"), "cannot be read"),
    ):
        said = textclf(*command, *arguments)
        assert said.code == 0
        assert message in said.err
        assert "Traceback" not in said.err
    for number in ("", "x", "-1", "1e9", "٣", "9" * 30):
        consumed(number)
        said = textclf(*command, model_path)
        assert (said.code, "not the id of a document" in said.err) == (0, True)
    assert paperless.writes() == []
    with socket.socket() as deaf:
        # accepts connections and never answers
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        consumed(7)
        said = textclf(*command, model_path, "--url", f"http://127.0.0.1:{deaf.getsockname()[1]}", "--seconds", "1")
    assert said.code == 0
    assert "did not answer" in said.err


def test_the_file_of_a_document_can_be_read_in_place_of_its_content(
    paperless, textclf, model_path, consumed, scan, tmp_path
):
    file = scan(tmp_path / "scan.png", "Dear madam,", "yours sincerely", "kind regards, your aunt")
    paperless.add(7, "")
    paperless.add(8, "")
    paperless.files[8] = file.read_bytes()
    arguments = (
        "paperless",
        "post-consume",
        model_path,
        "--read",
        "--score-field",
        "score",
        "--jobs",
        "1",
        "--seconds",
        "60",
    )
    consumed(7, file)
    said = textclf(*arguments)
    assert "letter" in said.err
    # downloaded, where it cannot be reached
    consumed(8)
    textclf(*arguments)
    assert paperless.value(8, 1) == paperless.value(7, 1) != 0


def test_documents_with_a_tag_are_judged_and_lose_it(paperless, textclf, model_path, corpus):
    for place, text in enumerate(corpus(1, seed=11).texts, 1):
        paperless.add(place, text, tags=(1, 4))
    paperless.add(9, "set by hand", kind=1, tags=(4,))
    paperless.add(10, "left alone", tags=(1,))
    arguments = ("paperless", "poll", model_path, "--tag", "todo", "--review-tag", "check", "--once")
    said = textclf(*arguments)
    assert said.code == 0
    assert "4 documents had the tag 'todo', 0 could not be judged" in said.err
    assert all(4 not in row["tags"] for row in paperless.documents.values())
    assert paperless.documents[9]["document_type"] == 1
    assert paperless.documents[10]["tags"] == [1]
    paperless.requests.clear()
    assert "0 documents had the tag" in textclf(*arguments).err
    assert paperless.writes() == []


def test_a_document_that_fails_keeps_its_tag(paperless, textclf, model_path):
    for number in (1, 2):
        paperless.add(number, "", tags=(4,))
    paperless.fail("/api/documents/1/", lambda _: JSONResponse({"detail": "odd"}, status_code=418), times=9)
    arguments = ("paperless", "poll", model_path, "--tag", "todo", "--once", "--retries", "0")
    assert textclf(*arguments).code == 0
    assert (paperless.documents[1]["tags"], paperless.documents[2]["tags"]) == ([4], [])
    assert textclf(*arguments, "--strict").code == ExitCode.SOME_FAILED


def test_a_tag_that_is_given_and_taken_away_is_refused(paperless, textclf, model_path):
    said = textclf("paperless", "poll", model_path, "--tag", "check", "--review-tag", "check", "--once")
    assert said.code == ExitCode.USAGE
    assert paperless.requests == []


def test_the_commands_tell_which_package_is_missing(textclf, tmp_path, monkeypatch, paperless):
    import sys

    for name in [name for name in sys.modules if name.startswith("textclf.bridges.paperless_http")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("textclf.bridges.paperless_http", raising=False)
    monkeypatch.setitem(sys.modules, "httpx", None)
    said = textclf("paperless", "learn", "-o", tmp_path / "m.textclf")
    assert said.code == ExitCode.MISSING_PROGRAM
    assert "pip install '.[desk]'" in said.error


NAMES = st.text(min_size=1, max_size=30)


@given(name=NAMES, title=NAMES, line=NAMES)
@settings(max_examples=25)
def test_the_page_of_a_trial_loads_nothing_whatever_things_are_named(name, title, line):
    wrong = Judged(id=3, title=f"<img src=x>{title}", category=name, predicted="<b>", score=0.9, accepted=(True,))
    page = render_report(
        Trial(
            address="http://localhost:8000",
            new_senders=False,
            archive=(line,),
            documents=1,
            right=0,
            rare=0,
            inbox=0,
            max_error=0.05,
            steps=(Step(max_error=0.05, accepted=1, wrong=1, inbox=0),),
            own=None,
            types=(TypeFigures(name=f"<script>{name}", documents=1, right=0, accepted=1, accepted_wrongly=0),),
            disagreements=(wrong,),
        ),
        created="2026-01-01",
    )
    assert not re.search(r"<(script|img|b)>", page)
    assert "src=x" not in page or "&lt;img" in page
    assert 'href="http://localhost:8000/documents/3/"' in page
    assert "What paperless-ngx suggests itself" not in page
