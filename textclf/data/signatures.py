"""Places for signatures on scans: judging the pages of documents, and the rows, JSON and pictures of the result."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from ocr.signature_place import THRESHOLD, SignaturePlace, TemplatePlace
from textclf.base.errors import BadDataError
from textclf.base.files import write_aside
from textclf.base.overwrite_guard import PICTURE, SOFTWARE, check_output
from textclf.base.tables import read_rows
from textclf.data.scans import ScanOptions, find_scans, source_of

if TYPE_CHECKING:
    from PIL import Image

    from ocr.document import Document, Page
    from ocr.reading_options import Limits

EDGES = ("left", "top", "right", "bottom")
COLUMNS = ("document_id", "page", "kind", "score", "review", *EDGES, "name", "status", "error", "path", "sha256")
NO_PLACE = "no place"
"""The kind of a page on which no signature belongs."""
MOST_BOXES = 1000
"""Boxes of a template."""
_MARGIN = 0.01
"""Share of the page that a picture of a place shows around it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedDocument:
    """A document that was read, the places on its pages, and what could not be looked at."""

    document: Document
    places: tuple[SignaturePlace, ...]
    # pages that were looked at, in order
    pages: tuple[int, ...]
    error: str = ""

    @property
    def status(self) -> str:
        """That of reading, or ``partial`` if a page could not be looked at."""
        return "partial" if self.error and self.document.status == "ok" else self.document.status

    @property
    def without(self) -> list[int]:
        """Pages on which no signature belongs."""
        found = {place.page for place in self.places}
        return [number for number in self.pages if number not in found]


def find_signatures_in(
    paths: Sequence[Path],
    scans: ScanOptions,
    *,
    template: Sequence[TemplatePlace] = (),
    threshold: float,
    crops: Path | None = None,
) -> Iterator[SignedDocument]:
    """Read scans and judge the places for signatures on each, in order; pictures of the places go to `crops`."""
    for document in scans.iter_documents(find_scans(paths)):
        yield signatures_of(document, scans, template=template, threshold=threshold, crops=crops)


def signatures_of(
    document: Document,
    scans: ScanOptions,
    *,
    template: Sequence[TemplatePlace] = (),
    threshold: float = THRESHOLD,
    crops: Path | None = None,
) -> SignedDocument:
    """Judge the places on the pages of a document that was read from a file."""
    from ocr.signatures import find_signatures

    places: list[SignaturePlace] = []
    pages: list[int] = []
    faults = [document.error] if document.error else []
    limits, password = scans.reading.limits, scans.reading.password
    for page in document.pages:
        if page.status == "failed":
            continue
        # the boundary: whatever a file does to the decoding libraries, only its page fails
        try:
            image = _upright(Path(document.file), page, limits, password)
            found = find_signatures(image, page, template=template, threshold=threshold)
        except Exception as error:  # noqa: BLE001
            faults.append(
                f"page {page.number} was not looked at: {' '.join(str(error).split()) or type(error).__name__}"
            )
            continue
        pages.append(page.number)
        places.extend(found)
        if crops is not None:
            _write_crops(crops, document.document_id, image, found)
    return SignedDocument(document=document, places=tuple(places), pages=tuple(pages), error="; ".join(faults))


def read_template(path: Path) -> list[TemplatePlace]:
    """Read a CSV with the columns left, top, right, bottom, as shares of the page, and maybe page and name."""
    places = []
    for row in read_rows(path, required=EDGES):
        if row.error:
            raise BadDataError(f"line {row.line}: {row.error}", where=path, remedy="fix the row")
        try:
            left, top, right, bottom = (float(row.values[edge]) for edge in EDGES)
            page = int(row.values.get("page") or 1)
        except ValueError as error:
            raise BadDataError(
                f"line {row.line}: a value is no number", where=path, remedy="give edges as shares of the page"
            ) from error
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1) or page < 1:
            raise BadDataError(
                f"line {row.line}: is no box on a page",
                where=path,
                remedy="give 0 <= left < right <= 1, 0 <= top < bottom <= 1 and a page from 1",
            )
        places.append(TemplatePlace(box=(left, top, right, bottom), page=page, name=row.values.get("name", "")))
        if len(places) > MOST_BOXES:
            raise BadDataError(f"has more than {MOST_BOXES:,} boxes", where=path, remedy="give those of one document")
    return places


def place_rows(signed: SignedDocument) -> Iterator[dict[str, object]]:
    """Give a row for each place, one for each page without, and one for a document of which nothing was looked at."""
    document = signed.document
    common: dict[str, object] = {
        "document_id": document.document_id,
        "status": signed.status,
        "error": signed.error,
        **source_of(document),
    }
    for number in signed.pages:
        found = [place for place in signed.places if place.page == number]
        for place in found:
            edges = dict(zip(EDGES, (f"{edge:.4f}" for edge in place.box), strict=True))
            review = "yes" if place.review else "no"
            values = {"kind": place.kind, "score": f"{place.score:.4f}", "review": review, "name": place.name}
            yield {**common, "page": number, **values, **edges}
        if not found:
            yield {**common, "page": number, "kind": NO_PLACE}
    if not signed.pages:
        yield common


def as_dict(signed: SignedDocument) -> dict[str, object]:
    """Give the places of a document for JSON."""
    return {
        "places": [
            {
                "page": place.page,
                "kind": place.kind,
                "score": round(place.score, 4),
                "review": place.review,
                "box": [round(edge, 4) for edge in place.box],
                **({"name": place.name} if place.name else {}),
            }
            for place in signed.places
        ],
        "pages_without_places": signed.without,
    }


def _upright(file: Path, page: Page, limits: Limits, password: str) -> Image.Image:
    from ocr.page_content import open_page

    with open_page(file, page.number, limits, password) as content:
        image = content.image()
        return image.rotate(page.rotation, expand=True) if page.rotation else image.copy()


def _write_crops(folder: Path, document_id: str, image: Image.Image, places: Sequence[SignaturePlace]) -> None:
    from PIL.PngImagePlugin import PngInfo

    made_by = PngInfo()
    made_by.add_text("Software", SOFTWARE)
    for number, place in enumerate(places, 1):
        name = f"{document_id}-{place.page}-{number}-{place.kind}.png"
        target = folder.joinpath(*(part for part in PurePosixPath(name).parts if part not in ("/", "..")))
        left, top, right, bottom = place.box
        edges = (
            math.floor(max(0.0, left - _MARGIN) * image.width),
            math.floor(max(0.0, top - _MARGIN) * image.height),
            math.ceil(min(1.0, right + _MARGIN) * image.width),
            math.ceil(min(1.0, bottom + _MARGIN) * image.height),
        )
        target.parent.mkdir(parents=True, exist_ok=True)
        check_output(target, PICTURE)
        with write_aside(target) as aside:
            image.crop(edges).save(aside, format="PNG", pnginfo=made_by)
