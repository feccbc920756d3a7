"""The queue for review as a whole."""

from __future__ import annotations

from datetime import timedelta

from textclf.library.claims import claimed_by, keep_claim, own_claims
from textclf.library.decisions import count_decided
from textclf.library.queue import claim_first_of, list_waiting

KEEP = timedelta(minutes=15)


def test_what_waits_is_listed_by_doubt_until_somebody_looks_at_it(library, for_review, clock):
    unsure, sure = for_review("unsure", 0.5), for_review("sure", 0.9)
    for_review("accepted", 0.99, "accept")
    with library.database.reading() as session:
        waiting = list_waiting(session, at=clock(), limit=9)
        assert [(one.document_id, round(one.doubt, 3)) for one in waiting] == [(unsure.id, 1.0), (sure.id, 0.2)]
        assert [one.document_id for one in list_waiting(session, at=clock(), limit=1)] == [unsure.id]
    library.claim_next(by="anna", at=clock())
    with library.database.reading() as session:
        assert [one.document_id for one in list_waiting(session, at=clock(), limit=9)] == [sure.id]


def test_the_first_in_an_order_that_nobody_looks_at_is_claimed(library, for_review, clock):
    first, second = for_review("first"), for_review("second")
    accepted = for_review("accepted", 0.99, "accept")
    now = clock()

    def claim(by):
        with library.database.writing() as session:
            order = [accepted.id, second.id, first.id]
            return claim_first_of(session, order, by=by, at=now, until=now + KEEP)

    assert (claim("anna").document_id, claim("bruno").document_id, claim("carla")) == (second.id, first.id, None)
    with library.database.writing() as session:
        assert own_claims(session, by="anna") == [second.id]
        assert claimed_by(session, second.id, at=now) == "anna"
        assert claimed_by(session, second.id, at=now + KEEP) == ""
        assert not keep_claim(session, second.id, by="bruno", at=now, until=now + 2 * KEEP)
        assert keep_claim(session, second.id, by="anna", at=now, until=now + 2 * KEEP)
    with library.database.reading() as session:
        assert claimed_by(session, second.id, at=now + KEEP) == "anna"


def test_decisions_that_hold_are_counted_by_category(library, for_review, clock):
    for name in ("a", "b", "c"):
        library.decide(for_review(name).id, "memo", by="anna", at=clock())
    library.decide(library.list_documents()[0].id, "letter", by="anna", at=clock())
    library.undo(by="anna", at=clock())
    library.decide(library.list_documents()[1].id, "letter", by="anna", at=clock())
    with library.database.reading() as session:
        assert list(count_decided(session).items()) == [("memo", 2), ("letter", 1)]
