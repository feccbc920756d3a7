"""The schema in Amazon ML's two spellings."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.schema import AttributeType, Schema, parse_binary, parse_numeric
from textclf.base.errors import BadDataError

TEXT, BINARY, NUMERIC, CATEGORICAL = AttributeType


def make(**changes) -> dict:
    content = {
        "version": "1.0",
        "targetAttributeName": "y",
        "dataFormat": "CSV",
        "dataFileContainsHeader": True,
        "attributes": [
            {"attributeName": "x", "attributeType": "TEXT"},
            {"attributeName": "y", "attributeType": "CATEGORICAL"},
        ],
    }
    return content | changes


def read(**changes) -> Schema:
    return Schema.from_json(json.dumps(make(**changes)))


def test_writes_the_spelling_of_the_guide_byte_for_byte():
    schema = Schema(attributes=(("id", CATEGORICAL), ("testo", TEXT), ("y", BINARY)), target="y", row_id="id")
    assert schema.to_json() == (
        '{\n  "version": "1.0",\n  "rowId": "id",\n  "rowWeight": null,\n  "targetAttributeName": "y",\n'
        '  "dataFormat": "CSV",\n  "dataFileContainsHeader": true,\n  "attributes": [\n'
        '    {\n      "attributeName": "id",\n      "attributeType": "CATEGORICAL"\n    },\n'
        '    {\n      "attributeName": "testo",\n      "attributeType": "TEXT"\n    },\n'
        '    {\n      "attributeName": "y",\n      "attributeType": "BINARY"\n    }\n  ],\n'
        '  "excludedAttributeNames": []\n}\n'
    )


KEYS = [
    ("targetAttributeName", "targetFieldName"),
    ("rowId", "recordAnnotationFieldName"),
    ("attributes", "variables"),
    ("excludedAttributeNames", "excludedVariableNames"),
    ("attributeName", "fieldName"),
    ("attributeType", "fieldType"),
]


@pytest.mark.parametrize("choice", list(itertools.product([0, 1], repeat=6)))
def test_reads_every_mix_of_the_two_spellings(choice):
    target, row_id, attributes, excluded, name, kind = (pair[i] for pair, i in zip(KEYS, choice, strict=True))
    content = {
        "version": "1.0",
        target: "y",
        row_id: "x",
        "dataFormat": "CSV",
        "dataFileContainsHeader": False,
        attributes: [{name: "x", kind: "TEXT"}, {name: "y", kind: "NUMERIC"}],
        excluded: ["z"],
    }
    assert Schema.from_json(json.dumps(content)) == Schema(
        attributes=(("x", TEXT), ("y", NUMERIC)), target="y", row_id="x", has_header=False, excluded=("z",)
    )


def test_null_and_missing_roles_are_none():
    content = make(rowId=None, rowWeight=None, recordWeightFieldName=None, targetAttributeName=None)
    schema = Schema.from_json(json.dumps(content))
    assert (schema.target, schema.row_id, schema.excluded) == (None, None, ())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": "2.0"}, "version '2.0' is unknown"),
        ({"version": 1.0}, "version of the schema has the wrong kind of value; give a string"),
        ({"dataFormat": "TSV"}, "data format 'TSV' is unknown"),
        ({"rowWeight": "w"}, "weights its rows"),
        ({"dataFileContainsHeader": "yes"}, "dataFileContainsHeader of the schema has the wrong kind"),
        ({"targetAttributeName": "z"}, "target 'z' is not among its attributes"),
        ({"rowId": "z"}, "row id 'z' is not among its attributes"),
        ({"rowId": "y"}, "target and row id at once"),
        ({"targetFieldName": "x"}, "targetAttributeName and targetFieldName with different values"),
        ({"attributes": []}, "a schema has no attributes; list"),
        ({"attributes": {}}, "attributes of the schema has the wrong kind of value; give a list"),
        ({"attributes": ["x"]}, "is no object"),
        ({"attributes": [{"attributeName": "x"}]}, "lacks its name or type"),
        ({"attributes": [{"attributeName": "x", "attributeType": "WEIGHTED_INT_SEQUENCE"}]}, "unknown type"),
        ({"attributes": [{"attributeName": "x", "attributeType": "text"}]}, "TEXT, BINARY, NUMERIC, CATEGORICAL"),
        ({"attributes": [{"attributeName": "y", "attributeType": "TEXT"}] * 2}, "names the attribute 'y' twice"),
        ({"excludedAttributeNames": [1]}, "something that is no name"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(changes, message):
    with pytest.raises(BadDataError, match=message) as caught:
        read(**changes)
    assert caught.value.remedy
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, '{"a": NaN'])
def test_what_is_no_schema_at_all_is_refused(text):
    with pytest.raises(BadDataError, match=r"a\.schema: ") as caught:
        Schema.from_json(text, where="a.schema")
    assert "\n" not in str(caught.value)


def test_text_at_the_limit_and_one_past_it():
    text = json.dumps(make())
    assert Schema.from_json(text + " " * (1_000_000 - len(text))).target == "y"
    with pytest.raises(BadDataError, match="is over 1,000,000"):
        Schema.from_json(text + " " * (1_000_001 - len(text)))


@pytest.mark.parametrize(("length", "fits"), [(0, False), (1, True), (64, True), (65, False)])
def test_names_have_1_to_64_characters(length, fits):
    if fits:
        Schema(attributes=(("n" * length, TEXT),))
    else:
        with pytest.raises(BadDataError, match=f"has {length} characters, not 1 to 64"):
            Schema(attributes=(("n" * length, TEXT),))


def test_a_thousand_attributes_and_one_more():
    attributes = tuple((f"a{i}", NUMERIC) for i in range(1_001))
    assert len(Schema(attributes=attributes[:1_000]).names) == 1_000
    with pytest.raises(BadDataError, match="1,001 attributes"):
        Schema(attributes=attributes)


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=64)


@given(
    st.lists(st.tuples(names, st.sampled_from(AttributeType)), min_size=1, max_size=8, unique_by=lambda pair: pair[0]),
    st.booleans(),
    st.lists(names, max_size=2),
    st.data(),
)
@settings(max_examples=40)
def test_round_trip(attributes, has_header, excluded, data):
    target = data.draw(st.sampled_from([None, *(name for name, _ in attributes)]))
    row_id = data.draw(st.sampled_from([None, *(name for name, _ in attributes if name != target)]))
    schema = Schema(
        attributes=tuple(attributes), target=target, row_id=row_id, has_header=has_header, excluded=tuple(excluded)
    )
    assert Schema.from_json(schema.to_json()) == schema


@pytest.mark.parametrize("value", ["1", "y", "yes", "t", "true", "0", "n", "no", "f", "false"])
def test_binary_values_in_every_spelling(value):
    for spelling in (value, value.upper(), f" {value.title()}\t"):
        assert parse_binary(spelling) is (value[0] in "1yt")


@pytest.mark.parametrize("value", ["", "2", "si", "01", "1.0", "x" * 1_000])
def test_other_binary_values_are_refused(value):
    with pytest.raises(BadDataError, match=r"is not BINARY; write 1 or 0"):
        parse_binary(value)


@pytest.mark.parametrize(
    ("value", "number"), [("1", 1.0), (" -0.5\t", -0.5), ("+1.5E-3", 0.0015), (".5", 0.5), ("5.", 5.0), ("-0", 0.0)]
)
def test_numeric_values(value, number):
    assert parse_numeric(value) == number


@pytest.mark.parametrize("value", ["", " ", "x", "1,5", "1_000", "0x10", "nan", "inf", "-Infinity", "1e999", "1 2"])
def test_other_numeric_values_are_refused(value):
    with pytest.raises(BadDataError, match="is not NUMERIC; write a finite decimal number"):
        parse_numeric(value)
