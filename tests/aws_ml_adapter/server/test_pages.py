"""Web pages: their contents and links, and the escaping of all data."""

from __future__ import annotations

import base64
import csv
import hashlib
import html
import json
import random
import re
import shutil
import subprocess
import time
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import pytest

from aws_ml_adapter.api.kinds import Kind, Status
from aws_ml_adapter.api.rearrangement import parse_rearrangement
from aws_ml_adapter.engine.performance import BinaryScores, Confusion
from aws_ml_adapter.engine.statistics import AttributeStatistics, DataStatistics, NumericStatistics
from aws_ml_adapter.server.entities import Entities
from aws_ml_adapter.server.insights import at_cutoff, equal_bins, may_share_rows, shown_matrix, ticks
from aws_ml_adapter.server.pages import LISTED, Pages, written
from features.schema import AttributeType

EVIL = "<script>alert(1)</script>\"'&"
FORMULA = '=HYPERLINK("http://evil.example")'


def get(server, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
    answer = server.ask("GET", path, **headers)
    return answer.status, answer.headers, answer.body.decode()


class Parsed(HTMLParser):
    """Tags with their attributes, and the visible text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(page)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside == "script":
            self.scripts.append(data)
        elif self._inside != "style":
            self.words.append(data)


def page(server, path: str) -> Parsed:
    status, headers, body = get(server, path)
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    return Parsed(body)


@pytest.fixture(scope="module")
def filled(server):
    """Further objects: a model of 12 classes with hostile names, a model of numbers, and a failed object."""
    chance = random.Random(0)
    classes = [FORMULA, EVIL, *(f"class {number}" for number in range(10))]
    rows = [[f"{place + chance.gauss(0, 0.6):.3f}", name] for place, name in enumerate(classes) for _ in range(30)]
    rows += [["1", classes[0]], ["", classes[0]], ["x", classes[0]]]
    chance.shuffle(rows)
    numbers = [[f"{x:.3f}", f"{3 * x + chance.gauss(0, 1):.3f}"] for x in (chance.gauss(0, 1) for _ in range(200))]
    for name, kind, target, table in (
        ("kinds", "MULTICLASS", "CATEGORICAL", rows),
        ("sizes", "REGRESSION", "NUMERIC", numbers),
    ):
        lines = "\n".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in table)
        server.put(f"{name}.csv", lines + "\n")
        schema = {"version": "1.0", "dataFormat": "CSV", "dataFileContainsHeader": False, "targetAttributeName": EVIL}
        columns = (("place", "NUMERIC"), (EVIL, target))
        schema["attributes"] = [{"attributeName": column, "attributeType": type_} for column, type_ in columns]
        server.put(f"{name}.csv.schema", json.dumps(schema))
        location = f"s3://bucket/{name}.csv"
        server.create_data_source(f"ds-{name}", location=location, split=(0, 60))
        server.create_data_source(f"ds-{name}-2", location=location, split=(60, 100))
        server.client.create_ml_model(
            MLModelId=f"ml-{name}", MLModelName=EVIL, MLModelType=kind, TrainingDataSourceId=f"ds-{name}"
        )
        server.client.create_evaluation(
            EvaluationId=f"ev-{name}",
            EvaluationName=EVIL,
            MLModelId=f"ml-{name}",
            EvaluationDataSourceId=f"ds-{name}-2",
        )
    server.client.create_evaluation(EvaluationId="ev-same", MLModelId="ml-sales", EvaluationDataSourceId="ds-train")
    schema = (server.s3 / "bucket" / "sizes.csv.schema").read_text()
    server.client.create_data_source_from_s3(
        DataSourceId="ds-lost",
        DataSourceName=EVIL,
        DataSpec={"DataLocationS3": "s3://bucket/lost.csv", "DataSchema": schema},
    )
    server.client.add_tags(Tags=[{"Key": "project", "Value": "beans"}], ResourceId="ml-kinds", ResourceType="MLModel")
    for id_ in ("ev-kinds", "ev-sizes", "ev-same"):
        server.wait("evaluation", id_)
    server.wait("data_source", "ds-lost", until=["FAILED"])
    return server


PATHS = [
    "/",
    "/DataSource?id=ds-train",
    "/DataSource?id=ds-kinds",
    "/DataSource?id=ds-lost",
    "/MLModel?id=ml-kinds",
    "/MLModel?id=ml-sales",
    "/Evaluation?id=ev-kinds",
    "/Evaluation?id=ev-sizes",
    "/Evaluation?id=ev-sales",
    "/BatchPrediction?id=bp-sales",
]


@pytest.mark.parametrize("path", PATHS)
def test_a_page_loads_nothing_and_runs_nothing_but_its_own_script(filled, path):
    status, headers, body = get(filled, path)
    assert status == 200
    parsed = Parsed(body)
    for tag, attributes in parsed.tags:
        assert tag not in ("iframe", "object", "embed", "form", "base", "img")
        assert "src" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        if tag == "link":
            assert attributes["href"] == "data:,"
    assert "@import" not in body
    assert "url(" not in body
    assert EVIL not in body
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in parsed.scripts]
    assert digests in ([], [policy["script-src"].strip("'").removeprefix("sha256-")])
    assert bool(digests) == (path == "/Evaluation?id=ev-sales")
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")


@pytest.mark.parametrize("path", PATHS)
def test_links_lead_somewhere(filled, path):
    for tag, attributes in page(filled, path).tags:
        if tag == "a":
            status, _, body = get(filled, urljoin(path, attributes["href"]))
            assert (status, body != "") == (200, True), attributes["href"]


def test_the_list_has_all_objects_newest_first(filled):
    found = page(filled, "/")
    links = [attributes["href"] for tag, attributes in found.tags if tag == "a"]
    for id_ in (
        "DataSource?id=ds-train",
        "MLModel?id=ml-kinds",
        "Evaluation?id=ev-sizes",
        "BatchPrediction?id=bp-sales",
    ):
        assert id_ in links
    assert links.index("DataSource?id=ds-lost") < links.index("DataSource?id=ds-kinds")
    assert links.index("DataSource?id=ds-kinds") < links.index("DataSource?id=ds-train")
    assert "FAILED" in found.text
    assert "s3://bucket/lost.csv: there is no such object" in found.text
    assert EVIL in found.text


def test_deleted_objects_are_gone(filled):
    create = filled.client.create_data_source_from_s3
    create(DataSourceId="ds-gone", DataSpec={"DataLocationS3": "s3://bucket/sales.csv"}, ComputeStatistics=True)
    filled.wait("data_source", "ds-gone")
    assert "DataSource?id=ds-gone" in get(filled, "/")[2]
    filled.client.delete_data_source(DataSourceId="ds-gone")
    assert "ds-gone" not in get(filled, "/")[2]
    gone = page(filled, "/DataSource?id=ds-gone").text
    assert "DELETED" in gone
    assert "Attributes" not in gone


def test_a_model_leads_to_what_it_was_made_of_and_what_was_made_of_it(filled):
    found = page(filled, "/MLModel?id=ml-kinds")
    links = [attributes["href"] for tag, attributes in found.tags if tag == "a"]
    assert {"DataSource?id=ds-kinds", "Evaluation?id=ev-kinds", "./"} <= set(links)
    assert [link for link in links if link.startswith("logs/")]
    for said in ("MULTICLASS", "sgd.maxPasses 10", "quantile_bin(", "project=beans", "Real-time endpoint NONE"):
        assert said in found.text


def test_a_data_source_shows_its_statistics(filled):
    text = page(filled, "/DataSource?id=ds-kinds").text
    rows = int(re.search(r"Rows ([\d,]+) 1 file", text)[1].replace(",", ""))
    assert 150 < rows < 300
    assert re.search(r"place NUMERIC [01]\.\d\d \d", text)
    for said in ("Mean ", "median ", "Most frequent values, of 12"):
        assert said in text
    assert f"Target {EVIL}" in text


def test_the_page_of_a_binary_evaluation_speaks_without_its_script(filled):
    found = page(filled, "/Evaluation?id=ev-sales")
    metric = float(
        filled.client.get_evaluation(EvaluationId="ev-sales")["PerformanceMetrics"]["Properties"]["BinaryAUC"]
    )
    assert f"BinaryAUC {metric:.3f}" in found.text
    for said in ("Accuracy at 0.50", "Precision", "Recall", "False positive rate", "Other cut-offs"):
        assert said in found.text
    slider = next(attributes for tag, attributes in found.tags if tag == "label")
    assert "hidden" in slider
    rows = int(re.search(r"Rows (\d+) with a target", found.text)[1])
    chart = next(attributes for tag, attributes in found.tags if tag == "svg")
    counts = [int(count) for name in ("negatives", "positives") for count in chart[f"data-{name}"].split(",")]
    assert sum(counts) == rows


def test_the_cut_off_is_that_of_the_model(make_server, filled):
    client = filled.client
    client.update_ml_model(MLModelId="ml-sales", ScoreThreshold=0.77)
    assert "Accuracy at 0.77" in page(filled, "/Evaluation?id=ev-sales").text
    client.update_ml_model(MLModelId="ml-sales", ScoreThreshold=0.5)


def test_the_page_of_a_multiclass_evaluation_has_the_matrix_of_the_nine_most_frequent_classes(filled):
    found = page(filled, "/Evaluation?id=ev-kinds")
    value = filled.client.get_evaluation(EvaluationId="ev-kinds")["PerformanceMetrics"]["Properties"][
        "MulticlassAvgFScore"
    ]
    assert f"the mean F1 is {float(value):.3f}" in found.text
    assert "the 9 most frequent classes, and the other 3 merged into one" in found.text
    assert [attributes for tag, attributes in found.tags if tag == "td" and "hit" in (attributes.get("class") or "")]
    status, headers, text = get(filled, "/Evaluation/confusion.csv?id=ev-kinds")
    assert (status, headers["content-disposition"]) == (200, 'attachment; filename="ev-kinds-confusion.csv"')
    matrix = list(csv.reader(text.splitlines()))
    assert (len(matrix), {len(row) for row in matrix}) == (13, {13})
    # a spreadsheet would execute it
    assert not [cell for row in matrix for cell in row if cell.startswith("=")]
    rows = int(re.search(r"Rows (\d+) with a target", found.text)[1])
    assert sum(int(cell) for row in matrix[1:] for cell in row[1:]) == rows


def test_the_page_of_a_regression_shows_residuals_and_the_baseline(filled):
    text = page(filled, "/Evaluation?id=ev-sizes").text
    value = filled.client.get_evaluation(EvaluationId="ev-sizes")["PerformanceMetrics"]["Properties"]["RegressionRMSE"]
    assert f"Predictions are off by {float(value):.4g} (root mean square)" in text
    assert "Rows by residual" in text


def test_an_evaluation_on_the_rows_of_training_is_reported(filled):
    message = "Evaluated on rows that the model was trained on."
    assert message in page(filled, "/Evaluation?id=ev-same").text
    assert message not in page(filled, "/Evaluation?id=ev-sales").text


@pytest.mark.parametrize(
    "path",
    ["/x", "/DataSource", "/DataSource?id=none", "/DataSource?id=..", "/DataSource/x?id=ds-train", "/../etc/passwd",
     "/Evaluation/confusion.csv?id=ev-sales", "/MLModel/confusion.csv?id=ml-sales", "/logs/pages", "/%00", "//"],
)  # fmt: skip
def test_there_is_nothing_else(filled, path):
    assert get(filled, path)[0] == 404


def test_too_long_a_query_is_refused(filled):
    assert get(filled, "/?" + "&".join(["a=1"] * 8))[0] == 200
    assert get(filled, "/?" + "&".join(["a=1"] * 9))[0] == 400


def test_a_page_of_another_site_cannot_read_it(filled):
    assert get(filled, "/", Host="localhost:1")[0] == 200
    assert get(filled, "/", Host="evil.example")[0] == 403


def test_with_credentials_pages_open_by_the_printed_link_only(make_server, credentials):
    server = make_server("--credentials", str(credentials))
    link = re.search(r"^for a browser: (\S+)$", server.stderr, re.MULTILINE)[1]
    assert link.startswith(server.url)
    path = link.removeprefix(server.url)
    server.put_sales()
    server.create_data_source("ds-keyed")
    server.wait("data_source", "ds-keyed")
    found = page(server, path)
    hrefs = [attributes["href"] for tag, attributes in found.tags if tag == "a"]
    assert len(hrefs) == 1
    assert "Attributes" in page(server, urljoin(path, hrefs[0])).text
    for wrong in (
        "/",
        path[:-1],
        path.replace("signature=", "signature=0"),
        "/DataSource?id=ds-keyed",
        "/?signature=%FF",
    ):
        assert get(server, wrong)[0] == 403
    assert get(server, path.replace("/?", "/logs/pages?"))[0] == 404


def test_a_data_source_without_statistics_says_so(filled):
    filled.client.create_data_source_from_s3(
        DataSourceId="ds-bare", DataSpec={"DataLocationS3": "s3://bucket/sales.csv"}, ComputeStatistics=False
    )
    filled.wait("data_source", "ds-bare")
    assert "It was created without ComputeStatistics" in page(filled, "/DataSource?id=ds-bare").text


def pages_of(entities: Entities, data_dir: Path) -> Pages:
    return Pages(entities, data_dir=data_dir, secret=b"secret", signed=False)


def test_a_page_of_what_is_not_finished_looks_again(tmp_path):
    entities = Entities(":memory:", clock=lambda: 0.0)
    record = {
        "MLModelType": "BINARY",
        "TrainingDataSourceId": "ds-1",
        "TrainingParameters": {},
        "EndpointInfo": {"EndpointStatus": "NONE"},
    }
    model, _ = entities.create(Kind.MODEL, "ml-1", {}, record, {"parents": []})
    body = pages_of(entities, tmp_path).answer("/MLModel", {"id": "ml-1"}).body.decode()
    assert ("refresh", "3") in [(tag[1].get("http-equiv"), tag[1].get("content")) for tag in Parsed(body).tags]
    assert "ds-1 (deleted)" in Parsed(body).text
    entities.finish(model.serial, Status.FAILED, {"Message": EVIL})
    body = pages_of(entities, tmp_path).answer("/MLModel", {"id": "ml-1"}).body.decode()
    assert "refresh" not in [attributes.get("http-equiv") for _, attributes in Parsed(body).tags]
    assert EVIL in Parsed(body).text


@pytest.mark.parametrize("status", Status)
def test_objects_have_pages_and_lines_in_every_status(tmp_path, status):
    entities = Entities(":memory:", clock=lambda: 0.0)
    of_model = {"MLModelId": "the-MLModel", "EvaluationDataSourceId": "the-DataSource"}
    records = {
        Kind.DATA_SOURCE: ({"DataLocationS3": "s3://b/c", "ComputeStatistics": True}, {"DataSizeInBytes": 7}),
        Kind.MODEL: (
            {
                "MLModelType": "BINARY",
                "TrainingDataSourceId": "the-DataSource",
                "TrainingParameters": {},
                "EndpointInfo": {"EndpointStatus": "NONE"},
            },
            {"SizeInBytes": 8_192, "Recipe": "{}", "ScoreThreshold": 0.5},
        ),
        Kind.EVALUATION: (of_model, {"PerformanceMetrics": {"Properties": {"BinaryAUC": "0.87654"}}}),
        Kind.BATCH_PREDICTION: (
            of_model | {"BatchPredictionDataSourceId": "the-DataSource", "OutputUri": "s3://b/out"},
            {"TotalRecordCount": 9, "InvalidRecordCount": 1},
        ),
    }
    parents: list[int] = []
    for kind, (record, result) in records.items():
        made, _ = entities.create(kind, f"the-{kind}", {}, record, {"parents": parents[:2]})
        parents.append(made.serial)
        if status is not Status.PENDING:
            entities.begin(made.serial)
        if status in (Status.COMPLETED, Status.FAILED):
            entities.finish(made.serial, status, result if status is Status.COMPLETED else {"Message": "no"})
        elif status is Status.DELETED:
            entities.update(made.serial, {"Status": status})
    pages = pages_of(entities, tmp_path)
    for kind in Kind:
        assert status in Parsed(pages.answer(f"/{kind}", {"id": f"the-{kind}"}).body.decode()).text
    for path, listed in (("/", Kind), ("/DataSource", (*Kind,)[1:]), ("/MLModel", (*Kind,)[2:])):
        text = Parsed(pages.answer(path, {"id": "the-" + path[1:]}).body.decode()).text
        for kind in listed:
            assert (f"the-{kind} {status}" in text) is (status is not Status.DELETED)
        assert ("BinaryAUC 0.8765" in text) is (status is Status.COMPLETED)


def test_shares_are_of_the_rows_that_could_be_read(tmp_path):
    entities = Entities(":memory:", clock=lambda: 0.0)
    source, _ = entities.create(Kind.DATA_SOURCE, "ds", {}, {"DataLocationS3": "s3://b/c"}, {"parents": []})
    attribute = AttributeStatistics(
        name="town",
        type=AttributeType.CATEGORICAL,
        missing=5,
        invalid=0,
        distinct=2,
        distinct_exact=True,
        most_frequent=(),
        numeric=None,
        correlation=None,
    )
    folder = tmp_path / "objects" / str(source.serial)
    folder.mkdir(parents=True)
    statistics = DataStatistics(rows=100, rejected=90, attributes=(attribute,))
    (folder / "statistics.json").write_text(statistics.to_json())
    text = Parsed(pages_of(entities, tmp_path).answer("/DataSource", {"id": "ds"}).body.decode()).text
    assert "Missing values 50.0% of all values" in text
    assert "town CATEGORICAL – 5 50.0%" in text


@pytest.mark.parametrize(("number", "more"), [(LISTED - 1, False), (LISTED + 1, True)])
def test_the_list_ends(tmp_path, number, more):
    entities = Entities(":memory:", clock=lambda: 0.0)
    for serial in range(number):
        entities.create(Kind.DATA_SOURCE, f"ds-{serial}", {}, {"ComputeStatistics": False}, {"parents": []})
    found = Parsed(pages_of(entities, tmp_path).answer("/", {}).body.decode())
    assert len([tag for tag, _ in found.tags if tag == "a"]) == min(number, LISTED)
    assert ("DescribeDataSources lists all" in found.text) is more


def test_the_largest_schema_makes_a_page_in_reasonable_time(tmp_path):
    entities = Entities(":memory:", clock=lambda: 0.0)
    numbers = NumericStatistics(mean=0, deviation=1, minimum=-1e308, maximum=1e308, quantiles=(*[-1e308] * 20, 1e308))
    attributes = tuple(
        AttributeStatistics(
            name=f"{EVIL}{number}"[:64],
            type=AttributeType.NUMERIC,
            missing=1,
            invalid=1,
            distinct=10_000,
            distinct_exact=False,
            most_frequent=(),
            numeric=numbers,
            correlation=0.5,
        )
        for number in range(1_000)
    )
    source, _ = entities.create(Kind.DATA_SOURCE, "ds", {}, {"DataLocationS3": "s3://b/c"}, {"parents": []})
    entities.finish(source.serial, Status.COMPLETED, {})
    folder = tmp_path / "objects" / str(source.serial)
    folder.mkdir(parents=True)
    (folder / "statistics.json").write_text(DataStatistics(rows=9, rejected=0, attributes=attributes).to_json())
    begun = time.process_time()
    answer = pages_of(entities, tmp_path).answer("/DataSource", {"id": "ds"})
    assert time.process_time() - begun < 10
    assert len(answer.body) < 5_000_000
    assert "nan" not in answer.body.decode()


# --- figures


def test_a_cut_off_at_either_end_is_brought_within():
    histogram = BinaryScores(negatives=(3,) + (0,) * 99, positives=(0,) * 99 + (5,))
    for threshold in (0.0, 0.004, 0.5, 0.996, 1.0):
        cutoff = at_cutoff(histogram, threshold)
        assert 0.01 <= cutoff.threshold <= 0.99
        assert (cutoff.accuracy, cutoff.precision, cutoff.recall, cutoff.false_positive_rate) == (1, 1, 1, 0)
    assert at_cutoff(BinaryScores(negatives=(1,) * 100, positives=(1,) + (0,) * 99), 0.5).precision == 0
    assert at_cutoff(BinaryScores(negatives=(1,) + (0,) * 99, positives=(1,) + (0,) * 99), 0.5).precision is None


@pytest.mark.parametrize(("classes", "named", "joined"), [(1, 1, 0), (10, 10, 0), (11, 9, 2), (100, 9, 91)])
def test_ten_classes_are_shown_and_of_eleven_nine(classes, named, joined):
    counts = tuple(tuple(row + (row == column) for column in range(classes)) for row in range(classes))
    matrix = shown_matrix(Confusion(classes=tuple(map(str, range(classes))), counts=counts))
    assert (len(matrix.classes), matrix.joined) == (named, joined)
    assert matrix.classes[0] == str(classes - 1)
    assert sum(matrix.true) == sum(matrix.predicted) == sum(map(sum, counts))


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ({}, {}, True),
        ({"percentEnd": 70}, {"percentBegin": 70}, False),
        ({"percentEnd": 71}, {"percentBegin": 70}, True),
        ({"percentEnd": 70}, {"percentEnd": 70, "complement": True}, False),
        ({"percentEnd": 70, "strategy": "random"}, {"percentBegin": 70, "strategy": "random"}, False),
        ({"percentEnd": 70, "strategy": "random"}, {"percentBegin": 70}, True),
        (
            {"percentEnd": 70, "strategy": "random"},
            {"percentBegin": 70, "strategy": "random", "strategyParams": {"randomSeed": "x"}},
            True,
        ),
    ],
)
def test_shares_of_the_same_data_that_overlap(first, second, shared):
    shares = [parse_rearrangement(json.dumps({"splitting": splitting})) for splitting in (first, second)]
    assert may_share_rows(*shares) is may_share_rows(*reversed(shares)) is shared


def test_an_axis_has_round_ticks():
    assert (ticks(37), ticks(1), ticks(3_500, max_ticks=3)) == ((0, 10, 20, 30, 40), (0, 1), (0, 2_000, 4_000))


@pytest.mark.parametrize(
    ("quantiles", "shares"),
    [
        # a few integers have one bin each
        ((0.0,) * 6 + (1.0,) * 10 + (2.0,) * 5, (0.275, 0.5, 0.225)),
        (tuple(float(number * 5) for number in range(21)), (0.05,) * 20),
        # a fifth of the numbers are 10, the start of the third bin
        ((0.0, 10.0, 10.0, 10.0, 10.0, *(float(number * 5) for number in range(5, 21))), None),
        ((7.0,) * 21, (1.0,)),
    ],
)
def test_numbers_are_binned_by_their_quantiles(quantiles, shares):
    numbers = NumericStatistics(mean=0, deviation=1, minimum=quantiles[0], maximum=quantiles[-1], quantiles=quantiles)
    bins = equal_bins(numbers)
    assert sum(bins) == pytest.approx(1)
    if shares is not None:
        assert bins == pytest.approx(shares)
    else:
        assert bins[:2] == pytest.approx((0.025, 0.025))
        assert bins[2] > 0.15


@pytest.mark.parametrize(
    ("number", "text"),
    [(36548.7, "36,549"), (0.03124, "0.03124"), (-2.5, "-2.5"), (0, "0"), (1.5e-9, "1.5e-09"), (1e300, "1e+300")],
)
def test_figures_are_written_as_people_do(number, text):
    assert written(number) == text


# --- in a browser


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium")
def test_in_a_browser_the_cut_off_moves(filled, tmp_path):
    def shown(url: str) -> str:
        command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
        done = subprocess.run([*command, "--dump-dom", url], capture_output=True, text=True, timeout=60)
        return html.unescape(done.stdout)

    path = "/Evaluation?id=ev-sales"
    # the policy lets the script run, and the script shows the slider
    label = next(attributes for tag, attributes in Parsed(shown(filled.url + path)).tags if tag == "label")
    assert "hidden" not in label
    move = "const s = document.getElementById('cutoff'); s.value = 30; s.dispatchEvent(new Event('input'));"
    file = tmp_path / "page.html"
    file.write_text(get(filled, path)[2].replace("</body>", f"<script>{move}</script></body>"))
    moved = shown(file.as_uri())
    said = dict(re.findall(r'id="at-(\w+)"[^>]*>([^<]*)<', moved))
    chart = next(attributes for tag, attributes in Parsed(moved).tags if tag == "svg")
    negatives, positives = (tuple(map(int, chart[f"data-{name}"].split(","))) for name in ("negatives", "positives"))
    cutoff = at_cutoff(BinaryScores(negatives=negatives, positives=positives), 0.3)
    assert (said["threshold"], said["found"]) == ("0.30", f"{cutoff.true_positives:,}")
    assert said["alarms"] == f"{cutoff.false_positives:,}"
    assert said["accuracy"] == ("100%" if cutoff.accuracy == 1 else f"{cutoff.accuracy:.1%}")
    assert re.search(r'id="cutoff-line" x1="224"', moved)
