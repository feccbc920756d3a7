"""What a person sees who types ``textclf signatures``."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from PIL import Image

from textclf.base.errors import ExitCode
from textclf.data.signatures import COLUMNS, MOST_BOXES

SAMPLES = Path(__file__).parents[3] / "data" / "signing"


@pytest.fixture
def cache(tmp_path_factory):
    return ("--cache", tmp_path_factory.getbasetemp() / "signature-cache", "--jobs", 1)


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_a_line_for_each_place(textclf, cache):
    said = textclf("signatures", SAMPLES / "consent-01.jpg", *cache)
    assert said.code == 0
    lines = said.out.splitlines()
    assert sum(line.startswith("signature ") for line in lines) >= 2
    assert all("consent-01.jpg" in line and "page 1" in line for line in lines)


def test_a_page_without_places_says_so(textclf, cache, tmp_path, scan):
    scan(tmp_path / "list.png", "Apples and pears", "bread and butter", "a bottle of milk")
    said = textclf("signatures", tmp_path / "list.png", *cache)
    assert said.out.startswith("no place")
    as_json = json.loads(textclf("signatures", tmp_path / "list.png", "--json", *cache).out)
    assert (as_json["places"], as_json["pages_without_places"]) == ([], [1])


def test_a_broken_file_ends_no_batch(textclf, cache, tmp_path):
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 and no more")
    output = tmp_path / "signatures.csv"
    paths = (tmp_path / "broken.pdf", SAMPLES / "consent-06.tif")
    said = textclf("signatures", *paths, "-o", output, *cache)
    assert (said.code, said.out) == (0, "")
    assert "in 2 documents" in said.err
    rows = read_csv(output)
    assert list(rows[0]) == list(COLUMNS)
    assert rows[0]["status"] == "failed"
    assert rows[0]["error"]
    assert sum(row["kind"] == "placeholder" for row in rows) >= 3
    strict = textclf("signatures", *paths, "-o", output, "--strict", *cache)
    assert strict.code == ExitCode.SOME_FAILED


def test_a_template_and_pictures_of_its_places(textclf, cache, tmp_path):
    template = tmp_path / "boxes.csv"
    rows = [row for row in read_csv(SAMPLES / "places.csv") if row["file"] == "consent-01.jpg"]
    boxes = [",".join((row["left"], row["top"], row["right"], row["bottom"], row["kind"])) for row in rows]
    template.write_text("\n".join(["left,top,right,bottom,name", *boxes]) + "\n", encoding="utf-8")
    crops = tmp_path / "crops"
    command = ("signatures", SAMPLES / "consent-01.jpg", "--template", template, "--json", "--crops", crops, *cache)
    said = textclf(*command)
    places = json.loads(said.out)["places"]
    assert [place["name"] for place in places] == [row["kind"] for row in rows]
    right = [place["name"] == place["kind"] for place in places]
    assert sum(right) / len(right) >= 0.7
    pictures = sorted(crops.iterdir())
    assert len(pictures) == len(rows)
    with Image.open(pictures[0]) as picture:
        assert picture.width > 10
    # they are ours, and may be written again
    assert textclf(*command).code == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("left,top,right\n0,0,1\n", "bottom"),
        ("left,top,right,bottom\n0,0,1,x\n", "no number"),
        ("left,top,right,bottom\n0.5,0,0.2,1\n", "no box"),
        ("left,top,right,bottom\n0,0,1.2,1\n", "no box"),
        ("left,top,right,bottom,page\n0,0,1,1,0\n", "no box"),
        ("left,top,right,bottom\n" + "0,0,1,1\n" * (MOST_BOXES + 1), "1,000"),
    ],
)
def test_a_template_that_is_none_is_refused(textclf, tmp_path, text, words):
    template = tmp_path / "boxes.csv"
    template.write_text(text, encoding="utf-8")
    said = textclf("signatures", SAMPLES / "consent-01.jpg", "--template", template)
    assert said.code == ExitCode.BAD_DATA
    assert words in said.error


def test_a_template_may_have_as_many_boxes_as_the_limit(textclf, tmp_path, cache):
    template = tmp_path / "boxes.csv"
    template.write_text("left,top,right,bottom,page\n" + "0,0,1,1,9\n" * MOST_BOXES, encoding="utf-8")
    said = textclf("signatures", SAMPLES / "consent-01.jpg", "--template", template, *cache)
    assert said.code == 0


def test_a_foreign_file_is_not_overwritten(textclf, tmp_path):
    output = tmp_path / "notes.csv"
    output.write_text("my,notes\n1,2\n", encoding="utf-8")
    said = textclf("signatures", SAMPLES / "consent-01.jpg", "-o", output)
    assert said.code == ExitCode.USAGE
    assert output.read_text(encoding="utf-8") == "my,notes\n1,2\n"


def test_classify_tells_of_signatures_in_its_json(textclf, cache, model_path):
    said = textclf("classify", model_path, SAMPLES / "consent-01.jpg", "--json", "--signatures", *cache)
    found = json.loads(said.out)["signatures"]["places"]
    assert {"page", "kind", "score", "review", "box"} <= set(found[0])
    assert textclf("classify", model_path, SAMPLES / "consent-01.jpg", "--signatures").code == ExitCode.USAGE
