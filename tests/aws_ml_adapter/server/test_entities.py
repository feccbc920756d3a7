"""The state in SQLite, and the filters of Describe."""

from __future__ import annotations

import itertools
import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_ml_adapter.api.faults import RequestFault
from aws_ml_adapter.api.kinds import Kind, Status
from aws_ml_adapter.server.entities import Entities
from aws_ml_adapter.server.listing import describe
from textclf.base.errors import BadInputError


@pytest.fixture
def entities():
    ticks = itertools.count(1_000)
    held = Entities(":memory:", clock=lambda: float(next(ticks)))
    yield held
    held.close()


def make(entities, id_="ml-1", kind=Kind.MODEL, **record):
    return entities.create(kind, id_, {"made": id_}, record, {"parents": []})[0]


def ids(entities, kind=Kind.MODEL, **request):
    return [entity.id for entity in describe(entities, kind, request)[0]]


def test_an_id_is_taken_once_a_kind_until_it_is_deleted(entities):
    first = make(entities)
    assert make(entities, kind=Kind.EVALUATION).serial != first.serial
    assert entities.create(Kind.MODEL, "ml-1", {}, {}, {}) == (first, False)
    entities.add_tags(first.serial, {"k": "v"}, limit=50)
    entities.update(first.serial, {"Status": Status.DELETED})
    again, is_new = entities.create(Kind.MODEL, "ml-1", {}, {}, {})
    assert (is_new, again.status, entities.tags(again.serial)) == (True, Status.PENDING, {})
    assert again.serial > first.serial
    assert entities.by_serial([first.serial]) == []


def test_the_life_of_an_object(entities):
    made = make(entities)
    assert entities.unfinished() == [made]
    assert entities.begin(made.serial)
    assert entities.begin(made.serial)  # a job that was interrupted
    begun = entities.get(Kind.MODEL, "ml-1")
    assert begun.status is Status.INPROGRESS
    assert entities.finish(made.serial, Status.COMPLETED, {"SizeInBytes": 7})
    done = entities.get(Kind.MODEL, "ml-1")
    assert done.record["SizeInBytes"] == 7
    assert done.record["CreatedAt"] < done.record["StartedAt"] < done.record["FinishedAt"]
    assert done.record["FinishedAt"] == done.record["LastUpdatedAt"]
    assert not entities.begin(made.serial)
    assert not entities.finish(made.serial, Status.FAILED, {})
    assert entities.unfinished() == []


def test_what_was_deleted_stays_so(entities):
    made = make(entities)
    entities.begin(made.serial)
    assert entities.update(made.serial, {"Status": Status.DELETED})
    assert not entities.finish(made.serial, Status.COMPLETED, {})
    assert not entities.update(made.serial, {"Name": "new"})
    assert entities.get(Kind.MODEL, "ml-1").status is Status.DELETED
    assert entities.serials() == set()


def test_tags_are_all_added_or_none(entities):
    serial = make(entities).serial
    assert entities.add_tags(serial, {str(number): None for number in range(50)}, limit=50)
    assert not entities.add_tags(serial, {"0": "changed", "50": None}, limit=50)
    assert entities.tags(serial)["0"] is None
    assert entities.add_tags(serial, {"0": "changed"}, limit=50)
    entities.delete_tags(serial, ["1", "none"])
    assert (len(entities.tags(serial)), entities.tags(serial)["0"]) == (49, "changed")


def test_the_file_keeps_all_and_is_no_other(tmp_path):
    path = tmp_path / "state"
    first = Entities(path, clock=lambda: 1.5)
    made = make(first, Name="é\x00\U0001f600", EndpointInfo={"EndpointStatus": "NONE"})
    first.close()
    again = Entities(path, clock=lambda: 1.5)
    assert again.get(Kind.MODEL, "ml-1") == made
    again.close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(BadInputError, match="newer"):
        Entities(path, clock=lambda: 1.5)
    path.write_text("no database " * 100)
    with pytest.raises(BadInputError, match="cannot be used"):
        Entities(path, clock=lambda: 1.5)


def test_without_a_filter_the_newest_come_first(entities):
    for number in range(3):
        make(entities, f"ml-{number}")
    assert ids(entities) == ["ml-2", "ml-1", "ml-0"]
    assert ids(entities, SortOrder="asc") == ["ml-0", "ml-1", "ml-2"]
    assert ids(entities, Limit=1) == ["ml-2"]


@pytest.mark.parametrize(
    ("request_", "wanted"),
    [
        ({"EQ": "b"}, ["b"]),
        ({"NE": "b"}, ["a", "ba", "c"]),
        ({"GT": "b"}, ["ba", "c"]),
        ({"GE": "b"}, ["b", "ba", "c"]),
        ({"LT": "b"}, ["a"]),
        ({"LE": "b"}, ["a", "b"]),
        ({"Prefix": "b"}, ["b", "ba"]),
        ({"Prefix": "b", "NE": "b"}, ["ba"]),
        ({"Prefix": "%"}, []),
        ({"Prefix": ""}, ["a", "b", "ba", "c"]),
        ({"SortOrder": "dsc"}, ["c", "ba", "b", "a"]),
        ({"EQ": "B"}, []),
    ],
)
def test_operators_compare_text(entities, request_, wanted):
    for name in ("b", "c", "a", "ba"):
        make(entities, name, Name=name)
    assert ids(entities, FilterVariable="Name", **request_) == wanted


def test_dates_are_compared_as_times(entities):
    for number in range(3):
        make(entities, f"ml-{number}")  # created at 1000, 1001, 1002 seconds after 1970 began
    for text in (
        "1001",
        "1001.0",
        "1.001e3",
        "1970-01-01T00:16:41",
        "1970-01-01T00:16:41+00:00",
        "1970-01-01T01:16:41+01:00",
    ):
        assert ids(entities, FilterVariable="CreatedAt", GE=text) == ["ml-1", "ml-2"]
        assert ids(entities, FilterVariable="CreatedAt", EQ=text) == ["ml-1"]
    for text in ("", "soon", "nan", "inf", "2000-13-01", "9" * 400):
        with pytest.raises(RequestFault, match="not a date"):
            ids(entities, FilterVariable="CreatedAt", GE=text)
    with pytest.raises(RequestFault, match="Prefix"):
        ids(entities, FilterVariable="LastUpdatedAt", Prefix="1")


@pytest.mark.parametrize(
    ("kind", "variable", "record"),
    [
        (Kind.DATA_SOURCE, "DataLocationS3", {"DataLocationS3": "x"}),
        (Kind.DATA_SOURCE, "IAMUser", {"CreatedByIamUser": "x"}),
        (Kind.MODEL, "TrainingDataSourceId", {"TrainingDataSourceId": "x"}),
        (Kind.MODEL, "RealtimeEndpointStatus", {"EndpointInfo": {"EndpointStatus": "x"}}),
        (Kind.MODEL, "MLModelType", {"MLModelType": "x"}),
        (Kind.MODEL, "Algorithm", {"Algorithm": "x"}),
        (Kind.MODEL, "TrainingDataURI", {"InputDataLocationS3": "x"}),
        (Kind.EVALUATION, "MLModelId", {"MLModelId": "x"}),
        (Kind.EVALUATION, "DataSourceId", {"EvaluationDataSourceId": "x"}),
        (Kind.EVALUATION, "DataURI", {"InputDataLocationS3": "x"}),
        (Kind.BATCH_PREDICTION, "MLModelId", {"MLModelId": "x"}),
        (Kind.BATCH_PREDICTION, "DataSourceId", {"BatchPredictionDataSourceId": "x"}),
        (Kind.BATCH_PREDICTION, "DataURI", {"InputDataLocationS3": "x"}),
    ],
)
def test_each_filter_variable_is_a_member_of_the_record(entities, kind, variable, record):
    make(entities, "other", kind)
    make(entities, "meant", kind, **record)
    assert ids(entities, kind, FilterVariable=variable, EQ="x") == ["meant"]


def test_deleted_objects_are_listed_by_their_status_only(entities):
    make(entities, "kept")
    entities.update(make(entities, "gone").serial, {"Status": Status.DELETED})
    assert ids(entities) == ids(entities, FilterVariable="Name") == ["kept"]
    assert ids(entities, FilterVariable="Status", EQ="DELETED") == ["gone"]
    assert ids(entities, FilterVariable="Status", NE="DELETED") == ["kept"]


def test_an_operator_needs_a_filter_variable(entities):
    with pytest.raises(RequestFault, match="EQ is given without FilterVariable"):
        ids(entities, EQ="a")


@given(st.lists(st.sampled_from("ab"), max_size=12), st.integers(1, 5), st.sampled_from(["asc", "dsc"]), st.booleans())
@settings(max_examples=40)
def test_pages_hold_everything_once_even_when_objects_come_between(names, limit, order, by_name):
    entities = Entities(":memory:", clock=lambda: 5.0)
    for number, name in enumerate(names):
        make(entities, str(number), Name=name)
    request = {"Limit": limit, "SortOrder": order} | ({"FilterVariable": "Name"} if by_name else {})
    seen = []
    found, token = describe(entities, Kind.MODEL, request)
    while True:
        assert len(found) <= limit
        seen += [entity.id for entity in found]
        if token is None:
            break
        assert len(found) == limit
        if len(seen) < len(names):
            make(entities, f"late {len(seen)}", Name="a")
        found, token = describe(entities, Kind.MODEL, request | {"NextToken": token})
    early = [id_ for id_ in seen if not id_.startswith("late")]
    assert sorted(early, key=int) == [str(number) for number in range(len(names))]
    assert len(seen) == len(set(seen))
    entities.close()


@pytest.mark.parametrize("token", ["", "x", "e30=", "W10=", "WzEsMiwzXQ==", "[" * 1_000, "\u00e9", "bnVsbA=="])
def test_tokens_that_were_not_given_are_refused(entities, token):
    with pytest.raises(RequestFault, match="NextToken"):
        ids(entities, NextToken=token)


def test_a_token_belongs_to_its_query(entities):
    make(entities, "a", Name="a")
    make(entities, "b", Name="b")
    token = describe(entities, Kind.MODEL, {"Limit": 1})[1]
    assert ids(entities, NextToken=token, Limit=9) == ["a"]
    with pytest.raises(RequestFault, match="NextToken"):
        ids(entities, NextToken=token, SortOrder="asc")
    with pytest.raises(RequestFault, match="NextToken"):
        ids(entities, Kind.EVALUATION, NextToken=token)
