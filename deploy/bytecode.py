"""Imports what runs in the image `predict`, so that Python keeps the bytecode of that, and of nothing else."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from importlib.util import find_spec

from PIL import Image

OURS = (
    "ocr",
    "textclf.commands",
    "textclf.data",
    "textclf.library",
    "textclf.folders",
    "textclf.service",
    "textclf.bridges",
    "aws_ml_adapter.server",
    "aws_ml_adapter.serverless",
)
"""Packages of which all modules can be imported without the packages for training."""
LATER = (
    "alembic.config",
    "anyio._backends._asyncio",
    "aws_ml_adapter.__main__",
    "aws_ml_adapter.cli",
    "awslambdaric.bootstrap",
    "billiard.pool",
    "boto3.s3.inject",
    "celery.app.amqp",
    "celery.app.events",
    "celery.backends.base",
    "celery.concurrency.thread",
    "celery.fixups.django",
    "celery.loaders.app",
    "celery.loaders.default",
    "celery.worker.autoscale",
    "celery.worker.components",
    "celery.worker.strategy",
    "ftfy",
    "loky.backend.popen_loky_posix",
    "loky.backend.spawn",
    "numpy.fft",
    "PIL.ImageDraw",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "tesserocr",
    "textclf.__main__",
    "textclf.model.file",
    "textclf.model.predict",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
)
"""Most of what these import only where they use it; the rest would be compiled at each start, and works as well."""


def main() -> None:
    """Import all of it."""
    for package in OURS:
        path = import_module(package).__path__
        for module in pkgutil.walk_packages(path, f"{package}."):
            # migrations are read by their path
            if not module.name.endswith("__main__") and ".migrations" not in module.name:
                import_module(module.name)
    for name in LATER:
        # another version of its package may have no such module
        if find_spec(name):
            import_module(name)
    # its readers of formats
    Image.init()


if __name__ == "__main__":
    main()
