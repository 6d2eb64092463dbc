"""A short run, and that faults are noticed. Longer runs: `python -m tests.consistency --seconds 60`."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from chatsphere.knowledge.retrieval.models import Hit, Scores
from tests.consistency.ledger import Ledger, Report, text
from tests.consistency.run import Writer, run
from tests.postgres import DatabaseUrls

LONG = 60
"""Seconds after which a fault that nobody noticed is not looked for any more."""


def test_readers_find_one_whole_edition_of_each_document_and_nothing_deleted(database_urls: DatabaseUrls) -> None:
    # When
    report = run(database_urls, seconds=LONG, seed=4, until=has_seen_enough)
    # Then
    assert has_seen_enough(report), str(report)
    assert report.faults == 0, report.examples


def has_seen_enough(report: Report) -> bool:
    return report.queries >= 150 and min(report.replaced, report.deleted, report.reembedded) >= 1


def test_vectors_deleted_before_the_switch_are_noticed(database_urls: DatabaseUrls) -> None:
    # Given
    def delete_former_vectors_early(writer: Writer) -> None:
        vectors = writer.pipeline.vectors
        upsert = vectors.upsert

        def then_delete(namespace: Any, records: Any) -> None:
            upsert(namespace, records)
            newest = records[0]
            vectors.delete_document(namespace, newest.document_id, except_generation=newest.generation)

        vectors.upsert = then_delete

    # Then
    report = run(
        database_urls, seconds=LONG, seed=2, sabotage=delete_former_vectors_early, until=lambda found: found.empty > 0
    )
    assert report.empty > 0, str(report)


def hit(topic: str, edition: int, document_id: UUID) -> Hit:
    content = text(topic, edition).splitlines()[0]
    scores = Scores(None, None, None)
    return Hit(uuid4(), document_id, f"{topic}.txt", content, 0, None, None, 0, 1, None, 1.0, scores)


@pytest.mark.parametrize(
    ("editions", "deleted", "noticed"),
    [
        ([5], False, {}),
        ([6, 6], False, {}),
        ([5, 6], False, {"mixtures": 1}),
        ([4], False, {"outdated": 1}),
        ([], False, {"empty": 1}),
        ([5], True, {"deleted_seen": 1}),
    ],
)
def test_each_kind_of_fault_is_told_apart(editions: list[int], deleted: bool, noticed: dict[str, int]) -> None:
    # Given
    ledger, document_id = Ledger(), uuid4()
    ledger.is_live("ash", 5)
    if deleted:
        ledger.is_deleted(document_id)
    began = ledger.moment()
    ledger.is_live("ash", 6)
    # When
    ledger.judge("ash", began, [hit("ash", edition, document_id) for edition in editions])
    # Then
    kinds = ("mixtures", "empty", "outdated", "deleted_seen")
    assert {kind: n for kind in kinds if (n := getattr(ledger.report, kind))} == noticed
    assert ledger.report.queries == 1
