"""Messages on faulty data and requests, as seen by an unmodified boto3 client."""

from __future__ import annotations

import json
import re
import urllib.parse
from contextlib import suppress

import pytest

ROWS = [(number, number % 2) for number in range(40)]
MARK = "\ufeff"


def schema(*, target: str | None = "hit", header: bool = True, **attributes: str) -> str:
    attributes = attributes or {"size": "NUMERIC", "hit": "BINARY"}
    return json.dumps(
        {
            "version": "1.0",
            "dataFormat": "CSV",
            "dataFileContainsHeader": header,
            "targetAttributeName": target,
            "attributes": [{"attributeName": name, "attributeType": kind} for name, kind in attributes.items()],
        }
    )


def lines(header: str = "", separator: str = ",", end: str = "\n") -> str:
    rows = [f"{size}{separator}{hit}" for size, hit in ROWS]
    return "".join(f"{line}{end}" for line in ([header] if header else []) + rows)


@pytest.fixture
def create(server, request):
    """Create a data source of some data, and return its final record."""

    def create(name: str, data: str, schema_text: str | None = None, **spec: str) -> dict:
        id_ = re.sub(r"[^A-Za-z0-9]+", "-", f"{request.node.name[-40:]}-{name}")
        spec["DataSchema"] = schema() if schema_text is None else schema_text
        location = server.put(f"messages/{id_}.csv", data)
        server.client.create_data_source_from_s3(
            DataSourceId=id_, DataSpec={"DataLocationS3": location, **spec}, ComputeStatistics=True
        )
        return server.wait("data_source", id_, until=("COMPLETED", "FAILED"))

    return create


def page_of(server, kind: str, id_: str) -> str:
    return server.read(f"/{kind}?{urllib.parse.urlencode({'id': id_})}")


def test_a_first_row_that_was_read_as_a_header_is_reported(server, create):
    made = create("lost", lines())
    assert made["Status"] == "COMPLETED"
    assert "('0,0') was read as a header" in made["Message"]
    assert "set dataFileContainsHeader to false" in made["Message"]
    assert "INFO: warning: the first line of s3://bucket/messages/" in server.read(made["LogUri"])
    assert "was read as a header" in page_of(server, "DataSource", made["DataSourceId"])


@pytest.mark.parametrize("header", ["size,hit", "Size,hit", "big,small", "size,1", "7,hit"])
def test_a_proper_header_is_not_reported(create, header):
    made = create("kept", lines(header))
    assert (made["Status"], made.get("Message")) == ("COMPLETED", None)


def test_a_header_of_texts_only_is_not_reported(create):
    made = create("texts", "a,b\n" * 3, schema(target=None, one="TEXT", two="CATEGORICAL"))
    assert (made["Status"], made.get("Message")) == ("COMPLETED", None)


def test_byte_order_marks_are_left_out_of_requests(server, create):
    share = MARK + json.dumps({"splitting": {"percentBegin": 0, "percentEnd": 70}})
    made = create("marked", lines("size,hit"), MARK + schema(), DataRearrangement=share)
    assert made["Status"] == "COMPLETED"
    request = {"MLModelType": "BINARY", "TrainingDataSourceId": made["DataSourceId"]}
    server.client.create_ml_model(MLModelId="ml-marked", Recipe=MARK + '{"outputs": ["ALL_INPUTS"]}', **request)
    answer = server.client.get_ml_model(MLModelId="ml-marked", Verbose=True)
    assert json.loads(answer["Recipe"]) == {"outputs": ["ALL_INPUTS"]}
    server.wait("ml_model", "ml-marked")


@pytest.mark.parametrize(
    ("data", "header", "expected"),
    [
        (lines("size,hit", end="\r"), True, "its first line has carriage returns"),
        (lines("size;hit", ";"), True, "its first line has semicolons between its values, not commas; save it with"),
        (lines("size\thit", "\t"), True, "its first line has tabs between its values"),
        (lines("", ";"), False, "('0;0'), which has semicolons between its values"),
        (lines("", "\t"), False, "which has tabs between its values"),
        (lines("", end="\r"), False, "which has carriage returns"),
    ],
)
def test_files_of_other_formats_are_named(create, data, header, expected):
    made = create("other", data, schema(header=header))
    assert made["Status"] == "FAILED"
    assert expected in made["Message"]


def test_rejected_rows_are_reported(create):
    made = create("some", lines("size,hit") + "1,2,3\n")
    assert made["Status"] == "COMPLETED"
    assert "1 of 41 rows were rejected: the first is row 41 ('1,2,3'), which has 3 values" in made["Message"]


@pytest.mark.parametrize("header", ["size,hit", '"size", hit ', "\ufeffsize,hit"])
def test_a_header_that_was_read_as_a_row_is_reported(create, server, header):
    made = create("found", lines(header), schema(header=False))
    assert made["Status"] == "COMPLETED"
    assert "has the names of the schema, but was read as a row" in made["Message"]
    assert "set dataFileContainsHeader to true" in made["Message"]
    assert "was read as a row" in page_of(server, "DataSource", made["DataSourceId"])


@pytest.mark.parametrize("first", ["Size,hit", "hit,size", "size", "0,0"])
def test_other_first_rows_are_rows(create, first):
    made = create("rows", lines(first), schema(header=False))
    assert "was read as a row" not in made.get("Message", "")


def test_rows_that_a_model_could_not_learn_from_are_reported(create, server):
    rows = "".join(f"{number},{number % 4}\n" for number in range(400))
    made = create("most", f"size,hit\n{rows}1,2,3\n")
    id_ = made["DataSourceId"]
    server.client.create_ml_model(MLModelId=id_, MLModelType="BINARY", TrainingDataSourceId=id_)
    server.client.create_evaluation(EvaluationId=id_, MLModelId=id_, EvaluationDataSourceId=id_)
    expected = "201 of 401 rows were not used: they were rejected, or have no valid value of the target 'hit'"
    model = server.wait("ml_model", id_)
    assert model["Message"] == f"warning: {expected}"
    assert "201 of 401 rows were not used" in page_of(server, "MLModel", id_)
    log = server.read(model["LogUri"])
    assert f"INFO: warning: {expected}" in log
    assert " valid-records=200 invalid-records=201 " in log
    assert server.wait("evaluation", id_)["Message"] == f"warning: {expected}"
    assert "201 of 401 rows were not used" in page_of(server, "Evaluation", id_)


def test_a_model_that_learned_from_all_rows_has_no_message(server):
    assert "Message" not in server.client.get_ml_model(MLModelId="ml-sales")


def test_an_empty_share_is_reported(create):
    share = json.dumps({"splitting": {"percentBegin": 0, "percentEnd": 100, "complement": True}})
    made = create("empty", lines("size,hit"), DataRearrangement=share)
    assert made["Status"] == "FAILED"
    assert "no row is in the share that DataRearrangement selects; correct percentBegin" in made["Message"]


def test_a_schema_without_attributes_is_reported(server, source):
    source["DataSpec"]["DataSchema"] = json.dumps({"version": "1.0", "attributes": []})
    name, message = server.refused(server.client.create_data_source_from_s3, **source)
    assert name == "InvalidInput"
    assert "a schema has no attributes; list the name and type of each column" in message


def test_a_folder_without_its_slash_is_reported(server, source):
    server.put("sold/a.csv", lines("size,hit"))
    source["DataSpec"] = {"DataLocationS3": "s3://bucket/sold", "DataSchema": schema()}
    server.client.create_data_source_from_s3(**source)
    message = server.until_failed("data_source", source["DataSourceId"])
    assert (
        "s3://bucket/sold: there is no such object; write s3://bucket/sold/ if you mean the objects in that folder"
        in message
    )


def test_what_failed_says_how_to_go_on_and_shows_what_it_was_to_learn(server, source):
    source["DataSpec"] = {"DataLocationS3": "s3://bucket/later.csv", "DataSchema": schema()}
    client, id_ = server.client, source["DataSourceId"]
    for _ in range(20):
        client.create_data_source_from_s3(**source)
        # the datasource may have failed before the model is asked for
        with suppress(client.exceptions.InvalidInputException):
            client.create_ml_model(MLModelId=f"ml-{id_}", MLModelType="BINARY", TrainingDataSourceId=id_)
            break
        client.delete_data_source(DataSourceId=id_)
    message = server.wait("data_source", id_, until=("FAILED",))["Message"]
    assert "once that is fixed, delete this object or use another id" in message
    server.put("later.csv", lines("size,hit"))
    # the same request again changes nothing
    client.create_data_source_from_s3(**source)
    assert client.get_data_source(DataSourceId=id_)["Status"] == "FAILED"
    server.until_failed("ml_model", f"ml-{id_}")
    failed = client.get_ml_model(MLModelId=f"ml-{id_}", Verbose=True)
    assert json.loads(failed["Recipe"])["outputs"] == ["ALL_INPUTS"]
    assert json.loads(failed["Schema"])["targetAttributeName"] == "hit"
    assert "Recipe" not in client.get_ml_model(MLModelId=f"ml-{id_}")
    for delete, member in ((client.delete_ml_model, "MLModelId"), (client.delete_data_source, "DataSourceId")):
        delete(**{member: f"ml-{id_}" if member == "MLModelId" else id_})
    client.create_data_source_from_s3(**source)
    server.wait("data_source", id_)


def test_an_installation_that_only_predicts_says_so_of_a_training(make_server, monkeypatch, tmp_path):
    (tmp_path / "scipy.py").write_text("raise ModuleNotFoundError('No module named scipy', name='scipy')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    server = make_server("--jobs", "1")
    server.put_sales()
    server.create_data_source("ds")
    server.wait("data_source", "ds")
    server.client.create_ml_model(MLModelId="ml", MLModelType="BINARY", TrainingDataSourceId="ds")
    message = server.until_failed("ml_model", "ml")
    assert message.startswith("scipy is not installed; this installation only predicts")
    assert "take the container image train" in message
    assert "Traceback" not in server.stderr


def test_evaluating_by_another_target_is_reported(server):
    data, spec = "age,town,note,bought\n" + "30,Rome,no,0\n60,Bern,yes,1\n" * 30, {}
    spec["DataSchema"] = (
        (server.s3 / "bucket" / "sales.csv.schema").read_text().replace('Name": "bought"', 'Name": "town"', 1)
    )
    assert json.loads(spec["DataSchema"])["targetAttributeName"] == "town"
    server.create_data_source("ds-town", location=server.put("town.csv", data), **spec)
    server.client.create_evaluation(EvaluationId="ev-town", MLModelId="ml-sales", EvaluationDataSourceId="ds-town")
    made = server.wait("evaluation", "ev-town")
    assert "the data name the target 'town', but the evaluation used the model's, 'bought'" in made["Message"]
    assert "The data name the target &#39;town&#39;" in page_of(server, "Evaluation", "ev-town")


def test_digits_of_other_scripts_are_no_numbers(create, server):
    made = create("digits", "size,hit\n" + "1,1\n٣,0\n３,1\n 4 ,0\n")
    assert made["Status"] == "COMPLETED"
    text = page_of(server, "DataSource", made["DataSourceId"])
    # two of the eight values
    assert '<dt>Invalid values</dt><dd class="figure">25.0%</dd>' in text


def test_the_training_log_has_the_lines_of_the_service(server):
    log = server.read(server.client.get_ml_model(MLModelId="ml-sales")["LogUri"])
    number = r"-?(?:\d+\.\d+(?:e-?\d+)?|NaN)"
    head = r"^\d\d/\d\d/\d\d \d\d:\d\d:\d\d INFO: learner-id=(\d) "
    figures = " ".join(f"{name}=({number})" for name in ("accuracy", "recall", "precision", "f1-score", "auc"))
    performance = re.findall(f"{head}model-performance:         {figures}$", log, re.MULTILINE)
    exponent = r"\d\.\d{6}e[+-]\d\d"
    convergence = re.findall(
        rf"{head}model-convergence:         negative-log-likelihood=({exponent}) \(delta=(-?{exponent})\) "
        r"is-converged=(no|yes)$",
        log,
        re.MULTILINE,
    )
    configuration = re.findall(rf"{head}model-configuration:       learning-rate=({number})$", log, re.MULTILINE)
    passes = int(re.search(r"total-passes=(\d+)", log)[1])
    assert len(performance) == len(configuration) == passes
    assert [each[-1] for each in convergence][:passes] == ["no"] * passes
    assert float(performance[-1][-1]) > 0.9
    assert float(convergence[-1][1]) < 0.5


def test_small_jobs_need_not_wait_for_trainings(make_server):
    busy = make_server("--jobs", "1")
    busy.put_sales(times=50)
    busy.create_data_source("ds-sales")
    busy.wait("data_source", "ds-sales")
    for number in range(2):
        busy.client.create_ml_model(
            MLModelId=f"ml-{number}",
            MLModelType="BINARY",
            TrainingDataSourceId="ds-sales",
            # regularised, so that it does not converge soon
            Parameters={"sgd.maxPasses": "10000", "sgd.l2RegularizationAmount": "1e-9"},
        )
    busy.until(lambda: busy.client.get_ml_model(MLModelId="ml-0")["Status"] != "PENDING")
    busy.create_data_source("ds-small", split=(0, 10))
    assert busy.client.get_ml_model(MLModelId="ml-1")["Status"] == "PENDING"
    busy.wait("data_source", "ds-small")
    for number in range(2):
        busy.client.delete_ml_model(MLModelId=f"ml-{number}")
