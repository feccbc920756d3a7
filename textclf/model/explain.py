"""Explanations: why a document got its category and not the second most likely one, in amounts that add up.

The margin of a linear model is a sum of weight times value over all features, so nothing has to be estimated: the
margin of the predicted category minus that of the runner-up, before calibration, is the sum of the differences. The
amount of an n-gram is shared equally by its occurrences, and within each by its characters other than spaces; the
amount of a word is the sum over its characters and all views. Features that belong to no word are listed by name.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureRows
from features.layout import LAYOUT_FEATURES
from features.ngrams import FoundNgrams, find_ngrams
from features.tfidf import NgramTable
from features.tokens import tokenize
from textclf.base.look_format import BLOCKS, blocks_of
from textclf.model.look import ALONE, WITH_TEXT, have_look
from textclf.model.predict import Evidence, Model
from textclf.model.prediction import Prediction

STRONGEST = 20
"""Terms shown one by one; the others are summed up."""
SHOWN_KEYWORDS = 5
LOOK_NAMES = {
    "ink": "where the ink is",
    "gradients": "directions of edges",
    "runs": "lengths of strokes and gaps",
    "components": "sizes of letters, rules and pictures",
    "patterns": "shapes of strokes",
    "profiles": "lines and margins",
    "page": "shape and shade of the page",
}
"""What an explanation calls the blocks of measures of a look."""

_WORD = re.compile(r"\S+")


class WordAmount(NamedTuple):
    """What one word of the page adds: above 0 for the predicted category, below 0 for the runner-up."""

    text: str  # with the punctuation that touches it
    start: int  # position in the text
    end: int
    amount: float


class FeatureAmount(NamedTuple):
    """What a feature other than a word of the page adds; ``amount`` as for a word."""

    name: str
    amount: float


class Term(NamedTuple):
    """All occurrences of a word: folded ``text``, number of ``times`` it occurs, and total ``amount``."""

    text: str
    times: int
    amount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What spoke for and against a category.

    Parameters
    ----------
    category, runner_up : str
        The two most likely categories.
    margin : float
        Lead of the category over the runner-up before calibration: the sum of all amounts below.
    words : tuple of WordAmount
        Every word, in the order of the page.
    features : tuple of FeatureAmount
        Everything else: keywords found, page shape, shapes of characters, meaning of the words, the look of the page,
        and the intercept.
    regions : tuple of tuple of float
        Of what the look adds, the part that has a place on the page, by row and column of a grid over it; it is counted
        among the `features`. Empty without a look.
    """

    category: str
    runner_up: str
    margin: float
    words: tuple[WordAmount, ...]
    features: tuple[FeatureAmount, ...]
    regions: tuple[tuple[float, ...], ...] = ()

    def terms(self) -> list[Term]:
        """Sum up the occurrences of each word, the largest absolute amount first."""
        times: Counter[str] = Counter()
        amounts: defaultdict[str, float] = defaultdict(float)
        for word in self.words:
            # text without a letter, such as a ruled line, stays as it is
            text = " ".join(tokenize(word.text)) or word.text
            times[text] += 1
            amounts[text] += word.amount
        terms = [Term(text, times[text], amount) for text, amount in amounts.items()]
        return sorted(terms, key=lambda term: (-abs(term.amount), term.text))

    def to_dict(self, strongest: int = STRONGEST) -> dict[str, object]:
        """Give plain values for JSON, with up to `strongest` terms one by one; the amounts add up to the margin."""
        terms = self.terms()
        return {
            "category": self.category,
            "runner_up": self.runner_up,
            "margin": self.margin,
            "words": [term._asdict() for term in terms[:strongest]],
            "other_words": sum(term.amount for term in terms[strongest:]),
            "features": [feature._asdict() for feature in self.features],
        }

    def named(self) -> list[tuple[str, float]]:
        """Give all terms and features by name, with their amounts, the strongest first."""
        terms = [(f"{text} ({times} times)" if times > 1 else text, amount) for text, times, amount in self.terms()]
        return sorted([*terms, *self.features], key=lambda entry: (-abs(entry[1]), entry[0]))

    def to_line(self, strongest: int = 6) -> str:
        """Give the strongest amounts on one line, for a cell of a table."""
        return "; ".join(f"{name} {amount:+.3f}" for name, amount in self.named()[:strongest])

    def to_lines(self, strongest: int = 8) -> list[str]:
        """Give lines to print: the strongest words and features, then the rest in one."""
        named = self.named()
        rest = sum(amount for _, amount in named[strongest:])
        return [
            f"{self.margin:+.3f}  lead of {self.category} over {self.runner_up}, made up of",
            *(f"{amount:+.3f}  {name}" for name, amount in named[:strongest]),
            f"{rest:+.3f}  all else",
        ]


def explain(model: Model, text: str, look: str = "") -> Explanation:
    """Explain a prediction.

    Parameters
    ----------
    model : Model
        The model.
    text : str
        Cleaned text.
    look : str, default ""
        What the first page looks like.

    Returns
    -------
    Explanation
        Amounts in units of the margin before calibration; they add up to it but for the rounding of floats.

    Examples
    --------
    >>> from textclf import DocumentClassifier
    >>> texts = ["invoice total due", "invoice vat number", "dear sir or madam", "dear aunt with love"]
    >>> model = DocumentClassifier().fit(texts, ["invoice", "invoice", "letter", "letter"]).model_
    >>> explained = explain(model, "dear sir, an invoice")
    >>> explained.category, explained.runner_up
    ('letter', 'invoice')
    >>> explained.terms()[0].text
    'dear'
    >>> total = sum(word.amount for word in explained.words) + sum(feature.amount for feature in explained.features)
    >>> round(total - explained.margin, 9)
    0.0
    """
    return explain_evidence(model, model.evidence([text], [look]), 0)


def explain_pipe(
    model: Model,
    texts: Iterable[str],
    document_ids: Iterable[str] | None = None,
    ocr_confidences: Iterable[float | None] | None = None,
    looks: Iterable[str] | None = None,
) -> Iterator[tuple[Prediction, Explanation | None]]:
    """Predict as `Model.pipe` does, with an explanation of each prediction from the same features."""
    for prediction, evidence, row in model.pipe_evidence(texts, document_ids, ocr_confidences, looks):
        yield prediction, explain_evidence(model, evidence, row) if prediction.predicted_category else None


def explain_evidence(model: Model, evidence: Evidence, row: int, between: tuple[str, str] | None = None) -> Explanation:
    """Explain the prediction of one row of evidence, or what speaks for one category of the model against another."""
    text, rows = evidence.texts[row], evidence.rows.row(row)
    if between is None:
        best, second = np.argsort(-evidence.margins[row], kind="stable")[:2].tolist()
    else:
        best, second = map(model.categories.index, between)

    def lead(weights: NDArray[np.float32]) -> NDArray[np.float64]:
        return weights[..., best].astype(np.float64) - weights[..., second]

    characters = np.zeros(len(text))
    features: defaultdict[str, float] = defaultdict(float)
    ngrams = model.features.ngrams
    for table, start, end in zip(ngrams.tables, ngrams.starts[:-1], ngrams.starts[1:], strict=True):
        own = slice(*np.searchsorted(rows.ngrams.indices, [start, end]))
        amounts = rows.ngrams.values[own] * lead(model.linear.ngrams[rows.ngrams.indices[own]])
        if table.view.form == "text":
            _spread(characters, find_ngrams(text, table.view), table, rows.ngrams.indices[own] - start, amounts)
        else:
            features["shapes of characters"] += float(amounts.sum())
    for name, amount in _layout(rows, lead(model.linear.layout)):
        features[f"page shape: {name}"] += amount
    for name, amount in _keywords(model, rows, lead(model.linear.indicators)):
        features[name] += amount
    features["meaning of the words (word2vec)"] += float(rows.vectors[0] @ lead(model.linear.vectors))
    features["whatever the document says"] += float(lead(model.linear.intercept))
    seen = bool(have_look(evidence.looks[row : row + 1])[0])
    if seen and not evidence.words[row]:
        features.clear()
    regions: tuple[tuple[float, ...], ...] = ()
    if model.look and seen:
        used = model.look.linear(WITH_TEXT if evidence.words[row] else ALONE)
        by_measure = (evidence.looks[row] - used.mean) * lead(used.weights)
        for name, amounts in blocks_of(by_measure).items():
            features[f"look: {LOOK_NAMES[name]}"] += float(amounts.sum())
        regions = _regions(by_measure)
        features["look: whatever the page shows"] += float(lead(used.intercept))
    words = tuple(
        WordAmount(match.group(), *match.span(), float(characters[match.start() : match.end()].sum()))
        for match in _WORD.finditer(text)
    )
    kept = sorted((FeatureAmount(*entry) for entry in features.items() if entry[1]), key=lambda one: -abs(one.amount))
    return Explanation(
        category=model.categories[best],
        runner_up=model.categories[second],
        margin=sum(word.amount for word in words) + sum(feature.amount for feature in kept),
        words=words,
        features=tuple(kept),
        regions=regions,
    )


def _spread(
    characters: NDArray[np.float64],
    found: FoundNgrams,
    table: NgramTable,
    columns: NDArray[np.int32],
    amounts: NDArray[np.float64],
) -> None:
    """Add the amount of each n-gram of a view to the characters of its occurrences."""
    place = np.searchsorted(table.buckets, found.buckets)
    known = np.flatnonzero(np.append(table.buckets, -1)[place] == found.buckets)
    column, first, last = place[known], found.first[known], found.last[known]
    each = np.zeros(len(table.buckets))
    each[columns] = amounts
    occurrences = np.bincount(column, minlength=len(each))
    ink = found.places >= 0
    inked = np.concatenate([[0], np.cumsum(ink)])
    shares = each[column] / occurrences[column] / (inked[last] - inked[first])
    # running sums of the shares that begin minus those that end: no loop over n-grams and their characters
    size = len(ink) + 1
    running = np.cumsum(np.bincount(first, shares, size) - np.bincount(last, shares, size))[:-1]
    np.add.at(characters, found.places[ink], running[ink])


def _layout(rows: FeatureRows, weights: NDArray[np.float64]) -> Iterator[tuple[str, float]]:
    amounts = (rows.layout[0] * weights).reshape(len(LAYOUT_FEATURES), -1).sum(axis=1)
    yield from zip(LAYOUT_FEATURES, amounts.tolist(), strict=True)


def _regions(by_measure: NDArray[np.float64]) -> tuple[tuple[float, ...], ...]:
    """Add up the measures of a look that are taken in cells of the page, by row and column of the finest grid."""
    blocks = blocks_of(by_measure)
    cells = blocks["ink"].reshape(BLOCKS["ink"])
    edges = blocks["gradients"].reshape(BLOCKS["gradients"]).sum(axis=2)
    finer = cells.shape[0] // edges.shape[0], cells.shape[1] // edges.shape[1]
    return tuple(map(tuple, (cells + np.kron(edges, np.ones(finer)) / (finer[0] * finer[1])).tolist()))


def _keywords(model: Model, rows: FeatureRows, weights: NDArray[np.float64]) -> Iterator[tuple[str, float]]:
    found: dict[int, list[str]] = {}
    for hit in rows.hits[0]:
        found.setdefault(hit.category, []).append(hit.keyword)
    names = [category.name for category in model.features.matcher.lexicon.categories]
    for column in np.flatnonzero(rows.indicators[0]).tolist():
        keywords = list(dict.fromkeys(found[column]))
        more = ", …" if len(keywords) > SHOWN_KEYWORDS else ""
        listed = ", ".join(keywords[:SHOWN_KEYWORDS])
        yield f"keywords of {names[column]}: {listed}{more}", float(weights[column])
