"""The command line: each command turns options into one function call and prints the result."""

from __future__ import annotations

import typer

from textclf.commands import (
    check,
    classify,
    clean,
    compare,
    engines,
    evaluate,
    file,
    keywords,
    labelling,
    model_info,
    ocr,
    paperless,
    predict,
    prepare,
    select,
    serve,
    signatures,
    split,
    train,
    tune,
    watch,
    words,
    worker,
)
from textclf.commands.application import add_command, new_app

__all__ = ["app"]

app = new_app(
    "textclf",
    "Read scanned documents, say what kind each is and how sure that is. Nothing leaves this machine.",
    "From scans to a model: textclf ocr SCANS -o documents.csv --labels-from-folders; "
    "textclf train documents.csv -o model.textclf; textclf classify model.textclf new.pdf. ",
)
model_app = typer.Typer(help="Look into model files.", no_args_is_help=True)
words_app = typer.Typer(help="Ask word vectors: which words are alike, and king - man + woman.", no_args_is_help=True)
labelling_app = typer.Typer(
    help="Label in Label Studio or doccano, and train on what comes back.", no_args_is_help=True
)
paperless_app = typer.Typer(
    help="Learn from a paperless-ngx archive, and file its new documents.", no_args_is_help=True
)
keywords_app = typer.Typer(help="Find keywords, and see what they do.", no_args_is_help=True)
app.add_typer(keywords_app, name="keywords")
app.add_typer(model_app, name="model")
app.add_typer(labelling_app, name="labelling")
app.add_typer(paperless_app, name="paperless")
app.add_typer(words_app, name="words")
for command in (
    ocr.ocr,
    clean.clean,
    engines.engines,
    check.check,
    select.select,
    prepare.prepare,
    tune.tune,
    train.train,
    evaluate.evaluate,
    compare.compare,
    predict.predict,
    classify.classify,
    split.split,
    file.file,
    watch.watch,
    signatures.signatures,
    serve.serve,
    worker.worker,
):
    add_command(app, command)
add_command(keywords_app, keywords.suggest)
add_command(keywords_app, keywords.check_keywords, "check")
add_command(model_app, model_info.info)
add_command(words_app, words.similar)
add_command(words_app, words.analogy)
add_command(labelling_app, labelling.export)
add_command(labelling_app, labelling.import_labels, "import")
add_command(paperless_app, paperless.try_archive, "try")
add_command(paperless_app, paperless.learn)
add_command(paperless_app, paperless.post_consume)
add_command(paperless_app, paperless.webhook)
add_command(paperless_app, paperless.poll)
