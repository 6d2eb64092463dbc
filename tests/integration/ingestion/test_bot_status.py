"""A bot's status follows its documents'."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from chatsphere.db.database import Database
from chatsphere.knowledge.ingestion.transitions import refresh_bot_status
from tests.integration.ingestion.pipeline import Pipeline
from tests.postgres import DatabaseUrls
from tests.waiting import wait_for


def set_documents(pipeline: Pipeline, *documents: tuple[str, str, int | None]) -> None:
    """Give the bot documents of these statuses, stages and live generations."""
    with pipeline.connection() as connection:
        for number, (status, stage, live) in enumerate(documents):
            connection.execute(
                "INSERT INTO documents (id, organization_id, bot_id, name, source, status, stage, live_generation)"
                " VALUES (%s, %s, %s, %s, 's3', %s, %s, %s)",
                (
                    pipeline.ids.new(),
                    pipeline.tenant.organization_id,
                    pipeline.tenant.bot_id,
                    str(number),
                    status,
                    stage,
                    live,
                ),
            )
        refresh_bot_status(connection, pipeline.tenant.bot_id, pipeline.clock.now())


READY = ("ready", "done", 1)
FAILED = ("failed", "extract", None)
AWAITED = ("registered", "upload", None)


@pytest.mark.parametrize(
    ("documents", "status"),
    [
        ([], "draft"),
        ([("deleting", "delete", None)], "draft"),
        ([AWAITED], "uploading"),
        ([AWAITED, FAILED], "uploading"),
        ([AWAITED, READY], "trained"),
        ([("registered", "extract", None)], "training"),
        ([("extracting", "extract", None), READY], "training"),
        ([("embedding", "embed", 1)], "training"),
        ([READY], "trained"),
        ([READY, FAILED], "trained"),
        ([("failed", "embed", 1)], "trained"),
        ([FAILED], "error"),
    ],
)
def test_the_status_is_derived(pipeline: Pipeline, documents: list[tuple[str, str, int | None]], status: str) -> None:
    set_documents(pipeline, *documents)
    assert pipeline.bot_status() == status


@pytest.mark.parametrize("status", ["archived", "deleting"])
def test_an_archived_or_deleted_bot_keeps_its_status(pipeline: Pipeline, status: str) -> None:
    with pipeline.connection() as connection:
        connection.execute("UPDATE bots SET status = %s WHERE id = %s", (status, pipeline.tenant.bot_id))
    set_documents(pipeline, READY)
    assert pipeline.bot_status() == status


def test_of_two_documents_that_finish_at_once_one_finds_itself_the_last(
    pipeline: Pipeline, database_urls: DatabaseUrls
) -> None:
    # Given two unfinished documents
    set_documents(pipeline, ("embedding", "embed", None), ("embedding", "embed", None))
    finish = "UPDATE documents SET status = 'ready', live_generation = 1 WHERE bot_id = %s AND name = %s"
    other = Database(database_urls.app, application_name="finishes-second")

    def finish_second() -> None:
        with other.transaction(pipeline.tenant.organization_id) as connection:
            connection.execute(finish, (pipeline.tenant.bot_id, "1"))
            refresh_bot_status(connection, pipeline.tenant.bot_id, pipeline.clock.now())

    # When the second one finishes before the first has committed
    with ThreadPoolExecutor(1) as worker, psycopg.connect(database_urls.admin, autocommit=True) as admin:
        with pipeline.connection() as connection:
            connection.execute(finish, (pipeline.tenant.bot_id, "0"))
            refresh_bot_status(connection, pipeline.tenant.bot_id, pipeline.clock.now())
            second = worker.submit(finish_second)
            waits = (
                "SELECT FROM pg_stat_activity WHERE application_name = 'finishes-second' AND wait_event_type = 'Lock'"
            )
            wait_for(lambda: second.done() or admin.execute(waits).fetchone() is not None, what="the second to wait")
        second.result()
    other.close()
    # Then
    assert pipeline.bot_status() == "trained"
