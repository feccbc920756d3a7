"""The options of a client of Amazon ML: locations and training options."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aws_ml_adapter.api.parameters import PASSES_RANGE, SIZE_RANGE, Parameters
from textclf.base.errors import BadInputError
from textclf.base.options import check_options, option

TIMEOUT = 7_200.0
"""Maximum seconds per job of the service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The locations of the data and the service; boto3 chooses URLs that are None."""

    bucket: str
    prefix: str = option("textclf", help="Prefix of the keys of all files.")
    region: str = option("us-east-1", help="AWS region: us-east-1 or eu-west-1.")
    endpoint_url: str | None = option(
        None,
        show_default="AWS_ENDPOINT_URL_MACHINE_LEARNING, else AWS",
        help="URL of the service, such as amazon-ml serve prints.",
    )
    s3_endpoint_url: str | None = option(None, show_default="AWS", help="URL of an S3-compatible server.")
    s3_root: str | None = option(
        None,
        type=Path | None,
        help="Folder to use instead of S3, the same as --s3-root of amazon-ml serve.",
    )


DEFAULT_PLACE = Place(bucket="")


def _read_recipe(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            # more than the service accepts; limited, because a device may have no end
            return file.read(1_000_000)
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError("cannot be read", where=path, remedy="check the path given with --recipe") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOptions:
    """Options of training."""

    train_percent: int = option(
        70, min=1, max=100, help="Share of the documents to train on; the rest is held out for evaluate."
    )
    seed: str = option("0", help="Seed of the random choice of the documents to train on.")
    ngrams: int = option(1, min=1, max=10, help="Maximum words of an n-gram.")
    bins: int = option(0, min=0, max=1_000, help="Quantile bins of each dimension of the vectors; 0 leaves them out.")
    recipe: str | None = option(None, type=Path, parse=_read_recipe, help="File with a recipe of your own.")
    passes: int = option(10, min=PASSES_RANGE[0], max=PASSES_RANGE[1], help="Maximum passes over the training data.")
    max_size: int = option(104_857_600, min=SIZE_RANGE[0], max=SIZE_RANGE[1], help="Maximum bytes of the model.")
    l1: float = option(0.0, min=0, help="Amount of L1 regularisation; not together with --l2.")
    l2: float | None = option(None, min=0, show_default="1e-6 without --l1", help="Amount of L2 regularisation.")

    def __post_init__(self) -> None:
        check_options(self)

    @property
    def parameters(self) -> Parameters:
        """All parameters, so that the service's defaults have no effect."""
        l2 = (0.0 if self.l1 else 1e-6) if self.l2 is None else self.l2
        return Parameters(max_size=self.max_size, max_passes=self.passes, shuffle=True, l1=self.l1, l2=l2)
