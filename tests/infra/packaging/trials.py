"""One real event for each function, and what its answer must be."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from infra.catalog import FUNCTIONS, QueueTrigger
from infra.local.sqs_events import sqs_event
from tests.builders.rest_api import ARN, proxy_event
from tests.infra.packaging.world import World

Call = Callable[[Any], Any]
"""Runs the packaged function on an event and returns its answer."""

Trial = Callable[[World, Call], None]

HANDLED: dict[str, Any] = {"batchItemFailures": []}
QUEUE_OF = {f.name: f.trigger.queue.name for f in FUNCTIONS if isinstance(f.trigger, QueueTrigger)}


def authorizer_denies_a_forged_token(world: World, call: Call) -> None:
    event = proxy_event("GET", "/v1/me", "/v1/me", {}, {"Authorization": "Bearer a.b.c"}, {})
    policy = call(event | {"type": "REQUEST", "methodArn": ARN.format(method="GET", path="/v1/me")})

    assert [statement["Effect"] for statement in policy["policyDocument"]["Statement"]] == ["Deny"]
    assert policy["context"]["code"] == "unauthorized"


def login_of_a_stranger_is_refused(world: World, call: Call) -> None:
    body = {"email": f"{uuid4().hex}@example.com", "password": "correct horse battery staple"}

    answer = call(_http(world, "POST", "/v1/auth/login", body=body, public=True))

    assert answer["statusCode"] == 401, answer


def a_forged_webhook_is_refused(world: World, call: Call) -> None:
    event = _http(world, "POST", "/v1/billing/stripe-webhook", body={"id": "evt_1"}, public=True)
    event["headers"]["Stripe-Signature"] = "t=1,v1=00"
    event["multiValueHeaders"]["Stripe-Signature"] = ["t=1,v1=00"]

    answer = call(event)

    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (400, "invalid_signature"), answer


def the_api_is_described(world: World, call: Call) -> None:
    answer = call(_http(world, "GET", "/v1/openapi.json", public=True))

    assert answer["statusCode"] == 200
    assert "/v1/bots/{bot_id}/chat" in json.loads(answer["body"])["paths"]


def bots_are_listed(world: World, call: Call) -> None:
    answer = call(_http(world, "GET", "/v1/bots"))

    assert [bot["id"] for bot in json.loads(answer["body"])["data"]] == [str(world.tenant.bot_id)]


def an_upload_is_permitted(world: World, call: Call) -> None:
    body = {"name": "plans.txt", "content_type": "text/plain", "size": 5}

    answer = call(_http(world, "POST", "/v1/bots/{bot_id}/documents", body=body))

    assert answer["statusCode"] == 201, answer
    assert world.values["UPLOADS_BUCKET"] in json.loads(answer["body"])["upload"]["url"]


def conversations_are_listed(world: World, call: Call) -> None:
    answer = call(_http(world, "GET", "/v1/bots/{bot_id}/conversations"))

    assert json.loads(answer["body"])["data"] == []


def an_uploaded_object_is_registered(world: World, call: Call) -> None:
    answer = call(_delivered("register_object", world.put_pdf()))

    assert answer == HANDLED
    assert [json.loads(message["Body"])["generation"] for message in world.messages("EXTRACT_QUEUE_URL")] == [1]


def a_pdf_is_extracted(world: World, call: Call) -> None:
    message = world.registered_pdf()

    assert call(_delivered("extract_document", message)) == HANDLED
    assert [json.loads(m["Body"])["document_id"] for m in world.messages("EMBED_QUEUE_URL")] == [message["document_id"]]


def an_overtaken_batch_is_dropped(world: World, call: Call) -> None:
    document = {"document_id": str(uuid4()), "generation": 1, "batch": 0}

    assert call(_delivered("embed_chunks", world.namespace | document)) == HANDLED


def a_finished_deletion_is_not_repeated(world: World, call: Call) -> None:
    assert call(_delivered("purge_deleted", world.namespace | {"document_id": str(uuid4())})) == HANDLED


def an_overtaken_step_is_dropped(world: World, call: Call) -> None:
    step = {"source_id": str(uuid4()), "step": 1}

    assert call(_delivered("fetch_pages", world.namespace | step)) == HANDLED


def an_empty_bot_is_reconciled(world: World, call: Call) -> None:
    assert call(_delivered("reconcile_stores", world.namespace)) == HANDLED


def a_mail_is_sent(world: World, call: Call) -> None:
    before = world.mails_sent()

    # A notice: of mails with a token a person gets five an hour, and the bench sends more.
    assert call(_delivered("send_mail", {"kind": "password_changed", "user_id": str(world.tenant.user_id)})) == HANDLED

    assert world.mails_sent() == before + 1


def a_lost_document_is_brought_back(world: World, call: Call) -> None:
    message = world.lost_pdf()

    # Other trials leave documents, too, whose leases end.
    assert call({})["documents"] >= 1
    assert message in [json.loads(sent["Body"]) for sent in world.messages("EXTRACT_QUEUE_URL")]


def the_archive_is_listed(world: World, call: Call) -> None:
    answer = call(_http(world, "GET", "/v1/archive/files"))

    assert (answer["statusCode"], json.loads(answer["body"])["data"]) == (200, []), answer


def nothing_was_used(world: World, call: Call) -> None:
    answer = call(_http(world, "GET", "/v1/insights/usage"))

    assert answer["statusCode"] == 200, answer


def webhooks_are_listed(world: World, call: Call) -> None:
    answer = call(_http(world, "GET", "/v1/webhooks"))

    assert (answer["statusCode"], json.loads(answer["body"])["data"]) == (200, []), answer


def a_bot_is_exported(world: World, call: Call) -> None:
    message, exports = world.asked_for_export(), f"exports/{world.tenant.organization_id}/"
    before = world.archived(exports)

    assert call(_delivered("run_jobs", message)) == HANDLED

    assert len(world.archived(exports)) == len(before) + 1


def nobody_is_to_be_told(world: World, call: Call) -> None:
    assert call(_delivered("deliver_webhooks", {"organization_id": str(world.tenant.organization_id)})) == HANDLED


def a_day_is_begun_once(world: World, call: Call) -> None:
    call({})
    again = call({})

    assert (again["partitions_made"], again["runs"]) == (0, 0)


def usage_is_summed_up(world: World, call: Call) -> None:
    call({})
    assert call({}) == {"days": 0}


def a_report_on_the_database_is_written(world: World, call: Call) -> None:
    report = call({})["report"]

    assert world.archived(report) == [report]


TRIALS: Mapping[str, Trial] = {
    "authorize_request": authorizer_denies_a_forged_token,
    "manage_identity": login_of_a_stranger_is_refused,
    "manage_organizations": a_forged_webhook_is_refused,
    "describe_api": the_api_is_described,
    "manage_bots": bots_are_listed,
    "manage_documents": an_upload_is_permitted,
    "manage_conversations": conversations_are_listed,
    "manage_retention": the_archive_is_listed,
    "show_insights": nothing_was_used,
    "manage_webhooks": webhooks_are_listed,
    "register_object": an_uploaded_object_is_registered,
    "extract_document": a_pdf_is_extracted,
    "embed_chunks": an_overtaken_batch_is_dropped,
    "purge_deleted": a_finished_deletion_is_not_repeated,
    "fetch_pages": an_overtaken_step_is_dropped,
    "reconcile_stores": an_empty_bot_is_reconciled,
    "run_jobs": a_bot_is_exported,
    "deliver_webhooks": nobody_is_to_be_told,
    "send_mail": a_mail_is_sent,
    "reap_stalled": a_lost_document_is_brought_back,
    "enforce_retention": a_day_is_begun_once,
    "roll_up_usage": usage_is_summed_up,
    "maintain_database": a_report_on_the_database_is_written,
}


def _http(world: World, method: str, resource: str, *, body: Any = None, public: bool = False) -> dict[str, Any]:
    bot = str(world.tenant.bot_id)
    parameters = {"bot_id": bot} if "{bot_id}" in resource else {}
    path = resource.replace("{bot_id}", bot)
    event = proxy_event(method, path, resource, parameters, {"Content-Type": "application/json"}, {})
    event["body"] = None if body is None else json.dumps(body)
    if not public:
        event["requestContext"]["authorizer"] = world.principal
    return event


def _delivered(function: str, body: Any) -> dict[str, Any]:
    message = {
        "MessageId": str(uuid4()),
        "ReceiptHandle": "receipt",
        "Body": json.dumps(body),
        "MD5OfBody": "",
        "Attributes": {"ApproximateReceiveCount": "1"},
    }
    return sqs_event(QUEUE_OF[function], [message])
