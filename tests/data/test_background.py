"""The templates of the background can all be filled, and mistakes in them are told."""

from __future__ import annotations

import importlib.util
import json
import lzma
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def module(root: Path) -> Iterator[ModuleType]:
    path = root / "data" / "generator" / "background" / "templates.py"
    spec = importlib.util.spec_from_file_location("background_templates", path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        # dataclasses look their module up
        patch.setitem(sys.modules, "background_templates", loaded)
        spec.loader.exec_module(loaded)
        yield loaded


@pytest.fixture(scope="module")
def known(module: ModuleType) -> list[Any]:
    return list(module.templates())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "slots.toml").write_text('[en]\nname = ["Ada", "{letters:1}. Byron"]\n', encoding="utf-8")
    (tmp_path / "kinds").mkdir()
    return tmp_path


def drawn(module: ModuleType, folder: Path, toml: str) -> Iterator[str]:
    (folder / "kinds" / "note.toml").write_text(toml, encoding="utf-8")
    [template] = module.templates(folder)
    return (template.text(Random(seed)) for seed in range(40))


def test_all_kinds_can_be_filled_and_two_texts_of_one_differ(known: list[Any]) -> None:
    for template in known:
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


def test_every_kind_is_in_english_and_italian_and_some_in_other_languages(known: list[Any]) -> None:
    kinds: dict[str, set[str]] = {}
    for template in known:
        kinds.setdefault(template.kind, set()).add(template.language)
    assert len(kinds) >= 60
    assert all({"en", "it"} <= languages for languages in kinds.values())
    for language in ("fr", "de", "es"):
        assert sum(language in languages for languages in kinds.values()) >= 15, language


def test_a_text_is_as_long_as_a_paper_of_its_kind(known: list[Any]) -> None:
    for template in known:
        for page in range(len(template.pages)):
            text = replace(template, pages=template.pages[page : page + 1]).text(Random(page))
            assert 60 <= len(text) <= 4000, (template.kind, template.language, page)
            assert not re.search(r"[{}]\w|\w[{}]", text.replace("){", "")), (template.kind, template.language, page)


WORDS = st.text(st.characters(categories=["L", "N", "P", "Zs"], exclude_characters="{}"), min_size=1)


@given(lines=st.lists(WORDS.map(lambda words: f"a{words}"), min_size=1))
def test_a_page_without_marks_and_slots_is_drawn_as_it_is(module: ModuleType, lines: list[str]) -> None:
    template = module.Template(kind="note", language="en", pages=("\n".join(lines),), lists={})
    template.check()
    assert template.text(Random(0)).split("\n") == lines


@given(low=st.integers(0, 9), more=st.integers(0, 9), first=st.integers(0, 99), seed=st.integers(0, 9))
def test_repeated_lines(module: ModuleType, low: int, more: int, first: int, seed: int) -> None:
    page = f"top\n{low}-{low + more}* {{n:{first}}} {{item}}\nend"
    template = module.Template(kind="note", language="en", pages=(page,), lists={"item": ["a", "b{int:3-7}"]})
    template.check()
    top, *lines, end = template.text(Random(seed)).split("\n")
    assert (top, end) == ("top", "end")
    assert low <= len(lines) <= low + more
    assert [int(line.split()[0]) for line in lines] == list(range(first, first + len(lines)))
    assert {line.split()[1] for line in lines} <= {"a", "b3", "b4", "b5", "b6", "b7"}


@given(size=st.integers(1, 20), low=st.integers(0, 10**6), more=st.integers(0, 10**6), seed=st.integers(0, 9))
def test_slots_that_are_patterns(module: ModuleType, size: int, low: int, more: int, seed: int) -> None:
    page = f"{{number:{size}}} {{letters:{size}}} {{int:{low}-{low + more}}}"
    digits, letters, number = (
        module.Template(kind="n", language="en", pages=(page,), lists={}).text(Random(seed)).split()
    )
    assert re.fullmatch(rf"[0-9]{{{size}}}", digits)
    assert re.fullmatch(rf"[A-Z]{{{size}}}", letters)
    assert low <= int(number) <= low + more


PIECES = st.sampled_from(
    ["{", "}", "{a}", "{b}", "{n}", "{n:2}", "{int:", "3-1}", "1-3}", "2-4* ", "4-2* ", "? ", "\n", "x"]
)


@settings(max_examples=200)
@given(
    page=st.lists(PIECES, max_size=12).map("".join),
    lists=st.dictionaries(st.sampled_from("ab"), st.lists(st.lists(PIECES, max_size=3).map("".join), max_size=3)),
)
def test_whatever_passes_the_check_can_be_drawn(module: ModuleType, page: str, lists: dict[str, list[str]]) -> None:
    template = module.Template(kind="note", language="en", pages=(page,), lists=lists)
    if passes(template):
        assert template.text(Random(1)) == template.text(Random(1))


def passes(template: Any) -> bool:
    try:
        template.check()
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ('[en]\ntext = "{nmae}"\n', "note [en]: unknown slot {nmae}"),
        ('[en]\ntext = "{number:}"\n', "note [en]: unknown slot {number:}"),
        ('[en]\ntext = "{int:9-2}"\n', "note [en]: unknown slot {int:9-2}"),
        ('[en]\ntext = "a\\n4-2* b"\n', "note [en]: a line cannot appear 4 to 2 times"),
        ('[en]\ntext = "{a}"\nlists = {a = ["{b}"], b = ["{a}"]}\n', "note [en]: endless, "),
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


def test_the_packed_texts_are_those_that_the_generator_makes(root: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "data.generator.background", "-o", str(tmp_path / "made.xz")]
    subprocess.run(command, cwd=root, check=True, timeout=300)
    packed, made = (
        json.loads(lzma.decompress(path.read_bytes()))
        for path in (root / "textclf" / "model" / "background.json.xz", tmp_path / "made.xz")
    )
    assert packed == made, "a template was changed: run python -m data.generator.background"
