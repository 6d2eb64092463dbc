"""What the functions write about their work: every handler is driven once, and the log is read."""

import importlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch
from urllib.parse import quote
from uuid import UUID, uuid4

import anyio
import boto3
import httpx
import pytest

from chatsphere.access.permissions import Role
from chatsphere.access.principal import Principal
from chatsphere.bootstrap import container
from chatsphere.chat.asgi import services_from_environment
from chatsphere.observability import NAMESPACE, Metric
from infra.local.sqs_events import sqs_event
from tests.builders.running_api import PASSWORD, Account, Answer, RunningApi, running_api
from tests.integration.cloud_runtime.logbook import Logbook, kept_log
from tests.moto_server import make_bucket, make_queue, running_moto
from tests.postgres import fresh_database

CANARY = "canary7351"
"""Stands in every question, document, file name, password and credential that is sent."""

BUCKET = "observed-uploads"


@dataclass
class Story:
    """One organization's day, as the functions see it, and what they wrote."""

    api: RunningApi
    moto: str
    queues: dict[str, str]
    log: Logbook
    account: Account = field(init=False)
    bot_id: str = field(init=False)
    ids: dict[str, str] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, body: Any = None, **named: Any) -> Answer:
        named.setdefault("token", self.account.access_token)
        return self.api.request(method, path, body, **named)

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        return importlib.import_module(f"functions.{function}.handler").handler(event, None)

    def drain(self, queue: str, function: str) -> int:
        """Deliver what is in a queue, as Lambda does; return how many messages it were."""
        sqs, count = boto3.client("sqs", endpoint_url=self.moto), 0
        while messages := sqs.receive_message(
            QueueUrl=self.queues[queue],
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        ).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=self.queues[queue], ReceiptHandle=message["ReceiptHandle"])
            self.invoke(function, sqs_event(queue, [dict(message) for message in messages]))
            count += len(messages)
        return count

    def ingest(self) -> None:
        self.drain("extract", "extract_document")
        self.drain("embed", "embed_chunks")

    def chat(self, path: str, body: dict[str, Any], request_id: str) -> httpx.Response:
        """Ask the streaming function, as the Lambda Web Adapter does."""
        principal = Principal(UUID(self.account.organization_id), UUID(self.account.user_id), Role.OWNER)
        context = {"requestId": request_id, "authorizer": principal.to_context()}
        headers = {"x-amzn-request-context": json.dumps(context), "x-amzn-trace-id": "Root=1-trace;Sampled=1"}
        app = importlib.import_module("functions.answer_question.handler").app

        async def call() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://chat") as client:
                return await client.post(f"/v1/bots/{self.bot_id}{path}", json=body, headers=headers, timeout=30)

        return anyio.run(call)


@pytest.fixture(scope="module")
def story(database_server: str) -> Iterator[Story]:
    # A database of its own: the reaper looks after the work of every tenant, and all of it is counted here.
    with (
        fresh_database(database_server) as database_urls,
        running_moto() as moto,
        pytest.MonkeyPatch.context() as environment,
    ):
        make_bucket(moto, BUCKET)
        queues = {name: make_queue(moto, f"observed-{name}-{uuid4().hex}") for name in ("extract", "embed", "purge")}
        variables = {f"{name.upper()}_QUEUE_URL": url for name, url in queues.items()} | {
            "UPLOADS_BUCKET": BUCKET,
            "S3_ENDPOINT": moto,
            "SQS_ENDPOINT": moto,
            "STS_ENDPOINT": moto,
            "UPLOADER_ROLE_ARN": "arn:aws:iam::123456789012:role/uploader",
        }
        environment.delenv("POWERTOOLS_METRICS_DISABLED", raising=False)
        services_from_environment.cache_clear()
        with running_api(database_urls, **variables) as api, kept_log() as log:
            for queue in ("purge_queue", "extract_queue", "embed_queue"):
                del vars(api.container)[queue]
            told = Story(api, moto, queues, log)
            _identity(told)
            _bad_requests(told)
            _documents(told)
            _questions(told)
            _deletions(told)
            yield told
        services_from_environment.cache_clear()


def _identity(story: Story) -> None:
    story.account = story.api.register(email=f"{CANARY}@example.com", first_name=CANARY)
    key = story.api.api_key(story.account, name=CANARY)["key"]
    story.secrets += [PASSWORD, story.account.access_token, story.account.refresh_token, key]
    login = {"email": story.account.email, "password": f"wrong {CANARY}"}
    assert story.ask("POST", "/v1/auth/login", login, token=None).status == 401
    for wrong in (f"cs_live_{CANARY}", f"e30.{CANARY}.e30", f"{key}x"):
        assert story.ask("GET", "/v1/me", token=wrong).status == 401
    assert story.ask("GET", "/v1/me", token=key).status == 200
    assert story.ask("POST", "/v1/auth/refresh", {"refresh_token": CANARY}, token=None).status == 401


def _bad_requests(story: Story) -> None:
    bot = story.api.bot(story.account, name=CANARY, system_prompt=CANARY)
    story.bot_id = bot["id"]
    assert story.ask("POST", "/v1/bots", raw_body=f'{{"name": "{CANARY}').status == 400
    assert story.ask("POST", "/v1/bots", {"name": 5, CANARY: CANARY}).status == 422
    assert story.ask("GET", f"/v1/bots/{CANARY}").status == 404
    lent = story.ask("POST", f"/v1/bots/{story.bot_id}/upload-credentials").json["credentials"]
    story.secrets += [lent["secret_access_key"], lent["session_token"]]
    with patch("chatsphere.bots.queries.PAGE", f"SELECT '{CANARY}' FROM nowhere"):
        assert story.ask("GET", "/v1/bots").status == 500


def _documents(story: Story) -> None:
    text = f"The {CANARY} heron nests in the tower of Falcon Hall."
    documents = f"/v1/bots/{story.bot_id}/documents"
    answer = story.ask("POST", documents, {"name": f"{CANARY}.txt", "text": text})
    story.ids["text"], story.ids["text_request"] = answer.json["document"]["id"], answer.headers["X-Request-Id"]
    story.ingest()
    key = f"{story.account.organization_id}/{story.bot_id}/{CANARY}.pdf"
    stored = boto3.client("s3", endpoint_url=story.moto).put_object(Bucket=BUCKET, Key=key, Body=CANARY.encode())
    described = {"key": quote(key), "versionId": stored["VersionId"]}
    happened = {"eventName": "ObjectCreated:Put", "eventTime": "2026-01-01T00:00:00Z", "s3": {"object": described}}
    _deliver(story, "register_object", {"Records": [happened]}, "notification")
    _deliver(story, "register_object", {"Records": [{**happened, "s3": {"object": {"key": CANARY}}}]}, "stray")
    story.ingest()
    for function in ("register_object", "extract_document", "embed_chunks", "purge_deleted"):
        _deliver(story, function, {"organization_id": CANARY[:3], "text": CANARY}, "poison", receives=5)
    assert story.ask("GET", f"{documents}/{story.ids['text']}").json["status"] == "ready"


def _questions(story: Story) -> None:
    chat, search = {"message": f"Where does the {CANARY} heron nest?"}, {"query": CANARY}
    answer = story.chat("/chat", chat, "asked")
    assert answer.json()["answerable"], answer.text
    assert "event: done" in story.chat("/chat", {**chat, "stream": True}, "streamed").text
    assert story.chat("/chat", {"message": "Quels fromages?"}, "refused").json()["answerable"] is False
    assert story.chat("/search", search, "searched").status_code == 200
    assert story.chat("/search", {"query": CANARY, "limit": CANARY}, "wrong").status_code == 422
    with patch.object(services_from_environment().model, "stream", side_effect=RuntimeError(CANARY), create=True):
        # In other words, for what was answered before needs no model.
        failing = {"message": f"Where does the {CANARY} heron have its nest?"}
        assert story.chat("/chat", failing, "failed").status_code == 500
    conversations = story.ask("GET", f"/v1/bots/{story.bot_id}/conversations").json["data"]
    story.ask("GET", f"/v1/conversations/{conversations[0]['id']}/messages")
    story.ask("DELETE", f"/v1/conversations/{conversations[0]['id']}")


def _deletions(story: Story) -> None:
    assert story.ask("DELETE", f"/v1/bots/{story.bot_id}/documents/{story.ids['text']}").status == 202
    assert story.ask("DELETE", f"/v1/bots/{story.bot_id}").status == 202
    story.drain("purge", "purge_deleted")
    story.api.clock.advance(hours=2)
    story.invoke("reap_stalled", {"id": "scheduled"})
    story.ask("GET", "/v1/openapi.json", token=None)
    unreachable = f"postgresql://chatsphere_app:{CANARY}@127.0.0.1:9/x"
    with patch.dict("os.environ", DATABASE_URL=unreachable), suppress(KeyError):
        del vars(container())["database"]
        assert story.ask("GET", "/v1/health/ready", token=None).status == 503
        del vars(container())["database"]


def _deliver(story: Story, function: str, body: dict[str, Any], message_id: str, receives: int = 1) -> None:
    attributes = {"ApproximateReceiveCount": str(receives)}
    story.invoke(function, {"Records": [{"messageId": message_id, "body": json.dumps(body), "attributes": attributes}]})


# ------------------------------------------------------------------------------------------------- the log


def test_nothing_that_was_said_or_kept_secret_is_written(story: Story) -> None:
    for secret in [CANARY, *story.secrets]:
        assert secret not in story.log.text, secret
    # What had to be written has been: the places that could have quoted it were reached.
    for message in ("unexpected error", "document failed", "message failed", "object quarantined", "document ready"):
        assert story.log.said(message), message


def test_what_a_request_writes_carries_the_id_that_the_client_was_told(story: Story) -> None:
    extracted = [line for line in story.log.said("document extracted") if line["document_id"] == story.ids["text"]]
    ready = [line for line in story.log.said("document ready") if line["document_id"] == story.ids["text"]]
    # The request's own id went through both queues.
    assert {line["correlation_id"] for line in extracted + ready} == {story.ids["text_request"]}
    assert {line["organization_id"] for line in extracted + ready} == {story.account.organization_id}


def test_what_a_dropped_file_sets_off_carries_the_id_of_its_notification(story: Story) -> None:
    (failed,) = story.log.said("document failed")
    assert failed["correlation_id"] == "notification"
    assert failed["message_id"] != "notification"


def test_a_question_is_correlated_and_traced(story: Story) -> None:
    (failed,) = [line for line in story.log.said("unexpected error") if line["correlation_id"] == "failed"]
    assert failed["xray_trace_id"] == "1-trace"
    assert failed["organization_id"] == story.account.organization_id
    assert UUID(failed["message_id"])


def test_no_line_carries_what_belongs_to_another_invocation(story: Story) -> None:
    for line in story.log.lines:
        if line.get("correlation_id") in ("stray", "scheduled"):
            assert "organization_id" not in line


# ---------------------------------------------------------------------------------------------- the metrics


def test_every_metric_is_of_the_vocabulary_and_has_its_unit(story: Story) -> None:
    units = {metric.metric_name: metric.unit for metric in Metric}
    assert story.log.metrics
    for line in story.log.metrics:
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == NAMESPACE
        assert {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}.items() <= units.items()


def test_no_dimension_tells_tenants_apart(story: Story) -> None:
    by_code = {metric.metric_name for metric in Metric if metric.by_code}
    for line in story.log.metrics:
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        names = {metric["Name"] for metric in directive["Metrics"]}
        wanted = [["service"], ["service", "code"]] if names <= by_code else [["service"]]
        assert directive["Dimensions"] == wanted


@pytest.mark.parametrize(
    ("metric", "total"),
    [
        (Metric.DOCUMENTS_READY, 1),
        (Metric.DOCUMENTS_FAILED, 1),
        (Metric.CHUNKS_EMBEDDED, 1),
        (Metric.MESSAGES_FAILED, 4),
        (Metric.MESSAGES_DEAD, 4),
        (Metric.ANSWERS, 4),
        (Metric.ANSWERS_REFUSED, 1),
        (Metric.ANSWERS_FAILED, 1),
        (Metric.CREDENTIALS_DENIED, 3),
        (Metric.UNEXPECTED_ERRORS, 2),
    ],
)
def test_work_is_counted(story: Story, metric: Metric, total: int) -> None:
    assert story.log.totals()[metric.metric_name] == total


@pytest.mark.parametrize(
    "metric",
    [
        Metric.REGISTER_TIME,
        Metric.EXTRACT_TIME,
        Metric.EMBED_TIME,
        Metric.PURGE_TIME,
        Metric.RETRIEVAL_TIME,
        Metric.FIRST_TOKEN_TIME,
        Metric.ANSWER_TIME,
        Metric.TOKENS_EMBEDDED,
    ],
)
def test_times_and_amounts_are_measured(story: Story, metric: Metric) -> None:
    assert story.log.totals()[metric.metric_name] > 0


def test_failures_are_split_by_their_code(story: Story) -> None:
    codes = {
        (metric["Name"], line["code"])
        for line in story.log.metrics
        if "code" in line
        for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    }
    assert codes >= {
        ("DocumentsFailed", "type_mismatch"),
        ("AnswersRefused", "no_relevant_passage"),
        ("AnswersFailed", "internal_error"),
        ("CredentialsDenied", "unauthorized"),
    }
