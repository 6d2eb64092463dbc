"""A bot's training: one run from the first document under way to the last one that ends."""

from datetime import timedelta
from typing import Any

from chatsphere.errors import CorruptDocumentError
from tests.integration.ingestion.pipeline import Pipeline, read_lines


def training_runs(pipeline: Pipeline) -> list[dict[str, Any]]:
    with pipeline.connection() as connection:
        return connection.execute("SELECT * FROM training_runs ORDER BY id").fetchall()


def refuse_broken(path: Any, **options: Any) -> Any:
    if "broken" in options["name"]:
        raise CorruptDocumentError("The file is damaged.")
    return read_lines(path, **options)


def test_a_training_ends_with_what_its_documents_came_to(pipeline: Pipeline) -> None:
    # Given three documents, one of which is damaged
    pipeline.read = refuse_broken
    for name in ("a.txt", "b.txt", "broken.txt"):
        pipeline.drop(name, "one two\nthree")
    pipeline.deliver_events()
    (under_way,) = training_runs(pipeline)
    assert (under_way["kind"], under_way["status"], under_way["finished_at"]) == ("ingest", "running", None)
    pipeline.clock.advance(timedelta(seconds=3))

    # When all have ended
    pipeline.run()

    # Then the run has their counts
    (run,) = training_runs(pipeline)
    assert run["id"] == under_way["id"]
    assert (run["status"], run["document_count"], run["failed_count"]) == ("succeeded", 3, 1)
    assert (run["page_count"], run["chunk_count"], run["token_count"]) == (2, 4, 6)
    assert run["embedding_model"] == pipeline.embedder.model
    assert run["finished_at"] - run["started_at"] == timedelta(seconds=3)


def test_the_next_documents_are_the_next_training(pipeline: Pipeline) -> None:
    for text in ("one", "two", "three"):
        pipeline.drop("a.txt", text)
        pipeline.run()

    assert [(run["status"], run["document_count"]) for run in training_runs(pipeline)] == [("succeeded", 1)] * 3


def test_a_training_in_which_everything_fails_has_failed(pipeline: Pipeline) -> None:
    pipeline.read = refuse_broken
    pipeline.drop("broken.txt", "text")
    pipeline.run()

    (run,) = training_runs(pipeline)
    assert (run["status"], run["document_count"], run["failed_count"]) == ("failed", 1, 1)


def test_a_bot_that_is_archived_ends_its_training_and_begins_another_when_it_returns(pipeline: Pipeline) -> None:
    pipeline.drop("a.txt", "text")
    pipeline.deliver_events()
    with pipeline.connection() as connection:
        connection.execute("UPDATE bots SET status = 'archived'")
        connection.execute("UPDATE bots SET status = 'training'")
    pipeline.run()

    assert [(run["status"], run["document_count"]) for run in training_runs(pipeline)] == [
        ("cancelled", 0),
        ("succeeded", 1),
    ]


def test_work_that_was_overtaken_is_counted_as_cost_and_not_as_a_document(pipeline: Pipeline) -> None:
    pipeline.drop("a.txt", "old text")
    pipeline.deliver_events()
    pipeline.drop("a.txt", "new text")
    pipeline.run()

    (run,) = training_runs(pipeline)
    assert (run["document_count"], run["token_count"]) == (1, 2)


def test_only_the_last_two_hundred_trainings_are_kept(pipeline: Pipeline) -> None:
    with pipeline.connection() as connection:
        connection.execute(
            "INSERT INTO training_runs (id, organization_id, bot_id, kind, status, started_at)"
            " SELECT app.uuid_v7(), app.current_organization(), %s, kind, 'succeeded', now()"
            " FROM generate_series(1, 203), unnest('{ingest,reembed}'::text[]) AS kind",
            (pipeline.tenant.bot_id,),
        )
        connection.execute("UPDATE bots SET status = 'training'")

    kept = [run for run in training_runs(pipeline) if run["kind"] == "ingest"]
    assert (len(kept), kept[-1]["status"]) == (200, "running")
    assert len(training_runs(pipeline)) == 200 + 203
