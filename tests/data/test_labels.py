"""The table of labels keeps what the README of the samples promises."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import pytest

CATEGORIES = (
    "insurance_contract",
    "insurance_receipt",
    "identity_card",
    "tax_certificate",
    "tax_return",
    "till_receipt",
    "invoice",
    "utility_bill",
)
Labels = list[dict[str, str]]


def test_every_file_is_labelled_once_and_nothing_else_lies_there(samples: Path, labels: Labels) -> None:
    found = sorted(path.relative_to(samples).as_posix() for path in (samples / "scans").iterdir())
    assert sorted(row["file"] for row in labels) == found


def test_samples_are_small_enough_to_ship(samples: Path) -> None:
    assert sum(path.stat().st_size for path in samples.rglob("*") if path.is_file()) < 25_000_000


def test_columns(labels: Labels) -> None:
    assert list(labels[0]) == ["file", "category", "split", "issuer", "language", "dpi", "rotation", "pages", "kind"]


@pytest.mark.parametrize("category", CATEGORIES)
def test_category_has_enough_documents_issuers_and_both_languages_in_both_splits(category: str, labels: Labels) -> None:
    rows = [row for row in labels if row["category"] == category]
    assert Counter(row["split"] for row in rows) == {"train": 9, "test": 6}
    assert len({row["issuer"] for row in rows}) == 6
    for split in ("train", "test"):
        assert {row["language"] for row in rows if row["split"] == split} == {"it", "en"}


def test_other_things(labels: Labels, truth: dict[str, str]) -> None:
    rows = [row for row in labels if row["category"] == "other"]
    assert len(rows) == 16
    assert {row["split"] for row in rows} == {"other"}
    assert sum(not truth[row["file"]] for row in rows) == 6
    assert {row["category"] for row in labels} == {*CATEGORIES, "other"}


def test_no_issuer_is_in_two_splits(labels: Labels) -> None:
    splits = defaultdict(set)
    for row in labels:
        splits[row["issuer"]].add(row["split"])
    assert all(len(found) == 1 for found in splits.values())


@pytest.mark.parametrize("split", ["train", "test"])
def test_each_split_is_as_hard_as_the_other(split: str, labels: Labels) -> None:
    rows = [row for row in labels if row["split"] == split]
    assert {row["dpi"] for row in rows} == {"", "100", "150", "200", "300"}
    assert {"jpeg", "bilevel png", "ccitt tiff", "scanned pdf", "digital pdf"} <= {r["kind"] for r in rows}
    turned = [row["rotation"] for row in rows if row["rotation"] != "0"]
    assert 0.04 <= len(turned) / len(rows) <= 0.15
    assert any(row["pages"] == "2" for row in rows)


def test_truth_has_a_text_for_every_document(labels: Labels, truth: dict[str, str]) -> None:
    assert [row["file"] for row in labels] == list(truth)
    assert all(truth[row["file"]].strip() for row in labels if row["language"])
