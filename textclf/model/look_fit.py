"""The look as a second witness: a classifier of page looks, and its sum with the classifier of texts.

A linear discriminant analysis with a shrunk covariance learns from the looks. Its margins, times a factor, are added to
those of the text; factor and temperature minimise the log loss of out-of-fold margins, so that a look that tells little
counts little. A document without a look is judged by its text as if there were no looks, one without text by its look.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textclf.model.calibrate import Scored, fit_temperature, log_softmax, softmax
from textclf.model.folds import Folds
from textclf.model.look import LookModel, have_look, look_margins, typical_together
from textclf.model.typicality import QUANTILES, margin_evidence, share_below
from textclf.model.unknown_kinds import left_out_parts, put_left_out

WITH_LOOK = "{} + look"
SHRINKAGE = 0.9
"""Of the covariance of looks within categories towards that of independent measures; chosen on rvl-scans."""
MIN_LOOKS = 30
"""Documents with a look from which on looks are learned from."""
_FACTORS = np.exp(np.linspace(np.log(1 / 64), np.log(4), 33))
"""Of the margins of the look, once both kinds of margins are calibrated, that are tried; the least is next to none."""


class FittedLook(NamedTuple):
    """The model of looks, and what it makes of the training documents."""

    model: LookModel
    with_text: Scored  # those without a look by their text alone
    seen: NDArray[np.int64]  # positions of those with a look
    alone: Scored  # these by their look alone


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
    from threadpoolctl import threadpool_limits

    seen = have_look(looks)
    categories = text.shape[1]
    if seen.sum() < MIN_LOOKS or len(np.unique(labels[seen])) < 2:
        return None
    # sums in another order, as with more threads, would change the last bits
    with threadpool_limits(1):
        margins = np.zeros_like(text)
        for train, test in folds:
            margins[test] = look_margins(looks[test], *_discriminant(looks, labels, train[seen[train]], categories))
        mean, slopes, intercept = _discriminant(looks, labels, np.flatnonzero(seen), categories)
        left_out = np.zeros_like(text_left_out)
        if len(left_out):
            for others, asked in left_out_parts(labels, categories):
                kept = np.flatnonzero(seen & np.isin(labels, others))
                found = look_margins(looks[asked], *_discriminant(looks, labels, kept, categories))
                put_left_out(left_out, others, asked, found[:, others])
    alone = fit_temperature(margins[seen], labels[seen], weights[seen])
    factor = _factor(text[seen] * inverse_temperature, margins[seen] * alone, labels[seen], weights[seen])
    # in units of the margins of the text
    factor *= alone / inverse_temperature
    margins *= factor
    steps = np.linspace(0, 1, QUANTILES)
    evidence = margin_evidence(margins[seen])
    alone_quantiles = np.quantile(evidence, steps)
    together = typical_together(familiarity[seen], share_below(alone_quantiles, evidence))
    model = LookModel(
        mean=mean.astype(np.float32),
        weights=(slopes * factor).astype(np.float32),
        intercept=(intercept * factor).astype(np.float32),
        inverse_temperature=fit_temperature(text[seen] + margins[seen], labels[seen], weights[seen]),
        alone=alone / factor,
        quantiles=np.stack([alone_quantiles, np.quantile(together, steps)]),
    )
    left_out *= factor

    def scored(text: NDArray[np.float64], left_out: NDArray[np.float64], temperature: NDArray[np.float64]) -> Scored:
        return Scored(softmax(text * temperature), softmax(left_out * temperature[: len(left_out)]))

    temperature = np.where(seen, model.inverse_temperature, inverse_temperature)[:, None]
    places = np.flatnonzero(seen)
    return FittedLook(
        model=model,
        with_text=scored(text + margins, text_left_out + left_out, temperature),
        seen=places,
        alone=scored(
            margins[seen], left_out[places] if len(left_out) else left_out, np.full((len(places), 1), model.alone)
        ),
    )


def _factor(
    text: NDArray[np.float64], look: NDArray[np.float64], labels: NDArray[np.int64], weights: NDArray[np.float64]
) -> float:
    """Choose by how much the margins of the look count: of least log loss, at the best temperature of the sum."""
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(labels))

    def loss(factor: float) -> float:
        margins = text + factor * look

        def at(logarithm: float) -> float:
            return -float(weights @ log_softmax(margins * np.exp(logarithm))[rows, labels])

        return float(minimize_scalar(at, bounds=(-3, 3), method="bounded").fun)

    return float(_FACTORS[int(np.argmin([loss(factor) for factor in _FACTORS]))])


def _discriminant(
    looks: NDArray[np.float32], labels: NDArray[np.int64], chosen: NDArray[np.int64], categories: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Fit a linear discriminant analysis to some of the looks, every category as likely: mean, weights, intercept.

    The pooled covariance is shrunk towards a multiple of the identity: J. H. Friedman, "Regularized discriminant
    analysis", JASA 84, 1989.
    """
    x, y = looks[chosen].astype(np.float64), labels[chosen]
    mean, deviation = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-6)
    x = (x - mean) / deviation
    # a category without a look is taken to look like the average
    means = np.zeros((categories, x.shape[1]))
    np.add.at(means, y, x)
    means /= np.maximum(np.bincount(y, minlength=categories), 1)[:, None]
    rest = x - means[y]
    diagonal = SHRINKAGE * np.mean(rest**2) + 1e-6
    share = (1 - SHRINKAGE) / len(rest)
    if len(rest) < x.shape[1]:
        # Woodbury's identity, so that a matrix of documents is solved instead of one of measures
        inner = np.linalg.solve(rest @ rest.T + np.eye(len(rest)) * diagonal / share, rest @ means.T)
        slopes = (means.T - rest.T @ inner) / diagonal
    else:
        slopes = np.linalg.solve(share * (rest.T @ rest) + np.eye(x.shape[1]) * diagonal, means.T)
    weights = slopes / deviation[:, None]
    return mean, weights, -0.5 * (means.T * slopes).sum(axis=0)
