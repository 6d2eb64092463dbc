"""What the deployed stacks must do, in an order: each check uses what the ones before it made."""

import json
from collections.abc import Callable
from typing import Final
from uuid import uuid4

import boto3
import httpx
from botocore.exceptions import ClientError

from chatsphere.db.migrate import LOGIN_ROLES
from infra.packaging.cache import REPOSITORY
from tests.builders.pdf import make_pdf
from tests.e2e.client import Client
from tests.e2e.handbook import PAGES, QUESTIONS
from tests.emulator.deployed import Deployed
from tests.emulator.ministack import REGION
from tests.waiting import wait_for

PDF: Final = "application/pdf"
PROBLEM: Final = "application/problem+json"
MIGRATIONS: Final = REPOSITORY / "shared" / "chatsphere" / "db" / "migrations" / "versions"


def the_migration_ran_as_a_custom_resource(deployed: Deployed) -> None:
    newest = max(path.stem for path in MIGRATIONS.glob("*.sql")).partition("_")[0]
    assert deployed.query("SELECT version_num FROM alembic_version") == [(newest,)]
    roles = deployed.query("SELECT count(*) FROM pg_roles WHERE rolcanlogin AND rolname = ANY(%s)", list(LOGIN_ROLES))
    assert roles == [(len(LOGIN_ROLES),)]


def public_routes_need_no_credential(deployed: Deployed) -> None:
    for path in ("/v1/health/live", "/v1/health/ready", "/v1/openapi.json", "/.well-known/jwks.json"):
        answer = httpx.get(deployed.api + path, timeout=60)
        assert answer.status_code == 200, f"{path}: {answer.text}"


def a_wrong_credential_and_none_are_refused_with_a_problem_document(deployed: Deployed) -> None:
    for headers in ({"Authorization": "Bearer wrong"}, {}):
        answer = httpx.get(f"{deployed.api}/v1/me", headers=headers, timeout=60)
        assert answer.status_code == 401, answer.text
        assert answer.headers["content-type"].startswith(PROBLEM), answer.headers
        assert answer.json()["status"] == 401, answer.text
        assert answer.json()["code"], answer.text


def a_person_registers_and_makes_a_bot(deployed: Deployed) -> None:
    deployed.client = Client.registered(deployed.api)
    me = deployed.client.http.get("/v1/me")
    assert me.status_code == 200, me.text
    deployed.bot_id = deployed.client.bot()["id"]


def a_file_put_into_s3_reaches_the_last_function(deployed: Deployed) -> None:
    key = deployed.key("Handbuch für Kunden + mehr.pdf")
    deployed.ministack.client("s3").put_object(Bucket=deployed.uploads, Key=key, Body=make_pdf(PAGES), ContentType=PDF)
    document = deployed.ready("Handbuch für Kunden + mehr.pdf")
    deployed.document_id = document["id"]
    assert document["page_count"] == len(PAGES)
    embedded = deployed.query("SELECT count(*) FROM chunk_vectors WHERE document_id = %s", document["id"])
    assert embedded == [(document["chunk_count"],)]


def a_browser_uploads_through_a_presigned_form(deployed: Deployed) -> None:
    deployed.client.upload(deployed.bot_id, "form.pdf", make_pdf(["The Heron plan includes 100 users."]), PDF)
    deployed.ready("form.pdf")


def lent_credentials_reach_one_bot_and_no_other(deployed: Deployed) -> None:
    answer = deployed.client.http.post(f"/v1/bots/{deployed.bot_id}/upload-credentials")
    assert answer.status_code == 201, answer.text
    place, lent = answer.json(), answer.json()["credentials"]
    s3 = boto3.client(
        "s3",
        endpoint_url=deployed.ministack.url,
        verify=str(deployed.ministack.certificate),
        region_name=REGION,
        aws_access_key_id=lent["access_key_id"],
        aws_secret_access_key=lent["secret_access_key"],
        aws_session_token=lent["session_token"],
    )
    s3.put_object(Bucket=place["bucket"], Key=f"{place['prefix']}dropped.txt", Body=b"Storks return in March.")
    deployed.ready("dropped.txt")
    try:
        s3.put_object(Bucket=deployed.uploads, Key=f"{deployed.client.organization_id}/{uuid4()}/a.txt", Body=b"x")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDenied", error.response  # noqa: PT017 - no pytest here
    else:
        raise AssertionError("another bot's prefix was open to the lent credentials")


def a_question_is_answered_with_a_citation(deployed: Deployed) -> None:
    question, page, expected = QUESTIONS[0]
    answer = deployed.client.chat(deployed.bot_id, question)
    assert answer["answerable"], answer
    assert expected in answer["answer"], answer
    cited = answer["citations"][0]
    assert (cited["document_id"], cited["page"]) == (deployed.document_id, page), cited


def the_schedule_brings_a_lost_message_back(deployed: Deployed) -> None:
    ministack, name = deployed.ministack, "lost.txt"
    mappings = ministack.client("lambda")
    mapping = mappings.list_event_source_mappings(FunctionName=f"{deployed.prefix}-extract_document")
    identity = mapping["EventSourceMappings"][0]["UUID"]
    mappings.update_event_source_mapping(UUID=identity, Enabled=False)
    ministack.client("s3").put_object(Bucket=deployed.uploads, Key=deployed.key(name), Body=b"Cranes leave in October.")
    waiting = "SELECT id FROM documents WHERE name = %s AND stage = 'extract' AND lease_token IS NULL"
    wait_for(lambda: deployed.query(waiting, name), what=f"{name} to be registered")
    queues = ministack.client("sqs")
    queues.purge_queue(QueueUrl=queues.get_queue_url(QueueName=f"{deployed.prefix}-extract")["QueueUrl"])
    mappings.update_event_source_mapping(UUID=identity, Enabled=True)
    # Its time is over, and the schedule runs soon: neither is worth waiting for.
    deployed.query("UPDATE documents SET lease_expires_at = now() - interval '1 s' WHERE name = %s RETURNING id", name)
    _run_every_minute(deployed)
    deployed.ready(name)


def a_deleted_document_leaves_nothing(deployed: Deployed) -> None:
    answer = deployed.client.http.delete(f"/v1/bots/{deployed.bot_id}/documents/{deployed.document_id}")
    assert answer.status_code == 202, answer.text
    rows = "SELECT 1 FROM documents WHERE id = %s UNION ALL SELECT 1 FROM chunk_vectors WHERE document_id = %s"
    identity = deployed.document_id
    wait_for(lambda: not deployed.query(rows, identity, identity), what="the rows to be deleted")
    s3 = deployed.ministack.client("s3")
    prefix = deployed.key("Handbuch")
    versions = s3.list_object_versions(Bucket=deployed.uploads, Prefix=prefix)
    assert not versions.get("Versions"), json.dumps(versions, default=str)


def no_message_is_in_a_dead_letter_queue(deployed: Deployed) -> None:
    sqs = deployed.ministack.client("sqs")
    dead = [url for url in sqs.list_queues()["QueueUrls"] if "dead" in url.lower()]
    assert dead
    for url in dead:
        counted = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        assert counted["Attributes"]["ApproximateNumberOfMessages"] == "0", url


def _run_every_minute(deployed: Deployed) -> None:
    """Let the deployed schedule run more often; all else of it stays as the template has it."""
    scheduler = deployed.ministack.client("scheduler")
    described = f"{deployed.prefix}: reap_stalled"
    schedules = [scheduler.get_schedule(Name=known["Name"]) for known in scheduler.list_schedules()["Schedules"]]
    (schedule,) = (found for found in schedules if found.get("Description") == described)
    scheduler.update_schedule(
        Name=schedule["Name"],
        ScheduleExpression="rate(1 minute)",
        FlexibleTimeWindow=schedule["FlexibleTimeWindow"],
        Target=schedule["Target"],
    )


Check = Callable[[Deployed], None]

CHECKS: Final[tuple[Check, ...]] = (
    the_migration_ran_as_a_custom_resource,
    public_routes_need_no_credential,
    a_wrong_credential_and_none_are_refused_with_a_problem_document,
    a_person_registers_and_makes_a_bot,
    a_file_put_into_s3_reaches_the_last_function,
    a_browser_uploads_through_a_presigned_form,
    lent_credentials_reach_one_bot_and_no_other,
    a_question_is_answered_with_a_citation,
    the_schedule_brings_a_lost_message_back,
    a_deleted_document_leaves_nothing,
    no_message_is_in_a_dead_letter_queue,
)
