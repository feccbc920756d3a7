"""Finding the keywords of a lexicon in words that OCR may have misread."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from features.core.keywords import KeywordFinder
from features.core.texts import Documents
from features.core.words import BREAKABLE, PREFIX, SETTLED, WANTED, WordFinder, skeletons
from features.lexicon import Lexicon
from features.tokens import tokenize
from textclf.base.errors import BadModelError

SHORTEST_MISREAD = 3
"""Characters of the shortest word that counts as misread."""
SHORTEST_RUN_TOGETHER = 8
"""Characters of the shortest phrase or word that is also found with a space missing or added."""
LETTERS_FOR_ONE_WRONG = 6
"""One letter of a keyword may be wrong for each six that it has."""
SHORTEST_WITH_ONE_WRONG, SHORTEST_WITH_TWO_WRONG = 5, 10
"""Letters of the shortest word in which one, and two, may be wrong."""


class KeywordHit(NamedTuple):
    """A keyword found in ``words[start:end]``; `exact` if no letter differs."""

    # position in the lexicon
    category: int
    keyword: str
    start: int
    end: int
    exact: bool


class KeywordHits(Sequence[list[KeywordHit]]):
    """The keywords found in documents: a list for each, in the order of document and lexicon, made when asked for.

    Parameters
    ----------
    found : ndarray of int32, shape (h, 5)
        As `features.core.keywords.KeywordFinder.find` gives them.
    keywords : sequence of (int, str)
        Category and spelling of each keyword, by its number.
    documents : int
        Number of documents.
    """

    def __init__(self, found: NDArray[np.int32], keywords: Sequence[tuple[int, str]], documents: int) -> None:
        self._found, self._keywords, self._documents = found, keywords, documents

    def __len__(self) -> int:
        return self._documents

    @overload
    def __getitem__(self, place: int) -> list[KeywordHit]: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[list[KeywordHit]]: ...
    def __getitem__(self, place: int | slice) -> list[KeywordHit] | Sequence[list[KeywordHit]]:
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(self._documents))]
        if not 0 <= place < self._documents:
            raise IndexError(place)
        first, last = self._found[:, 0].searchsorted([place, place + 1]).tolist()
        hits = []
        for _, number, start, end, exact in self._found[first:last].tolist():
            category, keyword = self._keywords[number]
            hits.append(KeywordHit(category, keyword, start, end, bool(exact)))
        return hits

    def indicators(self, categories: int) -> NDArray[np.uint8]:
        """Give a row per document with 1 where a keyword of a category was found."""
        columns = np.zeros((self._documents, categories), dtype=np.uint8)
        for document, number, *_ in self._found.tolist():
            columns[document, self._keywords[number][0]] = 1
        return columns


class KeywordMatcher:
    """Finds the keywords of a lexicon among the words of a document.

    A keyword is found where its words follow each other, with any spaces, line breaks and punctuation between them.
    A word of the text matches a word of a keyword if, in this order,

    1. it is that word, or one of its inflected `forms`;
    2. it is not among the `known_words`, and both have the same skeleton (`features.core.words.skeletons`);
    3. it is not among the `known_words`, and both skeletons become equal when one letter is deleted from each, or two
       if the keyword's word has ten letters or more; unless the keyword's word is contained in the other, because a
       longer word is another word.

    The first rule that matches ends the search, and in the whole keyword one letter of six may be wrong.
    Rule 3 covers every pair of words within that Levenshtein distance.

    A space may be missing in phrases of eight letters or more (``bankstatement``: one letter may be wrong as well),
    and wherever a letter and a digit meet (``Mod730``). A space may be added in words of eight letters or more
    (``state ment``), which must be correct otherwise.
    """

    def __init__(
        self,
        lexicon: Lexicon,
        *,
        known_words: Iterable[str] = (),
        forms: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.lexicon = lexicon
        self.known_words = frozenset(known_words)
        self.forms = {word: tuple(others) for word, others in sorted((forms or {}).items())}
        owners: defaultdict[tuple[str, ...], list[tuple[int, str]]] = defaultdict(list)
        for number, category in enumerate(lexicon.categories):
            for keyword in dict.fromkeys(category.keywords):
                owners[_words_and_numbers(keyword)].append((number, keyword))
        # category and spelling of each keyword, those of equal phrases one after the other
        self._keywords = [owner for own in owners.values() for owner in own]
        # by the first part of each spelling of a phrase: the number of the phrase, and the other parts
        starts: defaultdict[int, list[tuple[int, list[int]]]] = defaultdict(list)
        parts: dict[str, int] = {}
        for number, phrase in enumerate(owners):
            for spelling in dict.fromkeys(_spellings(phrase)):
                first, *rest = [parts.setdefault(part, len(parts)) for part in spelling]
                starts[first].append((number, rest))
        whole = {word for phrase in owners for word in phrase}
        self._finder, written, self._misread = self._word_finder(parts, whole)
        self._parts = list(parts)
        self._keyword_finder = KeywordFinder(
            self._finder,
            written,
            self._misread,
            starts,
            parts=len(parts),
            tolerances=[sum(map(len, phrase)) // LETTERS_FOR_ONE_WRONG for phrase in owners],
            owners=list(map(len, owners.values())),
        )

    def _word_finder(
        self, parts: Mapping[str, int], whole: set[str]
    ) -> tuple[WordFinder, list[list[int]], list[list[int]]]:
        """Make what finds words of keywords; give also the parts that each is as it is written, and may be misread."""
        exact: defaultdict[str, dict[str, None]] = defaultdict(dict)
        confused: list[tuple[str, str]] = []
        for part in parts:
            for word in (part, *self.forms.get(part, ())):
                exact[word][part] = None
                if len(word) >= SHORTEST_MISREAD and word.isalpha():
                    confused.append((word, part))
        breakable = {word for word in whole if len(word) >= SHORTEST_RUN_TOGETHER and word.isalpha()}
        # a single letter is mostly a word of its own, not a piece of a broken word
        prefixes = {word[:at] for word in breakable for at in range(2, len(word) - 1)}
        words = [*exact, *sorted(self.known_words.difference(exact))]
        settled = set(words)
        words += sorted(prefixes - settled)
        kinds = [
            SETTLED * (word in settled)
            + WANTED * (place < len(exact) or word in prefixes)
            + PREFIX * (word in prefixes)
            + BREAKABLE * (word in breakable)
            for place, word in enumerate(words)
        ]
        # two letters may be wrong in single words only
        letters = [part for part in parts if part.isalpha()]
        shapes = dict(zip(letters, skeletons(letters), strict=True))
        one = [part for part in letters if len(shapes[part]) >= SHORTEST_WITH_ONE_WRONG]
        two = [part for part in letters if part in whole and len(shapes[part]) >= SHORTEST_WITH_TWO_WRONG]
        finder = WordFinder(
            words,
            kinds,
            [([word for word, _ in confused], 0), (one, 1), (two, 2)],
            shortest=SHORTEST_MISREAD,
            # one letter may be misread as two
            longest=2 * max(map(len, exact), default=0),
        )
        written = [[parts[part] for part in exact.get(word, ())] for word in words]
        misread = [[parts[part] for part in own] for own in ([part for _, part in confused], one, two)]
        return finder, written, misread

    def misread(self, words: Sequence[str]) -> dict[str, set[str]]:
        """Find the words that may be misread words of keywords, and of which."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for place, wrong, entry in self._finder.find(words):
            if wrong >= 0:
                found[words[place]].add(self._parts[self._misread[wrong][entry]])
        return dict(found)

    def find(self, words: Sequence[str]) -> list[KeywordHit]:
        """Find all occurrences of keywords in a document, in the order of document and lexicon."""
        return self.find_all([words])[0]

    def find_all(self, documents: Sequence[Sequence[str]]) -> KeywordHits:
        """Find the keywords of several documents, as `find` does."""
        documents = Documents.from_words(documents)
        return KeywordHits(self._keyword_finder.find(documents), self._keywords, len(documents))

    def indicators(self, found: KeywordHits) -> NDArray[np.uint8]:
        """Give a row per document with 1 where a keyword of the category was found; columns as ``lexicon.columns``."""
        return found.indicators(len(self.lexicon.categories))

    def to_dict(self) -> dict[str, object]:
        """Give lists and strings for a model file, which `from_dict` reads."""
        forms = {word: list(others) for word, others in self.forms.items()}
        return {"lexicon": self.lexicon.to_dict(), "known_words": sorted(self.known_words), "forms": forms}

    @classmethod
    def from_dict(cls, data: object) -> KeywordMatcher:
        """Rebuild a matcher from untrusted JSON; raises `BadModelError` for anything that `to_dict` did not give."""
        match data:
            case {"lexicon": lexicon, "known_words": list(known), "forms": dict(forms)} if all(
                isinstance(others, list) for others in forms.values()
            ) and all(isinstance(word, str) for words in (known, forms, *forms.values()) for word in words):
                return cls(Lexicon.from_dict(lexicon), known_words=known, forms=forms)
        raise BadModelError("not a keyword table", remedy="train the model again")

    def __reduce__(self) -> tuple[object, ...]:
        # the tables hold addresses of this process
        return type(self).from_dict, (self.to_dict(),)


def common_words(hits: Iterable[KeywordHit]) -> str:
    """Join the keywords found, each once, in the order of the document: the value of the column ``common_words``.

    Each is one token, its words joined by ``_``, so that a learner that splits at white space keeps a phrase together.
    """
    return " ".join(dict.fromkeys("_".join(tokenize(hit.keyword)) for hit in hits))


def _words_and_numbers(keyword: str) -> tuple[str, ...]:
    return tuple(run for word in tokenize(keyword) for run in re.findall(r"\d+|\D+", word))


def _spellings(phrase: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield phrase
    long_enough = sum(map(len, phrase)) >= SHORTEST_RUN_TOGETHER
    for gap, (left, right) in enumerate(pairwise(phrase)):
        if long_enough or left.isdigit() != right.isdigit():
            yield (*phrase[:gap], left + right, *phrase[gap + 2 :])
    if long_enough:
        yield ("".join(phrase),)
