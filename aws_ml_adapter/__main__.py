"""The console command ``amazon-ml``: runs `aws_ml_adapter.cli` as ``textclf`` runs its own commands."""

from __future__ import annotations

from textclf.__main__ import start
from textclf.base.program import Program

AMAZON_ML = Program(
    "amazon-ml",
    "aws_ml_adapter.cli",
    "no file is incomplete, and everything created is recorded",
    packages=("uvicorn", "boto3"),
)


def main() -> None:
    """Run the command line and exit; see `textclf.base.errors.ExitCode`."""
    start(AMAZON_ML)


if __name__ == "__main__":
    main()
