"""``textclf signatures``: finds the places for signatures on scans, and says which are signed."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from ocr.signature_place import THRESHOLD
from textclf.base.files import refuse_unwritable_folder
from textclf.base.overwrite_guard import PLACES, check_output
from textclf.base.plurals import counted
from textclf.base.tables import write_rows
from textclf.commands.application import Option, Options
from textclf.commands.arguments import AsJson, Scans, Strict, check_strict
from textclf.commands.console import print_lines, show_reading
from textclf.data.scans import ScanOptions, find_scans

if TYPE_CHECKING:
    from textclf.data.signatures import SignedDocument

_log = logging.getLogger(__name__)


def signatures(
    paths: Scans,
    *,
    output: Annotated[
        Path | None,
        Option("--output", "-o", metavar="FILE", help="Write a CSV instead: a row for each place."),
    ] = None,
    as_json: AsJson = False,
    template: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help="Judge these boxes of each document instead of looking for places: a CSV with left, top, right and "
            "bottom as shares of the page, and maybe page and name.",
        ),
    ] = None,
    crops: Annotated[
        Path | None, Option(metavar="FOLDER", help="Write a picture of each place, named after its kind.")
    ] = None,
    threshold: Annotated[
        float, Option(min=0.34, max=1, help="A place whose score is below this is for review.")
    ] = THRESHOLD,
    strict: Strict = False,
    scans: Annotated[ScanOptions, Options(without=("effort",))],
) -> None:
    """Say for each place where a signature belongs whether it is signed.

        textclf signatures contracts/
        textclf signatures consent.pdf --json
        textclf signatures forms/ -o signatures.csv --template boxes.csv --crops crops/

    Prints kind, score, review or not, page, box and document of each place. The kind is signature; placeholder, where a
    signature belongs and is missing; or none, for a place that is neither. Places are found by words such as
    "signature" or "firma", by ruled lines, by the gap that closes a letter, and by handwriting. A page without such
    places says so.
    """
    from textclf.data.signatures import COLUMNS, find_signatures_in, place_rows, read_template

    found = find_scans(paths)
    inputs = [*(one.file for one in found), *([] if template is None else [template])]
    if output is not None:
        check_output(output, PLACES, inputs=inputs)
    if crops is not None:
        refuse_unwritable_folder(crops)
    boxes = [] if template is None else read_template(template)
    counts: Counter[str] = Counter()

    def documents() -> Iterator[SignedDocument]:
        options = replace(scans, show=show_reading)
        for signed in find_signatures_in(paths, options, template=boxes, threshold=threshold, crops=crops):
            counts["documents"] += 1
            counts["failed"] += signed.status != "ok"
            counts.update(place.kind for place in signed.places)
            counts["review"] += sum(place.review for place in signed.places)
            yield signed

    if output is not None:
        write_rows(output, COLUMNS, (row for signed in documents() for row in place_rows(signed)), formulas_safe=True)
        _log.info(
            f"{output}: {counted(counts['signature'], 'signature')}, {counted(counts['placeholder'], 'placeholder')} "
            f"and {counts['none']} neither in {counted(counts['documents'], 'document')}; {counts['review']} for review"
        )
    else:
        for signed in documents():
            if as_json:
                print_lines(json.dumps(_json(signed), ensure_ascii=False))
            else:
                print_lines(*_lines(signed))
    check_strict(counts["failed"], counts["documents"], "were not read in full", strict=strict)


def _json(signed: SignedDocument) -> dict[str, object]:
    from textclf.data.scans import source_of
    from textclf.data.signatures import as_dict

    document = signed.document
    return {
        "document_id": document.document_id,
        **as_dict(signed),
        "status": signed.status,
        "error": signed.error,
        **source_of(document),
    }


def _lines(signed: SignedDocument) -> Iterator[str]:
    name = signed.document.document_id
    for place in signed.places:
        box = " ".join(f"{edge:.3f}" for edge in place.box)
        label = f"  ({place.name})" if place.name else ""
        review = "review" if place.review else ""
        yield f"{place.kind:<12} {place.score:6.1%}  {review:<6}  page {place.page}  {box}  {name}{label}"
    for number in signed.without:
        yield f"{'no place':<12} {'':6}  {'':6}  page {number}  {'':23}  {name}"
    if signed.error:
        yield f"{'-':<12} {'':6}  {'':6}  {name}  ({signed.error})"
