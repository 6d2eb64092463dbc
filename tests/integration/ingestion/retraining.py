"""Embedding a pipeline's bot anew, and what must hold of it at any time."""

from typing import Any, Final
from uuid import UUID

from chatsphere.knowledge.embedding import BotEmbedding, bot_embedding
from chatsphere.knowledge.retrieval.models import Hit
from chatsphere.knowledge.retrieval.search import search
from chatsphere.knowledge.retrieval.settings import RetrievalSettings
from chatsphere.knowledge.training import runs
from chatsphere.knowledge.training.ending import RunEnding
from chatsphere.knowledge.training.messages import TrainingMessage
from chatsphere.ports.embedding import EmbeddingModel
from tests.fakes import FakeEmbedder
from tests.integration.ingestion.pipeline import Pipeline

OTHER = EmbeddingModel("other", 24, 1_000_000, is_default=False)


def add_other_model(pipeline: Pipeline) -> FakeEmbedder:
    """Let the deployment have a second model, of longer vectors; a token costs one micro-dollar."""
    other = FakeEmbedder(OTHER.dimensions, model=OTHER.name, price=1)
    pipeline.further_embedders[OTHER.name] = other
    return other


def start(pipeline: Pipeline, model: EmbeddingModel = OTHER) -> TrainingMessage:
    """Begin a run, as the route does."""
    bot_id, now = pipeline.tenant.bot_id, pipeline.clock.now()
    with pipeline.connection() as connection:
        run = runs.start_run(
            connection, pipeline.tenant.organization_id, bot_id, model, run_id=pipeline.ids.new(), now=now
        )
    message = TrainingMessage(organization_id=pipeline.tenant.organization_id, bot_id=bot_id, training_run_id=run["id"])
    pipeline.embed_queue.send([message.to_json()], group=message.group)
    return message


def cancel(pipeline: Pipeline, message: TrainingMessage) -> dict[str, Any]:
    """Cancel a run, as the route does."""
    with pipeline.connection() as connection:
        run = runs.cancel_run(connection, message, RunEnding(pipeline.clock, pipeline.ids))
    pipeline.embed_queue.send([message.to_json()], group=message.group)
    return run


def run_of(pipeline: Pipeline, message: TrainingMessage) -> dict[str, Any]:
    """Return the run as the API shows it."""
    with pipeline.connection() as connection:
        return runs.get_run(connection, pipeline.tenant.bot_id, message.training_run_id)


def is_waiting(pipeline: Pipeline, message: TrainingMessage) -> bool:
    """Return whether something is still to be done for the run."""
    with pipeline.connection() as connection:
        query = "SELECT 1 FROM training_runs WHERE id = %s AND lease_expires_at IS NOT NULL"
        return connection.execute(query, (message.training_run_id,)).fetchone() is not None


def embedding(pipeline: Pipeline) -> BotEmbedding:
    """Return what readers search."""
    with pipeline.connection() as connection:
        return bot_embedding(connection, pipeline.tenant.organization_id, pipeline.tenant.bot_id)


EVERYTHING: Final = RetrievalSettings(deduplicate=False)


def find(pipeline: Pipeline, query: str) -> list[Hit]:
    """Search by vectors alone, which find everything there is."""
    result = search(
        pipeline.database,
        pipeline.vectors,
        pipeline.embedder_for,
        organization_id=pipeline.tenant.organization_id,
        bot_id=pipeline.tenant.bot_id,
        query=query,
        limit=200,
        mode="dense",
        settings=EVERYTHING,
    )
    return list(result.hits)


def assert_readers_see_all(pipeline: Pipeline) -> None:
    """What readers search holds each passage that they may see; the lists are compared as they are made."""
    assert sorted(hit.content for hit in find(pipeline, "anything")) == sorted(pipeline.chunks())


def assert_one_to_one(pipeline: Pipeline, model: str) -> None:
    """The bot is embedded by the model; each passage has one vector of it, and there is no other vector."""
    present = embedding(pipeline)
    assert present.model == model
    expected = sorted(
        f"{row['id']}:{row['live_generation']}:{ordinal}"
        for row in pipeline.documents()
        for ordinal in range(row["chunk_count"] or 0)
    )
    # The reaper finds what the tests before this one left of their bots.
    filled = {
        place: sorted(records)
        for place, records in pipeline.vectors.records.items()
        if records and place.bot_id == pipeline.tenant.bot_id
    }
    assert filled == ({present.namespace: expected} if expected else {})
    dimensions = pipeline.embedder_for(model).dimensions
    assert {len(record.values) for record in pipeline.vectors.records[present.namespace].values()} <= {dimensions}
    assert_readers_see_all(pipeline)


def revisions_of_batches(pipeline: Pipeline) -> set[int]:
    """Return at which revisions batches are noted."""
    with pipeline.connection() as connection:
        rows = connection.execute(
            "SELECT DISTINCT b.revision FROM embedding_batches b JOIN documents d ON d.id = b.document_id"
            " WHERE d.bot_id = %s",
            (pipeline.tenant.bot_id,),
        )
        return {row["revision"] for row in rows}


def usage(pipeline: Pipeline) -> list[tuple[int, int]]:
    """Return tokens and cost of each embedding that was counted, in order."""
    with pipeline.connection() as connection:
        rows = connection.execute(
            "SELECT value, cost_microdollars FROM usage_events WHERE bot_id = %s AND metric = 'embedding' ORDER BY id",
            (pipeline.tenant.bot_id,),
        )
        return [(row["value"], row["cost_microdollars"]) for row in rows]


def logged_errors(pipeline: Pipeline, service: str) -> list[str]:
    """Return the types of the errors that a service left for the organization to read."""
    query = "SELECT error_type FROM error_logs WHERE bot_id = %s AND service = %s ORDER BY id"
    with pipeline.connection() as connection:
        rows = connection.execute(query, (pipeline.tenant.bot_id, service)).fetchall()
    return [row["error_type"] for row in rows]


def document_id(pipeline: Pipeline, name: str) -> UUID:
    """Return the document of this name."""
    (found,) = [row["id"] for row in pipeline.documents() if row["name"] == name]
    return UUID(str(found))
