"""``POST /v1/predict``: the category of a text, by Amazon ML's interface or the model. Handler of API Gateway."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_ml_adapter.serverless.clients import at_start, client
from aws_ml_adapter.serverless.gateway import Answer, Request, answer, route
from aws_ml_adapter.serverless.settings import settings
from textclf.base.errors import PredictionError
from textclf.base.problems import ProblemError

if TYPE_CHECKING:
    from textclf.model.local_client import MachineLearningClient

URL_VARIABLE = "AMAZON_ML_URL"
_OF_MODEL = ("predicted_category", "score", "decision", "reason")


@cache
def ml_client() -> MachineLearningClient:
    """Give the client of the server at ``AMAZON_ML_URL``, or of the model in this process."""
    if url := os.environ.get(URL_VARIABLE):
        import boto3
        from botocore.config import Config

        # a caller waits behind the gateway
        config = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 2})
        remote: MachineLearningClient = boto3.client("machinelearning", endpoint_url=url, config=config)
        return remote
    from aws_ml_adapter.serverless.model_file import load_model_of
    from textclf.model.local_client import LocalClient

    options = settings()
    options.need("model")
    loaded = load_model_of(options.model, options.model_sha256, client("s3"), max_error=options.max_error)
    return LocalClient(loaded.model)


def asked_text(request: Request) -> tuple[str, dict[str, Any]]:
    """Give the text of a request, and the further columns of its datasource."""
    given = request.json()
    text, columns = given.get("text"), given.get("columns") or {}
    if unknown := given.keys() - {"text", "columns"}:
        raise ProblemError(422, "invalid", f"{min(unknown)[:40]!r} is neither text nor columns")
    if not isinstance(text, str):
        raise ProblemError(422, "invalid", "text is not the text of a document")
    if not isinstance(columns, dict) or not all(isinstance(one, str | int | float | None) for one in columns.values()):
        raise ProblemError(422, "invalid", "columns are not numbers, texts or truths by name")
    if taken := columns.keys() & {"text", "text_data", "ml_client", "model_id", "endpoint"}:
        raise ProblemError(422, "invalid", f"columns cannot hold {min(taken)}")
    return text, columns


@route
def handler(request: Request) -> Answer:
    """Predict the text; the model in this process also says whether a person should look at it."""
    from textclf.model.local_client import ENDPOINT_VARIABLE, LocalClient, predict_document_category

    text, columns = asked_text(request)
    url = os.environ.get(ENDPOINT_VARIABLE) or os.environ.get(URL_VARIABLE)
    try:
        asked = ml_client()
        if isinstance(asked, LocalClient):
            found = asked.judge(text, **columns)
            return answer(200, {name: getattr(found, name) for name in _OF_MODEL})
        category, score = predict_document_category(asked, text, endpoint=url, **columns)
    except PredictionError as error:
        if error.__cause__ is not None and URL_VARIABLE in os.environ:
            raise ProblemError(502, "amazon-ml", "the server of Amazon ML refused or cannot be reached") from error
        raise ProblemError(422, "invalid", f"{error}") from error
    return answer(200, {"predicted_category": category, "score": score})


at_start(ml_client)
