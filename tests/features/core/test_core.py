"""The compiled core as a library: built so that every access to memory is checked, fuzzed, and missing."""

from __future__ import annotations

import csv
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from features import core
from features.characters import CHARACTERS
from features.core.texts import code_points

FOLDER = Path(core.__file__).parent
SANITIZED = ["-std=c99", "-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

HOSTILE = """
import random, sys
from pathlib import Path
import numpy as np
from features.core import library, rows, tokens
library.LIBRARY = Path(sys.argv[1])
from features.keyword_matcher import KeywordMatcher
from features.lexicon import shipped_lexicon
from features.ngrams import VIEWS, NgramView, count_ngrams, find_ngrams
from features.tfidf import fit_tfidf

draw = random.Random(0)
odd = [*"aAbéÉ1_.:' \\n\\t\\r", *"\\0\\x85\\xa0´\\u0301\\u2028①ﬁ\\ud800\\U0010ffff😀"]
long = NgramView(name="long", unit="character", shortest=1, longest=1000)
texts = ["".join(draw.choices(odd, k=draw.choice([0, 1, 2, 3, 40, 400]))) for _ in range(1_500)]
texts += ["a" * 100_000, ":" * 100_000, "\\n" * 100_000, " \\n" * 50_000, "a:\\n" * 30_000]
for text in texts:
    count_ngrams([text], VIEWS)
    for view in VIEWS if len(text) < 1_000 else ():
        find_ngrams(text, view)
    if len(text) < 500:
        count_ngrams([text], [long])
for begin in range(0, len(texts), 64):
    words = tokens.split_words(texts[begin : begin + 64])
    for made in (tokens.ngrams(words, 10), tokens.osb(words, 10), tokens.pairs(words, words, 50)):
        tokens.row_keys(made, 0)
counts = count_ngrams(texts[:300], VIEWS)
tfidf = fit_tfidf(counts, VIEWS)
weighed = tfidf.weigh(counts)
for height in (0, 1, int(tfidf.starts[1]), int(tfidf.starts[-1])):
    rows.multiply(*weighed, np.ones((height, 3), np.float32))
matcher = KeywordMatcher(shipped_lexicon(), known_words=["staternent"])
words = [*"1ilo", "bank", "state", "ment", "po1izza", "\\ud800"]
list(matcher.find_all([draw.choices(words, k=k) for k in range(300)]))
# counted with other views than the kept ones
tfidf.first_view().weigh(counts)
print("done")
"""


def sanitized(target: Path, *more: str, compiler: str = "gcc") -> Path:
    sources = map(str, sorted(FOLDER.glob("*.c")))
    subprocess.run([compiler, *SANITIZED, *more, *sources, "-o", str(target), "-lm"], check=True)
    return target


def test_hostile_texts_reach_no_memory_that_is_not_their_own(tmp_path):
    if not shutil.which("gcc"):
        pytest.skip("there is no gcc to build the core with checks of every access to memory")
    sanitizer = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True).stdout.strip()
    if not Path(sanitizer).is_absolute():
        pytest.skip("this gcc has no AddressSanitizer")
    library = sanitized(tmp_path / "checked.so", "-shared", "-fPIC")
    # Python itself frees less than it allocates
    environment = {**os.environ, "LD_PRELOAD": sanitizer, "ASAN_OPTIONS": "detect_leaks=0", "PYTHONMALLOC": "malloc"}
    done = subprocess.run(
        [sys.executable, "-c", HOSTILE, str(library)], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr[-3_000:]


@pytest.mark.endurance
def test_ten_million_texts_that_search_for_new_paths_find_no_fault(tmp_path):
    if not shutil.which("clang"):
        pytest.skip("there is no clang, which has libFuzzer")
    fuzz = str(Path(__file__).with_name("fuzz.c"))
    # to trace comparisons and to weigh inputs by how rare their paths are takes nine tenths of the time
    flags = "-O2", "-fsanitize=fuzzer", "-fno-sanitize-coverage=trace-cmp", "-Wno-override-init"
    program = sanitized(tmp_path / "fuzz", *flags, fuzz, compiler="clang")
    done = subprocess.run(
        [program, "-runs=10000000", "-entropic=0", "-max_len=300", "-seed=1", f"-artifact_prefix={tmp_path}/"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    assert "Done 10000000 runs" in done.stderr


@pytest.mark.slow
def test_on_arm64_the_same_bytes_come_out(tmp_path):
    emulator, compiler = shutil.which("qemu-aarch64"), shutil.which("aarch64-linux-gnu-gcc")
    if not emulator or not compiler:
        pytest.skip("there is no compiler for arm64, or no emulator of it (gcc-aarch64-linux-gnu, qemu-user)")
    draw = random.Random(0)
    letters = [*"aAbéÉ1_.:' \n\t\r", *"\x85\xa0´\u0301\u2028①ﬁ\ud800\U0010ffff😀"]
    with (Path(__file__).parents[3] / "data" / "truth.csv").open(newline="", encoding="utf-8") as stream:
        texts = [row["text"] for row in csv.DictReader(stream)]
    # more of one n-gram than there are logarithms in the table
    texts += ["".join(draw.choices(letters, k=size)) for size in range(300)] + ["x " * 5_000]
    (tmp_path / "texts").write_bytes(b"".join(code_points(text) + bytes(4) for text in texts))
    (tmp_path / "table").write_bytes(CHARACTERS.tobytes())
    sources = [Path(__file__).with_name("observe_file.c"), *sorted(FOLDER.glob("*.c"))]
    printed = []
    for name, run in (("gcc", []), (compiler, [emulator])):
        program = tmp_path / Path(name).name
        # as setup.py compiles it
        subprocess.run(
            [name, "-std=c99", "-O3", "-ffp-contract=off", *sources, "-static", "-o", program, "-lm"], check=True
        )
        done = subprocess.run([*run, program, tmp_path / "table", tmp_path / "texts"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        printed.append(done.stdout.splitlines())
    assert len(printed[0]) == 13
    assert printed[0] == printed[1]


def test_without_the_library_it_is_said_how_to_get_it():
    script = "from features.core import library; library.LIBRARY = 'missing.so'; library.load_library()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "MissingProgramError: the compiled core cannot be loaded" in done.stderr
    assert "pip install --editable ." in done.stderr


def test_so_it_is_by_the_command_in_one_line(tmp_path):
    program = (
        "import sys; from features.core import library; library.LIBRARY = 'missing.so';"
        "from textclf.__main__ import main; sys.argv[1:] = ['train', 'a.csv', '-o', 'm']; main()"
    )
    rows = "".join(f"{number},dear aunt,letter\nb{number},total due,invoice\n" for number in range(3))
    (tmp_path / "a.csv").write_text(f"document_id,text,category\n{rows}")
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 5
    assert last.startswith("error: the compiled core cannot be loaded")
    assert "Traceback" not in done.stderr
