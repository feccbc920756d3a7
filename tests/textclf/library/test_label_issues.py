"""Doubts about what people decided."""

from __future__ import annotations

from datetime import timedelta

import pytest

from textclf.library.claims import take_claim
from textclf.library.label_issues import count_label_issues, keep_label_issues, list_label_issues
from textclf.library.records import LabelIssue


@pytest.fixture
def doubt(library, clock):
    """Keeps doubts, and gives how many are asked about."""

    def keep(*found: LabelIssue) -> int:
        with library.database.writing() as session:
            return keep_label_issues(session, found, at=clock())

    return keep


def asked_about(library) -> list[tuple[int, str, str, str]]:
    with library.database.reading() as session:
        return [(one.document_id, one.by, one.decided, one.category) for one in list_label_issues(session)]


def test_a_doubted_decision_is_asked_about_once(library, add, clock, doubt):
    a, b, c = add("a").id, add("b").id, add("c").id
    for document in (a, b):
        library.decide(document, "letter", by="anna", at=clock())
    found = [
        LabelIssue(document_id=a, decided="letter", category="memo", score=0.7),
        LabelIssue(document_id=b, decided="letter", category="memo", score=0.9),
        # decided otherwise meanwhile, and not at all
        LabelIssue(document_id=c, decided="letter", category="memo", score=0.9),
    ]
    assert doubt(*found) == 2
    assert doubt(*found) == 2
    assert asked_about(library) == [(b, "anna", "letter", "memo"), (a, "anna", "letter", "memo")]
    before = len(library.decision_history(a))
    library.decide(a, "letter", by="anna", at=clock())
    # so that it can be undone by itself
    assert len(library.decision_history(a)) == before + 1
    (kept, _) = library.corrections()
    assert kept.first_at == library.decision_history(a)[0].at < kept.at
    library.decide(b, "memo", by="bruno", at=clock())
    assert asked_about(library) == []
    assert doubt(*found, LabelIssue(document_id=b, decided="memo", category="letter", score=0.9)) == 0


def test_what_was_taken_back_or_is_looked_at_is_not_asked_about(library, add, clock, doubt):
    document = add("a").id
    library.decide(document, "letter", by="anna", at=clock())
    doubt(LabelIssue(document_id=document, decided="letter", category="memo", score=0.7))
    now = clock()
    with library.database.writing() as session:
        assert count_label_issues(session, at=now) == 1
        take_claim(session, document, by="bruno", at=now, until=now + timedelta(minutes=5))
        assert count_label_issues(session, at=now) == 0
    library.release(document, by="bruno")
    library.undo(by="anna", at=clock())
    assert asked_about(library) == []
