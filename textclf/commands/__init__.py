"""The command line: each command turns options into one function call and prints the result."""

from __future__ import annotations

from textclf.commands.application import Group, new_app

__all__ = ["app"]

app = new_app(
    "textclf",
    "Read scanned documents, say what kind each is and how sure that is. Nothing leaves this machine.",
    {
        "ocr": "textclf.commands.ocr:ocr",
        "clean": "textclf.commands.clean:clean",
        "engines": "textclf.commands.engines:engines",
        "check": "textclf.commands.check:check",
        "select": "textclf.commands.select:select",
        "prepare": "textclf.commands.prepare:prepare",
        "tune": "textclf.commands.tune:tune",
        "train": "textclf.commands.train:train",
        "evaluate": "textclf.commands.evaluate:evaluate",
        "compare": "textclf.commands.compare:compare",
        "predict": "textclf.commands.predict:predict",
        "classify": "textclf.commands.classify:classify",
        "split": "textclf.commands.split:split",
        "file": "textclf.commands.file:file",
        "watch": "textclf.commands.watch:watch",
        "signatures": "textclf.commands.signatures:signatures",
        "serve": "textclf.commands.serve:serve",
        "worker": "textclf.commands.worker:worker",
        "keywords": Group(
            help="Find keywords, and see what they do.",
            commands={
                "suggest": "textclf.commands.keywords:suggest",
                "check": "textclf.commands.keywords:check_keywords",
            },
        ),
        "model": Group(help="Look into model files.", commands={"info": "textclf.commands.model_info:info"}),
        "labelling": Group(
            help="Label in Label Studio or doccano, and train on what comes back.",
            commands={
                "export": "textclf.commands.labelling:export",
                "import": "textclf.commands.labelling:import_labels",
            },
        ),
        "paperless": Group(
            help="Learn from a paperless-ngx archive, and file its new documents.",
            commands={
                "try": "textclf.commands.paperless:try_archive",
                "learn": "textclf.commands.paperless:learn",
                "post-consume": "textclf.commands.paperless:post_consume",
                "webhook": "textclf.commands.paperless:webhook",
                "poll": "textclf.commands.paperless:poll",
            },
        ),
        "words": Group(
            help="Ask word vectors: which words are alike, and king - man + woman.",
            commands={
                "similar": "textclf.commands.words:similar",
                "analogy": "textclf.commands.words:analogy",
            },
        ),
    },
    "From scans to a model: textclf ocr SCANS -o documents.csv --labels-from-folders; "
    "textclf train documents.csv -o model.textclf; textclf classify model.textclf new.pdf. ",
)
