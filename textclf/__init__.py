"""textclf: classify scanned documents, with calibrated scores and explanations.

The names of this package load their modules on first use, so that ``import textclf`` is fast and prediction imports
only numpy.

Examples
--------
>>> import textclf
>>> texts = ["invoice total due", "invoice vat number", "dear sir or madam", "dear aunt with love"]
>>> classifier = textclf.DocumentClassifier().fit(texts, ["invoice", "invoice", "letter", "letter"])
>>> classifier.save("/tmp/doctest.textclf")
>>> textclf.load("/tmp/doctest.textclf")("the invoice is due").predicted_category
'invoice'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from textclf.base import __version__ as __version__

if TYPE_CHECKING:
    from textclf.base.errors import PredictionError, TextclfError
    from textclf.model.classifier import DocumentClassifier
    from textclf.model.file import load_model as load
    from textclf.model.local_client import LocalClient, predict_document_category
    from textclf.model.prediction import Prediction

__all__ = [
    "DocumentClassifier",
    "LocalClient",
    "Prediction",
    "PredictionError",
    "TextclfError",
    "load",
    "predict_document_category",
]

_HOMES = {
    "DocumentClassifier": "textclf.model.classifier",
    "LocalClient": "textclf.model.local_client",
    "Prediction": "textclf.model.prediction",
    "PredictionError": "textclf.base.errors",
    "TextclfError": "textclf.base.errors",
    "load": "textclf.model.file",
    "predict_document_category": "textclf.model.local_client",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), "load_model" if name == "load" else name)
