"""Lexicons: the keywords of each category, and the name of a category's indicator column."""

from __future__ import annotations

import json
import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from features.tokens import tokenize
from textclf.base.errors import BadDataError, BadInputError, BadModelError
from textclf.base.files import input_error, write_aside
from textclf.base.hashing import hash_text

COLUMN_SUFFIX = "_common_words"
MAX_COLUMN_LENGTH = 64
DIGEST_LENGTH = 12
"""Hexadecimal digits that distinguish columns of the same name."""
MAX_BYTES = 1_000_000
MAX_CATEGORIES = 1_000
MAX_KEYWORDS = 20_000
MAX_KEYWORD_LENGTH = 100
MAX_KEYWORD_WORDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class LexiconCategory:
    """The keywords that speak for one category.

    Parameters
    ----------
    name : str
        The category, as the data calls it.
    keywords : tuple of str
        Words and phrases; case, accents and punctuation do not matter.
    names : tuple of str
        Further names under which data may call the category, such as a plural or another language.
    learned : bool
        Whether the keywords were chosen by the documents that a model is trained on, rather than by a person.
    """

    name: str
    keywords: tuple[str, ...]
    names: tuple[str, ...] = ()
    learned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Lexicon:
    """Keywords by category.

    Parameters
    ----------
    categories : tuple of LexiconCategory
        In the order of the indicator columns.

    Raises
    ------
    textclf.base.errors.BadDataError
        If two categories have the same name, one has none or is ``none of these``, a keyword holds no letter or digit,
        or a limit is passed.

    Examples
    --------
    >>> tax = LexiconCategory(name="Tax return", keywords=("Mod. 730",))
    >>> Lexicon(categories=(tax,)).columns
    ('tax_return_common_words',)
    """

    categories: tuple[LexiconCategory, ...]

    def __post_init__(self) -> None:
        for count, most, what in (
            (len(self.categories), MAX_CATEGORIES, "categories"),
            (self._count(), MAX_KEYWORDS, "keywords"),
        ):
            if count > most:
                raise BadDataError(f"{count} {what} in the lexicon", remedy=f"at most {most} are allowed")
        for category in self.categories:
            # the label of documents of no category
            if plain_name(category.name) == "none_of_these":
                remedy = "take it out of the lexicon, and give documents of other kinds with this label or --other"
                raise BadDataError(f"{category.name!r} cannot be a category", remedy=remedy)
            for keyword in category.keywords:
                if fault := _fault(keyword):
                    raise BadDataError(
                        f"keyword {keyword[:40]!r} of {category.name!r} {fault}",
                        remedy=f"give 1 to {MAX_KEYWORD_WORDS} words and at most {MAX_KEYWORD_LENGTH} characters",
                    )
        # raises for names without distinct columns
        column_names([category.name for category in self.categories])

    @property
    def columns(self) -> tuple[str, ...]:
        """The indicator column of each category, in order."""
        return column_names([category.name for category in self.categories])

    def _count(self) -> int:
        return sum(len(category.keywords) for category in self.categories)

    def __repr__(self) -> str:
        return f"<Lexicon: {self._count()} keywords of {len(self.categories)} categories>"

    def to_dict(self) -> dict[str, object]:
        """Give plain values for a model file, which `from_dict` reads."""
        return {"categories": [asdict(category) for category in self.categories]}

    @classmethod
    def from_dict(cls, data: object) -> Lexicon:
        """Rebuild a lexicon from untrusted JSON; raises `BadModelError` for anything that `to_dict` did not give."""
        try:
            match data:
                case {"categories": [*entries]}:
                    return cls(
                        categories=tuple(
                            LexiconCategory(
                                name=_strings([entry["name"]])[0],
                                keywords=_strings(entry["keywords"]),
                                names=_strings(entry["names"]),
                                learned=bool(entry.get("learned")),
                            )
                            for entry in entries
                        )
                    )
        except (AttributeError, KeyError, TypeError, BadDataError) as error:
            raise BadModelError(f"not a lexicon: {error}", remedy="train the model again") from error
        raise BadModelError("not a lexicon", remedy="train the model again")


def _strings(values: object) -> tuple[str, ...]:
    if not isinstance(values, list | tuple) or not all(isinstance(value, str) for value in values):
        raise TypeError(f"{values!r:.40} is not a list of strings")
    return tuple(values)


def _fault(keyword: str) -> str:
    """Name the fault of a keyword, if it has one."""
    words = len(tokenize(keyword[: MAX_KEYWORD_LENGTH + 1]))
    if not words:
        return "has no letter and no digit"
    return "is too long" if words > MAX_KEYWORD_WORDS or len(keyword) > MAX_KEYWORD_LENGTH else ""


def plain_name(category: str) -> str:
    """Write the name of a category in ``a-z``, ``0-9`` and ``_``; empty only if the name is.

    Accents are removed, letters become lower-case ASCII, and what separates words becomes ``_``. A letter without an
    ASCII form is written as its code point, so that categories in any script have distinct names; so are all characters
    of a name without letters and digits.
    """
    decomposed = unicodedata.normalize("NFKD", category.casefold())
    spelled = "".join(
        char if char.isascii() else _code_point(char) if char.isalnum() else " "
        for char in decomposed
        if not unicodedata.combining(char)
    )
    return "_".join(re.findall(r"[a-z0-9]+", spelled.lower())) or "".join(map(_code_point, category))


def column_names(categories: Sequence[str]) -> tuple[str, ...]:
    """Name the indicator column of each category: ``<plain name>_common_words``, each distinct.

    A name has at most 64 characters of ``a-z``, ``0-9`` and ``_``, which Amazon ML accepts; longer ones are cut.
    Categories that would share a column get twelve hexadecimal digits of the SHA-256 of their own name, in UTF-8,
    before the suffix. The order of the categories does not matter. Raises `BadDataError` for an empty name, or two
    equal ones.
    """
    if "" in categories:
        raise BadDataError("a category has an empty name", remedy="give it one")
    twice = [category for category, count in Counter(categories).items() if count > 1]
    if twice:
        raise BadDataError(f"category {twice[0]!r} occurs twice", remedy="rename one of them")
    columns = [_column(category, "") for category in categories]
    # twice, because a name with digits may be the plain name of another category
    for _ in range(2):
        times = Counter(columns)
        columns = [
            _column(category, _digest(category)) if times[column] > 1 else column
            for category, column in zip(categories, columns, strict=True)
        ]
    if len(set(columns)) < len(columns):
        raise BadDataError("the names of the categories give no distinct columns", remedy="rename some")
    return tuple(columns)


def _column(category: str, digest: str) -> str:
    length = MAX_COLUMN_LENGTH - len(digest) - len(COLUMN_SUFFIX)
    return plain_name(category)[:length].rstrip("_") + digest + COLUMN_SUFFIX


def _digest(category: str) -> str:
    return "_" + hash_text(category)[:DIGEST_LENGTH]


def _code_point(char: str) -> str:
    return f"u{ord(char):04x}"


@cache
def shipped_lexicon() -> Lexicon:
    """Give the lexicon that ships with the package: Italian and English, categories in alphabetical order."""
    folder = resources.files("features.lexicons")
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda entry: entry.name)
    parts = [_parse(file.read_text(encoding="utf-8"), file.name) for file in files]
    return Lexicon(categories=tuple(category for part in parts for category in part.categories))


def read_lexicon(path: str | Path) -> Lexicon:
    """Read a lexicon from a TOML file.

    A category is a table that holds lists of keywords, one for each language, and may hold a list ``names`` with other
    names of the category. Or it is just a list of keywords. A keyword is a word or a phrase of up to 10 words::

        [tax_return]
        names = ["tax returns", "dichiarazione dei redditi"]
        it = ["Mod. 730", "quadro C"]
        en = ["income tax return"]

        ["Other papers"]
        en = ["dear sir", "yours faithfully"]

    A file has at most 1 MB, 1,000 categories and 20,000 keywords. Raises `BadInputError` if it cannot be read or is too
    large, `BadDataError` if it is no lexicon; the message names the line or the key.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise input_error(error, path, "check the path") from error
    if len(data) > MAX_BYTES:
        raise BadInputError("lexicon too large", where=path, remedy=f"keep it to {MAX_BYTES} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadDataError(f"byte {error.start} is not UTF-8", where=path, remedy="save the file as UTF-8") from error
    return _parse(text, str(path))


def write_lexicon(path: str | Path, lexicon: Lexicon) -> None:
    """Write a lexicon as a TOML file that `read_lexicon` reads."""
    lines = []
    for category in lexicon.categories:
        # JSON's strings are basic strings of TOML
        lines.append(f"[{json.dumps(category.name, ensure_ascii=False)}]")
        if category.learned:
            lines.append("learned = true")
        # und is the code of ISO 639-2 for a language that is not determined
        for key, values in (("names", category.names), ("und", category.keywords)):
            if values or key == "und":
                lines += [f"{key} = [", *(f"    {json.dumps(value, ensure_ascii=False)}," for value in values), "]"]
        lines.append("")
    with write_aside(path) as aside:
        aside.write_text("\n".join(lines), encoding="utf-8")


def _parse(text: str, where: str) -> Lexicon:
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadDataError(f"not valid TOML: {error}", where=where, remedy="put every keyword in quotes") from error
    if not document:
        raise BadDataError("no category", where=where, remedy='write one as: invoice = ["bill to", "unit price"]')
    categories: list[LexiconCategory] = []
    try:
        categories += [_category(name, entry) for name, entry in document.items()]
        return Lexicon(categories=tuple(categories))
    except BadDataError as error:
        bad = next((word for category in categories for word in category.keywords if _fault(word)), None)
        line = next((number for number, line in enumerate(text.splitlines(), 1) if f'"{bad}"' in line), 1)
        place = where if bad is None else f"{where}:{line}"
        raise BadDataError(error.what, where=place, remedy=error.remedy) from error


def _category(name: str, entry: object) -> LexiconCategory:
    table = {"en": entry} if isinstance(entry, list) else entry
    if not isinstance(table, dict):
        raise BadDataError(f"{name!r} is not a list of keywords", remedy=f'write: {name} = ["…", "…"]')
    learned = table.pop("learned", False)
    if not isinstance(learned, bool):
        raise BadDataError(f"'learned' of {name!r} is neither true nor false", remedy="take it out")
    for key, value in table.items():
        if key != "names" and not re.fullmatch(r"[a-z]{2,3}", key):
            raise BadDataError(
                f"key {key!r} of {name!r} is neither a language nor 'names'",
                remedy="call it 'it' or 'en'; put a category name with a dot or a space in quotes",
            )
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise BadDataError(f"{key!r} of {name!r} is not a list of strings", remedy='write it as ["…", "…"]')
    names = tuple(table.pop("names", ()))
    keywords = tuple(keyword for values in table.values() for keyword in values)
    if not keywords:
        raise BadDataError(f"category {name!r} has no keyword", remedy="give it some, or take it out")
    return LexiconCategory(name=name, keywords=keywords, names=names, learned=learned)
