"""Writing the documents of a stack as files of their own, without losing anything of their pages."""

from __future__ import annotations

import hashlib
import re
import shutil
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from ocr.images import frame_count, opened_image
from ocr.source_file import is_pdf, opened_source
from textclf.base.errors import BadInputError, OutputError
from textclf.base.files import output_error, refuse_unwritable_folder, write_aside

if TYPE_CHECKING:
    from ocr.document import Document
    from ocr.reading_options import Limits

_LONGEST_NAME = 80
_MOST_NAMES = 100_000
_LOSSLESS = ("raw", "group3", "group4", "tiff_ccitt", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "packbits")
"""Pillow's names of the compressions of TIFF that lose nothing."""
_WRITTEN = re.compile(rb"(/CreationDate\(D:)\d{14}(\+00'00'\)/Creator\(PDFium\))")
_IDENTIFIER = re.compile(rb"/ID\[<[0-9A-F]{32}><[0-9A-F]{32}>\]")
_EDGE = 300
"""Bytes at the beginning and the end of a PDF that PDFium wrote, where it says when; all lengths stay the same."""
_RESERVED = {"con", "prn", "aux", "nul", *(f"{name}{number}" for name in ("com", "lpt") for number in range(1, 10))}


def file_stem(name: str) -> str:
    """Make of any name, such as that of a category, one that every system takes as that of a file.

    Examples
    --------
    >>> file_stem("Rechnung / Invoice"), file_stem("../../etc"), file_stem("con"), file_stem("?")
    ('Rechnung _ Invoice', '_.._etc', 'con_', '_')
    """
    composed = unicodedata.normalize("NFC", name)
    safe = "".join("_" if char in '<>:"/\\|?*' or not char.isprintable() else char for char in composed)
    # the limit of file systems counts bytes
    safe = safe.encode()[:_LONGEST_NAME].decode(errors="ignore").strip(" .") or "document"
    return f"{safe}_" if safe.casefold() in _RESERVED else safe


def write_part(part: Document, folder: Path, name: str, limits: Limits, password: str = "") -> Path:
    """Write the pages of a document as a file of its own, named after its kind; no file is overwritten.

    The pages of a PDF are copied as they are; those of a TIFF keep their pixels. A file of which the document is the
    whole is copied byte by byte.
    """
    source = Path(part.file)
    first, last = part.pages[0].number, part.pages[-1].number
    with opened_source(source, limits) as file:
        pdf = is_pdf(file)
        if not pdf:
            with opened_image(file, limits) as image:
                count = frame_count(image)
                extension = ".tif" if count > 1 else source.suffix.lower()
    with _new_file(folder, file_stem(name), ".pdf" if pdf else extension) as (path, aside):
        if pdf:
            _copy_pdf_pages(source, aside, range(first - 1, last), password)
        elif count > last - first + 1:
            _copy_frames(source, aside, range(first - 1, last), limits)
        else:
            shutil.copyfile(source, aside)
    return path


@contextmanager
def _new_file(folder: Path, stem: str, extension: str) -> Iterator[tuple[Path, Path]]:
    """Give the path of a file that is not there yet, numbered if need be, and the path to write it to."""
    refuse_unwritable_folder(folder)
    for number in range(1, _MOST_NAMES):
        path = folder / f"{stem}{f'-{number}' if number > 1 else ''}{extension}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # taken at once, so that of two commands that run each finds a name of its own
            path.touch(exist_ok=False)
        except FileExistsError:
            continue
        except OSError as error:
            raise output_error(error, path) from error
        break
    else:
        raise OutputError(f"has too many files named {stem}", where=folder, remedy="choose another folder with -o")
    try:
        with write_aside(path) as aside:
            yield path, aside
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _copy_pdf_pages(source: Path, target: Path, pages: range, password: str) -> None:
    import pypdfium2

    try:
        with pypdfium2.PdfDocument(source, password=password or None) as pdf:
            if len(pages) == len(pdf) and not password:
                shutil.copyfile(source, target)
                return
            dated = re.match(r"D:(\d{14})", pdf.get_metadata_value("CreationDate"))
            with pypdfium2.PdfDocument.new() as part:
                part.import_pages(pdf, list(pages))
                stream = BytesIO()
                part.save(stream)
        target.write_bytes(_same_bytes(stream.getvalue(), dated[1] if dated else "19700101000000"))
    except pypdfium2.PdfiumError as error:
        remedy = "print the file to a new PDF, and split that"
        raise BadInputError("the pages cannot be copied", where=source, remedy=remedy) from error


def _same_bytes(pdf: bytes, date: str) -> bytes:
    """Replace the time of writing and the random identifier that PDFium puts into a PDF, so that no two runs differ."""
    head, tail = _WRITTEN.sub(rb"\g<1>%b\g<2>" % date.encode(), pdf[:_EDGE], count=1), pdf[_EDGE:]
    body, end = head + tail[:-_EDGE], tail[-_EDGE:]
    name = hashlib.sha256(body).hexdigest()[:32].upper().encode()
    return body + _IDENTIFIER.sub(rb"/ID[<%b><%b>]" % (name, name), end)


def _copy_frames(source: Path, target: Path, frames: range, limits: Limits) -> None:
    """Copy frames of a TIFF, each with its pixels, resolution, and its compression unless that loses something."""
    from PIL.TiffImagePlugin import AppendingTiffWriter

    with opened_source(source, limits) as file, AppendingTiffWriter(target, new=True) as writer:
        for frame in frames:
            with opened_image(file, limits, page=frame + 1) as image:
                packed = str(image.info.get("compression", "raw"))
                kept = {"dpi": image.info["dpi"]} if "dpi" in image.info else {}
                image.load()
                image.save(writer, "TIFF", compression=packed if packed in _LOSSLESS else "tiff_adobe_deflate", **kept)
            writer.newFrame()
            file.seek(0)
