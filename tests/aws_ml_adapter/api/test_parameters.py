from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_ml_adapter.api.faults import RequestFault
from aws_ml_adapter.api.parameters import Parameters, parse_parameters


def test_what_is_left_out_has_the_default_of_the_api():
    assert parse_parameters({}).to_strings() == {
        "algorithm": "sgd",
        "sgd.l1RegularizationAmount": "0.0",
        "sgd.l2RegularizationAmount": "0.0",
        "sgd.maxMLModelSizeInBytes": "33554432",
        "sgd.maxPasses": "10",
        "sgd.shuffleType": "none",
    }


# as a model made in the service's console showed them
def test_the_parameters_of_a_console_made_model_come_back_as_they_were():
    shown = {
        "algorithm": "sgd",
        "sgd.l1RegularizationAmount": "0.0",
        "sgd.l2RegularizationAmount": "1e-6",
        "sgd.maxMLModelSizeInBytes": "104857600",
        "sgd.maxPasses": "10",
        "sgd.shuffleType": "auto",
    }
    assert parse_parameters(shown).to_strings() == shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sgd.maxPasses", "1"),
        ("sgd.maxPasses", "10000"),
        ("sgd.maxMLModelSizeInBytes", "100000"),
        ("sgd.maxMLModelSizeInBytes", "2147483648"),
        ("sgd.l1RegularizationAmount", "1.7976931348623157e308"),
        ("sgd.l2RegularizationAmount", "0"),
        ("sgd.shuffleType", "none"),
        ("algorithm", "SGD"),
    ],
)
def test_values_at_the_limit_are_taken(name, value):
    parse_parameters({name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sgd.maxPasses", "0"),
        ("sgd.maxPasses", "10001"),
        ("sgd.maxPasses", "ten"),
        ("sgd.maxPasses", "1.5"),
        ("sgd.maxPasses", "-1"),
        ("sgd.maxPasses", "٣"),
        ("sgd.maxPasses", "9" * 5_000),
        ("sgd.maxMLModelSizeInBytes", "99999"),
        ("sgd.maxMLModelSizeInBytes", "2147483649"),
        ("sgd.l1RegularizationAmount", "-1e-9"),
        ("sgd.l2RegularizationAmount", "nan"),
        ("sgd.l2RegularizationAmount", "1e309"),
        ("sgd.shuffleType", "Auto"),
        ("algorithm", "adam"),
        ("maxPasses", "0"),
        ("sgd.algorithm", "sgd"),
        ("sgd.sgd.maxPasses", "10"),
        ("passes", "10"),
    ],
)
def test_values_past_the_limit_are_refused_by_name(name, value):
    with pytest.raises(RequestFault) as caught:
        parse_parameters({name: value})
    assert name in str(caught.value)
    assert len(str(caught.value)) < 400


def test_names_may_lack_their_prefix():
    given = {"maxMLModelSizeInBytes": "200000", "maxPasses": "3", "shuffleType": "auto", "l1RegularizationAmount": "2"}
    assert parse_parameters(given) == Parameters(max_size=200_000, max_passes=3, shuffle=True, l1=2.0)
    with pytest.raises(RequestFault, match=r"sgd\.maxPasses is given twice"):
        parse_parameters({"maxPasses": "3", "sgd.maxPasses": "3"})


def test_l1_and_l2_exclude_each_other_but_zero_counts_as_absent():
    both = {"sgd.l1RegularizationAmount": "1e-6", "sgd.l2RegularizationAmount": "0.0"}
    assert parse_parameters(both) == Parameters(l1=1e-6)
    with pytest.raises(RequestFault, match="both above 0"):
        parse_parameters(both | {"sgd.l2RegularizationAmount": "1e-6"})


@given(
    st.integers(100_000, 2_147_483_648),
    st.integers(1, 10_000),
    st.booleans(),
    st.floats(0, exclude_max=True, max_value=math.inf),
    st.booleans(),
)
def test_parameters_survive_being_shown(size, passes, shuffle, amount, first):
    parameters = Parameters(
        max_size=size, max_passes=passes, shuffle=shuffle, l1=amount * first or 0.0, l2=amount * (not first) or 0.0
    )
    assert parse_parameters(parameters.to_strings()) == parameters
