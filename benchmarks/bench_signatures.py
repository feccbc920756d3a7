"""Signed, to be signed, or neither: the places of ``signature_places.csv`` whose split is ``report``.

First the marked places are judged, then the pages alone are given, and what is found is compared with what was marked.
Nothing was chosen or trained on these pages. Two peers judge the marked places too: the density of ink with two
thresholds, the best on the split ``choose``; and histograms of oriented gradients with a linear SVM, trained on it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from common import Row, finish, options, shared
from numpy.typing import NDArray
from signature_pages import KINDS, Places, marked_pages
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from ocr.page_marks import Box, PageMarks
from ocr.signature_features import DIRECTIONS, features
from ocr.signature_search import candidate_places, overlap, page_view
from ocr.signatures import signature_model, surest

Pages = list[tuple[PageMarks, Places]]
HALF, INSIDE, LARGER = 0.2, 0.7, 6
"""Boxes are the same place if their intersection is this share of their union, or that share of the smaller one and
neither is so many times larger."""


def main() -> None:
    arguments = options("signatures", __doc__).parse_args()
    shared("datasets", "signed-pages")
    chosen: Pages = [(marks, places) for _, marks, places in marked_pages("choose")]
    report: Pages = [(marks, places) for _, marks, places in marked_pages("report")]
    if arguments.quick:
        chosen, report = chosen[::5], report[::5]
    truth = [kind for _, places in report for kind, _ in places]
    judged, seconds = judge(report)
    rows = [
        scores("textclf", truth, judged, crops_per_second=round(len(truth) / seconds, 1)),
        scores("HOG, linear SVM", truth, hog_svm(chosen, report)),
        scores("ink density, two thresholds", truth, ink_thresholds(chosen, report)),
    ]
    finish(
        arguments,
        {
            "Marked places, kept out": rows,
            "Places found on the same pages": [found(report)],
            "How sure": sureness(report),
        },
    )


def scores(name: str, truth: Sequence[str], judged: Sequence[str], **more: object) -> Row:
    """F1 by kind, and accuracy."""
    f1 = f1_score(truth, judged, labels=KINDS, average=None, zero_division=0)
    accuracy = float(np.mean([one == other for one, other in zip(truth, judged, strict=True)]))
    return {
        "": name,
        "places": len(truth),
        **{f"F1 {kind}": round(float(value), 3) for kind, value in zip(KINDS, f1, strict=True)},
        "accuracy": round(accuracy, 3),
        **more,
    }


def judge(pages: Pages) -> tuple[list[str], float]:
    """Judge the marked places, and measure the seconds of that without reading the pages."""
    judged: list[str] = []
    started = time.perf_counter()
    for marks, places in pages:
        judged.extend(KINDS[row.argmax()] for row in probabilities(marks, [box for _, box in places]))
    return judged, time.perf_counter() - started


def probabilities(marks: PageMarks, boxes: Sequence[Box]) -> NDArray[np.float64]:
    view = page_view(marks)
    if not boxes:
        return np.zeros((0, len(KINDS)))
    return signature_model().probabilities(np.array([features(view, box) for box in boxes]))


def sureness(pages: Pages) -> list[Row]:
    """Accuracy of the places that are not for review, by threshold."""
    truth = np.array([KINDS.index(kind) for _, places in pages for kind, _ in places])
    scored = np.vstack([probabilities(marks, [box for _, box in places]) for marks, places in pages])
    best, right = scored.max(axis=1), scored.argmax(axis=1) == truth
    return [
        {
            "threshold": threshold,
            "not for review": round(float((best >= threshold).mean()), 3),
            "accuracy of these": round(float(right[best >= threshold].mean()), 3),
        }
        for threshold in (0.0, 0.6, 0.8, 0.9)
        if (best >= threshold).any()
    ]


def found(pages: Pages) -> Row:
    """Compare the places that are found, and judged, with the marked ones; a place that is found twice counts once."""
    wanted = dict.fromkeys(KINDS[:2], 0)
    hit, named, right = dict(wanted), dict(wanted), dict(wanted)
    for marks, places in pages:
        view = page_view(marks)
        boxes = candidate_places(view)
        scored = probabilities(marks, boxes)
        kept = [(KINDS[scored[one].argmax()], boxes[one]) for one in surest(boxes, scored)]
        kept = [(kind, box) for kind, box in kept if kind != "none"]
        taken: set[int] = set()
        for kind, box in kept:
            named[kind] += 1
            same = [n for n, (label, other) in enumerate(places) if label == kind and is_same(box, other)]
            fresh = [n for n in same if n not in taken]
            right[kind] += bool(fresh)
            named[kind] -= bool(same) and not fresh
            taken.update(fresh[:1])
        for label, other in places:
            if label in wanted:
                wanted[label] += 1
                hit[label] += any(is_same(box, other) for box in boxes)
    row: dict[str, object] = {"pages": len(pages)}
    for kind in wanted:
        precision, recall = right[kind] / max(1, named[kind]), right[kind] / max(1, wanted[kind])
        row |= {
            f"{kind} looked at": round(hit[kind] / max(1, wanted[kind]), 3),
            f"{kind} precision": round(precision, 3),
            f"{kind} recall": round(recall, 3),
            f"{kind} F1": round(2 * precision * recall / max(1e-9, precision + recall), 3),
        }
    return row


def is_same(one: Box, other: Box) -> bool:
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    inside = overlap(one, other)
    both = inside * min(areas)
    return both / (sum(areas) - both) >= HALF or (inside >= INSIDE and max(areas) < LARGER * min(areas))


def hog_svm(chosen: Pages, report: Pages) -> list[str]:
    """Classify places by their directions of strokes alone (Dalal and Triggs 2005) with a linear SVM."""

    def rows(pages: Pages) -> NDArray[np.float32]:
        views = ((page_view(marks), places) for marks, places in pages)
        return np.array([features(view, box)[DIRECTIONS] for view, places in views for _, box in places])

    labels = [kind for _, places in chosen for kind, _ in places]
    model = make_pipeline(StandardScaler(), LinearSVC(C=0.01, class_weight="balanced"))
    return list(model.fit(rows(chosen), labels).predict(rows(report)))


def crop(marks: PageMarks, box: Box) -> NDArray[np.uint8]:
    left, top, right, bottom = (round(edge) for edge in box)
    return np.ascontiguousarray(marks.ink[top : max(top + 2, bottom), left : max(left + 2, right)])


def ink_thresholds(chosen: Pages, report: Pages) -> list[str]:
    """Call places placeholder, signature and none by how much ink they have, with the best two thresholds."""

    def ink(pages: Pages) -> NDArray[np.float64]:
        return np.array([crop(marks, box).mean() for marks, places in pages for _, box in places])

    def named(amounts: NDArray[np.float64], low: float, high: float) -> list[str]:
        return ["placeholder" if one < low else "signature" if one < high else "none" for one in amounts]

    amounts = ink(chosen)
    labels = [kind for _, places in chosen for kind, _ in places]
    steps = np.quantile(amounts, np.linspace(0, 1, 25))
    pairs = [(low, high) for number, low in enumerate(steps) for high in steps[number:]]
    best = max(pairs, key=lambda pair: f1_score(labels, named(amounts, *pair), average="macro", zero_division=0))
    return named(ink(report), *best)


if __name__ == "__main__":
    main()
