"""Training, evaluating and predicting with a real server."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from aws_ml_adapter.api.kinds import Kind
from aws_ml_adapter.client.amazon_classifier import AmazonMLClassifier
from aws_ml_adapter.client.client_options import TrainingOptions
from aws_ml_adapter.client.datasources import sent_data
from aws_ml_adapter.client.service_calls import S3Error
from aws_ml_adapter.client.state import StateFile
from features.datasource import read_datasource
from textclf import DocumentClassifier, predict_document_category
from textclf.base.errors import BadDataError, BadInputError, ExitCode, UsageError
from textclf.commands.prepare import prepare_datasource
from textclf.data.sources import TableOptions


def test_train_asks_for_a_share_a_recipe_and_explicit_parameters(server, trained):
    state = StateFile.open(trained).state
    model = server.client.get_ml_model(MLModelId=state.model_id, Verbose=True)
    assert (model["MLModelType"], model["Status"]) == ("MULTICLASS", "COMPLETED")
    assert json.loads(model["Recipe"])["outputs"] == [
        "lowercase(text_data)",
        "lowercase(common_words)",
        "ALL_BINARY",
    ]
    assert model["TrainingParameters"] == {
        "algorithm": "sgd",
        "sgd.l1RegularizationAmount": "0.0",
        "sgd.l2RegularizationAmount": "1e-6",
        "sgd.maxMLModelSizeInBytes": "104857600",
        "sgd.maxPasses": "10",
        "sgd.shuffleType": "auto",
    }
    splits = [
        json.loads(server.client.get_data_source(DataSourceId=state.named(part))["DataRearrangement"])["splitting"]
        for part in ("training", "held-out")
    ]
    assert [split["complement"] for split in splits] == [False, True]
    assert {(split["percentEnd"], split["strategyParams"]["randomSeed"]) for split in splits} == {(70, "0")}


def test_evaluate_holds_documents_out_and_agrees_with_the_service(server, trained, prepared):
    found = AmazonMLClassifier.load(trained).evaluate(max_error=0.2)
    report = found.report
    assert report.accuracy > 0.9
    assert abs(report.macro_f1 - found.average_f1) < 1e-9
    assert found.unusable == 0
    state = StateFile.open(trained).state
    trained_on = server.client.get_ml_model(MLModelId=state.model_id)
    assert trained_on["TrainingDataSourceId"] == state.named("training")
    assert 20 <= report.documents <= 60
    assert report.accepted > 0
    assert state.acceptance.threshold <= 1
    texts = {row.document_id: row.text for row in read_datasource(prepared / "datasource.csv")}
    for mistake in report.confident_errors:
        assert texts[mistake.document_id].startswith(mistake.snippet[:20])


def test_a_documents_table_is_predicted_in_its_order_with_the_columns_of_training(
    trained, prepared, tmp_path, write_documents
):
    table = tmp_path / "new.csv"
    lines = write_documents(table, 6, seed=2, first=900).read_text().splitlines()
    table.write_text("\n".join([*lines[:4], "broken row", *lines[4:]]) + "\n")
    predictions = list(AmazonMLClassifier.load(trained).predict(table))
    assert [prediction.document_id for prediction in predictions if prediction.status == "ok"] == [
        line.split(",")[0] for line in lines[1:]
    ]
    assert (predictions[3].status, predictions[3].decision, predictions[3].scores) == ("failed", "review", ())
    for prediction in predictions:
        if prediction.status == "ok":
            assert prediction.document_id.startswith(prediction.predicted_category)
            assert abs(sum(prediction.scores) - 1) < 1e-5
            assert prediction.score == max(prediction.scores)
    assert {prediction.decision for prediction in predictions} == {"accept", "review"}


def test_columns_computed_here_are_those_that_prepare_writes(trained, prepared):
    classifier = AmazonMLClassifier.load(trained)
    known = {row.document_id: row for row in read_datasource(prepared / "datasource.csv")}
    with sent_data(prepared / "documents.csv", prepared / "features", TableOptions()) as data:
        assert {row.document_id: row for row in read_datasource(data.path)} == known
    by_table = {each.document_id: each.scores for each in classifier.predict(prepared / "documents.csv")}
    by_datasource = {each.document_id: each.scores for each in classifier.predict(prepared)}
    assert by_table == by_datasource


def test_the_state_file_and_the_features_may_move_together(trained, prepared, tmp_path, write_documents):
    shutil.copytree(prepared, tmp_path / "a" / "prepared")
    with StateFile.open(trained).path.open() as file:
        content = json.load(file)
    table = write_documents(tmp_path / "new.csv", 1, seed=5, first=600)
    for features in ("prepared/features", str(prepared / "features")):
        (tmp_path / "a" / "model.json").write_text(json.dumps(content | {"features": features}))
        assert len(list(AmazonMLClassifier.load(tmp_path / "a" / "model.json").predict(table))) == 3
    assert not Path(content["features"]).is_absolute()
    assert (trained.parent / content["features"]).samefile(prepared / "features")


def test_what_was_predicted_once_is_not_predicted_again(server, trained, tmp_path, write_documents):
    table = write_documents(tmp_path / "new.csv", 2, seed=5, first=700)
    first = list(AmazonMLClassifier.load(trained).predict(table))
    made = server.objects_of(StateFile.open(trained).state.run)
    assert list(AmazonMLClassifier.load(trained).predict(table)) == first
    AmazonMLClassifier.load(trained).evaluate(table)
    after = server.objects_of(StateFile.open(trained).state.run)
    assert after[Kind.BATCH_PREDICTION] == made[Kind.BATCH_PREDICTION]
    assert len(after[Kind.EVALUATION]) == len(made[Kind.EVALUATION]) + 1


def test_the_endpoint_answers_predict_document_category(server, trained):
    classifier = AmazonMLClassifier.load(trained)
    try:
        url = classifier.open_endpoint()
        assert classifier.open_endpoint() == url
        label, score = predict_document_category(
            classifier.client, "Dear madam, kind regards", model_id=classifier.model_id, endpoint=url
        )
        assert (label, 0.5 < score <= 1) == ("letter", True)
    finally:
        classifier.close_endpoint()
    assert server.client.get_ml_model(MLModelId=classifier.model_id)["EndpointInfo"]["EndpointStatus"] == "NONE"


def test_without_held_out_documents_evaluate_wants_a_table(server, prepared, tmp_path, new_classifier, write_documents):
    options = TrainingOptions(train_percent=100)
    classifier = new_classifier(tmp_path / "model.json", options=options).fit(prepared)
    with pytest.raises(UsageError, match="no documents were held out"):
        classifier.evaluate()
    found = classifier.evaluate(write_documents(tmp_path / "new.csv", 3, seed=9, first=800))
    assert found.report.documents == 9
    assert found.report.accepted == 0
    classifier.delete()


def test_data_that_do_not_do_are_refused_before_anything_is_made(
    server, trained, prepared, tmp_path, new_classifier, write_documents
):
    table = write_documents(tmp_path / "twice.csv", 1, seed=1)
    table.write_text(table.read_text() + "invoice-000,again,letter\n")
    with pytest.raises(BadDataError, match="line 5: the document_id 'invoice-000' is a duplicate"):
        list(AmazonMLClassifier.load(trained).predict(table))
    other = tmp_path / "other"
    prepare_datasource(
        prepared / "documents.csv",
        other,
        DocumentClassifier(lexicon="none", vectors="none"),
        TableOptions(),
    )
    with pytest.raises(BadDataError, match="other columns than the training data"):
        list(AmazonMLClassifier.load(trained).predict(other))
    with pytest.raises(BadInputError, match="what prepare wrote is missing"):
        list(AmazonMLClassifier.load(trained).predict(prepared / "documents.csv", features=tmp_path))
    recipe = TrainingOptions(recipe='{"outputs": ["ngram(category, 2)"]}')
    with pytest.raises(Exception, match="recipe, outputs"):
        new_classifier(tmp_path / "model.json", options=recipe).fit(prepared)
    assert not (tmp_path / "model.json").exists()


@pytest.mark.slow
def test_through_s3_of_another_server(prepared, tmp_path, monkeypatch, make_server):
    s3 = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    s3.start()
    try:
        host, port = s3.get_host_and_port()
        url = f"http://{host}:{port}"
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        client = boto3.client("s3", endpoint_url=url, region_name="us-east-1")
        place = {"endpoint_url": make_server("--s3-endpoint", url).url, "s3_endpoint_url": url, "timeout": 60}
        classifier = AmazonMLClassifier("documents", state_file=tmp_path / "model.json", **place)
        with pytest.raises(S3Error, match=r"S3 refused .*NoSuchBucket|S3 refused .*bucket does not exist") as caught:
            classifier.fit(prepared)
        assert caught.value.exit_code == ExitCode.SERVICE
        # nothing was created, so nothing is recorded
        assert not (tmp_path / "model.json").exists()
        client.create_bucket(Bucket="documents")
        client.put_object(Bucket="documents", Key="theirs.csv", Body=b"a")
        found = classifier.fit(prepared).evaluate()
        assert found.report.accuracy > 0.9
        assert len(client.list_objects_v2(Bucket="documents")["Contents"]) == 5
        classifier.delete()
        assert [each["Key"] for each in client.list_objects_v2(Bucket="documents")["Contents"]] == ["theirs.csv"]
        client.close()
    finally:
        s3.stop()
