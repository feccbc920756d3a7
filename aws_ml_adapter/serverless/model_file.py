"""The model of a function: fetched from S3 once, verified, and kept in the temporary folder."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from textclf.base.errors import BadInputError, BadModelError, UsageError
from textclf.base.files import input_error, write_aside
from textclf.base.hashing import hash_file
from textclf.data.results import LoadedModel
from textclf.model.file import load_model_and_versions


def load_model_of(uri: str, sha256: str, s3: Any, *, max_error: float | None = None) -> LoadedModel:
    """Load the model file at a path, or at ``s3://bucket/key``.

    Parameters
    ----------
    uri : str
        Where it is.
    sha256 : str
        The hash that it must have; may be empty for a path.
    s3 : botocore client
        Of S3.
    max_error : float, optional
        Maximum error among accepted documents.

    Returns
    -------
    LoadedModel
        Its id is the hash.

    Raises
    ------
    textclf.base.errors.TextclfError
        If it cannot be had, has another hash, or is no model.
    """
    path = _fetched(uri, sha256, s3) if uri.startswith("s3://") else Path(uri)
    found = _hash(path)
    if sha256 and found != sha256:
        raise _other(uri, found)
    model, versions = load_model_and_versions(path)
    name = Path(urlsplit(uri).path).stem
    version = versions.get("textclf", "")
    return LoadedModel(id=found, name=name, version=version, model=model.with_max_error(max_error))


def _fetched(uri: str, sha256: str, s3: Any) -> Path:
    if not sha256:
        remedy = "give the SHA-256 of the model file, as sha256sum tells it"
        raise UsageError("TEXTCLF_MODEL_SHA256 is not set", where="environment", remedy=remedy)
    if not re.fullmatch("[0-9a-f]{64}", sha256):
        raise UsageError("is not the SHA-256 of the model file", where="TEXTCLF_MODEL_SHA256", remedy="run sha256sum")
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    # named by its hash: a container that is used again has it, and another model is another file
    path = Path(tempfile.gettempdir(), f"model-{sha256}.textclf")
    if path.exists() and _hash(path) == sha256:
        return path
    try:
        with write_aside(path, private=True) as aside:
            s3.download_file(bucket, key, str(aside))
            if (found := _hash(aside)) != sha256:
                raise _other(uri, found)
    except (BotoCoreError, ClientError) as error:
        remedy = "see what the function may read"
        raise BadInputError(f"cannot be fetched ({error})", where=uri, remedy=remedy) from error
    return path


def _hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hash_file(file)
    except OSError as error:
        raise input_error(error, path) from error


def _other(uri: str, found: str) -> BadModelError:
    return BadModelError(
        f"has the SHA-256 {found}, not that of TEXTCLF_MODEL_SHA256", where=uri, remedy="deploy the hash of this file"
    )
