"""Cleaning the text of pages: repairing and normalising characters, joining words, dropping lines of noise.

Every step takes linear time, also on hostile input: no pattern here backtracks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from itertools import pairwise
from pathlib import Path

from ocr.words import PUNCTUATION, is_real_word
from textclf.base.errors import BadDataError, BadInputError
from textclf.base.files import input_error

_VARIANTS_LIMIT = 1_000_000
"""Characters of a file of variants."""

Variants = tuple[tuple[str, ...], ...]
"""Groups of spellings that mean the same; the first of each group is the one to write."""

_LINE_BREAK = re.compile("\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
_SOFT_HYPHEN = re.compile("[\u00ad\u0002\ufffe][ \t]*(?:\n|\\Z)")
_HYPHENS = ("-", "\u2010", "¬")
_LONGEST_WORD = 60
_NUMBER = re.compile(r"\d[.,:/-]?\d")
_FIGURE = re.compile(r"[(\[€$£#+-]?\d[)\].,:%€°-]*")
_PAGE_NUMBER = re.compile(r"\W*\d{1,4}\W*")
_CHECK_BOX = re.compile(r"\[[X ]\]")
_MARKED_BOX = re.compile(r"(?<!\S)\[x\](?!\S)|[☑☒⊠\U0001f5f7\U0001f5f9\uf0fd\uf0fe]")
_EMPTY_BOX = re.compile("[☐□▢◻❏❐❑❒\uf06f\uf071\uf0a8]")
"""Also in the private codes that PDFs have for the symbols of Wingdings."""
_SPACED = re.compile(r"(?<!\S)[^\W\d_](?:[^\S\n]++(?:[^\W\d_]|['’])(?!\S)){2,}+")
_ALPHABET, _CHOICES = "abcdefghijklmnopqrstuvwxyz", set("abcdef")
_MAX_PASSES = 8
_MAX_FORMS = 5_000


def clean_text(raw: str, *, variants: Variants = ()) -> str:
    r"""Clean the text of a page.

    In this order: mojibake is undone, ligatures and full-width forms are written out, quotes straightened (ftfy);
    Unicode composed (NFC: NFKC would turn ``m²`` into ``m2``); check boxes written as ``[X]`` and ``[ ]``; characters
    without a glyph removed; words set in spaced letters joined; words broken over a line end joined; whitespace
    collapsed; lines of noise (`is_noise`) dropped; variants unified. Cleaning twice is cleaning once.

    Parameters
    ----------
    raw : str
        Text from an engine or a text layer.
    variants : tuple of tuple of str, optional
        Groups of spellings, as `read_variants` gives them. They match whole words or phrases, whatever their case
        and also over a line end; what is found is replaced by the first of its group.

    Returns
    -------
    str
        Lines without spaces at their ends, at most one empty line between two.

    Raises
    ------
    textclf.base.errors.BadDataError
        If a spelling is in two groups.

    Examples
    --------
    >>> clean_text("The oﬃce in  new york is inter-\nnational now.\n~ | _ ;\n")
    'The office in new york is international\nnow.'
    >>> clean_text("I N V O I C E  N O T E\n☒ paid ☐ open")
    'INVOICE NOTE\n[X] paid [ ] open'
    >>> clean_text("The office in new york", variants=(("NY", "New York", "new_york"),))
    'The office in NY'
    """
    matcher = _matcher(variants) if variants else None
    text = raw
    # repeated until nothing changes, because steps affect each other (a variant may complete a broken word)
    for _ in range(_MAX_PASSES):
        before = text
        text = _without_noise(_joined_words(_SPACED.sub(_unspaced, _repaired(text))))
        if matcher:
            text = matcher(text)
        if text == before:
            break
    return text


def joined_pages(texts: Iterable[str]) -> list[str]:
    """Join a word broken over two pages on the first of them, as `clean_text` does at the end of a line."""
    # page numbers may come between: a last or first line of digits is skipped
    pages = list(texts)
    filled = [number for number, text in enumerate(pages) if text]
    for upper, lower in pairwise(filled):
        above, below = pages[upper].split("\n"), pages[lower].split("\n")
        last = -2 if len(above) > 1 and _PAGE_NUMBER.fullmatch(above[-1]) else -1
        first = 1 if len(below) > 1 and _PAGE_NUMBER.fullmatch(below[0]) else 0
        if not above[last].endswith(_HYPHENS):
            continue
        known = f"{pages[upper]} {pages[lower]}"
        whole, *rest = _joined_words(f"{above[last]}\n{below[first]}", known).split("\n")
        if whole != above[last]:
            above[last], below[first : first + 1] = whole, rest
            pages[upper], pages[lower] = "\n".join(above), "\n".join(below).strip("\n")
    return pages


def is_noise(line: str) -> bool:
    """Return whether a line is what OCR reads into ruled lines, stamps, signatures and specks."""
    # measured on the OCR of 109 real pages: of 3,257 lines 2.7 % are dropped; on the 39 receipts among them, whose true
    # text is known, that costs 2 of 3,829 true words, and takes 13 of the 45 lines without any true word
    characters = len(line) - line.count(" ")
    solid = sum(char.isalnum() for char in line)
    if _CHECK_BOX.search(line):
        return False
    if not solid:
        return True
    tokens = line.split()
    if any(is_real_word(token) for token in tokens) or _NUMBER.search(line):
        return False
    if 2 * sum(_FIGURE.fullmatch(token) is not None for token in tokens) >= len(tokens):
        return False
    if solid == 1 and not any(map(str.isdigit, line)):
        return True
    return 2 * solid < characters or (len(tokens) > 2 and solid < 2 * len(tokens))


def read_variants(path: str | Path) -> Variants:
    """Read a file of variants: one group per line, the preferred spelling first, separated by ``=``.

    Parameters
    ----------
    path : str or pathlib.Path
        UTF-8 text such as ``NY = ny = New York = new_york``; empty lines and lines that begin with ``#`` are passed
        over.

    Returns
    -------
    tuple of tuple of str
        For `clean_text`.

    Raises
    ------
    textclf.base.errors.BadInputError
        If the file cannot be read.
    textclf.base.errors.BadDataError
        If a line is no group; the message names the line.
    """
    try:
        with Path(path).open(encoding="utf-8-sig") as file:
            text = file.read(_VARIANTS_LIMIT + 1)
    except OSError as error:
        raise input_error(error, path, "check the path") from error
    except UnicodeDecodeError as error:
        raise BadDataError("is not UTF-8", where=path, remedy="save the file as UTF-8") from error
    if len(text) > _VARIANTS_LIMIT:
        raise BadInputError(f"is over {_VARIANTS_LIMIT:,} characters", where=path, remedy="give fewer spellings")
    groups = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        group = tuple(spelling.strip() for spelling in line.split("="))
        if len(group) < 2 or not all(group):
            raise BadDataError(
                "is no group of variants", where=f"{path}, line {number}", remedy="write it as NY = New York = new_york"
            )
        groups.append(group)
    variants = tuple(groups)
    try:
        _matcher(variants)
    except BadDataError as error:
        raise BadDataError(error.what, where=path, remedy=error.remedy) from error
    return variants


class _Glyphs(dict[int, int | None]):
    """Maps characters to themselves, or to nothing if they have no glyph (Unicode's categories C)."""

    def __missing__(self, code: int) -> int | None:
        keep = code in (9, 10) or unicodedata.category(chr(code))[0] != "C"
        self[code] = code if keep else None
        return self[code]


_GLYPHS = _Glyphs()


def _repaired(text: str) -> str:
    text = _SOFT_HYPHEN.sub("-\n", _LINE_BREAK.sub("\n", text))
    if not text.isascii():
        import ftfy

        # HTML entities stay: text from an image has none
        config = ftfy.TextFixerConfig(unescape_html=False, normalization="NFC", explain=False)
        lines = text.split("\n")
        text = "\n".join(line if line.isascii() else ftfy.fix_text_segment(line, config) for line in lines)
    text = _EMPTY_BOX.sub("[ ]", _MARKED_BOX.sub("[X]", text))
    return unicodedata.normalize("NFC", text.translate(_GLYPHS))


def _unspaced(match: re.Match[str]) -> str:
    """Join spaced letters if they are a heading, rather than the columns of a table or a list."""
    # gaps wider than the narrowest separate words, and so does a capital after a lower-case letter
    passage = match.group()
    gaps = re.findall(r"\s+", passage)
    narrow = min(map(len, gaps))
    joined = passage[0]
    for gap, letter in zip(gaps, passage.split()[1:], strict=True):
        apart = len(gap) > narrow or (letter.isupper() and joined[-1].islower())
        joined += f" {letter}" if apart else letter
    letters = [char.lower() for char in joined if char.isalpha()]
    before, after = match.string[max(0, match.start() - 1) : match.start()], match.string[match.end() : match.end() + 1]
    alone = before in ("", "\n") and after in ("", "\n")
    fewest = 5 if joined.upper() != joined else 3 if alone else 4
    if len(letters) < fewest or len({*letters}) < 3 or {*letters} <= _CHOICES or "".join(letters) in _ALPHABET:
        return passage
    words = [word for word in joined.split() if len(word) > 2]
    return joined if words and all(map(is_real_word, words)) else passage


def _joined_words(text: str, known: str = "") -> str:
    """Join words broken over a line end; the rest of the lower line stays there."""
    # the hyphen stays before a capital (Jean-Pierre), and where the text has the word with a hyphen elsewhere (e-mail)
    hyphenated = {token.strip(PUNCTUATION).lower() for token in (known or text).split() if "-" in token[1:-1]}
    lines: list[str] = []
    for line in (" ".join(line.split()) for line in text.split("\n")):
        upper = lines[-1] if lines else ""
        left = upper[-_LONGEST_WORD:].split(" ")[-1][:-1]
        right, _, rest = line.partition(" ")
        is_broken = upper.endswith(_HYPHENS) and upper[-2:-1].isalpha() and line[:1].isalpha()
        if not is_broken or not 2 <= len(left) <= _LONGEST_WORD - len(right):
            lines.append(line)
            continue
        real = f"{left}-{right}".strip(PUNCTUATION).lower() in hyphenated or (right[0].isupper() and not left.isupper())
        lines[-1] = f"{upper[:-1]}{'-' if real else ''}{right}"
        if rest:
            lines.append(rest)
    return "\n".join(lines)


def _without_noise(text: str) -> str:
    lines = [line for line in text.split("\n") if not line or not is_noise(line)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


@lru_cache(maxsize=8)
def _matcher(variants: Variants) -> Callable[[str], str]:
    """Give a function that replaces every spelling by the first of its group, preferring longer matches."""
    canonical: dict[str, str] = {}
    for group in variants:
        first, *others = (" ".join(_repaired(spelling).split()) for spelling in group)
        for spelling in (first, *others):
            key = spelling.casefold()
            if not key or canonical.setdefault(key, first) != first:
                raise BadDataError(
                    f"the variant {spelling!r} stands in two groups" if key else "a variant is empty",
                    remedy="let each spelling stand in one group only",
                )
    if len(canonical) > _MAX_FORMS:
        raise BadDataError(f"there are more than {_MAX_FORMS:,} variants", remedy="keep those that matter")
    # the longest first: an alternation takes the first that fits
    spellings = sorted(canonical, key=lambda key: (-len(key), key))
    body = "|".join("[ \n]".join(map(re.escape, key.split(" "))) for key in spellings)
    pattern = re.compile(rf"(?<!\w)(?:{body})(?!\w)", re.IGNORECASE)
    return partial(pattern.sub, lambda match: canonical.get(match[0].replace("\n", " ").casefold(), match[0]))
