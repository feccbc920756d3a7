"""A ``LambdaHook`` of Amazon's GenAI IDP accelerator: our model in its classification step.

Its function must be named ``GENAIIDP-…``. It is called with a request in the shape of Bedrock's Converse, whose page
images lie in S3, and answers as a language model would that keeps to the JSON asked for:
https://github.com/aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws,
docs/lambda-hook-inference.md and docs/classification.md (version 0.6).
"""

from __future__ import annotations

import json
import logging
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from aws_ml_adapter.serverless.classifier import Classifier
from aws_ml_adapter.serverless.clients import at_start, client
from aws_ml_adapter.serverless.model_file import load_model_of
from aws_ml_adapter.serverless.objects import Objects
from aws_ml_adapter.serverless.settings import settings
from ocr.page_numbers import page_number_of
from textclf.base.errors import BadDataError, BadInputError
from textclf.data.predictions import predict_scan
from textclf.model.stacks import stack_cutter

if TYPE_CHECKING:
    from ocr.document import Document, Page
    from textclf.model.predict import Model
    from textclf.model.prediction import Prediction

_CANDIDATES = 5
_EDGE_LINES = 3
"""Lines of head and foot in which a page number is looked for."""
# how the accelerator introduces the images of neighbouring pages, and that of the page itself
_PLACES = {
    "before": re.compile(r"\s*For context, here are the image\(s\) for the page\(s\) immediately prior"),
    "after": re.compile(r"\s*For context, here are the image\(s\) for the page\(s\) immediately after"),
}
_TEXT = re.compile(r"<current-page>(.*?)</current-page>|<document-ocr-data>(.*?)</document-ocr-data>", re.DOTALL)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be classified: the image of a page, that of the page before it, or a text alone."""

    image: Mapping[str, Any] | None
    before: Mapping[str, Any] | None = None
    text: str = ""


def asked_page(event: Mapping[str, Any]) -> Asked:
    """Find the page in a request.

    Raises
    ------
    textclf.base.errors.BadDataError
        If the step is another one, or there is no page.
    """
    context = event.get("context") or "Classification"
    if context != "Classification":
        raise BadDataError(f"this function classifies, and cannot do the step {context!r:.40}", where="the request")
    place, found, texts = "page", {}, []
    for message in event.get("messages") or ():
        for item in message.get("content") or ():
            if isinstance(text := item.get("text"), str):
                texts.append(text)
                place = next((name for name, words in _PLACES.items() if words.match(text)), "page")
            # of several pages before it, the last is meant; and images of examples come before that of the page
            if isinstance(location := _location(item), dict):
                found[place] = location
    text = "".join(match[1] or match[2] or "" for match in _TEXT.finditer("\n".join(texts))).strip()
    if "page" not in found and not text:
        raise BadDataError("has neither an image of the page nor its text", where="the request")
    return Asked(image=found.get("page"), before=found.get("before"), text=text)


def _location(item: Mapping[str, Any]) -> object:
    return ((item.get("image") or {}).get("source") or {}).get("s3Location")


def answered(prediction: Prediction, categories: tuple[str, ...], boundary: Literal["start", "continue"]) -> str:
    """Give what a language model would say: the JSON that the accelerator's prompt asks for."""
    ranked = sorted(zip(prediction.scores, categories, strict=False), reverse=True)[:_CANDIDATES]
    said: dict[str, Any] = {"class": prediction.predicted_category or "unclassified", "document_boundary": boundary}
    # without a score the page is unscored there, too
    if prediction.predicted_category:
        said["confidence"] = round(prediction.score, 4)
        said["candidates"] = [{"class": name, "probability": round(score, 4)} for score, name in ranked]
    said["classification_reason"] = f"textclf: {prediction.reason or 'accepted'}"
    return json.dumps(said)


def boundary_of(model: Model, page: Page | None, before: Page | None) -> Literal["start", "continue"]:
    """Tell whether a document begins with a page: by its page number, else by the page before it if that was given."""
    if page is None:
        return "start"
    lines = [line for line in page.text.splitlines() if line.strip()]
    number = page_number_of([*lines[:_EDGE_LINES], *lines[-_EDGE_LINES:]])
    if number is not None and number.is_named:
        return "start" if number.number == 1 else "continue"
    if before is None:
        return "start"
    (cut,) = stack_cutter(model).cuts([replace(before, number=1), replace(page, number=2)])
    return "start" if cut.score >= 0.5 else "continue"


@cache
def classifier() -> Classifier:
    """Give the classifier of this process."""
    options = settings()
    options.need("model")
    loaded = load_model_of(options.model, options.model_sha256, client("s3"), max_error=options.max_error)
    return Classifier(loaded, options)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Classify the page; an error is one of the function, which the accelerator tries again and then reports."""
    asked = asked_page(event)
    model = classifier().loaded.model
    seconds = context.get_remaining_time_in_millis() / 1000 - 1
    if asked.image is None:
        said = answered(model(asked.text), model.categories, "start")
    else:
        document = _read(asked.image, seconds)
        if document.status == "failed":
            raise BadInputError(document.error, where="the image of the page")
        prediction, _ = predict_scan(model, document)
        before = None if asked.before is None else _read(asked.before, seconds)
        pages = [next(iter(one.pages), None) if one else None for one in (document, before)]
        said = answered(prediction, model.categories, boundary_of(model, pages[0], pages[1]))
    # it counts tokens, of which there are none
    usage = {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}
    return {"output": {"message": {"role": "assistant", "content": [{"text": said}]}}, "usage": usage}


def _read(location: Mapping[str, Any], seconds: float) -> Document:
    bucket, _, key = str(location.get("uri", "")).removeprefix("s3://").partition("/")
    options = settings()
    if not key or (options.hook_bucket and bucket != options.hook_bucket):
        raise BadDataError("is not in the bucket of the accelerator", where=f"{location.get('uri')!r:.200}")
    # who owns the bucket is checked, so that nobody can have another account's pages read
    owner = str(location.get("bucketOwner") or "")
    with tempfile.TemporaryDirectory(prefix="textclf-page-") as folder:
        path = Path(folder, "page")
        Objects(client("s3"), bucket).fetch(key, path, max_bytes=options.max_bytes, owner=owner)
        return classifier().read("page", path, seconds=seconds)


at_start(classifier)
