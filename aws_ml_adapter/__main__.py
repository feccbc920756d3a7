"""The console command ``amazon-ml``: runs `aws_ml_adapter.cli` as ``textclf`` runs its own commands."""

from __future__ import annotations

from textclf.__main__ import Program, start

__all__ = ["main"]

_AMAZON_ML = Program("amazon-ml", "aws_ml_adapter.cli", "nothing is half written, and what was begun is written down")


def main() -> None:
    """Run the command line and exit; see `textclf.errors.ExitCode`."""
    start(_AMAZON_ML)


if __name__ == "__main__":
    main()
