"""The parts of the client that need no server: state, results, recipe, S3 as a folder, waiting."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import replace
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_ml_adapter.api.kinds import Kind
from aws_ml_adapter.api.recipe import parse_recipe
from aws_ml_adapter.client.answers import ResultRow, parse_manifest, read_results, to_prediction
from aws_ml_adapter.client.client_options import Place
from aws_ml_adapter.client.service_calls import AmazonMLError, FailedJobError, Service, open_objects
from aws_ml_adapter.client.state import ClientState, Created, Source, StateFile
from aws_ml_adapter.client.training_plan import write_recipe
from features.datasource import datasource_schema, encode_text
from textclf.base.errors import BadDataError, BadInputError, BadModelError, UsageError
from textclf.model.accept import Acceptance

PLACE = Place(bucket="bucket", prefix="", region="us-east-1", endpoint_url="http://127.0.0.1:1")
STATE = ClientState(
    run="0123abcd",
    place=PLACE,
    source=Source(name="datasource.csv", sha256="ab" * 32, size=10, rows=3, categories=("a", "b")),
    features="features",
    recipe="{}",
    parameters={"sgd.maxPasses": "10"},
    train_percent=70,
    seed="0",
    created=(
        Created(kind=Kind.MODEL, operation="CreateMLModel", request={"MLModelId": "m", "Parameters": {"a": "b"}}),
    ),
    files=("s3://bucket/0123abcd/a.csv",),
    endpoint=True,
    acceptance=Acceptance(max_error=0.05, confidence=0.9, threshold=0.7, accepted=0.5, error=0.0),
)
ACCEPTANCE = STATE.acceptance


def test_a_state_survives_its_file(tmp_path):
    file = StateFile(tmp_path / "model.json", STATE)
    file.update(lambda state: replace(state, files=("s3://bucket/ü",)))
    assert StateFile.open(tmp_path / "model.json").state == replace(STATE, files=("s3://bucket/ü",))
    assert STATE.url("a.csv") == "s3://bucket/0123abcd/a.csv"
    assert len(STATE.named("held-out-predictions")) <= 64


def test_two_commands_that_write_at_once_lose_nothing_of_each_other(tmp_path):
    path = tmp_path / "model.json"
    StateFile(path, STATE).update(lambda state: state)
    files = [StateFile.open(path), StateFile.open(path)]

    def add(file: StateFile, name: str) -> None:
        for url in [f"s3://bucket/{name}{number}" for number in range(20)]:
            file.update(lambda state, url=url: replace(state, files=(*state.files, url)))

    threads = [Thread(target=add, args=(file, name)) for file, name in zip(files, "ab", strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(StateFile.open(path).state.files)) == 41


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("", BadModelError, "not what amazon-ml train writes"),
        ("[]", BadModelError, "not what"),
        ("{}", BadModelError, "not what"),
        ('{"format": 1}', BadModelError, "not what"),
        ('{"format": 2}', BadModelError, "another format"),
        ("[" * 100_000, BadModelError, "not what"),
        (STATE.to_json().replace("MLModel", "Model"), BadModelError, "not what"),
        (STATE.to_json().replace('"train_percent": 70', '"train_percent": "70"'), BadModelError, "not what"),
        (STATE.to_json().replace('"rows": 3', '"rows": null'), BadModelError, "not what"),
        (STATE.to_json().replace("CreateMLModel", "delete"), BadModelError, "not what"),
        (STATE.to_json().encode("utf-16"), BadModelError, "not what"),
        (None, BadInputError, "cannot be read"),
    ],
)
def test_a_file_that_is_no_state_is_named(tmp_path, content, error, message):
    path = tmp_path / "model.json"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(error, match=message) as caught:
        StateFile.open(path)
    assert str(path) in str(caught.value)


def packed(*rows: list[str]) -> io.BytesIO:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        if row:
            writer.writerow(row)
        else:
            text.write("\n")
    return io.BytesIO(gzip.compress(text.getvalue().encode()))


names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Z"]), min_size=1, max_size=8)


@settings(max_examples=40)
@given(
    categories=st.lists(names | st.sampled_from(["tag", "trueLabel", "bestAnswer", "a,b"]), min_size=2, unique=True),
    rows=st.lists(st.none() | st.tuples(st.text(st.characters(codec="utf-8"), max_size=9), st.floats(0, 1))),
    best=st.booleans(),
)
def test_results_come_back_whatever_the_categories_are_called(categories, rows, best):
    categories = sorted(categories)
    header = ["tag", "trueLabel", *(["bestAnswer"] if best else []), *map(encode_text, reversed(categories))]
    lines, expected = [header], []
    for row in rows:
        if row is None:
            lines.append([])
            expected.append(None)
        else:
            tag, score = row
            scores = [round(score, 6), *[0.0] * (len(categories) - 1)]
            line = [encode_text(tag), encode_text(categories[0]), *(["x"] if best else [])]
            lines.append([*line, *(f"{number:E}" for number in reversed(scores))])
            expected.append(ResultRow(tag=tag, true_label=categories[0], scores=tuple(scores)))
    found = list(read_results(packed(*lines), categories, where="s3://b/r.gz"))
    assert [row and (row.tag, row.true_label) for row in found] == [
        row and (row.tag, row.true_label) for row in expected
    ]
    for got, wanted in zip(found, expected, strict=True):
        assert wanted is None or got.scores == pytest.approx(wanted.scores, abs=1e-6)


def test_the_header_of_the_guide_and_a_category_never_trained_on():
    rows = list(read_results(packed(["tag", " trueLabel", " b", " a"], ["1", "a", "2E-1", " 8E-1"]), "abc", where=""))
    assert rows == [ResultRow(tag="1", true_label="a", scores=(0.8, 0.2, 0.0))]


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (io.BytesIO(b"no gzip"), "is damaged"),
        (io.BytesIO(packed(["tag", "a"], ["1", "1E0"]).getvalue()[:-9]), "is damaged"),
        (packed(["tag", "a"], ["1"]), "line 2 has 1 values, not 2"),
        (packed(["tag", "a"], ["1", "one"]), "is damaged"),
        (packed(["tag", "a"], ["1", "NaN"]), "is not a score"),
        (packed(["tag", "c"], ["1", "1E0"]), "column 'c', which is not a category"),
        (packed(["tag", "a", "a"], ["1", "1", "1"]), "or a duplicate"),
        (packed(["tag"]), "no column of a category"),
        (packed(), "no column of a category"),
    ],
)
def test_results_that_are_none_are_named(stream, message):
    with pytest.raises(BadDataError, match=message) as caught:
        list(read_results(stream, ["a", "b"], where="s3://bucket/r.gz"))
    assert "s3://bucket/r.gz" in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', '{"a": "s3://other/r.gz"}', "[" * 100_000])
def test_a_manifest_names_results_below_the_output_only(text):
    with pytest.raises(BadDataError):
        parse_manifest(text, folder="s3://bucket/out/", where="m")


@pytest.mark.parametrize(
    ("scores", "acceptance", "decision", "reason"),
    [
        ((0.7, 0.3), ACCEPTANCE, "accept", ""),
        ((0.69, 0.31), ACCEPTANCE, "review", "unsure between a and b"),
        ((0.31, 0.69), ACCEPTANCE, "review", "unsure between b and a"),
        ((1.0, 0.0), None, "review", "unsure between a and b"),
        ((1.0, 0.0), replace(ACCEPTANCE, threshold=1.01), "review", "unsure between a and b"),
    ],
)
def test_scores_become_decisions(scores, acceptance, decision, reason):
    found = to_prediction("x", ResultRow(tag="x", true_label="", scores=scores), ("a", "b"), acceptance)
    assert (found.decision, found.reason, found.score) == (decision, reason, max(scores))


@settings(max_examples=50)
@given(st.lists(names, unique=True, max_size=5), st.integers(0, 3), st.integers(1, 10), st.integers(2, 1_000))
def test_the_recipe_parses_for_every_datasource(categories, size, ngrams, bins):
    indicators = [f"{name}_common_words" for name in categories]
    schema = datasource_schema(indicators, size)
    outputs = {str(output) for output in parse_recipe(write_recipe(schema, ngrams=ngrams, bins=bins), schema).outputs}
    assert len(outputs) == 2 + len(indicators) + size


def test_a_folder_is_left_as_it_was_found(tmp_path):
    (tmp_path / "s3" / "bucket" / "theirs").mkdir(parents=True)
    objects = open_objects(replace(PLACE, s3_root=str(tmp_path / "s3")))
    url = "s3://bucket/ours/run/a.csv"
    assert objects.size(url) is None
    with objects.write(url) as aside:
        aside.write_text("a")
    with objects.open(url) as stream:
        assert stream.read() == b"a"
    objects.delete(url)
    objects.delete(url)
    assert [path.name for path in (tmp_path / "s3" / "bucket").iterdir()] == ["theirs"]
    with pytest.raises(BadInputError, match="no such object"):
        objects.open(url)
    with pytest.raises(UsageError, match="both --s3-root and --s3-endpoint-url"):
        open_objects(replace(PLACE, s3_root="s3", s3_endpoint_url="http://127.0.0.1:1"))


class _Clock:
    """A clock that advances by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def waiting(answers: list[dict[str, object]], timeout: float) -> tuple[object, _Clock]:
    clock = _Clock()
    service = Service(PLACE, timeout=timeout, clock=lambda: clock.now, sleep=clock.sleep)
    service.call = lambda *_, **__: answers.pop(0) if len(answers) > 1 else answers[0]
    try:
        return service.wait(STATE.created[0]), clock
    except AmazonMLError as error:
        return error, clock
    finally:
        service.client.close()


def test_waiting_slows_down_and_says_now_and_then_that_it_waits(caplog):
    caplog.set_level("INFO")
    answers = [{"Status": "PENDING"}] * 5 + [{"Status": "INPROGRESS"}] * 20 + [{"Status": "COMPLETED"}]
    found, clock = waiting(answers, 1_000)
    assert found == {"Status": "COMPLETED"}
    assert clock.slept == sorted(clock.slept)
    assert (clock.slept[0], clock.slept[-1]) == (0.1, 15)
    said = caplog.messages
    assert said[0] == "MLModel m: PENDING"
    assert said[-1].startswith("MLModel m: COMPLETED, ")
    assert 4 <= len(said) <= 3 + clock.now / 30


def test_waiting_ends_at_its_time_and_at_a_failure():
    error, clock = waiting([{"Status": "PENDING"}], 100)
    assert (clock.now, "still PENDING after 100 s" in str(error)) == (100, True)
    failed = {"Status": "FAILED", "Message": "row 3", "LogUri": "http://log"}
    error, clock = waiting([failed], 100)
    assert isinstance(error, FailedJobError)
    assert "is FAILED: row 3; its log is at http://log" in str(error)
    assert clock.now == 0


def test_requests_are_signed_where_there_are_credentials(monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    service = Service(PLACE, timeout=0)
    assert service.client.meta.config.signature_version == "v4"
    service.client.close()


def test_a_service_that_is_not_there(monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    service = Service(PLACE, timeout=0)
    with pytest.raises(AmazonMLError, match=r"127.0.0.1:1.*amazon-ml serve"):
        service.get(Kind.MODEL, "m")
    service.client.close()
