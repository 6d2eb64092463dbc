"""The real handlers, database, extraction, S3 and SQS; only the embedding is small."""

import importlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from chatsphere.adapters.pgvector import PgVectorStore
from chatsphere.bootstrap import container
from chatsphere.knowledge.retrieval.lexical import analyse, search_lexical
from chatsphere.ports.vectors import Namespace
from tests.builders.pdf import make_pdf
from tests.builders.running_api import running_api
from tests.conftest import Tenant
from tests.fakes import FakeEmbedder
from tests.moto_server import make_bucket, make_queue, receive_all, running_moto
from tests.postgres import DatabaseUrls

STAGES = {
    "intake": "register_object",
    "extract": "extract_document",
    "embed": "embed_chunks",
    "purge": "purge_deleted",
}
PAGES = ["The first page is about rivers.", "The second page is about mountains."]


@dataclass
class Cloud:
    """A bucket whose notifications go to the intake queue, and the functions behind the queues."""

    endpoint: str
    bucket: str
    queues: dict[str, str]
    tenant: Tenant

    def put(self, name: str, body: bytes, content_type: str) -> None:
        boto3.client("s3", endpoint_url=self.endpoint).put_object(
            Bucket=self.bucket, Key=self.key(name), Body=body, ContentType=content_type
        )

    def key(self, name: str) -> str:
        return f"{self.tenant.organization_id}/{self.tenant.bot_id}/{name}"

    def run(self) -> None:
        """Move messages until every queue is empty."""
        while sum(self._work_off(queue) for queue in STAGES):
            pass

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        return importlib.import_module(f"functions.{function}.handler").handler(event, None)

    def _work_off(self, queue: str) -> bool:
        messages = receive_all(self.endpoint, self.queues[queue])
        records = [{"messageId": m["MessageId"], "body": m["Body"], "attributes": m["Attributes"]} for m in messages]
        if records:
            assert self.invoke(STAGES[queue], {"Records": records}) == {"batchItemFailures": []}
        return bool(records)

    def documents(self) -> dict[str, dict[str, Any]]:
        with container().database.transaction(self.tenant.organization_id) as connection:
            rows = connection.execute("SELECT * FROM documents WHERE bot_id = %s", (self.tenant.bot_id,))
            return {row["name"]: row for row in rows}


@pytest.fixture
def cloud(database_urls: DatabaseUrls, make_tenant: Callable[[], Tenant]) -> Iterator[Cloud]:
    with running_moto() as endpoint:
        bucket = f"uploads-{uuid4().hex}"
        client = make_bucket(endpoint, bucket)
        queues = {queue: make_queue(endpoint, f"{queue}-{uuid4().hex}") for queue in STAGES}
        arn = boto3.client("sqs", endpoint_url=endpoint).get_queue_attributes(
            QueueUrl=queues["intake"], AttributeNames=["QueueArn"]
        )["Attributes"]["QueueArn"]
        notify = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}
        client.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [notify]}
        )
        variables = {f"{queue.upper()}_QUEUE_URL": url for queue, url in queues.items()}
        variables |= {"UPLOADS_BUCKET": bucket, "S3_ENDPOINT": endpoint, "SQS_ENDPOINT": endpoint}
        with running_api(database_urls, **variables) as api:
            for name in ("clock", "extract_queue", "embed_queue", "purge_queue"):
                del vars(api.container)[name]
            embedder = FakeEmbedder(384)
            vars(api.container).update(embedder=embedder, token_counter=embedder)
            yield Cloud(endpoint, bucket, queues, make_tenant())


def test_files_of_several_formats_become_ready(cloud: Cloud) -> None:
    # Given
    cloud.put("handbook.pdf", make_pdf(PAGES), "application/pdf")
    cloud.put("notes/über.md", b"# Trees\n\nOaks grow slowly.", "text/markdown")
    cloud.put("lie.pdf", b"This is no PDF.", "application/pdf")
    cloud.put("empty.txt", b"", "text/plain")
    # When
    cloud.run()
    # Then
    documents = cloud.documents()
    assert {name: (row["status"], row["error_code"]) for name, row in documents.items()} == {
        "handbook.pdf": ("ready", None),
        "notes/über.md": ("ready", None),
        "lie.pdf": ("failed", "type_mismatch"),
        "empty.txt": ("failed", "empty"),
    }
    handbook = documents["handbook.pdf"]
    assert (handbook["page_count"], handbook["content_type"]) == (2, "application/pdf")
    with container().database.transaction(cloud.tenant.organization_id) as connection:
        chunks = connection.execute(
            "SELECT content, page_start FROM chunks WHERE document_id = %s ORDER BY ordinal", (handbook["id"],)
        ).fetchall()
        question = analyse(connection, cloud.tenant.bot_id, "Which trees grow slowly?")
        found = search_lexical(connection, cloud.tenant.bot_id, question, limit=10, documents=None)
        expected = connection.execute(
            "SELECT id FROM chunks WHERE document_id = %s", (documents["notes/über.md"]["id"],)
        ).fetchall()
    assert all(page in "\n".join(chunk["content"] for chunk in chunks) for page in PAGES)
    assert {match.chunk_id for match in found} == {row["id"] for row in expected}
    namespace = Namespace(cloud.tenant.organization_id, cloud.tenant.bot_id)
    assert PgVectorStore(container().database).count(namespace) == sum(
        row["chunk_count"] or 0 for row in documents.values()
    )


def test_a_replaced_and_then_deleted_file_leaves_nothing(cloud: Cloud) -> None:
    # Given
    cloud.put("a.txt", b"The first text.", "text/plain")
    cloud.run()
    cloud.put("a.txt", b"The second text.", "text/plain")
    cloud.run()
    document = cloud.documents()["a.txt"]
    assert (document["status"], document["live_generation"]) == ("ready", 2)
    # When
    with container().database.transaction(cloud.tenant.organization_id) as connection:
        connection.execute("UPDATE bots SET status = 'deleting' WHERE id = %s", (cloud.tenant.bot_id,))
    message = {"organization_id": str(cloud.tenant.organization_id), "bot_id": str(cloud.tenant.bot_id)}
    container().purge_queue.send([message], group="g")
    cloud.run()
    # Then
    with container().database.transaction(cloud.tenant.organization_id) as connection:
        for table in ("bots", "documents", "chunks", "chunk_vectors", "lexical_chunks"):
            assert connection.execute(f"SELECT count(*) AS n FROM {table}").fetchone() == {"n": 0}
    assert container().object_store.count_versions(cloud.key("")) == 0


def test_the_reaper_runs_on_its_schedule(cloud: Cloud) -> None:
    # Given work whose message was lost
    cloud.put("a.txt", b"A text.", "text/plain")
    cloud.invoke(
        "register_object",
        {
            "Records": [
                {"messageId": "m", "body": m["Body"]} for m in receive_all(cloud.endpoint, cloud.queues["intake"])
            ]
        },
    )
    receive_all(cloud.endpoint, cloud.queues["extract"])
    with container().database.transaction(cloud.tenant.organization_id) as connection:
        connection.execute("UPDATE documents SET lease_expires_at = now()")
    # When
    assert cloud.invoke("reap_stalled", {})["documents"] >= 1
    # Then
    sent = [json.loads(m["Body"])["document_id"] for m in receive_all(cloud.endpoint, cloud.queues["extract"])]
    assert str(cloud.documents()["a.txt"]["id"]) in sent


def test_a_poison_message_is_returned(cloud: Cloud, tmp_path: Path) -> None:
    record = {"messageId": "m", "body": '{"document_id": "nonsense"}'}
    for function in STAGES.values():
        answer = cloud.invoke(function, {"Records": [record]})
        assert answer == {"batchItemFailures": [{"itemIdentifier": "m"}]}
