"""A word that was planted everywhere is nowhere after its erasure: tables, buckets, vectors, caches, archives, logs."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from chatsphere.db.database import Database
from chatsphere.privacy.model import LATE_WRITES_END, UPLOADS_END
from tests.integration.cloud_runtime.logbook import kept_log
from tests.integration.ingestion.pipeline import Pipeline
from tests.integration.privacy.planted import Planted

OF_THE_DOCUMENT = {
    "documents", "chunks", "lexical_postings", "messages", "audit_log", "objects", "archive", "cache_entries",
    "reconciliations", "error_logs",
}  # fmt: skip
OF_THE_END_USER = {
    "conversations", "messages", "conversation_feedback", "usage_events", "erasures", "memory", "archive",
    "cache_entries",
    "answers_under_way", "legal_holds", "audit_log",
}  # fmt: skip


@pytest.fixture
def planted(make_pipeline: Callable[[], Pipeline], eraser_database: Database, admin: psycopg.Connection) -> Planted:
    return Planted(make_pipeline(), eraser_database, admin)


def test_a_document_is_nowhere_after_its_erasure(planted: Planted) -> None:
    word = planted.word
    with kept_log() as log:
        # Given a document whose name, text, tags and metadata hold the word, and answers that quote it, also archived
        document = planted.add_document(f"{word}.txt", f"It says {word}.\nAnd more.", about=word)
        quoted = planted.ask("What does it say?", f"It says {word}.", document, f"{word}.txt")
        # One that cites nothing and repeats what was said before.
        planted.ask("Once more?", f"As I said: {word}.", conversation_id=quoted["conversation_id"])
        kept = planted.ask("Something else?", "I do not know.")
        archived = planted.ask("And that?", f"It says {word}.", document, f"{word}.txt")
        planted.archive_conversation(archived["conversation_id"])
        planted.archive_audit_log()
        planted.add_case(f"{word}.txt", word)
        planted.put_elsewhere()
        assert planted.where() >= OF_THE_DOCUMENT
        # When
        requested = planted.request("document", document_id=document)
        planted.pipeline.clock.advance(LATE_WRITES_END)
        planted.run(requested)
        planted.pipeline.clock.advance(LATE_WRITES_END)
        planted.run(requested)
        planted.pipeline.settle()
    # Then
    assert planted.where() == set()
    assert word not in log.text
    receipt = planted.row(requested)["receipt"]
    assert set(receipt["left"].values()) == {0}
    assert receipt["removed"]["chunks"] == 2
    assert (receipt["anonymized"]["messages"], receipt["anonymized"]["archived_messages"]) == (2, 1)
    assert receipt["anonymized"]["archived_audit_log"] == 2
    assert receipt["removed"]["evaluation_cases"] == 1
    assert receipt["rechecked_at"]
    # And what does not rest on the document is as it was
    with planted.acting() as connection:
        texts = [row["content"] for row in connection.execute("SELECT content FROM messages ORDER BY id")]
    assert texts[:4] == ["What does it say?", "[erased]", "Once more?", "[erased]"]
    assert kept["answer"] in texts


def test_an_end_user_is_nowhere_after_the_erasure(planted: Planted) -> None:
    word = planted.word
    with kept_log() as log:
        # Given an end user whose id, words, titles and ratings hold the word
        document = planted.add_document("plans.txt", "It costs 49 EUR.")
        said: dict[str, Any] = {"user": f"user-{word}", "metadata": {"name": word}}
        answer = planted.ask(f"I am {word}; what does it cost?", "It costs 49 EUR.", document, "plans.txt", **said)
        planted.ask(f"What is a {word}?", "I do not know.", **said)
        planted.rate(answer, f"{word} thanks", said["user"])
        elsewhere = planted.ask("What does it cost?", "It costs 49 EUR.", document, "plans.txt")
        planted.rate(elsewhere, f"{word} liked it", said["user"])
        archived = planted.ask(f"Once more, {word}?", "It costs 49 EUR.", document, "plans.txt", **said)
        planted.archive_conversation(archived["conversation_id"])
        planted.begin_answer(said["user"], f"Is {word} there?")
        planted.hold_once(said["user"])
        planted.hold_conversation_once(answer["conversation_id"])
        # One that began with nobody's name.
        nobodys = planted.ask("Hello?", "Hello.")
        planted.ask(f"I am {word}.", "Hello.", conversation_id=nobodys["conversation_id"], user=said["user"])
        planted.archive_audit_log()
        planted.put_elsewhere(about_documents=False)
        # When
        requested = planted.request("end_user", end_user_id=said["user"])
        assert planted.where() >= OF_THE_END_USER
        planted.run(requested)
        planted.pipeline.clock.advance(LATE_WRITES_END)
        planted.run(requested)
        planted.pipeline.settle()
    # Then
    assert planted.where() == set()
    assert word not in log.text
    receipt = planted.row(requested)["receipt"]
    assert set(receipt["left"].values()) == {0}
    removed = receipt["removed"]
    assert (removed["conversations"], removed["messages"], removed["conversation_feedback"]) == (3, 8, 2)
    assert (removed["archived_rows"], removed["answers_under_way"], removed["memory_vectors"]) == (3, 1, 8)
    assert (receipt["anonymized"]["archived_audit_log"], receipt["anonymized"]["legal_holds"]) == (1, 2)
    # And others' conversations are there
    with planted.acting() as connection:
        assert len(connection.execute("SELECT FROM conversations").fetchall()) == 1


def test_a_bot_is_nowhere_after_its_erasure(planted: Planted) -> None:
    word = planted.word
    with kept_log() as log:
        # Given
        document = planted.add_document(f"{word}.txt", f"It says {word}.", about=word)
        fields: dict[str, Any] = {"user": word, "metadata": {"name": word}}
        planted.ask(f"What is {word}?", f"It says {word}.", document, f"{word}.txt", **fields)
        archived = planted.ask(f"And {word}?", f"It says {word}.", document, f"{word}.txt", **fields)
        planted.archive_conversation(archived["conversation_id"])
        with planted.acting() as connection:
            connection.execute(
                "UPDATE bots SET name = %(word)s, system_prompt = %(word)s WHERE id = %(bot)s",
                {"word": word, "bot": planted.tenant.bot_id},
            )
        planted.archive_audit_log()
        planted.read_from_web(f"https://{word}.example")
        planted.put_elsewhere()
        assert planted.where() >= OF_THE_DOCUMENT | {"bots", "web_hosts", "conversations", "usage_events", "memory"}
        # When
        requested = planted.request("bot")
        planted.run(requested)
        planted.pipeline.clock.advance(UPLOADS_END)
        planted.run(requested)
        planted.pipeline.settle()
    # Then
    assert planted.where() == set()
    assert word not in log.text
    receipt = planted.row(requested)["receipt"]
    assert set(receipt["left"].values()) == {0}
    assert receipt["removed"]["documents"] == 1
