"""The command line of ``amazon-ml``: options in, one plain function called."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from aws_ml_adapter.client.commands import delete, endpoint, evaluate, predict, train
from textclf.commands.application import Option, add_command, new_app

app = new_app(
    "amazon-ml",
    "Amazon Machine Learning without Amazon: a server that answers its API, and the verbs that use it. "
    "Needs pip install 'textclf[serve]'.",
    "From documents to predictions: textclf prepare documents.csv -o prepared; amazon-ml train prepared -o model.json "
    "--bucket BUCKET; amazon-ml predict model.json new.csv -o predictions.csv. ",
)


def serve(
    data_dir: Annotated[Path, Option(help="Keeps all state and models; made if it is missing.")],
    host: Annotated[
        str, Option(help="Address to listen on; other than this machine's own only with --credentials.")
    ] = "127.0.0.1",
    port: Annotated[int, Option(help="0 takes a free one.", min=0, max=65_535)] = 0,
    s3_root: Annotated[
        Path | None,
        Option(help="Where s3://BUCKET/KEY is: ROOT/BUCKET/KEY.", show_default="DATA_DIR/s3"),
    ] = None,
    s3_endpoint: Annotated[
        str | None, Option(help="URL of S3, or of a server like it, to use instead of a folder.")
    ] = None,
    credentials: Annotated[
        Path | None, Option(help="AWS credentials file: requests must be signed with one of its keys.")
    ] = None,
    jobs: Annotated[
        int | None,
        Option(help="Trainings that run at once, and as many other jobs.", min=1, max=25, show_default="one a core"),
    ] = None,
    rate: Annotated[float, Option(help="Predictions a second that each real-time endpoint answers.", min=1)] = 200.0,
    public_url: Annotated[
        str | None, Option(help="http://HOST:PORT under which clients reach the server, if it is another.")
    ] = None,
    best_answer: Annotated[
        bool, Option("--best-answer", help="Give multiclass batch predictions a column bestAnswer.")
    ] = False,
    allow_origin: Annotated[
        list[str] | None,
        Option(metavar="ORIGIN", help="http://HOST:PORT whose pages may call from a browser, or *; repeatable."),
    ] = None,
) -> None:
    """Run a server that answers Amazon Machine Learning's API; print its URL when it is ready.

        amazon-ml serve --data-dir ml --port 8080

    Point clients at it with AWS_ENDPOINT_URL_MACHINE_LEARNING or endpoint_url. Runs until Ctrl-C.
    """
    # many small jobs at once: threads of the numeric libraries would only take the cores from each other
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    from aws_ml_adapter.server.serving import ServerOptions, serve

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
        allow_origins=tuple(allow_origin or ()),
    )

    def ready(url: str, pages: str) -> None:
        if credentials is not None:
            typer.echo(f"for a browser: {pages}", err=True)
        # the last thing said: whoever waits for it goes on at once
        typer.echo(url)

    serve(options, ready=ready)


for command in (serve, train, evaluate, predict, endpoint, delete):
    add_command(app, command)
