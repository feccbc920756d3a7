"""From a file to its pages: what the content says counts, not the file's name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from ocr.images import frame_count, grey_image, opened_image
from ocr.limits import Limits
from ocr.pdfs import opened_pdf, pdf_page, unread_attachments
from ocr.text_layers import TextLayer
from textclf.base.errors import BadInputError

if TYPE_CHECKING:
    from PIL import Image

Source = Path | bytes
"""A document: the path of its file, or its bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What is known of a file before any page of it is read.

    Parameters
    ----------
    sha256 : str
        Of the content, in hexadecimal.
    page_count : int
        Pages of a PDF or TIFF; 1 for any other image.
    attachments : int
        Files attached to a PDF, which are not read.
    """

    sha256: str
    page_count: int
    attachments: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContent:
    """One opened page.

    Parameters
    ----------
    width, height : int
        Of a PDF's page in points, else of the image in pixels.
    text_layer : TextLayer
        Empty for images.
    image : callable
        Gives the page in 8 bits of grey, at most ``max_pixels``, as its file orients it.
    preview : callable
        The same, but no larger than is needed to see where its letters are.
    """

    width: int
    height: int
    text_layer: TextLayer
    image: Callable[[], Image.Image]
    preview: Callable[[], Image.Image]


def survey(source: Source, limits: Limits, password: str = "") -> Survey:
    """Identify a file and count its pages, without decoding them.

    Parameters
    ----------
    source : pathlib.Path or bytes
        The document.
    limits : Limits
        ``max_bytes`` and ``max_declared_pixels`` apply.
    password : str, optional
        Of an encrypted PDF.

    Returns
    -------
    Survey
        Content hash, number of pages and of attachments.

    Raises
    ------
    textclf.base.errors.BadInputError
        If the file is missing, empty, too large, damaged, encrypted or of an unknown kind.

    Examples
    --------
    >>> survey(b"Dear Sir", Limits())
    Traceback (most recent call last):
    ...
    textclf.base.errors.BadInputError: is neither an image nor a PDF (it looks like plain text); give PNG, ...
    """
    with _opened(source, limits) as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        if _is_pdf(file):
            with opened_pdf(source, password) as pdf:
                page_count, attachments = len(pdf), unread_attachments(pdf)
        else:
            with opened_image(file, limits) as image:
                page_count, attachments = frame_count(image), 0
    if not page_count:
        raise BadInputError("has no pages")
    return Survey(sha256=sha256, page_count=page_count, attachments=attachments)


def content_hash(source: Source, limits: Limits) -> str:
    """Identify a file that need not be an image or a PDF.

    Parameters
    ----------
    source : pathlib.Path or bytes
        The document.
    limits : Limits
        ``max_bytes`` applies.

    Returns
    -------
    str
        SHA-256 of the content in hexadecimal; empty if it cannot be read or is too large.

    Examples
    --------
    >>> content_hash(b"Dear Sir", Limits())[:8]
    '335b600d'
    """
    try:
        with _opened(source, limits) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (BadInputError, OSError):
        return ""


@contextmanager
def open_page(source: Source, number: int, limits: Limits, password: str = "") -> Iterator[PageContent]:
    """Open one page of a document.

    Parameters
    ----------
    source : pathlib.Path or bytes
        The document.
    number : int
        Page from 1.
    limits : Limits
        Bounds on bytes and pixels.
    password : str, optional
        Of an encrypted PDF.

    Yields
    ------
    PageContent
        Usable inside the block only.

    Raises
    ------
    textclf.base.errors.BadInputError
        If the file, or this page of it, cannot be opened.
    """
    with _opened(source, limits) as file:
        if _is_pdf(file):
            with opened_pdf(source, password) as pdf:
                page = pdf_page(pdf, number, limits)
                yield PageContent(
                    width=page.width,
                    height=page.height,
                    text_layer=page.text_layer,
                    image=page.image,
                    preview=page.preview,
                )
            return
        with opened_image(file, limits, page=number) as image:
            grey = grey_image(image, limits.max_pixels)
    yield PageContent(
        width=grey.width,
        height=grey.height,
        text_layer=TextLayer(text=""),
        image=lambda: grey,
        preview=lambda: grey,
    )


@contextmanager
def _opened(source: Source, limits: Limits) -> Iterator[BufferedReader | BytesIO]:
    try:
        if isinstance(source, bytes):
            size = len(source)
        else:
            size = source.stat().st_size
            # a pipe or a device could keep us waiting for ever
            if not source.is_file():
                raise BadInputError("is not a file")
        if size == 0:
            raise BadInputError("is empty (0 bytes)")
        if size > limits.max_bytes:
            raise BadInputError(f"is too large ({size:,} bytes; the limit is {limits.max_bytes:,})")
        file = BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    except OSError as error:
        raise BadInputError(f"cannot be opened ({(error.strerror or str(error)).lower()})") from error
    with file:
        yield file


def _is_pdf(file: BufferedReader | BytesIO) -> bool:
    head = file.read(1024)
    file.seek(0)
    # readers accept the header anywhere in the first 1024 bytes (PDF 1.7, appendix H, note 13)
    return b"%PDF-" in head
