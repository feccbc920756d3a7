"""The selection of the rows of a data source."""

from __future__ import annotations

import hashlib
import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_ml_adapter.api.faults import RequestFault
from aws_ml_adapter.api.rearrangement import Rearrangement, SplitStrategy, parse_rearrangement

OFFSETS = np.arange(20, 1_020, 10)


def parse(**splitting) -> Rearrangement:
    return parse_rearrangement(json.dumps({"splitting": splitting}))


def kept(rearrangement: Rearrangement) -> set[int]:
    return set(OFFSETS[rearrangement.keeps(OFFSETS, begin=20, end=1_020)].tolist())


@pytest.mark.parametrize("text", [None, "", " \n", "{}", '{"splitting": {}}', '{"splitting": null}'])
def test_nothing_said_means_all_rows(text):
    assert kept(parse_rearrangement(text)) == set(OFFSETS.tolist())


def test_sequential_takes_the_rows_that_begin_within_the_share():
    assert kept(parse(percentBegin=0, percentEnd=70)) == set(range(20, 720, 10))
    assert kept(parse(percentBegin=70)) == set(range(720, 1_020, 10))


@pytest.mark.parametrize("value", [True, "true", "True", "TRUE"])
def test_complement_as_boolean_and_as_text(value):
    assert kept(parse(percentEnd=70, complement=value)) == kept(parse(percentBegin=70))


@pytest.mark.parametrize("value", [False, "false", None])
def test_no_complement(value):
    assert kept(parse(percentEnd=70, complement=value)) == kept(parse(percentEnd=70))


@pytest.mark.parametrize("strategy", [*SplitStrategy])
def test_ranges_that_meet_and_complements_share_no_row_and_leave_none_out(strategy):
    parts = [
        kept(parse(percentBegin=a, percentEnd=b, strategy=strategy, randomSeed="s"))
        for a, b in itertools.pairwise([0, 1, 33, 50, 99, 100])
    ]
    assert sum(map(len, parts)) == len(OFFSETS)
    assert set().union(*parts) == set(OFFSETS.tolist())
    inner = parse(percentBegin=20, percentEnd=40, strategy=strategy, randomSeed="s")
    outer = parse(percentBegin=20, percentEnd=40, strategy=strategy, randomSeed="s", complement=True)
    assert kept(inner) ^ kept(outer) == set(OFFSETS.tolist())


def test_random_is_a_fair_choice_and_follows_the_seed():
    offsets = np.arange(0, 2_000_000, 20)

    def share(seed: str) -> np.ndarray:
        return parse(percentEnd=70, strategy="random", randomSeed=seed).keeps(offsets, begin=0, end=2_000_000)

    first, second = share("a"), share("b")
    # 100,000 draws: 5 standard deviations are 0.7 percent
    assert first.mean() == pytest.approx(0.7, abs=0.0075)
    assert (first & second).mean() == pytest.approx(0.49, abs=0.008)
    # neighbours are not correlated
    assert (first[1:] & first[:-1]).mean() == pytest.approx(0.49, abs=0.008)
    assert np.array_equal(first, share("a"))


def split_mix_64(seed: int, n: int) -> int:
    """The n-th number of the generator, from 0, as in its authors' C code."""
    mixed = (seed + (n + 1) * 0x9E3779B97F4A7C15) % 2**64
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB % 2**64
    return mixed ^ mixed >> 31


def test_random_numbers_are_those_of_the_generator_named():
    # the first two numbers published for this seed
    assert [split_mix_64(1234567, n) for n in (0, 1)] == [6457827717110365317, 3203168211198807973]
    seed = int.from_bytes(hashlib.sha256("città".encode()).digest()[:8], "little")
    expected = {n for n in OFFSETS.tolist() if 20 <= (split_mix_64(seed, n) >> 11) / 2**53 * 100 < 50}
    assert kept(parse(percentBegin=20, percentEnd=50, strategy="random", randomSeed="città")) == expected


@pytest.mark.parametrize(
    ("text", "seed"),
    [
        ('{"splitting": {"strategy": "random", "strategyParams": {"randomSeed": "a"}}}', "a"),
        ('{"splitting": {"strategy": "random", "randomSeed": "b"}}', "b"),
        ('{"splitting": {"strategy": "random"}, "randomSeed": "c"}', "c"),
        ('{"splitting": {"strategyParams": {"randomSeed": "a"}, "randomSeed": "b"}, "randomSeed": "c"}', "a"),
        ('{"splitting": {"randomSeed": "b"}, "randomSeed": "c"}', "b"),
        ('{"splitting": {"randomSeed": 7}}', "7"),
        ('{"splitting": {"strategy": "random"}}', ""),
    ],
)
def test_the_seed_may_stand_in_three_places(text, seed):
    assert parse_rearrangement(text).seed == seed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "the whole is not a JSON object"),
        ('{"splitting": []}', "splitting is not a JSON object"),
        ('{"spliting": {}}', "the whole has the unknown key 'spliting'"),
        ('{"splitting": {"percentbegin": 1}}', "splitting has the unknown key 'percentbegin'"),
        ('{"splitting": {"strategyParams": {"seed": 1}}}', "strategyParams has the unknown key 'seed'"),
        ('{"splitting": {"percentBegin": -1}}', "percentBegin is -1, not a whole number from 0 to 100"),
        ('{"splitting": {"percentEnd": 101}}', "percentEnd is 101"),
        ('{"splitting": {"percentEnd": 33.3}}', "percentEnd is 33.3"),
        ('{"splitting": {"percentEnd": "70"}}', 'percentEnd is "70"'),
        ('{"splitting": {"percentEnd": true}}', "percentEnd is true"),
        ('{"splitting": {"percentEnd": NaN}}', "percentEnd is NaN"),
        ('{"splitting": {"percentEnd": 1e999}}', "percentEnd is Infinity"),
        ('{"splitting": {"percentBegin": 70, "percentEnd": 70}}', "percentBegin is 70, not less than percentEnd, 70"),
        ('{"splitting": {"strategy": "shuffled"}}', 'strategy is "shuffled", not sequential or random'),
        ('{"splitting": {"strategy": ["random"]}}', "strategy is"),
        ('{"splitting": {"complement": 1}}', "complement is 1, not true or false"),
        ('{"splitting": {"randomSeed": {}}}', "randomSeed is {}, not a string"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(text, message):
    with pytest.raises(RequestFault) as caught:
        parse_rearrangement(text)
    assert str(caught.value).startswith(f"DataRearrangement: {message}")
    assert "\n" not in str(caught.value)


def test_text_at_the_limit_and_one_past_it():
    text = '{"splitting": {"percentEnd": 70}}'
    assert parse_rearrangement(text.ljust(100_000)).end == 70
    with pytest.raises(RequestFault, match="100,001 characters"):
        parse_rearrangement(text.ljust(100_001))


@given(
    st.lists(st.integers(0, 100), min_size=2, max_size=2, unique=True),
    st.sampled_from(SplitStrategy),
    st.booleans(),
    st.text(max_size=20),
)
@settings(max_examples=40)
def test_round_trip(percents, strategy, complement, seed):
    rearrangement = Rearrangement(
        begin=min(percents),
        end=max(percents),
        strategy=strategy,
        complement=complement,
        seed=seed if strategy is SplitStrategy.RANDOM else "",
    )
    assert parse_rearrangement(rearrangement.to_json()) == rearrangement


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["splitting", "percentEnd", "strategy", "strategyParams", "complement", "randomSeed"]),
            inner,
        )
    ),
)


@given(json_values.map(json.dumps) | st.text(max_size=50))
@settings(max_examples=60)
def test_whatever_comes_is_read_or_refused(text):
    try:
        rearrangement = parse_rearrangement(text)
    except RequestFault:
        return
    assert rearrangement.keeps(OFFSETS, begin=20, end=1_020).shape == OFFSETS.shape
