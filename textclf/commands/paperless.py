"""``textclf paperless``: learns from a paperless-ngx archive, and files its new documents."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

from textclf.base.errors import SomeFailedError, UsageError
from textclf.base.overwrite_guard import MODEL, check_output, table_kind
from textclf.base.plurals import counted
from textclf.bridges.paperless_options import FilingOptions, PaperlessOptions, read_secret
from textclf.commands.application import Option, Options
from textclf.commands.arguments import AsJson, ModelFile, OutputFile, Strict, load_to_accept
from textclf.commands.console import print_json, print_lines
from textclf.commands.train import train_model, training_lines
from textclf.data.scans import ScanOptions
from textclf.data.sources import TableOptions
from textclf.model.settings import AcceptanceOptions, TrainingSettings

if TYPE_CHECKING:
    from textclf.bridges.paperless_archive import TextOf
    from textclf.bridges.paperless_client import PaperlessClient
    from textclf.bridges.paperless_filing import Filer

_log = logging.getLogger(__name__)

KEY_VARIABLE = "PAPERLESS_WEBHOOK_KEY"
SENDER = "correspondent"
COLUMNS = ("document_id", "text", "category", SENDER, "ocr_confidence", "page_look")
"""Columns of the table that is learned from."""
_TABLE = table_kind("a table that textclf paperless learn wrote", *COLUMNS)
_SCANS = ("languages", "engine", "jobs", "cache", "no_cache")
Scans = Annotated[ScanOptions, Options(only=_SCANS)]
Read = Annotated[
    bool, Option("--read", help="Read the files, in place of the texts that paperless-ngx has read; takes longer.")
]
Least = Annotated[
    int, Option(min=3, help="Documents of a type from which it is learned; papers of other types are turned away.")
]
NewSenders = Annotated[
    bool,
    Option(
        "--new-senders",
        help="Keep the documents of a correspondent together in cross-validation, so that figures and threshold hold "
        "for senders that the archive does not know; needs several correspondents of each type.",
    ),
]
Limit = Annotated[int | None, Option(min=1, help="Only as many documents, the newest.")]


def learn(
    *,
    output: OutputFile,
    table: Annotated[
        Path | None,
        Option("--table", metavar="FILE", help="Also write the documents that were learned from as a documents CSV."),
    ] = None,
    least: Least = 5,
    limit: Limit = None,
    new_senders: NewSenders = False,
    read: Read = False,
    paperless: PaperlessOptions,
    training: Annotated[dict[str, Any], Options(of=TrainingSettings)],
    scans: Scans,
) -> None:
    """Train a model on the documents of a paperless-ngx archive that are out of the inbox, by their document types.

        textclf paperless learn --url http://localhost:8000 --token-file token -o model.textclf

    Only reads from paperless-ngx. Documents without a type count as unlabelled.
    """
    from textclf.base.tables import write_rows
    from textclf.bridges.paperless_archive import archive_lines, read_archive, sender_of, texts_of

    check_output(output, MODEL)
    if table is not None:
        check_output(table, _TABLE)
    with _client(paperless) as client, TemporaryDirectory(prefix="textclf-") as folder:
        archive = read_archive(client, least=least, limit=limit)
        for line in archive_lines(archive):
            _log.info(line)
        category_of = dict(zip((document.id for document in archive.filed), archive.categories, strict=True))

        def rows() -> Iterator[dict[str, str]]:
            for document, text in texts_of((*archive.filed, *archive.untyped), _text_of(client, scans, read=read)):
                own = {"document_id": text.document_id, "category": category_of.get(document.id, "")}
                own[SENDER] = sender_of(document)
                yield {name: text.values.get(name, "") for name in COLUMNS} | own

        path = table or Path(folder) / "documents.csv"
        write_rows(path, COLUMNS, rows(), formulas_safe=False)
        options = {**training, "n_jobs": scans.jobs or -1}
        model = train_model(path, output, options, TableOptions(group_column=SENDER if new_senders else ""))
    for line in training_lines(model.training, with_background=bool(model.settings.get("background"))):
        _log.info(line)
    _log.info(f"{output}: trained on {sum(model.training.documents.values())} documents")


def post_consume(
    model: ModelFile,
    *,
    seconds: Annotated[float, Option(min=1, max=3_600, help="Seconds after which nothing is asked any more.")] = 30.0,
    read: Read = False,
    paperless: PaperlessOptions,
    filing: FilingOptions,
    accepting: AcceptanceOptions,
    scans: Scans,
) -> None:
    """File the document that paperless-ngx has just consumed: for PAPERLESS_POST_CONSUME_SCRIPT.

        textclf paperless post-consume model.textclf --url http://localhost:8000 --review-tag check

    Reads DOCUMENT_ID from the environment, as paperless-ngx sets it. Always ends with exit code 0, as any other would
    make the consumption fail; messages appear in the log of paperless-ngx.
    """
    from textclf.bridges.paperless_service import file_one

    given = os.environ.get("DOCUMENT_ID", "").strip()
    if not given.isascii() or not given.isdigit() or len(given) > 10:
        raise UsageError(f"is {given[:40]!r}, not the id of a document", where="DOCUMENT_ID")
    source = Path(os.environ.get("DOCUMENT_SOURCE_PATH", ""))
    files = {int(given): source} if source.is_file() else {}
    with _client(paperless, deadline=time.monotonic() + seconds) as client:
        file_one(_filer(client, model, accepting, filing, _text_of(client, scans, read=read, files=files)), int(given))


def webhook(
    model: ModelFile,
    *,
    host: Annotated[str, Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, Option(min=0, max=65_535, help="Port to listen at.")] = 8_765,
    key_file: Annotated[
        Path | None,
        Option(metavar="FILE", help=f"File with the key that the webhook must send; by default {KEY_VARIABLE}."),
    ] = None,
    delay: Annotated[
        float, Option(min=0, max=3_600, help="Seconds to wait for paperless-ngx to finish with a document.")
    ] = 5.0,
    read: Read = False,
    paperless: PaperlessOptions,
    filing: FilingOptions,
    accepting: AcceptanceOptions,
    scans: Scans,
) -> None:
    """Listen for the webhook of a workflow of paperless-ngx, and file each document that it tells of.

        textclf paperless webhook model.textclf --host 0.0.0.0 --key-file key --review-tag check

    The webhook posts doc_id={{doc_id}} or doc_url={{doc_url}} to /paperless, with the key in the header X-Api-Key.
    """
    from textclf.bridges.paperless_service import Worker, webhook_app

    key = read_secret(key_file, KEY_VARIABLE, "--key-file", what="key of the webhook")
    import fastapi  # noqa: F401 - the extra that is missing is named after it
    import uvicorn

    from textclf.base.http_limits import BoundedProtocol

    with _client(paperless) as client:
        filer = _filer(client, model, accepting, filing, _text_of(client, scans, read=read))
        # a wrong name or token is told now, not with the first document
        filer.targets()
        app = webhook_app(Worker(filer, delay=delay), key)
        _log.info(f"listening for webhooks at http://{host}:{port}/paperless")
        uvicorn.run(
            app,
            host=host,
            port=port,
            http=BoundedProtocol,
            ws="none",
            server_header=False,
            log_level="warning",
            limit_concurrency=100,
            timeout_graceful_shutdown=10,
        )


def poll(
    model: ModelFile,
    *,
    tag: Annotated[
        str, Option("--tag", metavar="NAME", help="Tag of the documents to judge; it is taken away when that is done.")
    ],
    every: Annotated[float, Option(min=1, max=86_400, help="Seconds between two looks.")] = 60.0,
    once: Annotated[bool, Option("--once", help="Look once, and end.")] = False,
    strict: Strict = False,
    read: Read = False,
    paperless: PaperlessOptions,
    filing: FilingOptions,
    accepting: AcceptanceOptions,
    scans: Scans,
) -> None:
    """File the documents of paperless-ngx that have a tag, again and again, and take the tag away.

        textclf paperless poll model.textclf --tag new --review-tag check --once

    A document that could not be filed keeps the tag, and is tried again the next time.
    """
    from textclf.bridges.paperless_service import poll as poll_for_ever
    from textclf.bridges.paperless_service import poll_once

    if tag in (filing.review_tag, filing.accepted_tag):
        raise UsageError("is also a tag that documents get", where="--tag", remedy="name another tag")
    with _client(paperless) as client:
        filer = _filer(client, model, accepting, filing, _text_of(client, scans, read=read), done_tag=tag)
        filer.targets()
        if not once:
            poll_for_ever(filer, every=every)
        total, failed = poll_once(filer)
        documents = counted(total, "document")
        _log.info(f"{documents} had the tag {tag!r}, {failed} could not be judged")
        if strict and failed:
            raise SomeFailedError(f"{failed} of {documents} could not be judged", remedy="look at the messages")


def try_archive(
    *,
    report: Annotated[Path | None, Option("--report", metavar="FILE", help="Also write the figures as a page.")] = None,
    as_json: AsJson = False,
    sample: Annotated[
        int, Option(min=0, help="Documents for which paperless-ngx is asked what it would suggest itself; 0 for none.")
    ] = 200,
    least: Least = 5,
    limit: Limit = None,
    new_senders: NewSenders = False,
    read: Read = False,
    paperless: PaperlessOptions,
    training: Annotated[dict[str, Any], Options(of=TrainingSettings, without=("diagnostics",))],
    scans: Scans,
) -> None:
    """Say how well textclf would file a paperless-ngx archive, and what paperless-ngx suggests itself; changes nothing.

        textclf paperless try --url http://localhost:8000 --token-file token --report trial.html

    Each filed document is judged by a model that was trained on others, so the figures hold for documents like them.
    """
    from textclf.bridges.paperless_archive import archive_lines, read_archive
    from textclf.bridges.paperless_report import check_report, trial_lines, write_report
    from textclf.bridges.paperless_trial import run_trial
    from textclf.model.accept import MAX_ERRORS
    from textclf.model.classifier import DocumentClassifier

    if report is not None:
        check_report(report)
    settings = TrainingSettings(**training)
    options = {**training, "n_jobs": scans.jobs or -1}
    DocumentClassifier(**options).check_options()
    with _client(paperless) as client:
        archive = read_archive(client, least=least, limit=limit)
        trial = run_trial(
            client,
            archive,
            _text_of(client, scans, read=read),
            lambda: DocumentClassifier(**options),
            sample=sample,
            max_errors=sorted({*MAX_ERRORS, settings.max_error}),
            max_error=settings.max_error,
            new_senders=new_senders,
            describe=list(archive_lines(archive)),
        )
    if report is not None:
        write_report(report, trial, created=datetime.now(UTC).astimezone().strftime("%Y-%m-%d %H:%M"))
        _log.info(f"{report}")
    if as_json:
        print_json(asdict(trial))
    else:
        print_lines(*trial_lines(trial))


@contextmanager
def _client(options: PaperlessOptions, *, deadline: float | None = None) -> Iterator[PaperlessClient]:
    from textclf.bridges.paperless_client import PaperlessClient
    from textclf.bridges.paperless_http import PaperlessHttp

    with PaperlessHttp(options, deadline=deadline) as http:
        yield PaperlessClient(http)


def _text_of(
    client: PaperlessClient, scans: ScanOptions, *, read: bool, files: dict[int, Path] | None = None
) -> TextOf:
    from textclf.bridges.paperless_archive import content_of, reader

    return reader(client, scans, files) if read else content_of


def _filer(
    client: PaperlessClient,
    model: Path,
    accepting: AcceptanceOptions,
    filing: FilingOptions,
    text_of: TextOf,
    *,
    done_tag: str = "",
) -> Filer:
    from textclf.bridges.paperless_archive import predictor
    from textclf.bridges.paperless_filing import Filer

    predict: Callable[..., Any] = predictor(load_to_accept(model, accepting), text_of)
    return Filer(client=client, predict=predict, options=filing, done_tag=done_tag)
