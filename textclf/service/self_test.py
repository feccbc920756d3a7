"""The self-test at the start: a page that is read and predicted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ocr.sample_page import sample_page
from textclf.base.errors import TextclfError
from textclf.data.predictions import predict_scan

if TYPE_CHECKING:
    from textclf.service.desk import Desk


async def self_test(desk: Desk) -> str | None:
    """Read a page in each worker and predict it; gives what is wrong, or None."""
    page = await asyncio.to_thread(sample_page)
    try:
        readings = [desk.reader.submit("self-test", page) for _ in range(desk.reader.jobs)]
        documents = await asyncio.gather(*(asyncio.wrap_future(reading.future) for reading in readings))
    except TextclfError as error:
        return f"the self-test cannot be read: {error}"
    for document in documents:
        if document.status == "failed":
            return f"the self-test cannot be read: {document.error}"
        if not any(character.isalnum() for character in document.text):
            return "the engine reads nothing on the page of the self-test"
    if (loaded := desk.duty.current) is None:
        return "no model is on duty; start the service with --model"
    prediction, _ = await asyncio.to_thread(predict_scan, loaded.model, documents[0])
    return None if prediction.status == "ok" else f"the self-test cannot be predicted: {prediction.error}"
