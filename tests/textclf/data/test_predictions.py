"""Predictions of whole tables, by one process and by several."""

from __future__ import annotations

import pytest

from textclf.data import predictions
from textclf.data.predictions import predict_documents


@pytest.mark.parametrize("several", ["processes", pytest.param("cluster", marks=pytest.mark.slow)])
def test_a_table_is_predicted_the_same_by_one_and_by_several(
    textclf, tmp_path, table, corpus, model_path, monkeypatch, several, request
):
    spread = ("--jobs", "2")
    if several == "cluster":
        spread = ("--dask", request.getfixturevalue("cluster").scheduler.address)
    monkeypatch.setattr(predictions, "MAX_BATCH_DOCUMENTS", 20)
    monkeypatch.setattr(predictions, "MAX_BATCH_CHARACTERS", 2_000)
    _, texts, _ = corpus(4)
    rows = [[f"{number}", texts[number % 12]] for number in range(200)]
    rows[150] = ["x", "one", "too many"]
    rows[160] = ["long", "vat " * 1000]
    path = table(tmp_path / "d.csv", [], ("document_id", "text"))
    path.write_text("document_id,text\n" + "".join(f"{','.join(row)}\n" for row in rows))
    results = []
    for where in (("--jobs", "1"), spread):
        assert textclf("predict", model_path, path, "-o", tmp_path / "p.csv", "--why", *where).code == 0
        results.append((tmp_path / "p.csv").read_bytes())
    one, many = results
    assert one == many
    assert one.count(b"\n") == len(rows) + 1


def test_fewer_processes_than_one_are_refused(textclf, tmp_path, table, model_path):
    path = table(tmp_path / "d.csv", [("a", "b")], ("document_id", "text"))
    assert textclf("predict", model_path, path, "-o", tmp_path / "p", "--jobs", "0").code == 2
    assert list(predict_documents(None, [])) == []
