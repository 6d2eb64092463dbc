"""The lexical index follows the documents exactly: nothing lost, doubled or left over."""

import random
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from uuid import UUID

import pytest

from chatsphere.db.database import Database
from chatsphere.knowledge.retrieval import lexical_index
from chatsphere.knowledge.retrieval.lexical_index import compact, index_document, unindex_document
from tests.integration.retrieval.library import TOTALS, Library
from tests.integration.retrieval.test_lexical_search import random_texts
from tests.postgres import DatabaseUrls


def segments(library: Library) -> int:
    """Return how many segments the bot's index has."""
    with library.transaction() as connection:
        row = connection.execute(TOTALS, {"bot": library.namespace.bot_id}).fetchone()
    assert row is not None
    return int(row["segments"])


def drop(library: Library, document: UUID) -> int:
    """Delete a document the way the product does; return how many chunks left the index."""
    with library.transaction() as connection:
        gone = unindex_document(connection, library.namespace.bot_id, document, except_generation=None)
        connection.execute("DELETE FROM documents WHERE id = %s", (document,))
    return gone


def replace(library: Library, document: UUID, *texts: str) -> None:
    """Give a document a second generation and make it live."""
    with library.transaction() as connection:
        library.write_chunks(connection, document, texts, generation=2)
        connection.execute("UPDATE documents SET generation = 2, live_generation = 2 WHERE id = %s", (document,))
        index_document(connection, library.namespace.bot_id, document, 2)
        connection.execute("DELETE FROM chunks WHERE document_id = %s AND generation = 1", (document,))


def test_many_small_documents_end_in_few_segments(library: Library) -> None:
    for text in random_texts(70, seed=3):
        library.add(text)

    assert segments(library) <= 14
    library.assert_index_is_exact()


def test_indexing_again_changes_nothing(library: Library) -> None:
    document = library.add("apple pear")

    with library.transaction() as connection:
        added = index_document(connection, library.namespace.bot_id, document, 1)

    assert added == 0
    library.assert_index_is_exact()


def test_a_deleted_document_leaves_nothing(library: Library) -> None:
    documents = [library.add(*random_texts(4, seed)) for seed in range(12)]

    gone = [drop(library, document) for document in documents[::2]]

    assert gone == [4] * 6
    library.assert_index_is_exact()
    assert [drop(library, document) for document in documents[1::2]] == [4] * 6
    assert segments(library) == 0


def test_deleting_what_is_not_indexed_does_nothing(library: Library) -> None:
    library.add("apple")

    assert drop(library, library.ids.new()) == 0
    assert drop(library, library.add("pear", index=False)) == 0
    library.assert_index_is_exact()


def test_a_new_generation_replaces_the_old_one(library: Library) -> None:
    document = library.add("apple pear", "apple plum")
    library.add("cherry")

    replace(library, document, "banana", "apple", "quince")

    assert library.find("pear plum") == {}
    assert list(library.find("banana")) == [library.chunks[document][0]]
    library.assert_index_is_exact()


def test_what_readers_may_not_see_is_not_found(library: Library) -> None:
    waiting = library.add("apple", index=False)
    leaving = library.add("apple")
    staying = library.add("apple")
    with library.transaction() as connection:
        connection.execute("UPDATE documents SET status = 'deleting' WHERE id = %s", (leaving,))

    assert list(library.find("apple")) == library.chunks[staying]
    assert waiting in library.chunks


def test_a_document_larger_than_a_segment_fills_several(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexical_index, "SEGMENT_CHUNKS", 16)

    document = library.add(*random_texts(50, seed=5))

    assert segments(library) == 4
    library.assert_index_is_exact()
    assert drop(library, document) == 50
    assert segments(library) == 0


def test_merging_stays_within_its_budget(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexical_index, "INLINE_BUDGET", 0)
    for text in random_texts(20, seed=6):
        library.add(text)
    assert segments(library) == 20

    with library.transaction() as connection:
        too_little = compact(connection, library.namespace.bot_id, budget=19)
        enough = compact(connection, library.namespace.bot_id, budget=20)

    assert (too_little, enough) == (0, 20)
    assert segments(library) == 1
    library.assert_index_is_exact()


def test_a_word_in_more_chunks_than_a_row_holds(library: Library) -> None:
    document = library.add(*[f"apple {text}" for text in random_texts(300, seed=7)])
    last = library.add("apple pear")

    assert len(library.find("apple", limit=400)) == 301
    assert drop(library, document) == 300
    assert list(library.find("apple")) == library.chunks[last]
    library.assert_index_is_exact()


def test_very_long_and_repetitive_chunks_are_held(library: Library) -> None:
    library.add("apple " * 3000 + " ".join(f"word{n}" for n in range(2000)))

    assert len(library.find("apple")) == 1
    library.assert_index_is_exact()


def test_deleting_the_bot_takes_its_index_along(library: Library) -> None:
    library.add(*random_texts(3, seed=8))

    with library.transaction() as connection:
        connection.execute("DELETE FROM bots WHERE id = %s", (library.namespace.bot_id,))

    assert segments(library) == 0


def test_a_document_that_is_not_committed_yet_is_neither_lost_nor_seen(
    library: Library, database_urls: DatabaseUrls
) -> None:
    other = Database(database_urls.app)
    slow = library.add("apple", index=False)
    bot = library.namespace.bot_id
    with other.transaction(library.namespace.organization_id) as connection:
        index_document(connection, bot, slow, 1)
        # When: the other documents come, and are merged, while this one is not committed.
        quick = [library.add(text) for text in random_texts(20, seed=9)]
        assert library.find("apple") == {}
    other.close()

    assert list(library.find("apple")) == library.chunks[slow]
    assert len(quick) == 20
    library.assert_index_is_exact()


def test_a_deletion_waits_for_a_merge_and_finds_where_the_chunks_went(
    library: Library, database_urls: DatabaseUrls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lexical_index, "INLINE_BUDGET", 0)
    documents = [library.add(text) for text in random_texts(9, seed=10)]
    merging, begun = Database(database_urls.app), Event()

    def delete() -> int:
        begun.set()
        return drop(library, documents[0])

    with ThreadPoolExecutor(1) as thread:
        with merging.transaction(library.namespace.organization_id) as connection:
            assert compact(connection, library.namespace.bot_id, budget=100) == 9
            gone = thread.submit(delete)
            begun.wait()
        assert gone.result() == 1
    merging.close()

    library.assert_index_is_exact()


def test_many_writers_at_once_leave_the_index_exact(library: Library, database_urls: DatabaseUrls) -> None:
    start = Barrier(4)

    def work(number: int) -> None:
        chance, mine = random.Random(number), Library(Database(database_urls.app), library.ids, library.namespace)
        documents: list[UUID] = []
        start.wait()
        for step in range(25):
            action = chance.random()
            if documents and action < 0.25:
                drop(mine, documents.pop(chance.randrange(len(documents))))
            elif documents and action < 0.4:
                with mine.transaction() as connection:
                    compact(connection, mine.namespace.bot_id, budget=1000)
            else:
                documents.append(mine.add(*random_texts(chance.randint(1, 4), seed=100 * number + step)))
        mine.database.close()

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(work, number) for number in range(4)]:
            done.result()

    library.assert_index_is_exact()
