"""The look as a second witness: what it adds to the text, and what it says alone.

A multinomial logistic regression of the looks takes the out-of-fold margins of the texts as given, and learns what
these leave open. The share of what it adds is used that gives the least log loss out of fold: none where papers of new
issuers look like none before. A second regression, without the texts, judges pages that have none. A document without a
look is judged by its text as if there were no looks.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textclf.base.one_thread import one_thread
from textclf.model.calibrate import Scored, fit_temperature, log_softmax, softmax
from textclf.model.folds import Folds
from textclf.model.look import ALONE, WITH_TEXT, LinearLook, LookModel, have_look, spread, typical_together
from textclf.model.typicality import QUANTILES, margin_evidence, share_below
from textclf.model.unknown_kinds import left_out_parts, put_left_out

WITH_LOOK = "{} + look"
MIN_LOOKS = 30
"""Documents with a look from which on looks are learned from."""
RIDGE = 0.1
"""Penalty of squared weights, of looks of length 1 on average, in units of a document's log loss: from .05 to .2 it
made no difference on the real scans that it was chosen on."""
LEAST_DEVIATION = 0.05
"""Of a measure, where it is asked how unusual a look is: many have the same value on nearly all pages."""
_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
_ITERATIONS = 100
_LEAST = 1e-6
"""Deviation up to which a measure is taken to be constant."""


class FittedLook(NamedTuple):
    """The model of looks, and what it makes of the training documents."""

    model: LookModel
    with_text: Scored  # those without a look by their text alone
    seen: NDArray[np.int64]  # positions of those with a look
    alone: Scored  # these by their look alone


class _Margins(NamedTuple):
    """Margins of the looks of the training documents, each from models that were not trained on it."""

    out_of_fold: NDArray[np.float64]  # (n, k)
    left_out: NDArray[np.float64]  # (n, k), of models without the category of the document, or (0, k)
    model: LinearLook  # of all documents


def fit_look(
    looks: NDArray[np.float32],
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
    *,
    text: NDArray[np.float64],
    text_left_out: NDArray[np.float64],
    inverse_temperature: float,
    familiarity: NDArray[np.float64],
    folds: Folds,
) -> FittedLook | None:
    """Fit to looks, and to the margins of the texts, shape (n, k); None if looks are few.

    Of the texts there are the corrected out-of-fold margins, those of models without the category of the document,
    their inverse temperature, and the familiarity out of fold.
    """
    seen = have_look(looks)
    if seen.sum() < MIN_LOOKS or len(np.unique(labels[seen])) < 2:
        return None
    # all categories weigh the same, as in the SVM
    totals = np.bincount(labels[seen], weights[seen], minlength=text.shape[1])
    balanced = weights * (totals.mean() / np.maximum(totals, _LEAST))[labels]
    known = (looks, labels, balanced, folds, len(text_left_out) > 0)
    # in units of the margins of the text
    added = _margins(*known, given=text * inverse_temperature, unit=inverse_temperature)
    alone = _margins(*known, given=np.zeros_like(text), unit=1.0)
    share = _share(text[seen], added.out_of_fold[seen], labels[seen], weights[seen])
    both = text + share * added.out_of_fold
    steps = np.linspace(0, 1, QUANTILES)
    evidence = margin_evidence(alone.out_of_fold[seen])
    quantiles = np.quantile(evidence, steps)
    together = typical_together(familiarity[seen], share_below(quantiles, evidence))
    mean = added.model.mean.astype(np.float32)
    deviation = np.maximum(looks[seen].std(axis=0), np.float32(LEAST_DEVIATION))
    model = LookModel(
        mean=mean,
        deviation=deviation,
        farthest=float(spread(looks[seen], mean, deviation).max()),
        weights=np.stack([share * added.model.weights, alone.model.weights]).astype(np.float32),
        intercept=np.stack([share * added.model.intercept, alone.model.intercept]).astype(np.float32),
        inverse_temperatures=(
            fit_temperature(both[seen], labels[seen], weights[seen]),
            fit_temperature(alone.out_of_fold[seen], labels[seen], weights[seen]),
        ),
        quantiles=np.stack([quantiles, np.quantile(together, steps)]),
    )
    temperature = np.where(seen, model.inverse_temperatures[WITH_TEXT], inverse_temperature)[:, None]
    both_left_out = text_left_out + share * added.left_out
    places = np.flatnonzero(seen)
    return FittedLook(
        model=model,
        with_text=Scored(softmax(both * temperature), softmax(both_left_out * temperature[: len(both_left_out)])),
        seen=places,
        alone=Scored(
            *(
                softmax(found * model.inverse_temperatures[ALONE])
                for found in (alone.out_of_fold[places], alone.left_out[places[: len(alone.left_out)]])
            )
        ),
    )


def _margins(
    looks: NDArray[np.float32],
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
    folds: Folds,
    leave_out: bool,
    *,
    given: NDArray[np.float64],
    unit: float,
) -> _Margins:
    """Fit what looks add to given margins, shape (n, k), by cross-validation, without each category, and to all."""
    seen = have_look(looks)
    everything = np.arange(given.shape[1])

    def fitted(chosen: NDArray[np.int64], categories: NDArray[np.int64]) -> LinearLook:
        kept = chosen[seen[chosen]]
        # nothing is known of a category without a look: it gets the margin of an average one
        present = np.unique(labels[kept])
        found = fit_linear_look(
            looks[kept], present.searchsorted(labels[kept]), weights[kept], given[np.ix_(kept, present)]
        )
        slopes, intercept = np.zeros((looks.shape[1], len(categories))), np.zeros(len(categories))
        places = categories.searchsorted(present)
        slopes[:, places], intercept[places] = found.weights / unit, found.intercept / unit
        return LinearLook(found.mean, slopes, intercept)

    out_of_fold = np.zeros_like(given)
    for train, test in folds:
        out_of_fold[test] = fitted(train, everything).margins(looks[test])
    left_out = np.zeros((len(labels) if leave_out else 0, given.shape[1]))
    if leave_out:
        for others, asked in left_out_parts(labels, given.shape[1]):
            model = fitted(np.flatnonzero(np.isin(labels, others)), others)
            put_left_out(left_out, others, asked, model.margins(looks[asked]))
    return _Margins(out_of_fold, left_out, fitted(np.arange(len(labels)), everything))


def _share(
    text: NDArray[np.float64], added: NDArray[np.float64], labels: NDArray[np.int64], weights: NDArray[np.float64]
) -> float:
    """Choose how much of what looks add to texts is used: what gives the least log loss at the best temperature."""
    rows = np.arange(len(labels))

    def loss(share: float) -> float:
        margins = text + share * added
        calibrated = log_softmax(margins * fit_temperature(margins, labels, weights))
        return -float(weights @ calibrated[rows, labels])

    return min(_SHARES, key=loss)


def fit_linear_look(
    looks: NDArray[np.float32],
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
    offset: NDArray[np.float64],
) -> LinearLook:
    """Fit margins to looks that add to given ones, shape (n, k), in units of log-odds.

    Multinomial logistic regression with an offset and a ridge penalty: T. Hastie, R. Tibshirani, J. Friedman, "The
    Elements of Statistical Learning", 2nd edition, 2009, sections 4.4 and 18.3.
    """
    from scipy.optimize import minimize

    mean, deviation = looks.mean(axis=0, dtype=np.float64), np.maximum(looks.std(axis=0, dtype=np.float64), _LEAST)
    scale = deviation * np.sqrt(np.count_nonzero(deviation > _LEAST) or 1)
    rows = ((looks - mean) / scale).astype(np.float32)
    wanted, counted = np.eye(offset.shape[1])[labels], weights[:, None]
    with one_thread():
        # of fewer documents than measures, no more directions count than there are documents
        directions, rows = _few_columns(rows)

        def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            slopes, intercept = flat.reshape(-1, offset.shape[1])[:-1], flat[-offset.shape[1] :]
            logarithms = log_softmax(offset + rows @ slopes.astype(np.float32) + intercept)
            miss = counted * (np.exp(logarithms) - wanted)
            gradient = rows.T @ miss.astype(np.float32) + RIDGE * slopes
            value = RIDGE / 2 * (slopes**2).sum() + (intercept**2).sum() / 2 - (counted * wanted * logarithms).sum()
            return float(value), np.append(gradient, miss.sum(axis=0) + intercept)

        start = np.zeros((rows.shape[1] + 1) * offset.shape[1])
        found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _ITERATIONS}).x
        slopes = directions @ found.reshape(-1, offset.shape[1])[:-1]
    return LinearLook(mean, slopes / scale[:, None], found[-offset.shape[1] :])


def _few_columns(rows: NDArray[np.float32]) -> tuple[Any, NDArray[np.float32]]:
    """Give directions, and rows in terms of these: no more columns than rows have the same inner products."""
    if len(rows) >= rows.shape[1]:
        return np.eye(rows.shape[1], dtype=np.float32), rows
    directions, upper = np.linalg.qr(rows.T)
    return directions, np.ascontiguousarray(upper.T)
