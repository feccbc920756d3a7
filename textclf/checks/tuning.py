"""Random search for better settings within a time limit, evaluated on held-out documents.

Source: J. Bergstra and Y. Bengio, "Random search for hyper-parameter optimization", Journal of Machine Learning
Research 13, 2012. The accuracy within the search is biased upwards, as the best of many; therefore a quarter of the
documents is held out, and the best settings and the defaults are measured there at the end.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSettings, ObservedTexts
from features.text_arguments import as_pairs
from textclf.base import __version__
from textclf.base.errors import BadDataError, BadInputError, LostTaskError
from textclf.base.executor import Executor, memory_remedy, open_executor
from textclf.base.files import input_error, write_aside
from textclf.base.plurals import counted
from textclf.checks.check_options import SearchOptions
from textclf.evaluation.comparison import mcnemar
from textclf.model.classifier import DocumentClassifier
from textclf.model.fit import Fitted, fit_model
from textclf.model.folds import Folds, stratified_folds
from textclf.model.settings import TrainingSettings
from textclf.model.training_texts import TrainingTexts, observe_training

_log = logging.getLogger(__name__)

DEFAULT_SEARCH = SearchOptions()

MIN_C, MAX_C = 0.1, 10.0
FOLDS = 3
OUTER_FOLDS = 4
"""One of them is held out for the end."""
SIGNIFICANCE = 0.05
"""Probability of choosing other settings although they are no better than the defaults."""
MIN_DOCUMENTS = 8
"""Documents of the smallest category, so that every fold of the search has some."""

Settings = Mapping[str, str | int | float | bool]
"""Options of `DocumentClassifier`."""

_CHOICES: dict[str, tuple[Any, ...]] = {
    "lexicon": ("auto", "learn", "none"),
    "vectors": ("learn", "none"),
    "vector_size": (25, 50, 100),
}
DEFAULTS: Settings = {name: getattr(TrainingSettings(), name) for name in ("C", *_CHOICES)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """The best settings of a search, and accuracies; those on held-out documents are None if it was stopped."""

    settings: Settings
    better: bool
    candidates: int
    search_accuracy: float
    search_accuracy_of_defaults: float
    accuracy: float | None
    accuracy_of_defaults: float | None
    held_out: int
    p_value: float | None
    stopped: bool

    def to_lines(self) -> list[str]:
        """Give lines to print."""
        named = ", ".join(f"{name} {value}" for name, value in self.settings.items())
        lines = [
            f"tried {counted(self.candidates, 'setting')}" + ("; stopped before the end" if self.stopped else ""),
            f"best: {named}" if self.better else "best: the defaults; nothing was better by more than chance",
            f"within the search         accuracy {self.search_accuracy:.3f}"
            f"{' (too good: the best of many)' if self.better else ''}, "
            f"defaults {self.search_accuracy_of_defaults:.3f}",
        ]
        if not self.stopped:
            lines.append(
                f"on {self.held_out} held-out documents  accuracy {self.accuracy:.3f}, "
                f"defaults {self.accuracy_of_defaults:.3f}, McNemar's test p = {self.p_value:.3f}"
            )
        return lines


class Trial(NamedTuple):
    """Settings, and for each document whether they predict it right in cross-validation."""

    settings: Settings
    right: NDArray[np.bool_]


class _Documents(NamedTuple):
    """The documents of the search, which all trials share, and texts and labels of the held-out ones."""

    observed: TrainingTexts
    folds: Folds
    seed: int
    held_out: list[str]
    held_out_labels: NDArray[np.int64]


def tune(
    texts: Sequence[str],
    categories: Sequence[str],
    *,
    minutes: float = DEFAULT_SEARCH.minutes,
    candidates: int = DEFAULT_SEARCH.candidates,
    seed: int = 0,
    jobs: int = 1,
    dask: str = "",
    clock: Callable[[], float] = time.monotonic,
) -> Tuning:
    """Search for settings better than the defaults, which count as a candidate; 0 candidates are unlimited.

    No trial is started that would not end in time, but the defaults are always measured. Ctrl-C ends the search and
    gives the best settings found. The result does not depend on the number of workers if the number of candidates is
    given.
    """
    end = clock() + 60 * minutes
    documents = _split(*as_pairs(texts, categories), seed)
    drawn = islice(_draw(seed), candidates - 1 if candidates else None)
    trials: list[Trial] = []
    measured: list[NDArray[np.bool_]] = []
    with open_executor(jobs, dask=dask, verb="tried", remedy=memory_remedy(dask)) as executor:
        shared = executor.share(documents)
        try:
            _search(executor, shared, drawn, trials, end, clock)
            _log.info(f"measuring on {len(documents.held_out)} held-out documents")
            best = _best(trials)
            several = [trials[0]] if best is trials[0] else [trials[0], best]
            measured += executor.map(_held_out_right, [(shared, trial.settings) for trial in several])
        except KeyboardInterrupt:
            if not trials:
                raise
            measured = []
    defaults, best = trials[0], _best(trials)
    return Tuning(
        settings=best.settings,
        better=best is not defaults,
        candidates=len(trials),
        search_accuracy=float(best.right.mean()),
        search_accuracy_of_defaults=float(defaults.right.mean()),
        accuracy=float(measured[-1].mean()) if measured else None,
        accuracy_of_defaults=float(measured[0].mean()) if measured else None,
        held_out=len(documents.held_out),
        p_value=_mcnemar(measured[0], measured[-1]) if measured else None,
        stopped=not measured,
    )


def _search(
    executor: Executor,
    documents: _Documents,
    drawn: Iterator[Settings],
    trials: list[Trial],
    end: float,
    clock: Callable[[], float],
) -> None:
    """Add trials to the list while there is time, that of the defaults first."""
    batch, slowest = [DEFAULTS], 0.0
    while batch:
        began = clock()
        tasks = [(documents, settings) for settings in batch]
        for settings, outcome in zip(batch, executor.outcomes(_cross_validated_right, tasks), strict=True):
            # settings other than the defaults are skipped if they kill their worker
            if not (trials and isinstance(outcome.error, LostTaskError)):
                trials.append(Trial(settings, outcome.get()))
        slowest = max(slowest, clock() - began)
        best = max(trial.right.mean() for trial in trials)
        _log.info(
            f"{counted(len(trials), 'setting')} tried, best accuracy {best:.3f}, "
            f"defaults {trials[0].right.mean():.3f}, {max(end - clock(), 0):.0f} s left"
        )
        # measuring on the held-out documents takes two fits on 1.5 times the documents: as long as the three of a trial
        batch = list(islice(drawn, executor.size)) if clock() + 2 * slowest <= end else []


def _split(texts: list[str], categories: list[str], seed: int) -> _Documents:
    names, numbers = np.unique(categories, return_inverse=True)
    labels = numbers.astype(np.int64)
    counts = np.bincount(labels)
    if len(names) < 2 or counts.min() < MIN_DOCUMENTS:
        raise BadDataError(
            f"category {str(names[counts.argmin()])!r} has {counts.min()} documents",
            remedy=f"tuning needs {MIN_DOCUMENTS} of each category, and two categories",
        )
    inner, outer = stratified_folds(labels, OUTER_FOLDS, seed)[0]
    return _Documents(
        observed=observe_training([texts[i] for i in inner], labels[inner], names.tolist(), _features(DEFAULTS, seed)),
        folds=stratified_folds(labels[inner], FOLDS, seed),
        seed=seed,
        held_out=[texts[i] for i in outer],
        held_out_labels=labels[outer],
    )


def _cross_validated_right(documents: _Documents, settings: Settings) -> NDArray[np.bool_]:
    right = np.zeros(len(documents.observed.labels), dtype=bool)
    for train, test in documents.folds:
        fitted = _fit(documents, settings, train)
        right[test] = _predicted(fitted, documents.observed.documents.take(test)) == documents.observed.labels[test]
    return right


def _held_out_right(documents: _Documents, settings: Settings) -> NDArray[np.bool_]:
    fitted = _fit(documents, settings, np.arange(len(documents.observed.labels)))
    right: NDArray[np.bool_] = (
        _predicted(fitted, fitted.features.observe(documents.held_out)) == documents.held_out_labels
    )
    return right


def _fit(documents: _Documents, settings: Settings, train: NDArray[np.int64]) -> Fitted:
    return fit_model(
        documents.observed.take(train),
        _features(settings, documents.seed),
        c=float(settings["C"]),
    )


def _predicted(fitted: Fitted, observed: ObservedTexts) -> NDArray[np.int64]:
    predicted: NDArray[np.int64] = fitted.linear.margins(fitted.features.rows_of(observed)).argmax(axis=1)
    return predicted


def _features(settings: Settings, seed: int) -> FeatureSettings:
    options: dict[str, Any] = dict(settings)
    return DocumentClassifier(random_state=seed, **options).feature_settings()


def _draw(seed: int) -> Iterator[Settings]:
    """Draw different settings endlessly; C is log-uniform between 0.1 and 10."""
    random = np.random.default_rng(seed)
    seen = [DEFAULTS]
    while True:
        settings: dict[str, Any] = {"C": round(float(np.exp(random.uniform(np.log(MIN_C), np.log(MAX_C)))), 3)}
        settings |= {name: choices[int(random.integers(len(choices)))] for name, choices in _CHOICES.items()}
        if settings not in seen:
            seen.append(settings)
            yield settings


def _best(trials: Sequence[Trial]) -> Trial:
    """Give the best trial if it is significantly better than the defaults, which are the first, else the defaults.

    McNemar's test with Bonferroni's correction: the best of many is usually ahead by a standard error even if all are
    as good as the defaults.
    """
    defaults, *others = trials
    best = max(trials, key=lambda trial: trial.right.mean())
    return (
        best if best is not defaults and _mcnemar(best.right, defaults.right) < SIGNIFICANCE / len(others) else defaults
    )


def _mcnemar(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return mcnemar(int((one & ~other).sum()), int((other & ~one).sum()))


def write_settings(path: str | Path, found: Tuning, *, seed: int) -> None:
    """Write the best settings as JSON for ``textclf train --settings``."""
    figures = {name: value for name, value in asdict(found).items() if name != "settings"}
    values = {"settings": dict(found.settings), "search": figures, "seed": seed, "textclf": __version__}
    with write_aside(path) as aside:
        aside.write_text(json.dumps(values, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read_settings(path: Path) -> dict[str, Any]:
    """Read settings that `write_settings` wrote, from at most a megabyte of the file."""
    try:
        with path.open("rb") as file:
            settings: dict[str, Any] = json.loads(file.read(1_000_000))["settings"]
        c = settings["C"]
        fits = settings.keys() == DEFAULTS.keys() and type(c) is float and MIN_C <= c <= MAX_C
        # only these words, as a path in somebody else's file would be opened; repr, as True equals 1
        fits = fits and all(repr(settings[name]) in map(repr, allowed) for name, allowed in _CHOICES.items())
    except OSError as error:
        raise input_error(error, path) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        fits = False
    if not fits:
        raise BadInputError(
            "does not contain settings of a search", where=path, remedy="give a file written by `textclf tune`"
        )
    return settings
