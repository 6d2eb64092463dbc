"""A bot that moves from one organization to another, whole."""

import json
from itertools import count
from threading import Barrier
from typing import Any

import pytest

from chatsphere.evaluation import cases, sets
from chatsphere.evaluation.model import CaseDraft, RelevantDocument
from chatsphere.knowledge.reconciliation.findings import Difference
from chatsphere.transfers.format import DOCUMENTS, EVALUATION_SETS
from tests.fakes import FakeEmbedder
from tests.integration.transfers.moving import Moving, manifest, members

TEXTS = {
    "animals/cats.txt": "Cats sleep most of the day.\nA cat hunts mice at night.",
    "dogs.txt": "Dogs bark at strangers.\nA dog fetches the ball.",
    "Ü & ä.txt": "\n".join(f"Line {number} tells of the number {number}." for number in range(150)),
}
QUESTIONS = ("What does a cat hunt?", "Who barks at strangers?", "number 77")


@pytest.fixture
def stocked(moving: Moving) -> Moving:
    """The source's bot knows some texts, has a former version and an evaluation set."""
    source = moving.source
    for name, text in TEXTS.items():
        source.drop(name, text)
    source.run()
    with source.connection() as connection:
        documents = connection.execute(
            "SELECT id FROM documents WHERE bot_id = %s AND name = 'dogs.txt'", (source.tenant.bot_id,)
        ).fetchone()
        assert documents is not None
        connection.execute(
            "UPDATE documents SET tags = '{pets}', metadata = '{\"year\": 2020}' WHERE id = %s", (documents["id"],)
        )
        now = source.clock.now()
        made = sets.create_set(connection, source.tenant.bot_id, "Questions", "", set_id=source.ids.new(), now=now)
        drafts = [
            CaseDraft("Who barks?", relevant_documents=[RelevantDocument(documents["id"], "dogs.txt", "bark")]),
            CaseDraft("Who flies?", expect_refusal=True),
        ]
        cases.add_cases(connection, source.tenant.bot_id, made.id, drafts, ids=source.ids, now=now)
    return moving


def test_a_moved_bot_finds_the_same_with_the_same_scores(stocked: Moving) -> None:
    # Given what the bot finds at home, and how often anything was embedded for it
    source, target = stocked.source, stocked.target
    before = {query: stocked.found(source, source.tenant.bot_id, query) for query in QUESTIONS}
    assert all(before.values())
    # When it moves
    export = stocked.export()
    file = stocked.file_of(export)
    source.embedder.texts.clear()
    done = stocked.take_in(file, name="Moved")
    # Then
    assert (export.status, done.status, done.vectors, done.error_message) == ("done", "done", "kept", None)
    assert done.bot_id is not None
    assert {query: stocked.found(target, done.bot_id, query) for query in QUESTIONS} == before
    # Nothing was embedded but a sample of the file, to see whether the model is the same.
    assert 0 < len(source.embedder.texts) <= 4
    assert not target.extract_queue.messages
    assert not target.embed_queue.messages


def test_what_moved_is_not_ingested_again_and_every_store_agrees(stocked: Moving) -> None:
    # Given
    done = stocked.take_in(stocked.file_of(stocked.export()))
    assert done.bot_id is not None
    moved = stocked.at_target(done.bot_id)
    # When S3's notifications of the originals come, and somebody looks for differences
    assert moved.events
    moved.deliver_events()
    moved.run()
    report = moved.reconcile(dry_run=True)
    # Then nothing is read again
    assert not moved.extract_queue.messages
    assert dict(report.found) == {}
    assert report.looked_at["objects"] == report.looked_at["documents"] == len(TEXTS)
    assert {row["name"]: (row["status"], row["generation"]) for row in moved.documents()} == dict.fromkeys(
        TEXTS, ("ready", 1)
    )
    assert moved.bot_status() == "trained"
    assert Difference.VECTORS_MISSING not in report.found
    # And each original opens
    for row in moved.documents():
        key = f"{moved.tenant.organization_id}/{done.bot_id}/{row['name']}"
        assert moved.objects.read(key, row["s3_version_id"], start=0, length=10_000).decode() == TEXTS[row["name"]]
        assert stocked.source_of(moved, row["id"]).startswith("http")


def test_settings_versions_and_evaluation_sets_move_too(stocked: Moving) -> None:
    # Given
    done = stocked.take_in(stocked.file_of(stocked.export()))
    assert done.bot_id is not None
    # Then
    with stocked.target.connection() as connection:
        (made,) = sets.sets_page(connection, done.bot_id, after=None, limit=10)
        flies, barks = cases.cases_page(connection, done.bot_id, made.id, needs_review=None, after=None, limit=10)
        dogs = connection.execute(
            "SELECT id, tags, metadata FROM documents WHERE bot_id = %s AND name = 'dogs.txt'", (done.bot_id,)
        ).fetchone()
        bot = connection.execute("SELECT * FROM bots WHERE id = %s", (done.bot_id,)).fetchone()
        member = connection.execute("SELECT * FROM bot_members WHERE bot_id = %s", (done.bot_id,)).fetchone()
    assert dogs is not None
    assert bot is not None
    assert member is not None
    assert (dogs["tags"], dogs["metadata"]) == (["pets"], {"year": 2020})
    assert barks["relevant_documents"] == [
        {"document_id": str(dogs["id"]), "document_name": "dogs.txt", "quote": "bark"}
    ]
    assert (flies["question"], flies["expect_refusal"]) == ("Who flies?", True)
    assert (bot["embedding_model"], bot["created_by"]) == ("fake", stocked.target.tenant.user_id)
    assert (member["user_id"], member["permission"]) == (stocked.target.tenant.user_id, "manage")


def test_documents_wait_for_the_stores_together(stocked: Moving) -> None:
    # Given stores that answer when two are asked at the same time
    fetch, both, asked_before = stocked.source.vectors.fetch, Barrier(2), count()

    def slow(*asked: Any) -> Any:
        if next(asked_before) < both.parties:
            both.wait(30)
        return fetch(*asked)

    stocked.source.vectors.fetch = slow
    # When, then
    export = stocked.export()
    assert (export.status, export.counts["documents"]) == ("done", len(TEXTS))


def test_the_file_names_nobody(stocked: Moving) -> None:
    file = stocked.file_of(stocked.export())
    tenant = stocked.source.tenant
    held = b"".join(members(file).values())
    for secret in (tenant.organization_id, tenant.user_id, tenant.bot_id):
        assert str(secret).encode() not in held
    assert sorted(name for name in members(file) if not name.startswith("documents/")) == [
        "bot.json", DOCUMENTS, EVALUATION_SETS, "manifest.json", "versions.jsonl",
    ]  # fmt: skip
    described = manifest(file)
    assert described["counts"]["documents"] == described["counts"]["originals"] == len(TEXTS)
    assert json.loads(members(file)[DOCUMENTS].splitlines()[0])["vectors"]["size"] == 2 * 16 * 4


def test_with_another_model_the_passages_are_embedded_and_nothing_is_read(stocked: Moving) -> None:
    # Given a deployment whose model is another
    source, target = stocked.source, stocked.target
    target.embedder = FakeEmbedder(24, model="other")
    words = {query: {hit[1] for hit in stocked.found(source, source.tenant.bot_id, query)} for query in QUESTIONS}
    # When
    done = stocked.take_in(stocked.file_of(stocked.export()))
    assert done.bot_id is not None
    moved = stocked.at_target(done.bot_id)
    assert {row["status"] for row in moved.documents()} == {"embedding"}
    moved.run()
    # Then
    assert (done.vectors, done.embedding_model) == ("made_anew", "other")
    assert not moved.extract_queue.messages
    assert {(row["status"], row["chunk_count"]) for row in moved.documents()} == {("ready", 2), ("ready", 150)}
    assert moved.bot_status() == "trained"
    for query, before in words.items():
        assert {hit[1] for hit in stocked.found(moved, done.bot_id, query)} & before


def test_messages_to_embed_that_were_lost_are_sent_again(stocked: Moving) -> None:
    # Given
    stocked.target.embedder = FakeEmbedder(24, model="other")
    done = stocked.take_in(stocked.file_of(stocked.export()))
    assert done.bot_id is not None
    moved = stocked.at_target(done.bot_id)
    moved.embed_queue.messages.clear()
    # When
    moved.settle()
    # Then
    assert {row["status"] for row in moved.documents()} == {"ready"}


@pytest.mark.parametrize("left_out", ["originals", "vectors"])
def test_what_was_left_out_is_not_missed(stocked: Moving, left_out: str) -> None:
    # When
    include = {"originals", "vectors"} - {left_out}
    done = stocked.take_in(stocked.file_of(stocked.export(include)))
    assert done.bot_id is not None
    moved = stocked.at_target(done.bot_id)
    moved.run()
    # Then
    assert {row["status"] for row in moved.documents()} == {"ready"}
    assert (left_out == "originals") == all(row["s3_key"] is None for row in moved.documents())
    assert stocked.found(moved, done.bot_id, QUESTIONS[0])
