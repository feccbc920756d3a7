"""Where the files of a batch prediction are: the manifest, and the results that it names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from aws_ml_adapter.api.faults import DataFault


def manifest_location(output_uri: str, batch_prediction_id: str) -> str:
    """Say where the manifest of a batch prediction belongs.

    Parameters
    ----------
    output_uri : str
        The request's OutputUri, with or without a slash at its end.
    batch_prediction_id : str
        Its id.

    Returns
    -------
    str
        A URL.

    References
    ----------
    https://docs.aws.amazon.com/machine-learning/latest/dg/reading-the-batchprediction-output-files.html

    Examples
    --------
    >>> manifest_location("s3://bucket/out/", "bp-1")
    's3://bucket/out/batch-prediction/bp-1.manifest'
    """
    return f"{output_uri.removesuffix('/')}/batch-prediction/{batch_prediction_id}.manifest"


def result_locations(output_uri: str, batch_prediction_id: str, inputs: Iterable[str]) -> dict[str, str]:
    """Say where the results of each data file belong.

    Parameters
    ----------
    output_uri : str
        The request's OutputUri, with or without a slash at its end.
    batch_prediction_id : str
        Its id.
    inputs : iterable of str
        URLs of the data files.

    Returns
    -------
    dict of str to str
        URL of a data file to that of its results, in the order given.

    Raises
    ------
    DataFault
        Two data files would have the same results.

    References
    ----------
    https://docs.aws.amazon.com/machine-learning/latest/dg/reading-the-batchprediction-output-files.html

    Examples
    --------
    >>> result_locations("s3://bucket/out", "bp-1", ["s3://bucket/data/new.csv"])
    {'s3://bucket/data/new.csv': 's3://bucket/out/batch-prediction/result/bp-1-new.csv.gz'}
    """
    folder = f"{output_uri.removesuffix('/')}/batch-prediction/result"
    results: dict[str, str] = {}
    taken: set[str] = set()
    for location in inputs:
        result = f"{folder}/{batch_prediction_id}-{location.rsplit('/', 1)[-1]}.gz"
        if result in taken:
            raise DataFault("two data files of this name have their results in one place", where=location)
        taken.add(result)
        results[location] = result
    return results


def manifest_text(results: Mapping[str, str]) -> str:
    r"""Write a manifest.

    Parameters
    ----------
    results : mapping of str to str
        From `result_locations`.

    Returns
    -------
    str
        A JSON object.

    Examples
    --------
    >>> manifest_text({"s3://bucket/new.csv": "s3://bucket/out/batch-prediction/result/bp-1-new.csv.gz"})
    '{"s3://bucket/new.csv": "s3://bucket/out/batch-prediction/result/bp-1-new.csv.gz"}\n'
    """
    return json.dumps(dict(results), ensure_ascii=False) + "\n"
