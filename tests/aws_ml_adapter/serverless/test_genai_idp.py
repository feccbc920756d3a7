"""The LambdaHook of the GenAI IDP accelerator: its requests as its documentation has them."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from aws_ml_adapter.serverless import genai_idp
from textclf.base.errors import BadDataError, BadInputError
from textclf.base.problems import ProblemError

CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000)
PROMPT = "Classify.\n<document-ocr-data>\n{text}\n</document-ocr-data>\n<document-image>\n"
BEFORE = {
    "text": "For context, here are the image(s) for the page(s) immediately prior to the page you should classify:"
}
AFTER = {"text": "For context, here are the image(s) for the page(s) immediately after the page you should classify:"}
PAGE = {"text": "Here is the image for the page to classify:"}


def image(bucket, key, owner="123456789012"):
    location = {"uri": f"s3://{bucket}/{key}", "bucketOwner": owner}
    return {"image": {"format": "jpeg", "source": {"s3Location": location}}}


def request(*content, context="Classification"):
    return {
        "modelId": "LambdaHook",
        "messages": [{"role": "user", "content": list(content)}],
        "system": [{"text": "You are a document classification expert."}],
        "inferenceConfig": {"temperature": 0.0, "maxTokens": 4096, "topK": 5},
        "context": context,
    }


@pytest.fixture
def put(environment, classifier, scan, monkeypatch, tmp_path):
    """Puts the image of a page where the accelerator does, and gives the item of the request."""
    monkeypatch.setattr(genai_idp, "classifier", lambda: classifier)

    def make(name, *lines):
        content = scan(tmp_path / f"{name}.png", *lines).read_bytes() if lines else b"no image"
        key = f"temp/lambdahook/{name}.jpeg"
        environment.s3.put_object(Bucket=environment.bucket, Key=key, Body=content)
        return image(environment.bucket, key)

    return make


def said(event):
    answer = genai_idp.handler(event, CONTEXT)
    assert answer["output"]["message"]["role"] == "assistant"
    assert all(isinstance(count, int) for count in answer["usage"].values())
    (item,) = answer["output"]["message"]["content"]
    assert json.loads(json.dumps(answer)) == answer
    return json.loads(item["text"])


def test_a_page_is_classified_as_the_prompt_asks(put):
    page = put("1", "invoice total due vat", "net gross number")
    found = said(request({"text": PROMPT.format(text="")}, page, {"text": "</document-image>"}))
    assert found["class"] == "invoice"
    assert found["document_boundary"] == "start"
    # those that the accelerator shows beside the class; the first is the class, with the same figure
    assert [one["class"] for one in found["candidates"]] == ["invoice", "letter"]
    assert found["candidates"][0]["probability"] == found["confidence"]
    assert sum(one["probability"] for one in found["candidates"]) == pytest.approx(1, abs=0.001)
    assert found["classification_reason"].startswith("textclf: ")


def test_the_page_itself_is_classified_and_not_its_neighbours(put):
    letter, invoice = put("letter", "dear madam sincerely", "yours regards love"), put("invoice", "invoice total vat")
    found = said(request(BEFORE, letter, PAGE, invoice, AFTER, letter))
    assert found["class"] == "invoice"
    # examples come before the page
    assert said(request({"text": "Examples:"}, letter, {"text": PROMPT.format(text="")}, invoice))["class"] == "invoice"


def test_a_later_page_continues_the_document(put):
    page = put("2", "invoice total due vat", "net gross", "page 2 of 3")
    assert said(request(page))["document_boundary"] == "continue"
    first = put("1", "invoice total due vat", "number", "page 1 of 3")
    assert said(request(BEFORE, first, PAGE, page))["document_boundary"] == "continue"
    assert said(request(BEFORE, page, PAGE, first))["document_boundary"] == "start"


def test_a_text_alone_is_classified_without_an_image(put):
    assert said(request({"text": PROMPT.format(text="dear madam sincerely yours")}))["class"] == "letter"


def test_a_page_without_a_word_is_unclassified_and_unscored(put):
    found = said(request(put("blank", " ")))
    assert found["class"] == "unclassified"
    assert "confidence" not in found
    assert "candidates" not in found


@pytest.mark.parametrize("context", ["OCR", "Extraction", "Assessment", "Summarization"])
def test_another_step_is_refused(context):
    with pytest.raises(BadDataError, match="cannot do the step"):
        genai_idp.handler(request({"text": "x"}, context=context), CONTEXT)


@pytest.mark.parametrize(
    "event", [{}, {"messages": []}, {"messages": [{"content": [{"image": {"source": {"bytes": "aGk="}}}]}]}]
)
def test_a_request_without_a_page_is_refused(event):
    with pytest.raises(BadDataError, match="neither an image"):
        genai_idp.asked_page(event)


def test_an_image_that_cannot_be_read_is_an_error_of_the_function(put):
    with pytest.raises(BadInputError, match="the image of the page"):
        genai_idp.handler(request(put("broken")), CONTEXT)


@pytest.mark.parametrize("uri", ["s3://other/temp/lambdahook/1.jpeg", "s3://", "file:///etc/passwd", "", "s3://bucket"])
def test_images_elsewhere_are_not_read(put, environment, monkeypatch, uri):
    monkeypatch.setenv("TEXTCLF_HOOK_BUCKET", environment.bucket)
    asked = {"image": {"source": {"s3Location": {"uri": uri}}}}
    with pytest.raises(BadDataError, match="not in the bucket"):
        genai_idp.handler(request(asked), CONTEXT)


def test_an_image_that_is_too_large_is_an_error_of_the_function(put, monkeypatch):
    monkeypatch.setenv("TEXTCLF_MAX_BYTES", "10")
    with pytest.raises(ProblemError, match="over 10 bytes"):
        genai_idp.handler(request(put("1", "invoice total")), CONTEXT)


@pytest.mark.slow
def test_the_hook_runs_as_a_function(cloud, scan, tmp_path):
    page = scan(tmp_path / "page.png", "invoice total due vat", "net gross number").read_bytes()
    cloud.s3.put_object(Bucket=cloud.bucket, Key="temp/lambdahook/1.png", Body=page)
    hook = cloud.function("genai_idp")
    answer = hook(request(image(cloud.bucket, "temp/lambdahook/1.png")))
    assert json.loads(answer["output"]["message"]["content"][0]["text"])["class"] == "invoice"
