"""Which packages an installation may do without, and what to do about one that is missing."""

from __future__ import annotations

from textclf.base.errors import MissingProgramError, how_to_install
from textclf.base.program import TEXTCLF, Program

EXTRAS = {
    "alembic": "desk",
    "boto3": "aws",
    "botocore": "aws",
    "celery": "queue",
    "distributed": "dask",
    "fastapi": "desk",
    "httptools": "serve",
    "httpx": "desk",
    "kombu": "queue",
    "opentelemetry": "telemetry",
    "itsdangerous": "desk",
    "prometheus_client": "desk",
    "psycopg": "postgresql",
    "python_multipart": "desk",
    "sqlalchemy": "desk",
    "uvicorn": "serve",
    "uvloop": "serve",
    "watchfiles": "desk",
    "zxingcpp": "barcodes",
}
"""Optional packages, with the extra that installs each."""
FOR_TRAINING = frozenset({"gensim", "joblib", "matplotlib", "pandas", "scipy", "sklearn", "spacy", "threadpoolctl"})
"""Packages that an installation which only predicts does without: deploy/predict.txt lists the others."""


def missing_package(error: Exception, program: Program = TEXTCLF) -> MissingProgramError | None:
    """Tell how to install the package over which an import failed; None if it is not one that may be missing."""
    package = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    return not_installed(package, program) if package in EXTRAS or package in FOR_TRAINING else None


def not_installed(package: str, program: Program = TEXTCLF) -> MissingProgramError:
    """Tell how to install a package that is one of an extra, or for training."""
    if package in FOR_TRAINING:
        remedy = "this installation only predicts: in the checkout run pip install ., or take the container image train"
    else:
        # each program has a server, with an extra of its own
        remedy = how_to_install("desk" if program is TEXTCLF and EXTRAS[package] == "serve" else EXTRAS[package])
    return MissingProgramError(f"{package} is not installed", remedy=remedy)
