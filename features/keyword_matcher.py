"""Keyword indicators: finding a lexicon's keywords in a text that OCR may have misread.

A prediction runs this on every document, so it is table look-ups only, and needs nothing but numpy.
"""

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
"""Words of one or two characters are too short to be anything but what they are."""
SHORTEST_RUN_TOGETHER = 8
"""Phrases and words from this many characters on are also found with a blank lost, or one too many."""
LETTERS_FOR_ONE_WRONG = 6
"""Letters of a keyword for which one may be wrong."""
SHORTEST_WITH_ONE_WRONG, SHORTEST_WITH_TWO_WRONG = 5, 10
"""Letters of a word from which on one and two of them may be wrong, whatever the keyword."""
MEMORY = 1 << 15
"""Words from which on the look-ups remembered are forgotten."""
TOGETHER = 32
"""Documents whose new words are looked up together."""

Steps = Mapping[str, tuple[int, int, bool]]
"""Parts of keywords that begin at a word: over how many words, with how many wrong letters, and whether as written."""

_AS_WRITTEN, _BROKEN, _CONFUSED = (1, 0, True), (2, 0, True), (1, 0, False)
_NOWHERE: Steps = {}


class KeywordHit(NamedTuple):
    """One keyword found in ``words[start:end]``; `exact` if no letter had to be forgiven."""

    # position in the lexicon
    category: int
    keyword: str
    start: int
    end: int
    exact: bool


class KeywordMatcher:
    """Finds the keywords of a lexicon among the words of a document.

    A keyword is found where its words stand one after the other, whatever blanks, breaks and punctuation lie between.
    A word of the text is taken for a word of a keyword if, in this order,

    1. it is that word, or one of its inflected `forms`;
    2. it is not among the `known_words`, which are words of their own, and both have one `skeleton`;
    3. it is not a known word, and both skeletons become one when one letter is deleted from each, or two if the
       keyword's word has ten letters or more; provided that the keyword's word is not simply contained in the other,
       because a longer word is another word.

    The first rule that gives something ends the search, and in the whole keyword one letter of six may be wrong.
    Rule 3 takes in every pair of words within that Levenshtein distance.

    A lost blank is forgiven in phrases of eight letters or more (``bankstatement``: one letter may be wrong as
    well), and wherever a letter and a digit meet (``Mod730``). A blank too many is forgiven in words of eight letters
    or more (``state ment``), which then must be right otherwise.
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
        # by the first part of a way to write a phrase: its other parts, and which phrase it is
        self._starts: defaultdict[str, list[tuple[tuple[str, ...], int]]] = defaultdict(list)
        parts: dict[str, None] = {}
        for number, phrase in enumerate(owners):
            for way in dict.fromkeys(_ways_to_write(phrase)):
                parts.update(dict.fromkeys(way))
                self._starts[way[0]].append((way[1:], number))
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
        # misread letters can take two characters for one
        self._longest = 2 * max(map(len, self._exact), default=0)
        self._breakable = {word for word in whole if len(word) >= SHORTEST_RUN_TOGETHER and word.isalpha()}
        # a single letter is no piece of a broken word, but mostly a word of its own
        self._heads = {word[:at] for word in self._breakable for at in range(2, len(word) - 1)}
        # a number may be that of others by chance; a phrase run together is long, but not one word of ten letters
        one = [part for part in parts if part.isalpha() and len(skeleton(part)) >= SHORTEST_WITH_ONE_WRONG]
        two = [part for part in one if part in whole and len(skeleton(part)) >= SHORTEST_WITH_TWO_WRONG]
        self._near = [
            (wrong, near, DeleteIndex([skeleton(part) for part in near], wrong)) for wrong, near in ((1, one), (2, two))
        ]

    def misread(self, words: Iterable[str]) -> dict[str, Steps]:
        """Find the words that would be taken for misread words of keywords, and for which."""
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
        """Look up the words that were not met before; give what is known of these and others."""
        memory = self._memory
        if len(memory) > MEMORY:
            # a new one, as another thread may still read the old one
            memory = self._memory = {}
        if unseen := words.difference(memory):
            exact = {word: dict.fromkeys(self._exact[word], _AS_WRITTEN) for word in unseen & self._exact.keys()}
            memory.update(dict.fromkeys(unseen, _NOWHERE) | self.misread(unseen) | exact)
        return memory

    def find(self, words: Sequence[str]) -> list[KeywordHit]:
        """Find all keywords in a document, each time that they stand there, in the order of document and lexicon."""
        return self.find_all([words])[0]

    def find_all(self, documents: Sequence[Sequence[str]]) -> list[list[KeywordHit]]:
        """Find all keywords in several documents: `find` of each, but quicker."""
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
        """Give a row a document with 1 where a keyword of the category was found; columns as ``lexicon.columns``."""
        columns = np.zeros((len(found), len(self.lexicon.categories)), dtype=np.uint8)
        for row, hits in zip(columns, found, strict=True):
            row[[hit.category for hit in hits]] = 1
        return columns

    def to_dict(self) -> dict[str, object]:
        """Give what `from_dict` takes: lists and strings only, for a model file."""
        forms = {word: list(others) for word, others in self.forms.items()}
        return {"lexicon": self.lexicon.to_dict(), "known_words": sorted(self.known_words), "forms": forms}

    @classmethod
    def from_dict(cls, data: object) -> KeywordMatcher:
        """Rebuild a matcher from decoded JSON that is not trusted; raises `BadModelError` if `to_dict` gave other."""
        match data:
            case {"lexicon": lexicon, "known_words": list(known), "forms": dict(forms)} if all(
                isinstance(others, list) for others in forms.values()
            ) and all(isinstance(word, str) for words in (known, forms, *forms.values()) for word in words):
                return cls(Lexicon.from_dict(lexicon), known_words=known, forms=forms)
        raise BadModelError("not a keyword table", remedy="train the model again")

    def __reduce__(self) -> tuple[object, ...]:
        # the memory of words does not travel between processes; the tables are quicker made than sent
        return type(self).from_dict, (self.to_dict(),)


def common_words(hits: Iterable[KeywordHit]) -> str:
    """Write the keywords found, each once in the order of the document, as the value of the column ``common_words``.

    Each is one token, its words joined by ``_``, so that a learner that splits on white space keeps a phrase whole.
    """
    return " ".join(dict.fromkeys("_".join(tokenize(hit.keyword)) for hit in hits))


def _words_and_numbers(keyword: str) -> tuple[str, ...]:
    return tuple(run for word in tokenize(keyword) for run in re.findall(r"\d+|\D+", word))


def _ways_to_write(phrase: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield phrase
    long_enough = sum(map(len, phrase)) >= SHORTEST_RUN_TOGETHER
    for gap, (left, right) in enumerate(pairwise(phrase)):
        if long_enough or left.isdigit() != right.isdigit():
            yield (*phrase[:gap], left + right, *phrase[gap + 2 :])
    if long_enough:
        yield ("".join(phrase),)
