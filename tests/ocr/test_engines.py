from __future__ import annotations

import os
import pickle
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ocr.engines import TesseractEngine, choose_languages, parse_tsv
from textclf.base.errors import BadInputError, MissingProgramError

BLANK = Image.new("L", (60, 60), 255)


def read(image: Image.Image = BLANK, timeout: float = 20):
    return TesseractEngine().read(image, languages=("eng",), page_segmentation=3, timeout=timeout)


def test_one_run_gives_text_boxes_and_confidences(page):
    reading = read(page())
    assert "payment of your insurance" in reading.text
    assert reading.text.splitlines()[0] == "Dear Madam,"
    assert reading.confidence > 80
    dear = reading.words[0]
    assert (dear.text, dear.line) == ("Dear", 0)
    assert 70 < dear.box[0] < dear.box[2] < 200
    assert len({word.line for word in reading.words}) == len([line for line in reading.text.splitlines() if line])


def test_an_engine_travels_to_another_process():
    engine = TesseractEngine()
    assert engine.version
    assert pickle.loads(pickle.dumps(engine)).version == engine.version


def test_the_default_languages_are_those_of_the_two_that_are_there(fake_tesseract):
    fake_tesseract("")
    assert choose_languages(TesseractEngine(), ()) == ("eng",)


def test_a_missing_language_is_an_error_with_the_line_that_installs_it(fake_tesseract):
    fake_tesseract("")
    with pytest.raises(MissingProgramError) as caught:
        choose_languages(TesseractEngine(), ("eng", "chi_sim"))
    assert str(caught.value) == (
        "tesseract has no language chi_sim (installed: eng); install it: apt-get install tesseract-ocr-chi-sim"
    )


def test_missing_tesseract_is_an_error_with_the_line_that_installs_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    for ask in (TesseractEngine().languages, lambda: TesseractEngine().version, read):
        with pytest.raises(MissingProgramError, match="apt-get install tesseract-ocr"):
            ask()


def test_each_run_has_one_thread_unless_the_user_says_otherwise(fake_tesseract, tsv, monkeypatch):
    monkeypatch.delenv("OMP_THREAD_LIMIT", raising=False)
    fake_tesseract(f"cat > $output <<END\n{tsv('threads$OMP_THREAD_LIMIT')}END")
    assert read().text == "threads1"
    assert "OMP_THREAD_LIMIT" not in os.environ
    monkeypatch.setenv("OMP_THREAD_LIMIT", "7")
    assert read().text == "threads7"


def test_an_engine_that_crashes_tells_its_words(fake_tesseract):
    fake_tesseract("echo 'out of\nluck' >&2; exit 3")
    with pytest.raises(BadInputError, match=r"tesseract failed \(status 3: out of luck\)"):
        read()


def test_an_engine_that_crashes_with_bad_utf8_is_an_error_of_one_line(fake_tesseract):
    fake_tesseract("printf '\\377\\376\\n' >&2; exit 3")
    with pytest.raises(BadInputError, match="tesseract failed"):
        read()


def test_an_engine_that_ends_without_a_result_is_an_error(fake_tesseract):
    fake_tesseract("exit 0")
    with pytest.raises(BadInputError, match="tesseract failed"):
        read()


def test_an_engine_that_hangs_is_stopped(fake_tesseract):
    fake_tesseract("exec sleep 60")
    started = time.perf_counter()
    with pytest.raises(BadInputError, match=r"not done after 1\.0 s and was stopped"):
        read(timeout=1)
    assert time.perf_counter() - started < 30


def test_bad_utf8_in_the_result_is_replaced(fake_tesseract, tsv):
    fake_tesseract(f"printf '{tsv('caf@E9').replace('@E9', chr(92) + '351')}' > $output")
    assert read().text == "caf\ufffd"


def test_an_engine_that_babbles_is_an_error(fake_tesseract, monkeypatch):
    fake_tesseract("echo bla bla > $output")
    with pytest.raises(BadInputError, match="no table of words"):
        read()
    monkeypatch.setattr("ocr.engines._MAX_OUTPUT", 7)
    with pytest.raises(BadInputError, match="more than 7 bytes"):
        read()


def test_lines_and_paragraphs_make_the_text(tsv):
    head = tsv().splitlines()[0]
    places = ["1\t1\t1\t1", "1\t1\t1\t2", "1\t1\t2\t1", "1\t2\t1\t1"]
    rows = [f"5\t{place}\t1\t0\t0\t9\t9\t50\t{word}" for place, word in zip(places, "abcd", strict=True)]
    assert parse_tsv("\n".join([head, *rows]).encode()).text == "a\nb\n\nc\n\nd"


def test_rows_that_do_not_fit_are_left_out(tsv):
    good = tsv("good")
    rows = [
        "5\t1",
        "5\t1\t1\t1\t1\t1\tx\t1\t1\t1\t90\tbad",
        "5\t1\t1\t1\t1\t1\t1\t1\t1\t1\tnan\tbad",
        "4" + "\t1" * 11,
        "\0",
    ]
    assert parse_tsv((good + "\n".join(rows)).encode()).text == "good"


@settings(max_examples=40)
@given(st.binary(max_size=200))
def test_whatever_stands_in_the_table_gives_words_in_bounds(rows):
    reading = parse_tsv(b"level\tconf\n5\t1\t1\t1\t1\t1\t1\t1\t1\t1\t" + rows)
    assert all(0 <= word.confidence <= 100 and word.text.strip() for word in reading.words)
