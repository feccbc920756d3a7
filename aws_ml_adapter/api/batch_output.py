"""The URLs of a batch prediction's files: the manifest, and the results that it lists."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from aws_ml_adapter.api.faults import DataFault


def manifest_location(output_uri: str, batch_prediction_id: str) -> str:
    """Return the URL of the manifest below an OutputUri, which may end in a slash."""
    return f"{output_uri.removesuffix('/')}/batch-prediction/{batch_prediction_id}.manifest"


def result_locations(output_uri: str, batch_prediction_id: str, inputs: Iterable[str]) -> dict[str, str]:
    """Map the URL of each data file to that of its results; raises `DataFault` if two would be the same."""
    folder = f"{output_uri.removesuffix('/')}/batch-prediction/result"
    results: dict[str, str] = {}
    taken: set[str] = set()
    for location in inputs:
        result = f"{folder}/{batch_prediction_id}-{location.rsplit('/', 1)[-1]}.gz"
        if result in taken:
            raise DataFault("two data files have this name, so their results would have the same key", where=location)
        taken.add(result)
        results[location] = result
    return results


def manifest_text(results: Mapping[str, str]) -> str:
    """Format `result_locations` as JSON, as the service writes it."""
    return json.dumps(dict(results), ensure_ascii=False) + "\n"
