"""Opening tables and texts in any encoding."""

from __future__ import annotations

import gzip
import os
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textclf.base import encodings
from textclf.base.encodings import decode_text, open_text
from textclf.base.errors import BadDataError, UsageError
from textclf.base.tables import read_rows

TABLE = "file,category\na.png,perchè è già così\nb.png,L’università – 12,50 €\n"
"""The letters and signs of Italian offices."""


def read(path, **options):
    with open_text(path, **options) as file:
        return file.read()


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("cp1252", "is not UTF-8 and was read as cp1252; if letters are wrong, name its encoding with --encoding"),
        ("utf-16", "was read as utf-16"),
        ("utf-16-le", "was read as utf-16-le"),
        ("utf-16-be", "was read as utf-16-be"),
        ("utf-32", "was read as utf-32"),
        ("utf-32-le", "was read as utf-32-le"),
        ("utf-32-be", "was read as utf-32-be"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_the_encoding_is_found_out_and_said(tmp_path, encoding, said, packed, caplog):
    path = tmp_path / "labels.csv"
    content = TABLE.encode(encoding)
    path.write_bytes(gzip.compress(content) if packed else content)
    assert read(path) == TABLE
    assert caplog.messages == ([f"{path}: {said}"] if said else [])


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "file,category\na.png,perchè\n"),
        ("cp1252", "file,category\na.png,Straßenverkehr – größere Kündigung\n"),
        ("cp1252", "file;category\na.png;Numéro de facture à payer\n"),
        ("cp1251", "file,category\na.png,Счёт-фактура\nb.png,Договор аренды помещения\n"),
        ("cp1250", "file,category\na.png,Zażółć gęślą jaźń\nb.png,źródło świadczeń\n"),
    ],
)
def test_short_tables_of_other_languages_are_read(tmp_path, encoding, text):
    path = tmp_path / "labels.csv"
    path.write_bytes(text.encode(encoding))
    assert read(path) == text


def test_a_letter_far_down_counts_as_one_at_the_top(tmp_path):
    path = tmp_path / "documents.csv"
    path.write_bytes(b"id,text\n" + b"1,plain words\n" * 40_000 + "2,perchè\n".encode("cp1252"))
    assert read(path).endswith("2,perchè\n")


def test_a_letter_beyond_what_is_scanned_names_its_line(tmp_path, monkeypatch):
    monkeypatch.setattr(encodings, "_MAX_SCANNED", 10_000)
    path = tmp_path / "documents.csv"
    path.write_bytes(b"id,text\n" + b"1,plain words\n" * 40_000 + "2,perchè\n".encode("cp1252"))
    with pytest.raises(BadDataError, match=r"line 40002 is not utf-8; .*--encoding cp1252"):
        list(read_rows(path, required=["text"]))


def test_what_stands_for_nothing_in_utf8_may_stand_at_the_end_of_a_look(tmp_path, caplog):
    # a letter of two bytes over the end of each piece that is looked at
    text = "id,text\n1," + "è" * 20_000 + "\n2,x" + "è" * 20_000 + "\n"
    path = tmp_path / "documents.csv"
    path.write_bytes(text.encode())
    assert read(path) == text
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04...", "is a spreadsheet or an archive, not CSV; save the table as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "is an old spreadsheet or office document"),
        (b"%PDF-1.7", "is a PDF"),
        (b"\x89PNG\r\n\x1a\n", "is an image"),
        (b"BZh91AY", "is compressed in another way than by gzip"),
        (b"<html><table>", "is HTML or XML"),
        (gzip.compress(gzip.compress(b"text\na\n", mtime=0), mtime=0), "is packed with gzip twice"),
        (gzip.compress(b"PK\x03\x04...", mtime=0), "is a spreadsheet or an archive"),
        (gzip.compress(b"text\n" + os.urandom(1000))[:-500], "is packed with gzip, and damaged or cut short"),
        (b"\x1f\x8b and no more", "is packed with gzip, and damaged or cut short"),
    ],
)
def test_what_is_no_table_is_named(tmp_path, content, message):
    path = tmp_path / "documents.csv"
    path.write_bytes(content)
    with pytest.raises(BadDataError, match=message):
        list(read_rows(path, required=["text"]))


@pytest.mark.parametrize("past", [0, 1])
def test_a_packed_file_may_unpack_to_the_limit_and_no_further(tmp_path, monkeypatch, past):
    content = b"text\n" + b"some words\n" * 5_000
    monkeypatch.setattr(encodings, "_MIN_UNPACKED", len(content) - past)
    monkeypatch.setattr(encodings, "_UNPACKED_RATIO", 1)
    path = tmp_path / "documents.csv"
    path.write_bytes(gzip.compress(content))
    if not past:
        assert len(list(read_rows(path, required=["text"]))) == 5_000
        return
    with pytest.raises(BadDataError, match=r"unpacks to more than .* bytes; unpack it first"):
        list(read_rows(path, required=["text"]))


def test_a_pipe_is_read(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=("text\nperchè\n".encode("cp1252"),))
    writer.start()
    assert [row.values for row in read_rows(pipe, required=["text"])] == [{"text": "perchè"}]
    writer.join()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32-be", "cp1252"])
def test_a_text_in_any_encoding_is_read(encoding):
    text = "L’università è chiusa perché piove"
    assert decode_text(text.encode(encoding)) == (text, encoding.removesuffix("-sig"))


@given(st.binary(max_size=200))
@settings(max_examples=40)
def test_any_bytes_give_a_text(content):
    text, encoding = decode_text(content)
    assert len(text) <= len(content)
    assert encoding


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200))
@settings(max_examples=40)
def test_utf8_is_never_taken_for_anything_else(text):
    # a mark that the text begins with is not told from one that the encoding has
    assert decode_text(text.encode()) == (text.removeprefix("\ufeff"), "utf-8")


@pytest.mark.parametrize("name", ["hex", "rot13", "base64", "no-such", "\udcff"])
def test_what_is_no_encoding_of_text_is_refused_by_name(tmp_path, name):
    path = tmp_path / "t.csv"
    path.write_text("document_id,text\n", encoding="utf-8")
    with pytest.raises(UsageError, match="there is no encoding"):
        open_text(path, name)
