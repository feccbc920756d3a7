from __future__ import annotations

import json
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocr.cache import PageCache
from ocr.document import Page, Word
from ocr.source_file import Survey
from textclf.base.errors import OutputError

PAGE = Page(
    number=3,
    raw_text="Totale €\n\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    words=(Word(text="Totale", confidence=91.25, box=(1, 2, 3, 4), line=0),),
    source="ocr",
    confidence=91.25,
    rotation=90,
    scale=1.5,
    width=10,
    height=20,
    seconds=1.25,
)


def test_a_page_comes_back_as_it_went_in_and_only_its_owner_can_read_it(tmp_path):
    cache = PageCache(tmp_path / "cache")
    cache.put("abcd", PAGE)
    assert cache.get("abcd") == PAGE
    (file,) = (tmp_path / "cache").rglob("*.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_survey_comes_back_as_it_went_in(tmp_path):
    cache, survey = PageCache(tmp_path / "cache"), Survey(sha256="5e", page_count=12, attachments=1)
    assert cache.get_survey("abcd", "5e") is None
    cache.put_survey("abcd", survey)
    assert cache.get_survey("abcd", "5e") == survey
    assert cache.get("abcd") is None


@pytest.mark.parametrize(
    "survey", [[], {}, {"page_count": 0, "attachments": 0}, {"page_count": "x"}, {"page_count": 1, "attachments": -1}]
)
def test_a_foreign_survey_is_a_miss(tmp_path, survey):
    cache = PageCache(tmp_path)
    cache.put_survey("abcd", Survey(sha256="5e", page_count=12))
    file = tmp_path / "ab" / "abcd.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "survey": survey}))
    assert cache.get_survey("abcd", "5e") is None


@pytest.mark.parametrize(
    "change", [{"letters": "x"}, {"confidence": "x"}, {"part": None}, {"status": "x"}, {"more": 1}]
)
def test_a_page_with_what_a_page_cannot_have_is_a_miss(tmp_path, change):
    cache = PageCache(tmp_path)
    cache.put("abcd", PAGE)
    file = tmp_path / "ab" / "abcd.json"
    entry = json.loads(file.read_text())
    file.write_text(json.dumps({**entry, "page": {**entry["page"], **change}}))
    assert cache.get("abcd") is None


def test_another_key_is_a_miss(tmp_path):
    cache = PageCache(tmp_path)
    cache.put("abcd", PAGE)
    assert cache.get("abce") is None
    (tmp_path / "ab" / "abce.json").write_bytes((tmp_path / "ab" / "abcd.json").read_bytes())
    assert cache.get("abce") is None


@settings(max_examples=40)
@given(st.data())
def test_a_damaged_entry_is_a_miss_or_unharmed(tmp_path_factory, data):
    cache = PageCache(tmp_path_factory.mktemp("cache"))
    cache.put("abcd", PAGE)
    file = cache.folder / "ab" / "abcd.json"
    content = file.read_bytes()
    start = data.draw(st.integers(0, len(content)))
    file.write_bytes(content[:start] + data.draw(st.binary(max_size=5)))
    assert cache.get("abcd") in (None, PAGE)


@pytest.mark.parametrize("change", [{"format": 1}, {"page": []}, {"page": {"number": "x", "words": []}}, {"key": "no"}])
def test_a_foreign_entry_is_a_miss(tmp_path, change):
    cache = PageCache(tmp_path)
    cache.put("abcd", PAGE)
    file = tmp_path / "ab" / "abcd.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    assert cache.get("abcd") is None


def test_a_cache_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "cache").write_text("a file is in the way")
    with pytest.raises(OutputError, match="cannot be written"):
        PageCache(tmp_path / "cache").put("abcd", PAGE)
