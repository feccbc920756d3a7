"""Real-time predictions through the interface of Amazon ML, by Amazon or from a model file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np

from features.datasource import vector_columns
from features.feature_set import FeatureRows
from features.schema import parse_binary
from textclf.base.errors import BadDataError, PredictionError
from textclf.model.file import load_model
from textclf.model.predict import MAX_TEXT, Model
from textclf.model.prediction import Prediction

MODEL_ID_VARIABLE = "TEXTCLF_ML_MODEL_ID"
ENDPOINT_VARIABLE = "TEXTCLF_ML_ENDPOINT"


class MachineLearningClient(Protocol):
    """What `predict_document_category` calls: boto3's client ``machinelearning``, or a `LocalClient`."""

    def predict(self, *, MLModelId: str, Record: Mapping[str, str], PredictEndpoint: str) -> Mapping[str, Any]:  # noqa: N803
        """Predict one record, as Amazon ML's Predict operation does."""
        ...


class LocalClient:
    """Answers Amazon ML's ``predict`` from a model file, in this process.

    Parameters
    ----------
    model : str, pathlib.Path, bytes, binary file object or Model
        A model file, as `textclf.load` takes it, or a loaded model.

    Examples
    --------
    >>> from textclf import DocumentClassifier, LocalClient
    >>> texts = ["invoice total due", "invoice vat number", "dear sir or madam", "dear aunt with love"]
    >>> model = DocumentClassifier().fit(texts, ["invoice", "invoice", "letter", "letter"]).model_
    >>> answer = LocalClient(model).predict(MLModelId="", Record={"text_data": "this invoice"}, PredictEndpoint="")
    >>> answer["Prediction"]["predictedLabel"]
    'invoice'
    """

    def __init__(self, model: str | Path | bytes | BinaryIO | Model) -> None:
        self.model = model if isinstance(model, Model) else load_model(model)

    def predict(self, *, MLModelId: str, Record: Mapping[str, str], PredictEndpoint: str) -> dict[str, Any]:  # noqa: N803
        """Predict one record.

        Parameters
        ----------
        MLModelId, PredictEndpoint : str
            Required by Amazon ML's interface; not used.
        Record : mapping of str to str
            ``text_data``, and any columns of the datasource. Indicators and vector values that are missing or empty
            are computed from the text; other names are ignored, as is ``common_words``, which the indicators follow.

        Returns
        -------
        dict
            ``{"Prediction": {"predictedLabel": str, "predictedScores": {category: float}, "details": {...}}}``, as
            Amazon ML answers for a multi-class model.

        Raises
        ------
        textclf.base.errors.PredictionError
            If there is no ``text_data``, or a column's value is not of its type.
        """
        text = Record.get("text_data")
        if not isinstance(text, str):
            raise PredictionError(
                "the record has no text 'text_data'", remedy="give the document's text under that name"
            )
        rows = self.model.features.rows([text[:MAX_TEXT]])
        if len(Record) > 1:
            rows = _with_given_columns(self.model, rows, Record)
        scores = self.model.scores(self.model.linear.margins(rows))[0]
        return {
            "Prediction": {
                "predictedLabel": self.model.categories[int(scores.argmax())],
                "predictedScores": dict(zip(self.model.categories, scores.tolist(), strict=True)),
                "details": {"PredictiveModelType": "MULTICLASS", "Algorithm": "LinearSVC"},
            }
        }

    def judge(self, text: str, **columns_data: object) -> Prediction:
        """Predict one text as `Model` does, with the decision whether a person should look at it.

        Parameters
        ----------
        text : str
            Cleaned text of the document.
        **columns_data : object
            As `predict_document_category` takes them; what they give is not computed from the text.

        Returns
        -------
        Prediction
            That of the model; of a text without a word, and no category, ``review`` because of ``no text``.

        Raises
        ------
        textclf.base.errors.PredictionError
            If a column's value is not of its type.

        Examples
        --------
        >>> from textclf import DocumentClassifier, LocalClient
        >>> texts = ["invoice total due", "invoice vat number", "dear sir or madam", "dear aunt with love"]
        >>> model = DocumentClassifier().fit(texts, ["invoice", "invoice", "letter", "letter"]).model_
        >>> prediction = LocalClient(model).judge("")
        >>> prediction.decision, prediction.reason
        ('review', 'no text')
        """
        evidence = self.model.evidence([text])
        rows = _with_given_columns(self.model, evidence.rows, _record(text, columns_data))
        if rows is evidence.rows:
            return self.model(text)
        given = evidence._replace(rows=rows, by_text=self.model.linear.margins(rows))
        return self.model.decide(given, cut=len(text) > MAX_TEXT)


def predict_document_category(
    ml_client: MachineLearningClient,
    text: str,
    *,
    model_id: str | None = None,
    endpoint: str | None = None,
    **columns_data: object,
) -> tuple[str, float]:
    """Predict the category of a text through Amazon ML or a client with the same interface.

    Parameters
    ----------
    ml_client : MachineLearningClient
        A boto3 client for ``machinelearning``, or a `LocalClient`.
    text : str
        Cleaned text of the document; sent as ``text_data``.
    model_id : str, optional
        Amazon ML's id of the model; without it the environment's ``TEXTCLF_ML_MODEL_ID``. A `LocalClient` needs none.
    endpoint : str, optional
        URL of the real-time endpoint; without it the environment's ``TEXTCLF_ML_ENDPOINT``. A `LocalClient` needs none.
    **columns_data : object
        Further columns of the datasource, such as ``invoice_common_words=True``. They are sent as text: True as
        ``"1"``, False as ``"0"``; None is left out.

    Returns
    -------
    label : str
        The predicted category.
    score : float
        ``predictedScores[label]`` as the service gave it.

    Raises
    ------
    textclf.base.errors.PredictionError
        On any error; ``__cause__`` is the client's own exception.

    References
    ----------
    Amazon ML API reference, Predict: https://docs.aws.amazon.com/machine-learning/latest/APIReference/API_Predict.html

    Examples
    --------
    >>> from textclf import DocumentClassifier, LocalClient
    >>> texts = ["invoice total due", "invoice vat number", "dear sir or madam", "dear aunt with love"]
    >>> model = DocumentClassifier().fit(texts, ["invoice", "invoice", "letter", "letter"]).model_
    >>> label, score = predict_document_category(LocalClient(model), "this invoice")
    >>> label, 0.5 <= score <= 1
    ('invoice', True)
    """
    local = isinstance(ml_client, LocalClient)
    if not isinstance(text, str):
        raise PredictionError(
            f"the text, which is sent as text_data, is {text!r:.40} and not a string",
            remedy="give the text of one document",
        )
    try:
        answer = ml_client.predict(
            MLModelId=_setting(model_id, MODEL_ID_VARIABLE, "model_id", needed=not local),
            Record=_record(text, columns_data),
            PredictEndpoint=_setting(endpoint, ENDPOINT_VARIABLE, "endpoint", needed=not local),
        )
    except PredictionError:
        raise
    except Exception as error:
        # each client has exceptions of its own, which this package does not import
        raise PredictionError(
            f"the service refused or could not be reached ({type(error).__name__}: {error})",
            remedy="check model id, endpoint and credentials",
        ) from error
    try:
        prediction = answer["Prediction"]
        label = str(prediction["predictedLabel"])
        return label, float(prediction["predictedScores"][label])
    except (KeyError, TypeError, ValueError) as error:
        raise PredictionError(
            "the answer holds no predicted label with a score", remedy="use a multi-class or binary model"
        ) from error


def _setting(value: str | None, variable: str, name: str, *, needed: bool) -> str:
    found = value or os.environ.get(variable, "")
    if needed and not found:
        raise PredictionError(f"no {name}", remedy=f"pass {name}=… or set {variable}")
    return found


def _record(text: str, columns_data: Mapping[str, object]) -> dict[str, str]:
    return {"text_data": text} | {name: _as_text(value) for name, value in columns_data.items() if value is not None}


def _as_text(value: object) -> str:
    return str(int(value)) if isinstance(value, bool | np.bool_) else str(value)


def _with_given_columns(model: Model, rows: FeatureRows, record: Mapping[str, str]) -> FeatureRows:
    """Replace columns computed from the text by those that the record gives; the same rows if it gives none."""
    names = (*model.features.matcher.lexicon.columns, *vector_columns(rows.vectors.shape[1]))
    if not any(record.get(name) for name in names):
        return rows
    indicators, vectors = rows.indicators.copy(), rows.vectors.copy()
    for i, name in enumerate(model.features.matcher.lexicon.columns):
        if record.get(name):
            try:
                indicators[0, i] = parse_binary(record[name])
            except BadDataError as error:
                raise PredictionError(f"column {name!r}: {error.what}", remedy=error.remedy) from error
    for i, name in enumerate(vector_columns(vectors.shape[1])):
        if record.get(name):
            try:
                vectors[0, i] = float(record[name])
            except ValueError as error:
                raise PredictionError(
                    f"column {name!r}: {record[name]!r} is not a number", remedy="give a decimal number"
                ) from error
            if not np.isfinite(vectors[0, i]):
                raise PredictionError(
                    f"column {name!r}: {record[name]!r} is not finite", remedy="give a decimal number"
                )
    return rows._replace(indicators=indicators, vectors=vectors)
