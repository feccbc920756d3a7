"""The search for better settings."""

from __future__ import annotations

import json
import os
import random
import signal
import time

import numpy as np
import pytest

from textclf.base.errors import BadDataError, BadInputError, ExitCode
from textclf.checks import tuning
from textclf.checks.tuning import DEFAULTS, Trial, read_settings, tune


@pytest.fixture
def quick(monkeypatch):
    """Only C is searched, without keywords and word vectors, which take longest."""
    monkeypatch.setattr(tuning, "DEFAULTS", {**DEFAULTS, "lexicon": "none", "vectors": "none"})
    monkeypatch.setattr(
        tuning, "_CHOICES", {"lexicon": ("none",), "vectors": ("none",), "vector_size": (DEFAULTS["vector_size"],)}
    )
    return tuning.DEFAULTS


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_the_same_input_seed_and_number_give_the_same_result_with_any_number_of_processes(corpus, quick, jobs):
    _, texts, categories = corpus(12)
    found = tune(texts, categories, candidates=3)
    assert found == tune(texts, categories, candidates=3, jobs=jobs)
    assert (found.candidates, found.held_out, found.stopped) == (3, 9, False)
    assert 0 <= found.accuracy <= 1


def test_without_anything_to_learn_the_defaults_stand(corpus, quick):
    _, texts, categories = corpus(16)
    random.Random(0).shuffle(categories)
    found = tune(texts, categories, candidates=8)
    assert (found.better, found.settings) == (False, quick)
    assert (found.accuracy, found.p_value) == (found.accuracy_of_defaults, 1)
    # chance is one in three
    assert found.accuracy < 0.6


def test_what_is_better_is_taken_and_measured_on_held_out_documents(corpus, quick, monkeypatch):
    _, texts, categories = corpus(16)
    real = tuning.fit_model

    def fit(observed, features, *, c):
        # the defaults learn from wrong labels
        wrong = np.roll(observed.labels, len(observed.labels) // 3)
        return real(observed._replace(labels=wrong) if c == quick["C"] else observed, features, c=c)

    monkeypatch.setattr(tuning, "fit_model", fit)
    found = tune(texts, categories, candidates=4)
    assert found.better
    assert tuning.MIN_C <= found.settings["C"] <= tuning.MAX_C
    assert found.search_accuracy > found.search_accuracy_of_defaults
    assert found.accuracy > found.accuracy_of_defaults
    assert found.p_value < 0.05


def test_a_candidate_must_be_ahead_by_more_than_chance():
    own = np.arange(100) < 80
    defaults = Trial(DEFAULTS, own)
    for gained, lost, better in ((6, 0, True), (5, 0, False), (13, 8, False), (18, 6, True), (0, 6, False)):
        right = own.copy()
        right[80 : 80 + gained] = True
        right[:lost] = False
        mine = Trial({**DEFAULTS, "C": 2.0}, right)
        assert tuning._best([defaults, mine]) is (mine if better else defaults), (gained, lost)
        # the best of a hundred is often ahead by as much
        assert tuning._best([defaults, mine, *[defaults] * 99]) is defaults
    assert tuning._best([defaults]) is defaults


@pytest.fixture
def fits(monkeypatch):
    """Counts the fits; before one of them the test's own function is called with their number."""
    real, count, before = tuning.fit_model, 0, [lambda number: None]

    def fit(*arguments, **options):
        nonlocal count
        before[0](count)
        count += 1
        return real(*arguments, **options)

    monkeypatch.setattr(tuning, "fit_model", fit)
    return before


def press_ctrl_c_at(number):
    def before(count):
        if count == number:
            raise KeyboardInterrupt

    return before


def test_stopped_before_the_defaults_are_measured_there_is_nothing_to_keep(corpus, quick, fits):
    _, texts, categories = corpus(8)
    fits[0] = press_ctrl_c_at(2)
    with pytest.raises(KeyboardInterrupt):
        tune(texts, categories, candidates=2)


# three fits measure the defaults, three a candidate; without candidates the fourth measures at the end
@pytest.mark.parametrize(("candidates", "at", "tried"), [(2, 6, 2), (2, 5, 1), (1, 3, 1)])
def test_stopped_later_the_best_so_far_is_kept(corpus, quick, fits, candidates, at, tried):
    _, texts, categories = corpus(8)
    fits[0] = press_ctrl_c_at(at)
    found = tune(texts, categories, candidates=candidates)
    assert (found.stopped, found.candidates, found.settings) == (True, tried, quick)
    assert found.search_accuracy_of_defaults > 0.5
    assert (found.accuracy, found.accuracy_of_defaults, found.p_value) == (None, None, None)
    assert "stopped" in found.to_lines()[0]


def test_the_time_is_kept(corpus, quick, fits):
    _, texts, categories = corpus(8)
    now = 0.0

    def wait(_):
        nonlocal now
        now += 60

    def clock():
        return now

    fits[0] = wait
    # three fits measure the defaults, three a candidate, and three are kept for measuring at the end
    for minutes, candidates in ((1, 1), (8.9, 1), (9, 2), (12, 3)):
        now = 0.0
        found = tune(texts, categories, minutes=minutes, clock=clock)
        assert (found.candidates, found.stopped) == (candidates, False), minutes
        assert now <= 60 * max(minutes, 4)


def test_too_few_documents_are_refused(corpus):
    _, texts, categories = corpus(7)
    with pytest.raises(BadDataError, match="7 documents"):
        tune(texts, categories)


def test_the_command_writes_what_train_reads(textclf, corpus, quick, table, tmp_path):
    path = table(tmp_path / "d.csv", corpus(8).rows())
    settings = tmp_path / "settings.json"
    said = textclf("tune", path, "-o", settings, "--candidates", "2", "--jobs", "1")
    assert said.code == 0
    assert "tried 2 settings" in said.out
    assert "left" in said.err
    chosen = json.loads(settings.read_text())["settings"]
    quick = ("--no-diagnostics", "--jobs", "1")
    said = textclf("train", path, "-o", tmp_path / "m.textclf", "--settings", settings, "--c", "3", *quick)
    assert said.code == 0
    trained = json.loads(textclf("model", "info", tmp_path / "m.textclf", "--json").out)["settings"]
    untouched = {"augment": True, "background": True, "max_unknown": 0.1, "random_state": 0}
    assert {**chosen, "C": 3.0, **untouched} == trained


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        "[" * 100_000,
        '{"settings": {}}',
        json.dumps({"settings": {**DEFAULTS, "C": -1}}),
        json.dumps({"settings": {**DEFAULTS, "C": "2"}}),
        json.dumps({"settings": {**DEFAULTS, "C": True}}),
        json.dumps({"settings": {**DEFAULTS, "C": float("inf")}}),
        json.dumps({"settings": {**DEFAULTS, "C": float("nan")}}),
        json.dumps({"settings": {**DEFAULTS, "C": 1e300}}),
        json.dumps({"settings": {**DEFAULTS, "lexicon": "/etc/passwd"}}),
        json.dumps({"settings": {**DEFAULTS, "vector_size": "50"}}),
        json.dumps({"settings": {**DEFAULTS, "n_jobs": 500}}),
    ],
)
def test_a_damaged_or_hostile_file_is_refused(content, tmp_path):
    path = tmp_path / "settings.json"
    path.write_text(content)
    with pytest.raises(BadInputError, match="settings"):
        read_settings(path)
    with pytest.raises(BadInputError):
        read_settings(tmp_path / "missing.json")


def test_wrong_options_are_one_line(textclf, corpus, table, tmp_path):
    path = table(tmp_path / "d.csv", corpus(8).rows())
    for option, value in (("--minutes", "0"), ("--candidates", "-1")):
        said = textclf("tune", path, "-o", tmp_path / "s.json", option, value)
        assert (said.code, option in said.error) == (ExitCode.USAGE, True)


def test_a_cluster_finds_what_one_process_finds_although_a_worker_is_killed(corpus, quick, cluster, monkeypatch):
    _, texts, categories = corpus(12)
    alone = tune(texts, categories, candidates=3, minutes=10)
    living = list(cluster.run(os.getpid).values())

    def kill(message):
        if len(living) == 2:
            os.kill(living.pop(), signal.SIGKILL)

    monkeypatch.setattr("textclf.checks.tuning._log.info", kill)
    assert tune(texts, categories, candidates=3, minutes=10, dask=cluster.scheduler.address) == alone
    assert len(living) == 1


def test_ctrl_c_ends_the_command_in_peace(textclf, corpus, quick, fits, table, tmp_path):
    path = table(tmp_path / "d.csv", corpus(8).rows())
    fits[0] = lambda number: signal.raise_signal(signal.SIGINT) if number == 7 else None
    said = textclf("tune", path, "-o", tmp_path / "settings.json", "--jobs", "1")
    assert said.code == 0
    assert "tried 2 settings; stopped before the end" in said.out
    found = json.loads((tmp_path / "settings.json").read_text())
    assert found["search"]["stopped"]
    assert found["settings"] == quick


@pytest.mark.slow
@pytest.mark.parametrize("where", [("--jobs", "1"), ("--dask", "local")])
def test_ctrl_c_keeps_the_best_so_far(spawn, corpus, table, tmp_path, where):
    path = table(tmp_path / "d.csv", corpus(8).rows())
    process = spawn("tune", path, "-o", tmp_path / "settings.json", *where)
    said = ""
    end = time.monotonic() + 90
    while "settings tried" not in said and time.monotonic() < end:
        said += process.stderr.readline()
    # a terminal sends it to the workers too
    os.killpg(process.pid, signal.SIGINT)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    assert "stopped before the end" in out
    found = json.loads((tmp_path / "settings.json").read_text())
    assert found["search"]["stopped"]
    assert found["settings"].keys() == DEFAULTS.keys()
