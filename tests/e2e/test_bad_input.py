"""Hostile input through the real gateway: always a problem document with a stable code, never a 500."""

from typing import Any

import httpx
import pytest

from tests.builders.pdf import make_pdf
from tests.e2e.client import Client, s3_client
from tests.waiting import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]


def _problem(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    body = answer.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["request_id"] == answer.headers["x-request-id"]


UPLOADS = ("POST", "/upload-credentials")

BODIES = [
    (b"", 422, "invalid_request"),
    (b"{", 400, "malformed_body"),
    (b"[1, 2]", 422, "invalid_request"),
    (b'"text"', 422, "invalid_request"),
    (b"null", 422, "invalid_request"),
    (b'{"name": 5}', 422, "invalid_request"),
    (b'{"name": ""}', 422, "invalid_request"),
    (b'{"name": "a\\u0000b"}', 422, "invalid_request"),
    (b'{"name": "a\\ud800b"}', 422, "invalid_request"),
    (b'{"name": "ok", "temperature": 1e999}', 422, "invalid_request"),
    (b'{"name": "ok", "nonsense": true}', 422, "invalid_request"),
    (b"[" * 100_000, 400, "malformed_body"),
    (b"\xff\xfe\xfd", 400, "malformed_body"),
]


@pytest.mark.parametrize(("body", "status", "code"), BODIES)
def test_a_bad_body_is_explained(client: Client, body: bytes, status: int, code: str) -> None:
    answer = client.http.post("/v1/bots", content=body, headers={"Content-Type": "application/json"})
    _problem(answer, status, code)


@pytest.mark.parametrize(("body", "status", "code"), BODIES)
def test_a_bad_question_is_explained(client: Client, body: bytes, status: int, code: str) -> None:
    bot_id = client.bot()["id"]
    question = body.replace(b"name", b"message")
    answer = client.http.post(f"/v1/bots/{bot_id}/chat", content=question, headers={"Content-Type": "application/json"})
    _problem(answer, status, code)


def test_a_hundred_megabytes_are_refused(client: Client) -> None:
    answer = client.http.post(
        "/v1/bots", content=b'{"name": "' + b"x" * 100_000_000 + b'"}', headers={"Content-Type": "application/json"}
    )
    _problem(answer, 413, "payload_too_large")


@pytest.mark.parametrize(
    "missing", ["01970000-0000-7000-8000-0000000000ff", "not-an-id", "%00", "..%2f..", "'; DROP TABLE bots; --"]
)
def test_an_unknown_id_is_not_found(client: Client, missing: str) -> None:
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/documents"), ("POST", "/chat"), UPLOADS):
        body = {"message": "Hello?"} if path == "/chat" else {"name": "x"}
        answer = client.http.request(
            method, f"/v1/bots/{missing}{path}", json=body if method in ("PATCH", "POST") else None
        )
        _problem(answer, 404, "not_found")


def test_an_unknown_route_and_method_are_explained(client: Client) -> None:
    _problem(client.http.get("/v1/nothing"), 404, "not_found")
    _problem(client.http.put("/v1/bots"), 405, "method_not_allowed")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "missing_credential"),
        ("Bearer nonsense", "unauthorized"),
        ("Bearer " + "x" * 7000, "unauthorized"),
        ("Basic YTpi", "unauthorized"),
        ("Bearer cs_live_aaaaaaaaaaaa_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "malformed_api_key"),
        (
            "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
            "unauthorized",
        ),
    ],
)
def test_a_bad_credential_is_refused(endpoints: dict[str, Any], header: str | None, code: str) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = httpx.get(f"{endpoints['api']}/v1/bots", headers=headers, timeout=60)
    _problem(answer, 401, code)
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/../b", "", "x" * 2000, "a\u0000b", "line\nbreak"])
def test_a_name_that_could_mislead_is_refused(client: Client, name: str) -> None:
    bot_id = client.bot()["id"]
    answer = client.http.post(
        f"/v1/bots/{bot_id}/documents", json={"name": name, "content_type": "text/plain", "size": 3}
    )
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")


def _end_of(client: Client, bot_id: str, document_id: str) -> dict[str, Any]:
    return (
        wait_for(
            lambda: next(
                (d for d in [client.document(bot_id, document_id)] if d["status"] in ("ready", "failed")),
                None,
            ),
            what="the document to end",
        )
        or {}
    )


@pytest.mark.parametrize(
    ("name", "content_type", "body", "codes"),
    [
        ("empty.txt", "text/plain", b"   \n", {"empty"}),
        ("lie.pdf", "application/pdf", b"This is no PDF at all, it is plain text.", {"type_mismatch", "corrupt"}),
        ("cut.pdf", "application/pdf", make_pdf(["One page of text"])[:200], {"corrupt"}),
        ("archive.zip", "application/zip", b"PK\x05\x06" + b"\x00" * 18, {"unsupported_format"}),
        ("noise.bin", "application/octet-stream", bytes(range(256)) * 64, {"unsupported_format", "type_mismatch"}),
    ],
)
def test_a_bad_file_fails_with_a_reason_and_the_next_is_unaffected(
    client: Client, name: str, content_type: str, body: bytes, codes: set[str]
) -> None:
    bot_id = client.bot()["id"]
    bad = client.upload(bot_id, name, body, content_type)
    good = client.text(bot_id, "good.txt", "The Falcon building has nine floors.")
    failed = _end_of(client, bot_id, bad)
    assert failed["status"] == "failed"
    assert failed["error_code"] in codes
    assert failed["error_message"]
    assert _end_of(client, bot_id, good)["status"] == "ready"


def test_an_upload_larger_than_declared_is_refused(endpoints: dict[str, Any], client: Client) -> None:
    bot_id = client.bot()["id"]
    answer = client.http.post(
        f"/v1/bots/{bot_id}/documents", json={"name": "a.txt", "content_type": "text/plain", "size": 10}
    ).json()
    body = b"much more than ten bytes of text"
    httpx.post(answer["upload"]["url"], data=answer["upload"]["fields"], files={"file": ("a.txt", body)}, timeout=60)
    document = _end_of(client, bot_id, answer["document"]["id"])
    assert document["status"] == "failed"
    assert document["error_code"] in ("size_mismatch", "too_large")


@pytest.mark.parametrize("prefix", ["nobody", "{organization}/nothing", "{organization}/{other_bot}"])
def test_an_object_that_belongs_to_no_bot_makes_no_document(
    endpoints: dict[str, Any], client: Client, prefix: str
) -> None:
    stranger = Client.registered(endpoints["api"])
    bot_id, other_bot = client.bot()["id"], stranger.bot()["id"]
    s3, bucket = s3_client(endpoints), endpoints["uploads_bucket"]
    folder = prefix.format(organization=client.organization_id, other_bot=other_bot)
    s3.put_object(Bucket=bucket, Key=f"{folder}/a.txt", Body=b"Misplaced text.")
    # Events of one bucket are handled in turn: when the later object is ready, the earlier was looked at.
    s3.put_object(Bucket=bucket, Key=f"{client.organization_id}/{bot_id}/b.txt", Body=b"Well placed text.")
    wait_for(lambda: [d for d in client.documents(bot_id) if d["status"] == "ready"], what="the second object")
    assert [d["name"] for d in client.documents(bot_id)] == ["b.txt"]
    assert stranger.documents(other_bot) == []
