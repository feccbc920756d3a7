"""The templates of the background can all be filled, and mistakes in them are told."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import ModuleType

import pytest


@pytest.fixture
def module(root: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    path = root / "data" / "generator" / "background" / "templates.py"
    spec = importlib.util.spec_from_file_location("background_templates", path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    # dataclasses look their module up
    monkeypatch.setitem(sys.modules, "background_templates", loaded)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "slots.toml").write_text('[en]\nname = ["Ada", "{letters:1}. Byron"]\n', encoding="utf-8")
    (tmp_path / "kinds").mkdir()
    return tmp_path


def drawn(module: ModuleType, folder: Path, toml: str) -> Iterator[str]:
    (folder / "kinds" / "note.toml").write_text(toml, encoding="utf-8")
    [template] = module.templates(folder)
    return (template.text(Random(seed)) for seed in range(40))


def test_all_kinds_can_be_filled_and_two_texts_of_one_differ(module: ModuleType) -> None:
    for template in module.templates():
        texts = {template.text(Random(seed)) for seed in range(5)}
        assert len(texts) == 5, (template.kind, template.language)
        assert all(len(text.split("\n")) >= 5 for text in texts), (template.kind, template.language)


def test_marks_of_lines(module: ModuleType, folder: Path) -> None:
    texts = set(drawn(module, folder, '[en]\ntext = """\nDear {name},\n? hello\n1-3* ha\n"""\n'))
    bodies = {text.split("\n", 1)[1] for text in texts}
    assert bodies == {f"{hello}{laugh}" for hello in ("", "hello\n") for laugh in ("ha", "ha\nha", "ha\nha\nha")}
    assert any(text.startswith("Dear Ada,") for text in texts)
    assert any(text.endswith("ha") and ". Byron" in text for text in texts)


def test_items_of_a_list_do_not_come_twice_before_all_came(module: ModuleType, folder: Path) -> None:
    toml = '[en]\ntext = "3-3* {fruit}"\n[en.lists]\nfruit = ["fig", "pear", "plum"]\n'
    assert {"".join(sorted(text.split())) for text in drawn(module, folder, toml)} == {"figpearplum"}


def test_copies_of_a_repeated_line_are_counted(module: ModuleType, folder: Path) -> None:
    texts = set(drawn(module, folder, '[en]\ntext = """\n2-3* {n}. {name}\n2-2* {n:9}) b\n"""\n'))
    numbers = {tuple(line[:-1] for line in re.findall(r"^\d+[.)]", text, re.MULTILINE)) for text in texts}
    assert numbers == {("1", "2", "9", "10"), ("1", "2", "3", "9", "10")}


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ('[en]\ntext = "{nmae}"\n', "note [en]: unknown slot {nmae}"),
        ('[en]\ntext = "{number:}"\n', "note [en]: unknown slot {number:}"),
        ('[en]\ntext = "a"\ntexts = ["b"]\n', "note [en]: a table of a language has text or texts"),
        ('[en]\ntext = ""\n', "note [en]: no text"),
        ('[en]\ntext = "{a}"\nlists = {a = []}\n', "note [en]: the list a is empty"),
        ('[en]\ntext = "a"\nlists = {b = ["c"]}\n', "note [en]: nothing draws from b"),
        ('[en]\ntext = "a"\nlist = {b = ["c"]}\n', "note [en]: a table of a language has"),
        ('[xx]\ntext = "a"\n', "note [xx]: a table of a language has"),
    ],
)
def test_mistakes_in_a_template(module: ModuleType, folder: Path, toml: str, told: str) -> None:
    with pytest.raises(ValueError) as error:
        list(drawn(module, folder, toml))
    assert str(error.value).startswith(told)
