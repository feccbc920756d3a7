"""What the background of other kinds of paper gives: the same model trained with and without it.

Real papers of kinds that a model does not know are predicted by models of the 995 Tobacco-3482 texts and of the
training samples in ``data/``. "like" names a kind of the background that the papers resemble. AUROC: the probability
that such a paper is less familiar than a known document; as a familiarity is the share of known documents that are less
typical, it is one less the mean. The known documents were predicted in cross-validation. Then 20 documents of each
category of Tobacco-3482 are drawn, and the others predicted.
"""

from __future__ import annotations

import csv
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
from common import ROOT, dataset, finish, options, run_textclf, rvl_scans, shared, tobacco

from textclf import DocumentClassifier
from textclf.base.tables import read_rows

JOBS = 2
DRAWS = 5
LIKE = {
    "application_form": "application_form",
    "bank_statement": "bank_statement",
    "budget": "spreadsheet_print",
    "contracts": "rental_contract",
    "form": "registration_form",
    "letter": "business_letter",
    "memo": "memo",
    "news_article": "newspaper_page",
    "presentation": "presentation_slide",
    "questionnaire": "survey_questionnaire",
    "receipt": "supermarket_receipt",
    "resume": "curriculum_vitae",
    "scientific_publication": "scientific_article",
    "advertisement": "advertisement",
    "email": "email_print",
    "bbc-news": "newspaper_page",
}
"""Kinds of papers, and the kind of the background that is like them."""
KNOWN = {
    "Tobacco-3482": {
        *("advertisement", "email", "form", "application_form", "letter", "memo", "news_article", "resume"),
        *("scientific_publication", "scientific_report", "handwritten", "handwritten_note"),
    },
    "data/": {"invoice", "receipt", "id_card", "insurance_card", "contract", "contracts", "tax_form"},
}
"""Kinds of papers that a model was trained on, or that some would say so."""
FEWEST = 6
"""Kinds of fewer papers are not measured."""


def main() -> None:
    parser = options("background", __doc__)
    parser.add_argument("--no-rvl", action="store_true", help="without rvl-scans, which take long to read; no JSON")
    arguments = parser.parse_args()
    arguments.quick |= arguments.no_rvl
    papers = list(unknown_papers(quick=arguments.quick, rvl=not arguments.no_rvl))
    texts, names = tobacco(quick=arguments.quick and not arguments.no_rvl)
    known, unknown = [], []
    for source, documents, categories, max_error in (
        ("Tobacco-3482", texts, names, 0.05),
        ("data/", *samples(), 0.2),
    ):
        models = {}
        for background in (False, True):
            print(f"{source}, {'with' if background else 'without'} background", file=sys.stderr)
            start = perf_counter()
            classifier = DocumentClassifier(n_jobs=JOBS, max_error=max_error, background=background)
            models[background] = classifier.fit(documents, categories).model_
            record = models[background].training
            known.append(
                {
                    "model": source,
                    "background": record.background.texts,
                    "accuracy": record.groups[-1].accuracy,
                    "accepted": record.acceptance.accepted,
                    "wrong of accepted": record.acceptance.error,
                    "seconds": perf_counter() - start,
                    "left out": ", ".join(f"{kind} ({name})" for kind, name in record.background.left_out.items()),
                }
            )
        unknown += [
            {"model": source, **figures(models, kind, of_kind, from_where)}
            for from_where, kind, of_kind in papers
            if kind not in KNOWN[source]
        ]
    tables = {
        "Known documents, cross-validated": known,
        "Papers of unknown kinds": unknown,
        f"Tobacco-3482, 20 documents of each category, mean of {DRAWS} draws": list(few_documents(texts, names)),
    }
    finish(arguments, tables)


def figures(models: Mapping[bool, object], kind: str, texts: Sequence[str], where: str) -> dict[str, object]:
    row: dict[str, object] = {"papers": f"{where}: {kind}", "like": LIKE.get(kind, "-"), "documents": len(texts)}
    for background, name in ((False, "without"), (True, "with")):
        predictions = list(models[background].pipe(texts))
        # a prediction of news is right for articles of the BBC
        accepted = [
            one.decision == "accept" and (kind, one.predicted_category) != ("bbc-news", "News") for one in predictions
        ]
        row[f"accepted {name}"] = float(np.mean(accepted))
        row[f"AUROC {name}"] = 1 - float(np.mean([one.familiarity for one in predictions]))
    return row


def few_documents(texts: Sequence[str], names: Sequence[str]) -> Iterator[dict[str, object]]:
    truth = np.array(names)
    for background in (False, True):
        rows = []
        for seed in range(DRAWS):
            rng = np.random.default_rng(seed)
            train = np.concatenate([rng.permutation(np.flatnonzero(truth == name))[:20] for name in np.unique(truth)])
            rest = np.setdiff1d(np.arange(len(texts)), train)
            classifier = DocumentClassifier(n_jobs=JOBS, max_error=0.2, background=background)
            model = classifier.fit([texts[i] for i in train], truth[train]).model_
            predictions = list(model.pipe([texts[i] for i in rest]))
            accepted = np.array([one.decision == "accept" for one in predictions])
            right = np.array([one.predicted_category for one in predictions]) == truth[rest]
            rows.append((right.mean(), accepted.mean(), 1 - right[accepted].mean() if accepted.any() else 0))
        accuracy, accepted_share, wrong = np.mean(rows, axis=0)
        yield {
            "background": "with" if background else "without",
            "accuracy": float(accuracy),
            "accepted at .2": float(accepted_share),
            "wrong of accepted": float(wrong),
        }


def samples() -> tuple[list[str], list[str]]:
    """Read the true texts of the training samples, and their categories."""
    texts = {row["file"]: row["text"] for row in _rows("truth.csv")}
    rows = [row for row in _rows("labels.csv") if row["split"] == "train"]
    return [texts[row["file"]] for row in rows], [row["category"] for row in rows]


def _rows(name: str) -> list[dict[str, str]]:
    with (ROOT / "data" / name).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def unknown_papers(*, quick: bool, rvl: bool) -> Iterator[tuple[str, str, list[str]]]:
    """Give papers by data set and kind."""
    for name in ("contracts-ocr", "sib200-en", "sib200-it", "bbc-news"):
        texts = [row["text"] for row in dataset(name, quick=quick)]
        yield name, {"contracts-ocr": "contracts", "bbc-news": "bbc-news"}.get(name, "sentence"), texts
    by_kind: dict[tuple[str, str], list[str]] = {}
    for name in ("scans", "european-papers"):
        folder = shared("datasets", name)
        labels = [row.values for row in read_rows(folder / "labels.csv", required=["file", "category"])]
        for kind in ("receipt", "invoice", "bank_statement"):
            pages = [folder / row["file"] for row in labels if row["category"] == kind]
            if len(pages) >= FEWEST:
                by_kind[name, kind] = read_scans(pages)
    for row in rvl_scans(quick=quick) if rvl else ():
        by_kind.setdefault(("rvl-scans", row["category"]), []).append(row["text"])
    yield from ((name, kind, texts) for (name, kind), texts in by_kind.items())


def read_scans(pages: Sequence[Path]) -> list[str]:
    """Read pages through `textclf ocr`, from the cache the second time."""
    with tempfile.TemporaryDirectory() as temporary:
        table = Path(temporary, "documents.csv")
        run_textclf("ocr", *pages, "-o", table)
        return [row.values["text"] for row in read_rows(table, required=["text"])]


if __name__ == "__main__":
    main()
