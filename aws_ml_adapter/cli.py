"""The command line of ``amazon-ml``: its subcommands."""

from __future__ import annotations

import os

import typer

from aws_ml_adapter.server.server_options import ServerOptions
from textclf.commands.application import new_app

app = new_app(
    "amazon-ml",
    "Amazon Machine Learning without Amazon: a server with its API, and subcommands that use it. "
    "Needs pip install '.[serve]', run in the checkout.",
    {
        "serve": "aws_ml_adapter.cli:serve",
        **{
            name: f"aws_ml_adapter.client.subcommands:{name}"
            for name in ("train", "evaluate", "predict", "endpoint", "delete")
        },
    },
    "From documents to predictions: textclf prepare documents.csv -o prepared; amazon-ml train prepared -o model.json "
    "--bucket BUCKET; amazon-ml predict model.json new.csv -o predictions.csv. ",
)


def serve(options: ServerOptions) -> None:
    """Run a server with Amazon Machine Learning's API; print its URL when it is ready.

        amazon-ml serve --data-dir ml --port 8080

    Point clients at it with AWS_ENDPOINT_URL_MACHINE_LEARNING or endpoint_url. Runs until Ctrl-C.
    """
    # jobs run in parallel, so the threads of numeric libraries would only compete for the cores
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    from aws_ml_adapter.server.serving import serve

    def ready(url: str, pages: str) -> None:
        if options.credentials is not None:
            typer.echo(f"for a browser: {pages}", err=True)
        # printed last, because programs that wait for this line go on at once
        typer.echo(url)

    serve(options, ready=ready)
