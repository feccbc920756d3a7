"""Finding the keywords of a lexicon in words that OCR may have misread."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.core.words import SETTLED, WANTED, WordFinder, skeletons
from features.lexicon import Lexicon
from features.text_arguments import as_words
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

Steps = Mapping[str, tuple[int, int, bool]]
"""Parts of keywords that begin at a word: over how many words, with how many wrong letters, and whether exact."""

_AS_WRITTEN, _BROKEN = (1, 0, True), (2, 0, True)
_NOWHERE: Steps = {}


class KeywordHit(NamedTuple):
    """A keyword found in ``words[start:end]``; `exact` if no letter differs."""

    # position in the lexicon
    category: int
    keyword: str
    start: int
    end: int
    exact: bool


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
        self._owners = list(owners.values())
        self._tolerances = [sum(map(len, phrase)) // LETTERS_FOR_ONE_WRONG for phrase in owners]
        # by the first part of each spelling of a phrase: the other parts, and the number of the phrase
        self._starts: defaultdict[str, list[tuple[tuple[str, ...], int]]] = defaultdict(list)
        parts: dict[str, None] = {}
        for number, phrase in enumerate(owners):
            for spelling in dict.fromkeys(_spellings(phrase)):
                parts.update(dict.fromkeys(spelling))
                self._starts[spelling[0]].append((spelling[1:], number))
        self._index(tuple(parts), {word for phrase in owners for word in phrase})

    def _index(self, parts: Sequence[str], whole: set[str]) -> None:
        exact: defaultdict[str, dict[str, None]] = defaultdict(dict)
        confused: list[tuple[str, str]] = []
        for part in parts:
            for word in (part, *self.forms.get(part, ())):
                exact[word][part] = None
                if len(word) >= SHORTEST_MISREAD and word.isalpha():
                    confused.append((word, part))
        self._breakable = {word for word in whole if len(word) >= SHORTEST_RUN_TOGETHER and word.isalpha()}
        # a single letter is mostly a word of its own, not a piece of a broken word
        heads = {word[:at] for word in self._breakable for at in range(2, len(word) - 1)}
        words = [*exact, *sorted(self.known_words.difference(exact))]
        settled = set(words)
        words += sorted(heads - settled)
        kinds = [
            SETTLED * (word in settled) + WANTED * (place < len(exact) or word in heads)
            for place, word in enumerate(words)
        ]
        self._as_written: list[Steps] = [dict.fromkeys(exact.get(word, ()), _AS_WRITTEN) for word in words]
        self._is_head = [word in heads for word in words]
        self._broken = {word: dict.fromkeys(exact[word], _BROKEN) for word in self._breakable}
        # two letters may be wrong in single words only
        letters = [part for part in parts if part.isalpha()]
        shapes = dict(zip(letters, skeletons(letters), strict=True))
        one = [part for part in letters if len(shapes[part]) >= SHORTEST_WITH_ONE_WRONG]
        two = [part for part in letters if part in whole and len(shapes[part]) >= SHORTEST_WITH_TWO_WRONG]
        self._lists = [[part for _, part in confused], one, two]
        self._finder = WordFinder(
            words,
            kinds,
            [([word for word, _ in confused], 0), (one, 1), (two, 2)],
            shortest=SHORTEST_MISREAD,
            # one letter may be misread as two
            longest=2 * max(map(len, exact), default=0),
        )

    def misread(self, words: Sequence[str]) -> dict[str, Steps]:
        """Find the words that may be misread words of keywords, and of which."""
        found: dict[str, dict[str, tuple[int, int, bool]]] = {}
        for place, wrong, entry in self._finder.find(words):
            if wrong >= 0:
                found.setdefault(words[place], {})[self._lists[wrong][entry]] = (1, wrong, False)
        return dict(found)

    def find(self, words: Sequence[str]) -> list[KeywordHit]:
        """Find all occurrences of keywords in a document, in the order of document and lexicon."""
        words = as_words(words)
        steps: dict[int, Steps] = {}
        for place, wrong, entry in self._finder.find(words):
            if wrong >= 0:
                steps[place] = {**steps.get(place, _NOWHERE), self._lists[wrong][entry]: (1, wrong, False)}
                continue
            here = self._as_written[entry]
            if self._is_head[entry] and place + 1 < len(words):
                here = {**here, **self._broken.get(words[place] + words[place + 1], _NOWHERE)}
            if here:
                steps[place] = here
        found: dict[tuple[int, int], tuple[int, bool]] = {}
        for start, here in steps.items():
            for part, (width, wrong, as_written) in here.items():
                for rest, phrase in self._starts.get(part, ()):
                    end, total, exact = start + width, wrong, as_written
                    for next_part in rest:
                        step = steps.get(end, _NOWHERE).get(next_part)
                        if step is None:
                            break
                        end, total, exact = end + step[0], total + step[1], exact and step[2]
                    else:
                        if total <= self._tolerances[phrase] and (exact or (start, phrase) not in found):
                            found[start, phrase] = (end, exact)
        return [
            KeywordHit(category, keyword, start, end, exact)
            for (start, phrase), (end, exact) in sorted(found.items())
            for category, keyword in self._owners[phrase]
        ]

    def find_all(self, documents: Sequence[Sequence[str]]) -> list[list[KeywordHit]]:
        """Find the keywords of several documents, as `find` does."""
        return list(map(self.find, documents))

    def indicators(self, found: Sequence[Iterable[KeywordHit]]) -> NDArray[np.uint8]:
        """Give a row per document with 1 where a keyword of the category was found; columns as ``lexicon.columns``."""
        columns = np.zeros((len(found), len(self.lexicon.categories)), dtype=np.uint8)
        for row, hits in zip(columns, found, strict=True):
            row[[hit.category for hit in hits]] = 1
        return columns

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
