"""Validation of requests against the service's description."""

from __future__ import annotations

import contextlib
import re
import sys
import unicodedata

import pytest
from botocore.validate import ParamValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_ml_adapter.api.faults import RequestFault
from aws_ml_adapter.server.validation import check_of, parse_body, service_model

MODEL = service_model()


def check(operation: str, request: dict):
    return check_of(MODEL.operation_model(operation).input_shape)(request, "")


def shape(name: str):
    return check_of(MODEL.shape_for(name))


def test_every_operation_has_a_check():
    for name in MODEL.operation_names:
        required = MODEL.operation_model(name).input_shape.required_members
        if required:
            with pytest.raises(RequestFault, match=f"'{required[0]}' .*must not be null"):
                check(name, {})
        else:
            assert check(name, {}) == {}


@pytest.mark.parametrize(
    ("name", "most", "char"),
    [
        ("EntityId", 64, "a"),
        ("EntityName", 1024, "a"),
        ("ComparatorValue", 1024, "a"),
        ("DataSchema", 131_071, "{"),
        ("Recipe", 131_071, "{"),
        ("RDSSelectSqlQuery", 16_777_216, "S"),
        ("RDSDatabasePassword", 128, "p"),
        ("RedshiftDatabasePassword", 64, "p"),
        ("RoleARN", 110, "a"),
        ("TagKey", 128, "é"),
        ("TagValue", 256, "é"),
        ("VipURL", 2048, "u"),
    ],
)
def test_strings_may_have_as_many_characters_as_the_limit_and_no_more(name, most, char):
    assert shape(name)(char * most, "here") == char * most
    with pytest.raises(RequestFault, match=f"at 'here' .*length less than or equal to {most}"):
        shape(name)(char * (most + 1), "here")


@pytest.mark.parametrize(("name", "least"), [("EntityId", 1), ("RDSDatabasePassword", 8), ("TagKey", 1)])
def test_strings_have_as_many_characters_as_they_must(name, least):
    assert shape(name)("a" * least, "") == "a" * least
    with pytest.raises(RequestFault, match=f"greater than or equal to {least}"):
        shape(name)("a" * (least - 1), "")


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("EntityId", ["ds-1", "..", "A_.-9"], ["a b", "é", "a\n", "a/b", "a\x00"]),
        ("EntityName", ["", "a", " a ", "ünï"], [" ", "\t\n"]),
        ("S3Url", ["s3://b", "s3://b/", "s3://b/k/l.csv"], ["s3://", "http://b/k", "S3://b/k", "s3:///k"]),
        ("TagKey", ["k", "a b", "été:/=+-@_.", "ⅷ", "\u2028"], ["a%", "a,b", "é\u0301", "a\n"]),
        ("RedshiftClusterIdentifier", ["a-1"], ["A", "a_b"]),
        ("SortOrder", ["asc", "dsc"], ["desc", "ASC", ""]),
        ("MLModelType", ["BINARY"], ["binary"]),
        ("VipURL", ["http://127.0.0.1:8000", "https://realtime.machinelearning.us-east-1.amazonaws.com", ""], []),
        ("PageLimit", [1, 100], [0, 101, 1.0, "1", True]),
        ("Verbose", [True, False], [1, "true"]),
        ("ScoreThreshold", [0, 0.5, -1, 1e300], ["0.5", True, float("inf"), float("nan"), 10**400]),
        ("Record", [{}, {"a": ""}], [{"a": 1}, {"a": None}, [], {"a": "\ud800"}, {"\udfff": "a"}]),
        ("TagList", [[], [{"Key": "k"}] * 100], [[{"Key": "k"}] * 101, {}, [[]], [{"Key": "k", "Colour": "red"}]]),
    ],
)
def test_values_are_held_to_types_patterns_and_ranges(name, good, bad):
    for value in good:
        assert shape(name)(value, "") == value
    for value in bad:
        with pytest.raises(RequestFault) as caught:
            shape(name)(value, "")
        assert str(caught.value).encode()


def test_the_letters_of_a_tag_are_those_of_unicode():
    matches = re.compile(r"[\w.:/=+\-@]").fullmatch
    wrong = [
        char
        for char in map(chr, range(sys.maxunicode + 1))
        if (unicodedata.category(char)[0] in "LN" or char in "_.:/=+-@") != bool(matches(char))
    ]
    assert wrong == []


def test_what_is_of_another_type_is_named_by_its_type():
    with pytest.raises(RequestFault, match=r"Value of type bool at 'Limit' failed .*integer"):
        check("DescribeMLModels", {"Limit": True})


def test_members_that_are_null_count_as_absent():
    assert check("GetMLModel", {"MLModelId": "ml-1", "Verbose": None}) == {"MLModelId": "ml-1"}
    with pytest.raises(RequestFault, match="'MLModelId'"):
        check("GetMLModel", {"MLModelId": None})


def test_unknown_members_are_named():
    with pytest.raises(RequestFault, match=r"'DataSpec\.Delimiter' .*unknown"):
        check(
            "CreateDataSourceFromS3",
            {"DataSourceId": "ds-1", "DataSpec": {"DataLocationS3": "s3://b/k", "Delimiter": ";"}},
        )


def test_a_password_is_not_revealed():
    with pytest.raises(RequestFault) as caught:
        shape("RDSDatabasePassword")("short", "here")
    assert "short" not in str(caught.value)


def test_a_value_in_a_message_is_shortened_and_escaped():
    with pytest.raises(RequestFault) as caught:
        shape("EntityId")("\ud800" + "x" * 100_000, "here")
    assert len(str(caught.value).encode()) < 300


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"a"',
        b"{",
        b"{} {}",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"9" * 10_000,
    ],
)
def test_bodies_that_are_no_json_object_are_refused(body):
    with pytest.raises(ValueError):
        parse_body(body)


def requests(shape):
    """Requests that conform to botocore's description, except for patterns and lengths."""
    match shape.type_name:
        case "structure":
            required = {
                name: requests(member) for name, member in shape.members.items() if name in shape.required_members
            }
            optional = {name: requests(member) for name, member in shape.members.items() if name not in required}
            return st.fixed_dictionaries(required, optional=optional)
        case "list":
            return st.lists(requests(shape.member), max_size=3)
        case "map":
            return st.dictionaries(requests(shape.key), requests(shape.value), max_size=3)
        case "string":
            return (
                st.sampled_from(shape.enum)
                if shape.enum
                else st.text(min_size=shape.metadata.get("min", 0), max_size=9)
            )
        case "integer" | "long":
            return st.integers(1, 100)
        case "boolean":
            return st.booleans()
        case _:
            return st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.sampled_from(MODEL.operation_names).flatmap(
        lambda name: st.tuples(st.just(name), requests(MODEL.operation_model(name).input_shape))
    )
)
@settings(max_examples=100)
def test_what_botocore_lets_through_passes_or_is_refused_with_a_reason(drawn):
    name, request = drawn
    input_shape = MODEL.operation_model(name).input_shape
    assert not ParamValidator().validate(request, input_shape).has_errors()
    with contextlib.suppress(RequestFault):
        assert check(name, request) == request
