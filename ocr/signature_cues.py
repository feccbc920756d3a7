"""Words beside which people sign, in English and Italian, and words of other fields of a form."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rapidfuzz import fuzz, process

from ocr.document import bounding_box
from ocr.page_marks import Box, MarkedWord, PageMarks
from ocr.words import PUNCTUATION

Cue = Literal["sign", "approve", "closing", "sender", "role", "date", "field"]

_WORDS: dict[Cue, str] = {
    "sign": "signature signatures signed sign signer initials witness witnessed notary undersigned signatory "
    "firma firme firmato firmata firmare sottoscritto sottoscritta sottoscrizione sottoscrive testimone autografa "
    "contraente assicurato dichiarante richiedente delegante interessato firmatario accettazione",
    "approve": "approved approvals approval approve submitted prepared authorized authorised requested accepted issued "
    "received reviewed supervised agreed check endorsements by per approvato approvazione autorizzato preparato "
    "ricevuto visto verificato responsabile",
    "closing": "sincerely cordially truly regards respectfully faithfully saluti cordialmente fede osservanza ossequi",
    "sender": "from mittente",
    "role": "manager director president technician coordinator secretary supervisor chairman treasurer officer mgr "
    "physician analyst executive representative parent guardian applicant direttore presidente segretario segretaria "
    "amministratore medico tecnico coordinatore genitore",
    "date": "date data dated luogo lì",
    "field": "name nome cognome title address indirizzo phone telephone telefono fax company department number "
    "printed print stampatello codice fiscale nato residente qualifica subject oggetto project city città comments "
    "note quantity amount importo total totale description reason remarks",
}
_KIND: dict[str, Cue] = {word: kind for kind, words in _WORDS.items() for word in words.split()}
_NAME = re.compile(r"(?:[^\W\d_]\.){1,2}|[^\W\d_a-z][^\W\d_]+(?:[-'’][^\W\d_]+)*\.?|de|di|van|von|Jr\.?")
_LONG = [word for word in _KIND if len(word) >= 5]
_ALIKE = 84
_MOST_WORDS: dict[Cue, int] = {
    "sign": 8,
    "approve": 5,
    "closing": 5,
    "sender": 4,
    "role": 5,
    "date": 6,
    "field": 6,
}
"""Words of a part of a line that is a label; more are running text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label on the page: a part of a line that holds a word of the table."""

    cue: Cue
    box: Box
    words: int


def find_labels(marks: PageMarks) -> list[Label]:
    """Find the labels of a page, one for each kind of word in each part of a line that is set off by gaps."""
    found: list[Label] = []
    for part in _parts(marks):
        box = bounding_box(word.box for word in part)
        cues: dict[Cue, None] = {cue: None for word in part if (cue := cue_of(word.text))}
        found.extend(Label(cue=cue, box=box, words=len(part)) for cue in cues if len(part) <= _MOST_WORDS[cue])
    return found


def find_names(marks: PageMarks) -> list[Box]:
    """Find the parts of lines that may be the printed name of a person: two to four words, all with a capital."""
    return [
        bounding_box(word.box for word in part)
        for part in _parts(marks)
        if 2 <= len(part) <= 4 and all(_NAME.fullmatch(word.text.strip(",;:()")) for word in part)
    ]


def cue_of(text: str) -> Cue | None:
    """Give the kind of a word, which may be misread, or None."""
    word = text.strip(PUNCTUATION + "_").casefold()
    if word in _KIND:
        return _KIND[word]
    if len(word) < 5:
        return None
    match = process.extractOne(word, _LONG, scorer=fuzz.ratio, score_cutoff=_ALIKE)
    return _KIND[match[0]] if match else None


def _parts(marks: PageMarks) -> list[Sequence[MarkedWord]]:
    """Split the lines of text where a gap is wider than two letters are high."""
    parts: list[list[MarkedWord]] = []
    before: MarkedWord | None = None
    for word in marks.words:
        if (
            before is None
            or word.line != before.line
            or not -marks.letter < word.box[0] - before.box[2] <= 2 * marks.letter
        ):
            parts.append([])
        parts[-1].append(word)
        before = word
    return [*parts]
