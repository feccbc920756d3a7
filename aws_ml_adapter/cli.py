"""The command line of ``amazon-ml``: options in, one plain function called."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from aws_ml_adapter.commands import cost, delete, endpoint, evaluate, predict, train

__all__ = ["app"]

app = typer.Typer(
    help="Amazon Machine Learning without Amazon.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={
        "auto_envvar_prefix": "AMAZON_ML",
        "help_option_names": ["-h", "--help"],
        "max_content_width": 110,
    },
)


@app.callback()
def _amazon_ml() -> None:
    """Amazon Machine Learning without Amazon."""


@app.command()
def serve(
    data_dir: Annotated[Path, typer.Option(help="Keeps all state and models; made if it is missing.")],
    host: Annotated[
        str, typer.Option(help="Address to listen on; other than this machine's own only with --credentials.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65_535)] = 0,
    s3_root: Annotated[
        Path | None,
        typer.Option(help="Where s3://BUCKET/KEY is: ROOT/BUCKET/KEY.", show_default="DATA_DIR/s3"),
    ] = None,
    s3_endpoint: Annotated[
        str | None, typer.Option(help="URL of S3, or of a server like it, to use instead of a folder.")
    ] = None,
    credentials: Annotated[
        Path | None, typer.Option(help="AWS credentials file: requests must be signed with one of its keys.")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            help="Trainings that run at once, and as many other jobs.", min=1, max=25, show_default="one a core"
        ),
    ] = None,
    rate: Annotated[
        float, typer.Option(help="Predictions a second that each real-time endpoint answers.", min=1)
    ] = 200.0,
    public_url: Annotated[
        str | None, typer.Option(help="http://HOST:PORT under which clients reach the server, if it is another.")
    ] = None,
    best_answer: Annotated[
        bool, typer.Option("--best-answer", help="Give multiclass batch predictions a column bestAnswer.")
    ] = False,
    database: Annotated[
        list[str] | None,
        typer.Option(
            metavar="IDENTIFIER/NAME=URL",
            help="SQLAlchemy URL of what stands for a Redshift or RDS database; repeatable.",
        ),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(metavar="ORIGIN", help="http://HOST:PORT whose pages may call from a browser, or *; repeatable."),
    ] = None,
) -> None:
    """Run a server that answers Amazon Machine Learning's API; print its URL when it is ready.

    Point clients at it with AWS_ENDPOINT_URL_MACHINE_LEARNING or endpoint_url.
    """
    # many small jobs at once: threads of the numeric libraries would only take the cores from each other
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    from aws_ml_adapter.service.serving import ServerOptions, serve

    options = ServerOptions(
        data_dir=data_dir,
        host=host,
        port=port,
        s3_root=s3_root,
        s3_endpoint=s3_endpoint,
        credentials=credentials,
        jobs=jobs,
        rate=rate,
        public_url=public_url,
        best_answer=best_answer,
        databases=tuple(database or ()),
        allow_origins=tuple(allow_origin or ()),
    )

    def ready(url: str, pages: str) -> None:
        if credentials is not None:
            typer.echo(f"for a browser: {pages}", err=True)
        # the last thing said: whoever waits for it goes on at once
        typer.echo(url)

    serve(options, ready=ready)


for command in (train, evaluate, predict, endpoint, delete, cost):
    app.command()(command)
