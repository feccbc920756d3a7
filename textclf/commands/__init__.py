"""The command line: options in, one plain function called, results shown."""

from __future__ import annotations

import typer

from textclf.commands.application import add_command, new_app
from textclf.commands.checking import check, compare
from textclf.commands.keywords import check_keywords, suggest
from textclf.commands.looking import analogy, info, similar
from textclf.commands.predicting import classify, predict
from textclf.commands.reading import clean, engines, ocr
from textclf.commands.training import evaluate, prepare, train
from textclf.commands.tuning import tune

__all__ = ["app"]

app = new_app(
    "textclf",
    "Read scanned documents, say what kind each is and how sure that is. Nothing leaves this machine.",
    "From scans to a model: textclf ocr SCANS -o documents.csv --labels-from-folders; "
    "textclf train documents.csv -o model.textclf; textclf classify model.textclf new.pdf. ",
)
model_app = typer.Typer(help="Look into model files.", no_args_is_help=True)
words_app = typer.Typer(help="Ask word vectors: which words are alike, and king - man + woman.", no_args_is_help=True)
keywords_app = typer.Typer(help="Find keywords, and see what they do.", no_args_is_help=True)
app.add_typer(keywords_app, name="keywords")
app.add_typer(model_app, name="model")
app.add_typer(words_app, name="words")
for command in (ocr, clean, engines, check, prepare, tune, train, evaluate, compare, predict, classify):
    add_command(app, command)
add_command(keywords_app, suggest)
add_command(keywords_app, check_keywords, "check")
add_command(model_app, info)
add_command(words_app, similar)
add_command(words_app, analogy)
