"""Recipes: the grammar, and the arguments of each function."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_ml_adapter.api.expressions import Call, Expression, Function, Variable
from aws_ml_adapter.api.faults import RequestFault
from aws_ml_adapter.api.recipe import Recipe, parse_recipe
from features.schema import AttributeType, Schema

TEXT, BINARY, NUMERIC, CATEGORICAL = AttributeType
SCHEMA = Schema(
    attributes=(
        ("id", CATEGORICAL),
        ("title", TEXT),
        ("subject", TEXT),
        ("body", TEXT),
        ("age", NUMERIC),
        ("hours-per-week", NUMERIC),
        ("1stFlrSF", NUMERIC),
        ("country", CATEGORICAL),
        ("gender", CATEGORICAL),
        ("member", BINARY),
        ("ignored", NUMERIC),
        ('it\'s, "so"', CATEGORICAL),
        ("bought", BINARY),
    ),
    target="bought",
    row_id="id",
    excluded=("ignored",),
)
ODD = r"""'it\'s, "so"'"""


INPUTS = [attribute for attribute in SCHEMA.attributes if attribute[0] not in ("id", "ignored", "bought")]


def parse(*outputs: str, schema: Schema = SCHEMA, **sections) -> Recipe:
    return parse_recipe(json.dumps({**sections, "outputs": outputs}), schema)


def texts(*outputs: str, **sections) -> list[str]:
    return [str(output) for output in parse(*outputs, **sections).outputs]


def test_groups_hold_the_attributes_of_a_type_but_not_target_row_id_or_excluded():
    assert texts("ALL_TEXT") == ["title", "subject", "body"]
    assert texts("ALL_NUMERIC") == ["age", "hours-per-week", "'1stFlrSF'"]
    assert texts("ALL_CATEGORICAL") == ["country", "gender", ODD]
    assert texts("ALL_BINARY") == ["member"]
    assert texts("ALL_INPUTS") == [str(Variable(name=name, type=type_)) for name, type_ in INPUTS]


def test_the_example_of_the_developer_guide():
    recipe = """
        {
          "groups": {
            "LONGTEXT": "group_remove(ALL_TEXT, title, subject)",
            "SPECIALTEXT": "group(title, subject)",
            "BINCAT": "group(ALL_CATEGORICAL, ALL_BINARY)"
          },
          "assignments": {
            "binned_age": "quantile_bin(age,30)",
            "country_gender_interaction": "cartesian(country, gender)"
          },
          "outputs": [
            "lowercase(no_punct(LONGTEXT))",
            "ngram(lowercase(no_punct(SPECIALTEXT)),3)",
            "quantile_bin(hours-per-week, 10)",
            "cartesian(binned_age, quantile_bin(hours-per-week,10)) // twice",
            "country_gender_interaction",
            "BINCAT"
          ]
        }
    """
    parsed = parse_recipe(recipe, SCHEMA)
    assert parsed.text == recipe
    assert [str(output) for output in parsed.outputs] == [
        "lowercase(no_punct(body))",
        "ngram(lowercase(no_punct(title)),3)",
        "ngram(lowercase(no_punct(subject)),3)",
        "quantile_bin(hours-per-week,10)",
        "cartesian(quantile_bin(age,30),quantile_bin(hours-per-week,10))",
        "cartesian(country,gender)",
        "country",
        "gender",
        ODD,
        "member",
    ]


def test_the_shapes_behind_the_text():
    (output,) = parse("ngram(lowercase(title), 2)").outputs
    title = Variable(name="title", type=TEXT)
    lower = Call(function=Function.LOWERCASE, arguments=(title,))
    assert output == Call(function=Function.NGRAM, arguments=(lower,), number=2)
    assert (title.type, lower.type, output.type) == (TEXT, TEXT, CATEGORICAL)


@pytest.mark.parametrize(
    ("output", "type_"),
    [
        ("osb(title,5)", CATEGORICAL),
        ("no_punct(title)", TEXT),
        ("quantile_bin(age,7)", CATEGORICAL),
        ("normalize(age)", NUMERIC),
        ("quantile_bin(normalize(age),500)", CATEGORICAL),
        ("cartesian(title,country,member)", CATEGORICAL),
        ("cartesian(ngram(title,2),cartesian(country,gender))", CATEGORICAL),
        ("'1stFlrSF'", NUMERIC),
        (ODD, CATEGORICAL),
    ],
)
def test_each_function_gives_its_type_and_its_text_reads_back(output, type_):
    (found,) = parse(output).outputs
    assert (str(found), found.type) == (output, type_)


@pytest.mark.parametrize(
    ("output", "found"),
    [
        ("  ngram (\ttitle ,\n2 ) ", ["ngram(title,2)"]),
        ('"1stFlrSF"', ["'1stFlrSF'"]),
        (r'"it\'s, \"so\""', [ODD]),
        ("'age'", ["age"]),
        ("age // the comment, (unclosed", ["age"]),
        ("age//", ["age"]),
        ("age // a comment\n", ["age"]),
        ("// nothing but a comment", []),
        ("   ", []),
        ("group(title, age, title)", ["title", "age"]),
        ("group_remove(ALL_INPUTS, ALL_TEXT, ALL_NUMERIC, ALL_CATEGORICAL)", ["member"]),
        ("group_remove(ALL_TEXT)", ["title", "subject", "body"]),
        ("group(ALL_TEXT, group_remove(ALL_CATEGORICAL, country))", ["title", "subject", "body", "gender", ODD]),
        (
            "cartesian(group(country, gender), group(title, member))",
            [f"cartesian({first},{second})" for first in ("country", "gender") for second in ("title", "member")],
        ),
        ("quantile_bin(group_remove(ALL_NUMERIC, ALL_NUMERIC), 10)", []),
    ],
)
def test_blanks_quotes_comments_and_groups(output, found):
    assert texts("member", output) == ["member", *(text for text in found if text != "member")]


def test_names_may_hold_blanks_and_letters_of_any_script():
    schema = Schema(attributes=(("hours per week", NUMERIC), ("größe", NUMERIC), ("km/h", NUMERIC)))
    assert [str(output) for output in parse("hours per week", "größe", "km/h // fast", schema=schema).outputs] == [
        "'hours per week'",
        "größe",
        "'km/h'",
    ]


def test_groups_and_assignments_build_on_those_above():
    assert texts(
        "mixed",
        "twice",
        groups={"few": "group(age)", "'2 more'": "group(few, hours-per-week)"},
        assignments={"binned": "quantile_bin('2 more', 20)", "mixed": "cartesian(binned, country)", "twice": "binned"},
    ) == [
        "cartesian(quantile_bin(age,20),country)",
        "cartesian(quantile_bin(hours-per-week,20),country)",
        "quantile_bin(age,20)",
        "quantile_bin(hours-per-week,20)",
    ]


def test_outputs_stand_once_in_the_order_of_their_first():
    assert texts("age", "ALL_NUMERIC", "age") == ["age", "hours-per-week", "'1stFlrSF'"]


@pytest.mark.parametrize("sections", [{}, {"groups": None}, {"groups": []}, {"assignments": {}}, {"dependencies": []}])
def test_sections_may_be_empty_or_absent(sections):
    assert texts("age", **sections) == ["age"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "recipe: is not JSON"),
        ('{"outputs": ["age",]}', "recipe: is not JSON"),
        ("{'outputs': ['age']}", "line 1 column 2"),
        ("[" * 100_000, "recipe: is not JSON"),
        ("[]", "recipe: is not a JSON object"),
        ("{}", "recipe, outputs: contain 0 variables, not 1 to 10,000"),
        ('{"outputs": "age"}', "recipe, outputs: is not a list"),
        ('{"outputs": [1]}', "recipe, outputs: contains a value that is not a string"),
        ('{"outputs": ["age"], "groups": ["a"]}', "recipe, groups: is not a JSON object"),
        ('{"outputs": ["age"], "groups": {"a": 1}}', "recipe, groups: contains a value that is not a string"),
        ('{"outputs": ["age"], "output": ["age"]}', "recipe: has the unknown section 'output'"),
        ('{"outputs": ["age"], "outputs": ["title"]}', "recipe: defines 'outputs' twice"),
        ('{"groups": {"a": "age", "a": "title"}, "outputs": ["a"]}', "recipe: defines 'a' twice"),
        ('{"groups": {"a": " // nothing"}, "outputs": ["age"]}', "recipe, groups['a']: is empty"),
        ('{"groups": {"age": "title"}, "outputs": ["age"]}', "recipe, groups['age']: has a name that is taken"),
        ('{"groups": {"bought": "age"}, "outputs": ["age"]}', "has a name that is taken"),
        ('{"groups": {"ALL_TEXT": "age"}, "outputs": ["age"]}', "has a name that is taken"),
        ('{"groups": {"ALL_INPUTS": "age"}, "outputs": ["age"]}', "has a name that is taken"),
        ('{"groups": {"": "age"}, "outputs": ["age"]}', "has a name of 0 characters, not 1 to 64"),
        ('{"groups": {"a": "group(ALL_INPUTS)"}, "outputs": ["a"]}', "column 7: ALL_INPUTS is allowed in outputs only"),
        (
            '{"assignments": {"a": "b", "b": "age"}, "outputs": ["a"]}',
            "assignments['a'], column 1: 'b' is not an attribute",
        ),
    ],
)
def test_what_is_no_recipe_is_refused_with_the_place(text, message):
    with pytest.raises(RequestFault) as caught:
        parse_recipe(text, SCHEMA)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("colour", "column 1: 'colour' is not an attribute of the schema, nor a group or assignment defined above"),
        ("bought", "column 1: 'bought' is the target"),
        ("ngram(id, 2)", "column 7: 'id' is the row id"),
        ("quantile_bin( ignored, 10)", "column 15: 'ignored' is excluded by the schema"),
        ("1stFlrSF", "column 1: '1' cannot start a name"),
        ("_age", "column 1: '_' cannot start a name"),
        ("age title", "column 1: 'age title' is not an attribute"),
        ("'age", 'column 1: "\'" cannot start a name'),
        ("age)", "column 4: ')' appears instead of the end"),
        ("ngram(title, 2", "column 15: the end appears instead of , or )"),
        ("ngram(title 2)", "'title 2' is not an attribute"),
        ("ngram('title' 2)", "column 15: '2' appears instead of , or )"),
        ("ngram()", "column 7: a name, a number or a function is missing"),
        ("ngram(title,)", "column 13: a name, a number or a function is missing"),
        ("(title)", "column 1: a name, a number or a function is missing"),
        ("", None),
        ("5", "column 1: a number alone is not a variable"),
        ("stem(title)", "column 1: 'stem' is not a function"),
        ("NGRAM(title, 2)", "column 1: 'NGRAM' is not a function"),
        ("'ngram'(title, 2)", "'ngram' is not an attribute"),
        ("group(2)", "column 1: group takes no number"),
        ("ngram(title)", "ngram takes one variable or group and one whole number"),
        ("ngram(2, title)", "ngram takes one variable or group and one whole number"),
        ("ngram(title, subject)", "ngram takes one variable or group and one whole number"),
        ("ngram(title, subject, 2)", "ngram takes one variable or group and one whole number"),
        ("ngram(title, -2)", "column 14: '-' cannot start a name"),
        ("ngram(title, 2.5)", "column 14: '2' cannot start a name"),
        ("lowercase(title, subject)", "lowercase takes one variable or group"),
        ("lowercase(title, 2)", "lowercase takes one variable or group"),
        ("cartesian(country)", "cartesian takes at least two variables and no number"),
        ("cartesian(country, gender, 2)", "cartesian takes at least two variables and no number"),
        ("cartesian(age, country)", "cartesian takes TEXT or CATEGORICAL or BINARY, and age is NUMERIC"),
        ("ngram(age, 2)", "column 1: ngram takes TEXT, and age is NUMERIC"),
        ("lowercase(ngram(title, 2))", "lowercase takes TEXT, and ngram(title,2) is CATEGORICAL"),
        ("osb(country, 2)", "osb takes TEXT, and country is CATEGORICAL"),
        ("no_punct(ALL_INPUTS)", "no_punct takes TEXT, and age is NUMERIC"),
        ("quantile_bin(member, 2)", "quantile_bin takes NUMERIC, and member is BINARY"),
        ("normalize(quantile_bin(age, 10))", "normalize takes NUMERIC, and quantile_bin(age,10) is CATEGORICAL"),
    ],
)
def test_what_is_wrong_in_an_expression_is_refused_with_its_column(output, message):
    with pytest.raises(RequestFault) as caught:
        parse(output)
    assert (message or "outputs: contain 0 variables") in str(caught.value)
    assert str(caught.value).startswith("recipe, outputs")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "least", "most"),
    [("ngram(title, {})", 2, 10), ("osb(title, {})", 2, 10), ("quantile_bin(age, {})", 2, 1_000)],
)
def test_numbers_at_their_limits_and_one_past_them(call, least, most):
    assert [output.number for output in parse(call.format(least), call.format(most)).outputs] == [least, most]
    for number in (least - 1, most + 1, "9" * 9):
        with pytest.raises(RequestFault, match=f"takes a number from {least} to {most:,}"):
            parse(call.format(number))


def test_a_number_is_read_to_its_last_digit_or_refused():
    assert texts("quantile_bin(age, 0000000020)", "ngram(title, 003)") == ["quantile_bin(age,20)", "ngram(title,3)"]
    for number in ("1" + "0" * 9, "9" * 5_000):
        with pytest.raises(RequestFault, match=f"column 19: a number has {len(number):,} digits, more than 9"):
            parse(f"quantile_bin(age, {number})")


def test_names_at_the_limit_and_one_past_it():
    assert texts("g" * 64, groups={"g" * 64: "age"}) == ["age"]
    with pytest.raises(RequestFault, match="a name of 65 characters"):
        parse("age", groups={"g" * 65: "age"})


def test_text_at_the_limit_and_one_past_it():
    text = json.dumps({"outputs": ["age"]})
    assert parse_recipe(text.ljust(131_071), SCHEMA).outputs
    with pytest.raises(RequestFault, match="131,072 characters"):
        parse_recipe(text.ljust(131_072), SCHEMA)


def test_ten_thousand_outputs_and_one_more():
    schema = Schema(attributes=tuple((f"c{i}", CATEGORICAL) for i in range(101)))
    hundred = ",".join(f"c{i}" for i in range(100))
    outputs = f"cartesian(group({hundred}), group({hundred}))"
    assert len(parse(outputs, schema=schema).outputs) == 10_000
    with pytest.raises(RequestFault, match="contain 10,001 variables"):
        parse(outputs, "c100", schema=schema)


def test_twenty_functions_deep_and_one_more():
    assert parse("lowercase(" * 20 + "title" + ")" * 20).outputs
    with pytest.raises(RequestFault, match="more than 20 deep"):
        parse("lowercase(" * 21 + "title" + ")" * 21)
    with pytest.raises(RequestFault, match="more than 20 deep"):
        parse("lowercase(" * 10_000)


def test_fifty_variables_and_functions_in_a_feature_and_one_more():
    assert parse(f"cartesian({','.join(['country'] * 49)})").outputs
    with pytest.raises(RequestFault, match="more than 50 variables and functions"):
        parse(f"cartesian({','.join(['country'] * 50)})")


WIDE = Schema(attributes=tuple((f"c{i}", CATEGORICAL) for i in range(1_000)))


@pytest.mark.parametrize(
    "recipe",
    [
        {"outputs": ["cartesian(ALL_CATEGORICAL,ALL_CATEGORICAL,ALL_CATEGORICAL)"]},
        {"outputs": [f"group({','.join(['ALL_CATEGORICAL'] * 8_000)})"]},
        {"outputs": ["ALL_INPUTS"] * 8_000},
        {"outputs": [f"cartesian(group_remove(c0,c0),{','.join(['ALL_CATEGORICAL'] * 8_000)})"]},
        {"outputs": ["c0"], "groups": {f"g{i}": "group(ALL_CATEGORICAL,c0)" for i in range(3_000)}},
        {
            "outputs": ["a39"],
            "assignments": {"a0": "c0"} | {f"a{i}": f"cartesian(a{i - 1},a{i - 1})" for i in range(1, 40)},
        },
        {
            "outputs": ["a39"],
            "assignments": {"a0": "group(c0,c1)"} | {f"a{i}": f"cartesian(a{i - 1},a{i - 1})" for i in range(1, 40)},
        },
        {"outputs": ["c0(" * 40_000]},
        {"outputs": ["'" + "\\" * 100_000]},
        {"outputs": ["a" + " " * 100_000 + "("]},
        {"outputs": ["/" * 100_000]},
    ],
    ids=[
        "product",
        "union",
        "outputs",
        "nothing",
        "groups",
        "doubling",
        "squaring",
        "nesting",
        "backslashes",
        "blanks",
        "slashes",
    ],
)
def test_a_recipe_made_to_explode_is_refused_quickly(recipe):
    text = json.dumps(recipe)[:131_071]
    begin = time.process_time()
    with pytest.raises(RequestFault):
        parse_recipe(text, WIDE)
    assert time.process_time() - begin < 3


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=10).filter(
    lambda name: not name.startswith("ALL_")
)


@st.composite
def schemas_with_expressions(draw) -> tuple[Schema, Expression]:
    attributes = draw(st.lists(st.tuples(names, st.sampled_from(AttributeType)), min_size=1, unique_by=lambda a: a[0]))
    schema = Schema(attributes=tuple(attributes))
    name, kind = draw(st.sampled_from(attributes))
    expression: Expression = Variable(name=name, type=kind)
    for _ in range(draw(st.integers(0, 3))):
        match expression.type:
            case AttributeType.TEXT:
                function, number = draw(
                    st.sampled_from(
                        [(Function.NGRAM, 2), (Function.OSB, 10), (Function.LOWERCASE, None), (Function.NO_PUNCT, None)]
                    )
                )
            case AttributeType.NUMERIC:
                function, number = draw(st.sampled_from([(Function.QUANTILE_BIN, 50), (Function.NORMALIZE, None)]))
            case _:
                function, number = Function.CARTESIAN, None
        arguments = (expression,) * (2 if function is Function.CARTESIAN else 1)
        expression = Call(function=function, arguments=arguments, number=number)
    return schema, expression


@given(schemas_with_expressions())
@settings(max_examples=50)
def test_the_text_of_an_expression_reads_back(case):
    schema, expression = case
    assert parse(str(expression), schema=schema).outputs == (expression,)


@given(
    st.lists(
        st.sampled_from(
            [
                *"() ,2'\"\\é\n",
                "//",
                "10",
                "ngram",
                "quantile_bin",
                "cartesian",
                "group",
                "group_remove",
                "title",
                "age",
                "g",
            ]
        ),
        max_size=25,
    ).map("".join)
    | st.text(max_size=30)
)
@settings(max_examples=100)
def test_whatever_comes_is_read_or_refused(expression):
    recipe = json.dumps({"groups": {"g": expression}, "outputs": ["member", expression]})
    try:
        parsed = parse_recipe(recipe, SCHEMA)
    except RequestFault:
        return
    assert parse(*map(str, parsed.outputs)).outputs == parsed.outputs
