"""``textclf engines``: compares the OCR engines."""

from __future__ import annotations

from dataclasses import asdict
from statistics import median
from typing import Annotated

from ocr.engine_comparison import compare_engines
from ocr.engines import ENGINES, open_engine
from textclf.commands.application import Options
from textclf.commands.arguments import AsJson, Scans
from textclf.commands.console import print_json, print_lines, show_reading
from textclf.data.scans import ScanOptions, find_scans


def engines(
    paths: Scans,
    *,
    as_json: AsJson = False,
    scans: Annotated[
        ScanOptions,
        Options(without=("engine", "effort", "cache", "no_cache", "dask"), defaults={"text_layer": "ignore"}),
    ],
) -> None:
    """Read scans with both engines, and show the similarity of their texts and the time of each.

        textclf engines scans/ --max-pages 1

    Prints one line per document: the similarity of the texts and the seconds of each engine, in the order in
    which the last lines name them.
    """
    first, second, *_ = map(open_engine, ENGINES)
    pair = first, second
    files = [found[:2] for found in find_scans(paths)]
    with show_reading() as progress:
        found = list(compare_engines(files, pair, options=scans.reading, jobs=scans.jobs, progress=progress))
    seconds = [sum(one.seconds[side] for one in found) for side in (0, 1)]
    similar = [one.similarity for one in found]
    if as_json:
        print_json(
            {
                "engines": [f"{engine.name} {engine.version}" for engine in pair],
                "median_similarity": round(median(similar), 4),
                "least_similarity": round(min(similar), 4),
                "seconds": [round(total, 3) for total in seconds],
                "documents": [asdict(one) for one in found],
            }
        )
        return
    for one in found:
        note = f"  ({'; '.join(filter(None, one.errors))})" if any(one.errors) else ""
        print_lines(f"{one.similarity:6.1%}  {one.seconds[0]:7.2f} s  {one.seconds[1]:7.2f} s  {one.document_id}{note}")
    print_lines(
        f"median similarity {median(similar):.1%}, least {min(similar):.1%}",
        *(f"{engine.name} {engine.version}: {total:.1f} s" for engine, total in zip(pair, seconds, strict=True)),
    )
