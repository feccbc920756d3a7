"""Finding the keywords of a lexicon in words that OCR may have misread, by table look-ups only; needs numpy alone."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.lexicon import Lexicon
from features.symmetric_delete import DeleteIndex, skeleton
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
MEMORY = 1 << 15
"""Maximum of words whose look-ups are remembered."""
TOGETHER = 32
"""Documents whose words are looked up together."""

Steps = Mapping[str, tuple[int, int, bool]]
"""Parts of keywords that begin at a word: over how many words, with how many wrong letters, and whether exact."""

_AS_WRITTEN, _BROKEN, _CONFUSED = (1, 0, True), (2, 0, True), (1, 0, False)
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
    2. it is not among the `known_words`, and both have the same `skeleton`;
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
        self._index(parts, {word for phrase in owners for word in phrase})
        self._memory: dict[str, Steps] = {}

    def _index(self, parts: Iterable[str], whole: set[str]) -> None:
        self._exact: defaultdict[str, list[str]] = defaultdict(list)
        self._skeletons: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for part in parts:
            for word in (part, *self.forms.get(part, ())):
                self._exact[word].append(part)
                if len(word) >= SHORTEST_MISREAD and word.isalpha():
                    self._skeletons[skeleton(word)][part] = None
        # one letter may be misread as two
        self._longest = 2 * max(map(len, self._exact), default=0)
        self._breakable = {word for word in whole if len(word) >= SHORTEST_RUN_TOGETHER and word.isalpha()}
        # a single letter is mostly a word of its own, not a piece of a broken word
        self._heads = {word[:at] for word in self._breakable for at in range(2, len(word) - 1)}
        # numbers are excluded, since other numbers are near by chance; two letters may be wrong in single words only
        one = [part for part in parts if part.isalpha() and len(skeleton(part)) >= SHORTEST_WITH_ONE_WRONG]
        two = [part for part in one if part in whole and len(skeleton(part)) >= SHORTEST_WITH_TWO_WRONG]
        self._near = [
            (wrong, near, DeleteIndex([skeleton(part) for part in near], wrong)) for wrong, near in ((1, one), (2, two))
        ]

    def misread(self, words: Iterable[str]) -> dict[str, Steps]:
        """Find the words that may be misread words of keywords, and of which."""
        words = [
            word
            for word in words
            if SHORTEST_MISREAD <= len(word) <= self._longest
            and not word.isdigit()
            and word not in self._exact
            and word not in self.known_words
        ]
        if not words:
            return {}
        shapes = skeleton("\n".join(words)).split("\n")
        found: dict[str, dict[str, tuple[int, int, bool]]] = {
            word: dict.fromkeys(self._skeletons[shape], _CONFUSED)
            for word, shape in zip(words, shapes, strict=True)
            if shape in self._skeletons
        }
        for wrong, parts, index in self._near:
            better = set(found)
            for i, j in index.pairs(shapes):
                word, part = words[i], parts[j]
                if word not in better and part not in word and index.words[j] not in shapes[i]:
                    found.setdefault(word, {})[part] = (1, wrong, False)
        return dict(found)

    @property
    def shapes(self) -> dict[str, int]:
        """The skeleton of each word of a keyword, also run together or inflected, and how many letters may be wrong."""
        near = {shape: wrong for wrong, _, index in self._near for shape in index.words}
        return dict.fromkeys(self._skeletons, 0) | near

    def _look_up(self, words: set[str]) -> Mapping[str, Steps]:
        """Look up the words that are not in the memory yet; give the memory."""
        memory = self._memory
        if len(memory) > MEMORY:
            # a new one, because another thread may still read the old one
            memory = self._memory = {}
        if unseen := words.difference(memory):
            exact = {word: dict.fromkeys(self._exact[word], _AS_WRITTEN) for word in unseen & self._exact.keys()}
            memory.update(dict.fromkeys(unseen, _NOWHERE) | self.misread(unseen) | exact)
        return memory

    def find(self, words: Sequence[str]) -> list[KeywordHit]:
        """Find all occurrences of keywords in a document, in the order of document and lexicon."""
        return self.find_all([words])[0]

    def find_all(self, documents: Sequence[Sequence[str]]) -> list[list[KeywordHit]]:
        """Find the keywords of several documents, as `find` does, but faster."""
        found: list[list[KeywordHit]] = []
        for first in range(0, len(documents), TOGETHER):
            batch = [as_words(words) for words in documents[first : first + TOGETHER]]
            memory = self._look_up(set().union(*batch))
            found += [self._find(words, memory) for words in batch]
        return found

    def _find(self, words: Sequence[str], memory: Mapping[str, Steps]) -> list[KeywordHit]:
        steps = {start: here for start, here in enumerate(map(memory.__getitem__, words)) if here}
        for start in [start for start, word in enumerate(words[:-1]) if word in self._heads]:
            if (whole := words[start] + words[start + 1]) in self._breakable:
                steps[start] = {**steps.get(start, _NOWHERE), **dict.fromkeys(self._exact[whole], _BROKEN)}
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
        # the memory is not sent to other processes, and the tables are built faster than sent
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
