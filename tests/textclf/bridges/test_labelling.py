"""Tasks and labels of Label Studio and doccano, in the shapes that their documentation shows."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import textclf as package
from textclf.base.errors import BadDataError, ExitCode
from textclf.bridges.doccano import as_line, read_lines
from textclf.bridges.label_studio import Control, as_prediction, as_task, find_control, label_config, read_export
from textclf.bridges.labelled import CONFLICT
from textclf.model.prediction import Prediction

QUICK = ("--vectors", "none", "--lexicon", "none", "--no-background", "--no-diagnostics", "--jobs", "1")
TEXTS = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=30)


def annotation(*choices, **more):
    value = {"choices": list(choices)}
    result = (
        [{"id": "x1", "from_name": "category", "to_name": "text", "type": "choices", "value": value}] if choices else []
    )
    return {"id": 1, "completed_by": 1, "result": result, "was_cancelled": False, "ground_truth": False, **more}


@pytest.mark.parametrize(
    ("annotations", "category"),
    [
        ([], ""),
        ([annotation()], ""),
        ([annotation("letter")], "letter"),
        ([annotation("letter"), annotation("letter")], "letter"),
        ([annotation("letter"), annotation("invoice")], CONFLICT),
        ([annotation("letter"), annotation("invoice", was_cancelled=True)], "letter"),
        ([annotation("letter"), annotation("invoice", ground_truth=True)], "invoice"),
        ([annotation("None of these")], "none of these"),
        ([annotation("letter", "invoice")], CONFLICT),
    ],
)
def test_the_category_of_a_task_is_what_its_annotators_agree_on(annotations, category):
    task = {"id": 7, "data": {"document_id": "a.pdf", "text": "dear"}, "annotations": annotations, "predictions": []}
    (found,) = read_export([task])
    assert (found.document_id, found.text, found.category) == ("a.pdf", "dear", category)


def test_a_short_export_and_one_of_other_tasks_are_read_too():
    rows = [
        {"id": 1, "text": "dear", "document_id": "a", "category": "letter", "annotator": 1, "annotation_id": 5},
        {"id": 2, "text": "due", "category": {"choices": ["invoice"]}, "kind": "other"},
        {"id": 3, "text": "?"},
        {"id": 4, "text": "both", "category": {"choices": ["invoice", "letter"]}},
    ]
    found = [(one.document_id, one.category) for one in read_export(rows)]
    assert found == [("a", "letter"), ("task-2", "invoice"), ("task-3", ""), ("task-4", CONFLICT)]
    assert [one.category for one in read_export(rows, field="kind")] == ["", "other", "", ""]
    with pytest.raises(BadDataError, match="entry 2 is no task"):
        list(read_export([rows[0], 5]))


def test_texts_of_projects_with_names_of_their_own_come_back():
    data = {"source": "post", "content": "dear madam, kind regards"}
    row = {"id": 1, **data, "kind": "letter", "created_at": "2026-11-30T09:36:55.253354Z"}
    for task in ({"id": 1, "data": data, "annotations": [annotation("letter")]}, row):
        (found,) = read_export([task], field="" if "data" in task else "kind")
        assert (found.text, found.category) == ("dear madam, kind regards", "letter")


@given(st.lists(TEXTS.filter(bool), max_size=5), TEXTS)
def test_a_label_configuration_is_understood_again(categories, name):
    printable = ["".join(c for c in one if c.isprintable()) for one in categories]
    control = find_control(label_config(printable))
    assert (control.from_name, control.to_name, control.text) == ("category", "text", "text")
    assert control.choices == tuple(dict.fromkeys([*printable, "none of these"]))
    prediction = Prediction(document_id="1", predicted_category=name, score=0.5)
    result = as_prediction(prediction, control, "v1")["result"]
    assert bool(result) == (bool(name) and name in control.choices)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("", "is not XML"),
        ("<View>", "is not XML"),
        ("<View><Image name='i' value='$i'/><Choices name='c' toName='i'/></View>", "has no Choices about a Text"),
        ('<!DOCTYPE a [<!ENTITY x "y">]><View>&x;</View>', "declares entities"),
        ("<View/>" + " " * 1_000_001, "is too large"),
    ],
)
def test_configurations_that_cannot_be_used_are_refused(config, message):
    with pytest.raises(BadDataError, match=message):
        find_control(config)


@given(TEXTS.filter(bool), TEXTS, TEXTS.map(str.strip).filter(bool))
def test_texts_of_doccano_come_back_as_they_were(name, text, category):
    (found,) = read_lines([as_line(name, text, category), ""])
    assert (found.document_id, found.text) == (name, text)
    assert found.category.lower() in (category.lower(), "none of these")


def test_exports_of_several_versions_of_doccano_are_read():
    lines = [
        '{"id": 1, "text": "a", "label": ["letter"], "Comments": []}',
        '{"id": 2, "data": "b", "label": ["letter", "invoice"], "meta": {"document_id": "b.pdf"}}',
        '{"id": 3, "text": "c", "labels": "invoice", "document_id": "c.pdf"}',
        '{"id": 4, "text": "d", "label": []}',
    ]
    found = [(one.document_id, one.category) for one in read_lines(lines)]
    assert found == [("line-1", "letter"), ("b.pdf", CONFLICT), ("c.pdf", "invoice"), ("line-4", "")]
    for wrong in ("{", "[1]", '{"label": []}'):
        with pytest.raises(BadDataError, match="line 2 is no JSON object with a text"):
            list(read_lines([lines[0], wrong]))


@pytest.fixture
def pile(tmp_path, table, corpus):
    rows = [(name, text, category if name.endswith("0") else "") for name, text, category in corpus(6).rows()]
    return table(tmp_path / "documents.csv", rows)


def test_documents_go_out_most_doubtful_first_and_come_back_as_labels(
    textclf, pile, tmp_path, model_path, corpus, read_table
):
    tasks, labels = tmp_path / "tasks.json", tmp_path / "labels.csv"
    said = textclf("labelling", "export", pile, "-o", tasks, "--model", model_path)
    assert said.code == 0, said.err
    control = find_control(said.out)
    assert control.choices == ("invoice", "letter", "receipt", "none of these")
    written = json.loads(tasks.read_text(encoding="utf-8"))
    assert len(written) == 15
    for task in written:
        (prediction,) = task["predictions"]
        # as a service names it that has this model on duty
        assert prediction["model_version"] == f"model {sha256(model_path.read_bytes()).hexdigest()[:12]}"
        assert prediction["result"][0]["type"] == "choices"
        assert prediction["result"][0]["value"]["choices"][0] in control.choices
    accepted = package.load(model_path)
    decisions = [accepted(task["data"]["text"]) for task in written]
    assert decisions == sorted(decisions, key=lambda one: (one.decision == "accept", one.score))

    truth = {name: category for name, _, category in corpus(6).rows()}
    for task in written:
        task["annotations"] = [annotation(truth[task["data"]["document_id"]])]
    written[0]["annotations"].append(annotation("none of these"))
    (tmp_path / "export.json").write_text(json.dumps(written), encoding="utf-8")
    said = textclf("labelling", "import", tmp_path / "export.json", "-o", labels)
    assert "14 of 15 texts labelled, 3 categories" in said.err
    assert f"annotators disagree about 1 text or chose several: '{written[0]['data']['document_id']}'" in said.err
    assert sum(bool(row["category"]) for row in read_table(labels)) == 14
    said = textclf("train", pile, "--corrections", labels, "-o", tmp_path / "m.textclf", *QUICK)
    assert said.code == 0, said.err
    assert sum(package.load(tmp_path / "m.textclf").training.documents.values()) == 3 + 14


def test_doccano_gets_a_line_each(textclf, pile, tmp_path):
    said = textclf("labelling", "export", pile, "-o", tmp_path / "t.jsonl", "--tool", "doccano")
    assert said.out == ""
    lines = (tmp_path / "t.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["label"] for line in lines] == [[]] * 15
    assert textclf("labelling", "import", tmp_path / "t.jsonl", "-o", tmp_path / "l.csv").code == 0


def test_what_a_person_filled_in_is_not_lost(textclf, pile, tmp_path, read_table, table):
    (tmp_path / "e.jsonl").write_text('{"text": "a", "label": ["x"], "document_id": "a"}\n', encoding="utf-8")
    labels = table(tmp_path / "l.csv", [("b", "mine", "text")], ("document_id", "category", "text"))
    said = textclf("labelling", "import", tmp_path / "e.jsonl", "-o", labels)
    assert said.code == ExitCode.USAGE
    assert "has 1 category filled in, which would be lost" in said.error
    # over its own result it is written again
    for _ in range(2):
        assert textclf("labelling", "import", tmp_path / "e.jsonl", "-o", tmp_path / "n.csv").code == 0


@pytest.mark.parametrize("content", [b"", b"[", b"[[" * 9, b'{"a": 1}', b"\xff\xfe\x00", b"null", b"[1]", b"[]"])
def test_what_is_no_export_is_refused(textclf, tmp_path, content):
    path: Path = tmp_path / "e.json"
    path.write_bytes(content)
    said = textclf("labelling", "import", path, "-o", tmp_path / "l.csv")
    assert said.code == ExitCode.BAD_DATA
    assert str(path) in said.error
    assert not (tmp_path / "l.csv").exists()


def test_tasks_without_predictions_have_none():
    assert as_task("a", "text") == {"data": {"document_id": "a", "text": "text"}}
    control = Control(from_name="c", to_name="t", text="text", choices=())
    assert as_prediction(Prediction(document_id="a"), control, "v")["result"] == []


def test_choices_of_another_name_and_rubbish_are_told(textclf, tmp_path):
    export, output = tmp_path / "export.json", tmp_path / "labels.csv"
    export.write_text(json.dumps([{"id": 1, "text": "dear", "kind": "letter", "lead_time": 3.5}]))
    said = textclf("labelling", "import", export, "-o", output)
    assert "nothing is labelled; give one of these with --field: kind" in said.err
    said = textclf("labelling", "import", export, "-o", output, "--field", "kind")
    assert "1 of 1 text labelled" in said.err
    assert "--field" not in said.err
    wrong = [5, {"result": 7}, {"result": [{"type": "choices", "value": 3}]}, annotation(), annotation("letter")]
    tasks = [{"id": id_, "data": {"text": "dear"}, "annotations": given} for id_, given in enumerate((wrong, 8, None))]
    export.write_text(json.dumps(tasks))
    said = textclf("labelling", "import", export, "-o", tmp_path / "others.csv")
    assert said.code == 0, said.err
    assert "4 annotations could not be read and left out" in said.err
    assert "1 of 3 texts labelled" in said.err
