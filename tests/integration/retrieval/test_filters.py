"""Filters of searches: exact in both legs, as documents are at that moment, and never across tenants."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from chatsphere.adapters.pgvector import PgVectorStore
from chatsphere.knowledge.retrieval.filters import DocumentFilter, Range
from chatsphere.knowledge.retrieval.models import Mode, SearchResult
from chatsphere.ports.vectors import Namespace, VectorStore
from tests.fakes import InMemoryVectorStore
from tests.integration.retrieval.library import Library

JANUARY = datetime(2026, 1, 1, tzinfo=UTC)

DOCUMENTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "tagged": {"tags": ["sales", "2026"]},
    "other": {"tags": ["legal"], "metadata": {"due": "2024-03-01 Europe/Berlin"}},
    "old": {"created_at": JANUARY - timedelta(days=400), "metadata": {"due": "infinity"}},
    "numbers": {"metadata": {"year": 2024, "department": "law", "signed": "2024-05-06", "draft": False, "note": None}},
    "texts": {
        "metadata": {"year": "2024", "department": "Law", "signed": "2024-13-45", "draft": "false", "due": "2023-02-29"}
    },
    "zoned": {"metadata": {"far": "2024-05-06T00:00+20:00", "due": "2024-02-29T23:30:00-01:00"}},
}

MODES: tuple[Mode, ...] = ("fused", "dense", "lexical")


@pytest.fixture
def shelf(library: Library) -> dict[UUID, str]:
    """Documents that say the same of pears, each in words of its own, and differ in what is known of them."""
    return shelve(library, PgVectorStore(library.database))


def shelve(library: Library, store: VectorStore) -> dict[UUID, str]:
    """Fill the bot and return the documents' names."""
    names = {}
    for name, columns in DOCUMENTS.items():
        text = f"pears of the {name} kind, {name} indeed"
        values = {"created_at": JANUARY} | columns
        if "metadata" in values:
            values["metadata"] = json.dumps(values["metadata"])
        document = library.add(text, name=name, **values)
        library.embed(store, document, [text])
        names[document] = name
    return names


def ask(
    library: Library, within: DocumentFilter | None, *, store: VectorStore | None = None, **options: Any
) -> SearchResult:
    """Search the bot for pears."""
    return library.search("pears", store=store, within=within, **options)


@pytest.mark.parametrize(
    ("within", "expected"),
    [
        (DocumentFilter(), set(DOCUMENTS)),
        (DocumentFilter(document_ids=frozenset()), set()),
        (DocumentFilter(tags=frozenset({"sales"})), {"tagged"}),
        (DocumentFilter(tags=frozenset({"sales", "legal", "unknown"})), {"tagged", "other"}),
        (DocumentFilter(tags=frozenset({"Sales"})), set()),
        (DocumentFilter(tags=frozenset()), set()),
        (DocumentFilter(created_before=JANUARY), {"old"}),
        (DocumentFilter(created_after=JANUARY), set(DOCUMENTS) - {"old"}),
        (DocumentFilter(created_after=JANUARY - timedelta(days=500), created_before=JANUARY), {"old"}),
        (DocumentFilter(equal={"year": 2024}), {"numbers"}),
        (DocumentFilter(equal={"year": "2024"}), {"texts"}),
        (DocumentFilter(equal={"year": 2024, "department": "law"}), {"numbers"}),
        (DocumentFilter(equal={"year": 2024, "department": "Law"}), set()),
        (DocumentFilter(equal={"draft": False}), {"numbers"}),
        (DocumentFilter(equal={"note": None}), {"numbers"}),
        (DocumentFilter(equal={"nothing": None}), set()),
        (DocumentFilter(ranges={"year": Range(gte=2024)}), {"numbers"}),
        (DocumentFilter(ranges={"year": Range(gte=2023.5, lte=2024)}), {"numbers"}),
        (DocumentFilter(ranges={"year": Range(lte=2023)}), set()),
        (DocumentFilter(ranges={"signed": Range(gte="2024-05-06")}), {"numbers"}),
        (DocumentFilter(ranges={"signed": Range(gte="2024-05-06T02:00:00+02:00", lte="2024-05-06")}), {"numbers"}),
        (DocumentFilter(ranges={"signed": Range(gte="2024-05-06T00:00:01Z")}), set()),
        (DocumentFilter(ranges={"department": Range(gte="2024-01-01")}), set()),
        (DocumentFilter(ranges={"far": Range(gte="2024-01-01")}), set()),
        (DocumentFilter(ranges={"due": Range(gte="0001-01-01")}), {"zoned"}),
        (DocumentFilter(ranges={"due": Range(gte="2024-03-01T00:30:00Z", lte="2024-03-01T00:30:00Z")}), {"zoned"}),
        (DocumentFilter(ranges={"due": Range(lte="2024-03-01")}), set()),
        (DocumentFilter(ranges={"due": Range(gte="2025-01-01", lte="2024-01-01")}), set()),
        (DocumentFilter(ranges={"year": Range(gte=2000), "signed": Range(gte="2024-01-01")}), {"numbers"}),
        (DocumentFilter(ranges={"year": Range(gte=2000), "signed": Range(gte="2025-01-01")}), set()),
        (DocumentFilter(created_before=JANUARY, ranges={"year": Range(gte=2000)}), set()),
        (DocumentFilter(tags=frozenset({"sales"}), equal={"year": 2024}), set()),
    ],
)
def test_a_filter_lets_exactly_its_documents_through(
    library: Library, shelf: dict[UUID, str], within: DocumentFilter, expected: set[str]
) -> None:
    found = {mode: ask(library, within, mode=mode).hits for mode in MODES}

    for mode in MODES:
        assert {shelf[hit.document_id] for hit in found[mode]} == expected, mode
    assert all(hit.scores.dense is not None and hit.scores.lexical is not None for hit in found["fused"])


def test_ids_and_tags_have_to_hold_together(library: Library, shelf: dict[UUID, str]) -> None:
    ids = {name: document for document, name in shelf.items()}
    within = DocumentFilter(document_ids=frozenset({ids["plain"], ids["tagged"]}), tags=frozenset({"sales", "legal"}))

    assert {hit.document_id for hit in ask(library, within).hits} == {ids["tagged"]}


def test_a_store_of_another_kind_is_filtered_alike(library: Library) -> None:
    store = InMemoryVectorStore()
    names = shelve(library, store)

    hits = ask(library, DocumentFilter(tags=frozenset({"legal"})), store=store, mode="dense").hits

    assert [names[hit.document_id] for hit in hits] == ["other"]


def test_what_is_said_of_a_document_counts_at_once(library: Library, shelf: dict[UUID, str]) -> None:
    within = DocumentFilter(tags=frozenset({"sales"}))
    (hit,) = ask(library, within).hits

    with library.transaction() as connection:
        connection.execute("UPDATE documents SET tags = '{}' WHERE id = %s", (hit.document_id,))
        connection.execute("UPDATE documents SET tags = '{sales}' WHERE name = 'plain'")

    assert [hit.document_name for hit in ask(library, within).hits] == ["plain"]


def test_a_document_that_is_being_deleted_is_let_through_by_no_filter(library: Library, shelf: dict[UUID, str]) -> None:
    with library.transaction() as connection:
        connection.execute("UPDATE documents SET status = 'deleting' WHERE name = 'tagged'")

    assert ask(library, DocumentFilter(tags=frozenset({"sales"}))).hits == ()


@pytest.mark.parametrize("within", [DocumentFilter(tags=frozenset({"sales"})), DocumentFilter(created_after=JANUARY)])
def test_another_organizations_filter_finds_nothing_of_this_bot(
    library: Library, shelf: dict[UUID, str], new_library: Callable[[], Library], within: DocumentFilter
) -> None:
    other = new_library()
    forged = Namespace(other.namespace.organization_id, library.namespace.bot_id)

    assert ask(Library(library.database, library.ids, forged), within).hits == ()
    with other.transaction() as connection:
        assert within.matching(connection, library.namespace.bot_id) == frozenset()


def test_two_bots_of_one_organization_do_not_mix(library: Library, shelf: dict[UUID, str]) -> None:
    within = DocumentFilter(tags=frozenset({"sales"}))
    with library.transaction() as connection:
        assert within.matching(connection, library.ids.new()) == frozenset()


def test_a_filter_of_many_documents_is_exact(library: Library) -> None:
    store, wanted = PgVectorStore(library.database), set()
    for number in range(60):
        text = f"pears number {number}"
        document = library.add(text, name=f"{number}", tags=["odd" if number % 2 else "even"])
        library.embed(store, document, [text])
        if number % 2:
            wanted.add(document)

    result = ask(library, DocumentFilter(tags=frozenset({"odd"})), limit=50)

    assert {hit.document_id for hit in result.hits} == wanted


def test_filters_that_mean_the_same_have_one_text() -> None:
    first = DocumentFilter(tags=frozenset({"a", "b"}), equal={"x": 1, "y": 2}, ranges={"z": Range(gte=1)})
    again = DocumentFilter(tags=frozenset({"b", "a"}), equal={"y": 2, "x": 1}, ranges={"z": Range(gte=1)})

    assert first.canonical() == again.canonical()
    assert first.canonical() != DocumentFilter(tags=frozenset({"a"})).canonical()
