"""``textclf model info``: describes a model."""

from __future__ import annotations

from dataclasses import asdict

from textclf.commands.arguments import AsJson, ModelFile
from textclf.commands.console import print_json, print_lines
from textclf.commands.train import training_lines
from textclf.model.category_names import NONE_OF_THESE


def info(model: ModelFile, as_json: AsJson = False) -> None:
    """Describe a model: settings, features, documents and figures of its training.

        textclf model info model.textclf
        textclf model info model.textclf --json

    Prints settings, versions, the number of training documents of each category, and of none of these, and the
    threshold.
    """
    from textclf.model.file import model_info

    found = model_info(model)
    if as_json:
        print_json(asdict(found))
        return
    versions = ", ".join(f"{name} {number}" for name, number in found.versions.items())
    print_lines(f"{model}: format {found.format}, {found.bytes / 1e6:.1f} MB", f"trained with  {versions}")
    print_lines(*(f"  {name:<20} {value}" for name, value in found.settings.items()))
    print_lines("knows", *(f"  {name:<20} {count:,}" for name, count in found.features.items()))
    documents = [*found.training.documents.items()]
    if given := found.training.out_of_distribution:
        documents.append((NONE_OF_THESE, given))
    print_lines("documents", *(f"  {name:<20} {count:,}" for name, count in documents))
    print_lines(*training_lines(found.training, with_background=bool(found.settings.get("background"))))
