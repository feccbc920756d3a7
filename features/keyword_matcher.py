"""Keyword indicators: finding a lexicon's keywords in a text that OCR may have misread.

A prediction runs this on every document, so it is table look-ups only, and needs nothing but numpy.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.lexicon import Lexicon
from features.symmetric_delete import BY_STRUCK, MARK_BITS, marks, meet, skeleton
from features.text_arguments import as_words
from features.tokens import tokenize
from textclf.base.errors import BadModelError

SHORTEST_MISREAD = 3
"""Words of one or two characters are too short to be anything but what they are."""
SHORTEST_RUN_TOGETHER = 8
"""Phrases and words from this many characters on are also found with a blank lost, or one too many."""
LETTERS_FOR_ONE_WRONG = 6
"""Letters of a keyword for which one may be wrong."""
SHORTEST_BY_WRONG = (0, 5, 10)
"""From how many letters on no, one, two letters may be wrong in one word, whatever the keyword."""
MEMORY = 1 << 15
"""Words from which on the look-ups remembered are forgotten."""
TOGETHER = 32
"""Documents whose new words are looked up together."""

_LETTERS_OR_DIGITS = re.compile(r"\d+|\D+")
Steps = Mapping[int, tuple[int, int, bool]]
"""Parts of keywords that begin at a word: over how many words, with how many wrong letters, and whether as written."""

_AS_WRITTEN = (1, 0, True)
_BROKEN = (2, 0, True)
_CONFUSED = (1, 0, False)
_NOWHERE: Steps = {}
_HEAD: Steps = {}
"""Of a word that is no keyword, but may be the beginning of one that was broken."""


class KeywordHit(NamedTuple):
    """One keyword found.

    Parameters
    ----------
    category : int
        Position of the category in the lexicon.
    keyword : str
        The keyword as the lexicon has it.
    start, end : int
        It was found in ``words[start:end]``.
    exact : bool
        Found as written or inflected; False if a letter had to be forgiven.
    """

    category: int
    keyword: str
    start: int
    end: int
    exact: bool


def tolerance(phrase: Sequence[str]) -> int:
    """Say how many letters may be wrong in a keyword beyond the confusions of `skeleton`.

    One for every six letters. In one word of it no more than one, and two only from ten letters on; words under
    five letters and words with a digit must be right.

    Parameters
    ----------
    phrase : sequence of str
        The folded words of a keyword.

    Returns
    -------
    int
        For the keyword as a whole.

    Examples
    --------
    >>> [tolerance(phrase) for phrase in (["iban"], ["invoice"], ["bank", "statement"])]
    [0, 1, 2]
    """
    return sum(map(len, phrase)) // LETTERS_FOR_ONE_WRONG


class KeywordMatcher:
    """Finds the keywords of a lexicon among the words of a document.

    A keyword is found where its words stand one after the other, whatever blanks, breaks and punctuation lie between.
    A word of the text is taken for a word of a keyword if, in this order,

    1. it is that word, or one of its inflected forms;
    2. it is not a known word, and both have one `skeleton`;
    3. it is not a known word, and both skeletons become one when few letters are struck out of each: one, or two if
       the keyword's word has ten letters or more; provided that the keyword's word is not simply contained in
       the other, because a longer word is another word.

    The first rule that gives something ends the search, and in the whole keyword no more letters may be wrong than its
    `tolerance`. Rule 3 takes in every pair of words within that Levenshtein distance. It costs little more than table
    look-ups, as the beginnings of the keywords' words are stored with these letters struck out (SymSpell's
    symmetric delete).

    A lost blank is forgiven in phrases of eight letters or more (``bankstatement``: one letter may be wrong as
    well), and wherever a letter and a digit meet (``Mod730``). A blank too many is forgiven in words of eight letters
    or more (``state ment``), which then must be right otherwise.

    Parameters
    ----------
    lexicon : Lexicon
        Keywords by category.
    known_words : iterable of str, optional
        Folded words that are words of their own though they are near a keyword (``contatto``, ``contratto``).
    forms : mapping of str to sequence of str, optional
        For words of keywords, the inflected forms that count as well (``polizza``: ``polizze``).

    References
    ----------
    Garbe (2012), "1000x faster spelling correction: symmetric delete", https://github.com/wolfgarbe/SymSpell

    Examples
    --------
    >>> from features.lexicon import LexiconCategory
    >>> from features.tokens import tokenize
    >>> card = LexiconCategory(name="identity card", keywords=("Carta d'identità",))
    >>> matcher = KeywordMatcher(Lexicon(categories=(card,)))
    >>> hits = matcher.find(tokenize("Repubblica CARTA D' 1DENTlTA n. 7"))
    >>> hits
    [KeywordHit(category=0, keyword="Carta d'identità", start=1, end=4, exact=False)]
    >>> common_words(hits)
    'carta_d_identita'
    >>> matcher.indicators([hits, []]).tolist()
    [[1], [0]]
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
        phrases: dict[tuple[str, ...], list[tuple[int, str]]] = {}
        for number, category in enumerate(lexicon.categories):
            for keyword in dict.fromkeys(category.keywords):
                phrases.setdefault(_words_and_numbers(keyword), []).append((number, keyword))
        self._owners = list(phrases.values())
        self._tolerances = [tolerance(phrase) for phrase in phrases]
        self._index_parts(phrases)
        self._memory: dict[str, Steps] = {}

    def _index_parts(self, phrases: Iterable[tuple[str, ...]]) -> None:
        parts: dict[str, int] = {}
        whole: set[str] = set()
        self._starts: defaultdict[int, list[tuple[tuple[int, ...], int]]] = defaultdict(list)
        for number, phrase in enumerate(phrases):
            whole.update(phrase)
            for way in dict.fromkeys(_ways_to_write(phrase)):
                first, *rest = (parts.setdefault(part, len(parts)) for part in way)
                self._starts[first].append((tuple(rest), number))
        written = list(parts.items())
        written += [(form, parts[word]) for word in parts.keys() & self.forms.keys() for form in self.forms[word]]
        exact, skeletons = defaultdict(set), defaultdict(set)
        for word, index in written:
            exact[word].add(index)
            if len(word) >= SHORTEST_MISREAD and word.isalpha():
                skeletons[skeleton(word)].add(index)
        self._exact = {word: tuple(sorted(found)) for word, found in exact.items()}
        self._skeletons = {shape: tuple(sorted(found)) for shape, found in skeletons.items()}
        self._breakable = {
            word: found
            for word, found in self._exact.items()
            if len(word) >= SHORTEST_RUN_TOGETHER and word.isalpha() and word in whole
        }
        # a single letter is no piece of a broken word, but mostly a word of its own
        self._heads = {word[:at] for word in self._breakable for at in range(2, len(word) - 1)}
        self._parts = list(parts)
        self._shapes = [skeleton(part) for part in parts]
        self._letters = list(map(frozenset, self._shapes))
        self._wrong = [_most_wrong(part, run_together=part not in whole) for part in parts]
        # misread letters can take two characters for one
        self._longest = 2 * max(map(len, self._exact), default=0)
        # by what is left of their beginnings, one and two letters struck out; a number may be that of others by chance
        self._near: tuple[dict[int, list[int]], ...] = ({}, {})
        self._marked = np.zeros(1 << MARK_BITS, dtype=np.bool_)
        ways = marks(self._shapes)
        for struck, near in enumerate(self._near, start=1):
            forgiving = [index for index, most in enumerate(self._wrong) if most >= struck]
            self._marked[ways[forgiving, BY_STRUCK[struck]]] = True
            for index in forgiving:
                for number in ways[index, BY_STRUCK[struck]].tolist():
                    near.setdefault(number, []).append(index)

    def _remember(self, words: set[str]) -> dict[str, Steps]:
        """Look up the words that were not met before; give what is known of these and others."""
        memory = self._memory
        if len(memory) > MEMORY:
            # a new one, as another thread may still read the old one
            memory = self._memory = {}
        if unseen := words.difference(memory):
            found = dict.fromkeys(unseen, _NOWHERE) | dict.fromkeys(unseen & self._heads, _HEAD)
            found |= self._misread(unseen.difference(self._exact, self.known_words))
            found |= {word: dict.fromkeys(self._exact[word], _AS_WRITTEN) for word in unseen & self._exact.keys()}
            memory.update(found)
        return memory

    def _misread(self, words: set[str]) -> dict[str, Steps]:
        """Find the words that are misread keywords."""
        words = {word for word in words if SHORTEST_MISREAD <= len(word) <= self._longest and not word.isdigit()}
        if not words:
            return {}
        shapes = skeleton("\n".join(words)).split("\n")
        numbers = marks(shapes)
        near = np.flatnonzero(self._marked[numbers].any(axis=1)).tolist()
        written = list(words)
        found = {written[i]: self._nearest(written[i], shapes[i], numbers[i].tolist()) for i in near}
        confused = ((word, shape) for word, shape in zip(words, shapes, strict=True) if shape in self._skeletons)
        found |= {word: dict.fromkeys(self._skeletons[shape], _CONFUSED) for word, shape in confused}
        return {word: steps for word, steps in found.items() if steps}

    def _nearest(self, word: str, shape: str, numbers: Sequence[int]) -> Steps:
        """Give the keywords that a word becomes when one letter is wrong; without one, those when two are."""
        for struck, near in enumerate(self._near, start=1):
            if len(shape) + struck < SHORTEST_BY_WRONG[struck]:
                break
            parts = {part for number in numbers[BY_STRUCK[struck]] if number in near for part in near[number]}
            if alike := [
                part
                for part in sorted(parts)
                if self._is_misread(shape, part, struck) and self._parts[part] not in word
            ]:
                return dict.fromkeys(alike, (1, struck, False))
        return _NOWHERE

    def _is_misread(self, shape: str, part: int, allowed: int) -> bool:
        keyword = self._shapes[part]
        # the letters are compared first, as that is quick and most words fail it
        return (
            abs(len(shape) - len(keyword)) <= allowed
            and len(self._letters[part].difference(shape)) <= allowed
            and keyword not in shape
            and meet(shape, keyword, allowed, allowed)
        )

    def find(self, words: Sequence[str]) -> list[KeywordHit]:
        """Find all keywords in a document.

        Parameters
        ----------
        words : sequence of str
            The words of the document, as `features.tokens.tokenize` gives them.

        Returns
        -------
        list of KeywordHit
            In the order of the document; where several begin at one word, in the order of the lexicon. A keyword is
            given each time it stands there.
        """
        return self.find_all([words])[0]

    def _find(self, words: Sequence[str], memory: Mapping[str, Steps]) -> list[KeywordHit]:
        steps = {start: here for start, here in enumerate(map(memory.__getitem__, words)) if here is not _NOWHERE}
        for start in [start for start in steps if words[start] in self._heads]:
            _, *following = words[start : start + 2]
            if following and (parts := self._breakable.get(words[start] + following[0])):
                steps[start] = {**steps[start], **dict.fromkeys(parts, _BROKEN)}
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
        """Find all keywords in several documents: `find` of each, but quicker."""
        found: list[list[KeywordHit]] = []
        for first in range(0, len(documents), TOGETHER):
            batch = [as_words(words) for words in documents[first : first + TOGETHER]]
            memory = self._remember(set().union(*batch))
            found += [self._find(words, memory) for words in batch]
        return found

    def indicators(self, found: Sequence[Iterable[KeywordHit]]) -> NDArray[np.uint8]:
        """Turn the keywords found into indicator columns.

        Parameters
        ----------
        found : sequence of iterable of KeywordHit
            What `find` gave for each document.

        Returns
        -------
        numpy.ndarray of uint8, shape (n_documents, n_categories)
            1 where a document holds a keyword of the category; columns as ``lexicon.columns``.
        """
        columns = np.zeros((len(found), len(self.lexicon.categories)), dtype=np.uint8)
        for row, hits in enumerate(found):
            for hit in hits:
                columns[row, hit.category] = 1
        return columns

    @property
    def shapes(self) -> dict[str, int]:
        """The skeleton of each word of a keyword, also run together or inflected, and how many letters may be wrong."""
        return {**dict.fromkeys(self._skeletons, 0), **dict(zip(self._shapes, self._wrong, strict=True))}

    def taken_for(self, word: str) -> tuple[str, ...]:
        """Say which words of keywords a word of a text would be misread for.

        Parameters
        ----------
        word : str
            A folded word.

        Returns
        -------
        tuple of str
            Empty if the word is none, or is a word of a keyword itself.
        """
        return tuple(self._parts[part] for part, step in self._remember({word})[word].items() if not step[2])

    def to_dict(self) -> dict[str, object]:
        """Give what `from_dict` takes: lists and strings only, for a model file."""
        return {
            "lexicon": self.lexicon.to_dict(),
            "known_words": sorted(self.known_words),
            "forms": {word: list(others) for word, others in self.forms.items()},
        }

    @classmethod
    def from_dict(cls, data: object) -> KeywordMatcher:
        """Rebuild a matcher from what `to_dict` gave.

        Parameters
        ----------
        data : object
            Decoded JSON, not trusted.

        Raises
        ------
        textclf.base.errors.BadModelError
            If it is not what `to_dict` gives.
        """
        match data:
            case {"lexicon": lexicon, "known_words": list(known), "forms": dict(forms)} if (
                all(isinstance(word, str) for word in known)
                and all(isinstance(word, str) and isinstance(others, list) for word, others in forms.items())
                and all(isinstance(other, str) for others in forms.values() for other in others)
            ):
                return cls(Lexicon.from_dict(lexicon), known_words=known, forms=forms)
        raise BadModelError("not a keyword table", remedy="train the model again")

    def __reduce__(self) -> tuple[object, ...]:
        # the memory of words does not travel between processes; the tables are quicker made than sent
        return type(self).from_dict, (self.to_dict(),)


def common_words(hits: Iterable[KeywordHit]) -> str:
    """Write the keywords found as the value of the TEXT column ``common_words``.

    Each keyword is one token, its words joined by ``_``, so that a learner that splits on white space keeps a phrase
    whole; each stands once, in the order in which they first occur.

    Parameters
    ----------
    hits : iterable of KeywordHit
        What `KeywordMatcher.find` gave for one document.

    Returns
    -------
    str
        Tokens joined by blanks; empty without a hit.

    Examples
    --------
    >>> hit = KeywordHit(0, "Mod. 730", 4, 6, True)
    >>> common_words([hit, KeywordHit(0, "Quadro C", 9, 11, True), hit])
    'mod_730 quadro_c'
    """
    return " ".join(dict.fromkeys("_".join(tokenize(hit.keyword)) for hit in hits))


def _words_and_numbers(keyword: str) -> tuple[str, ...]:
    return tuple(run for word in tokenize(keyword) for run in _LETTERS_OR_DIGITS.findall(word))


def _ways_to_write(phrase: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield phrase
    long_enough = sum(map(len, phrase)) >= SHORTEST_RUN_TOGETHER
    for gap, (left, right) in enumerate(pairwise(phrase)):
        if long_enough or left.isdigit() != right.isdigit():
            yield (*phrase[:gap], left + right, *phrase[gap + 2 :])
    if long_enough:
        yield ("".join(phrase),)


def _most_wrong(part: str, *, run_together: bool) -> int:
    if not part.isalpha():
        return 0
    # a phrase run together is long enough to stand out by itself: one letter is forgiven, not two
    return min(bisect_right(SHORTEST_BY_WRONG, len(skeleton(part))) - 1, 1 if run_together else 2)
