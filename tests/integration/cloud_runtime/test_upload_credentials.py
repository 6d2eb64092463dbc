"""Temporary credentials for uploads: who gets them, for which keys, and what the token service is asked for."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import pytest

from chatsphere.adapters.sts import StsUploadCredentials, session_policy
from chatsphere.errors import ConfigurationError, UnavailableError
from chatsphere.settings import StorageSettings, UploadCredentialsSettings
from tests.builders.running_api import RunningApi, running_api
from tests.integration.cloud_runtime.token_service import RecordingTokenService, running_token_service
from tests.moto_server import running_moto
from tests.postgres import DatabaseUrls

ROLE = "arn:aws:iam::123456789012:role/uploader"


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with running_moto() as endpoint:
        yield endpoint


@pytest.fixture
def api(database_urls: DatabaseUrls, moto: str) -> Iterator[RunningApi]:
    variables = {
        "UPLOADS_BUCKET": "uploads",
        "UPLOADER_ROLE_ARN": ROLE,
        "STS_ENDPOINT": moto,
        "AWS_REGION": "eu-west-1",
    }
    with running_api(database_urls, **variables) as api:
        yield api


def lend(endpoint: str, prefix: str = "o/b/", **named: Any) -> Any:
    settings = UploadCredentialsSettings(uploader_role_arn=ROLE, sts_endpoint=endpoint, **named)
    return StsUploadCredentials(settings, StorageSettings(uploads_bucket="uploads")).lend(prefix, session_name="who")


# ---------------------------------------------------------------------------------------------------- route


def test_credentials_name_bucket_prefix_and_region(api: RunningApi) -> None:
    account = api.register()
    bot = api.bot(account)

    answer = api.request("POST", f"/v1/bots/{bot['id']}/upload-credentials", token=account.access_token)

    assert answer.status == 201, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json
    expires_at = datetime.fromisoformat(body["credentials"].pop("expires_at"))
    assert datetime.now(UTC) < expires_at <= datetime.now(UTC) + timedelta(hours=1, minutes=1)
    assert all(body.pop("credentials").values())
    assert body == {
        "bucket": "uploads",
        "prefix": f"{account.organization_id}/{bot['id']}/",
        "region": "eu-west-1",
        "endpoint": None,
    }


@pytest.mark.parametrize("whose", ["nobody's", "a stranger's", "deleted", "not permitted"])
def test_for_a_bot_that_one_may_not_use_there_are_none(api: RunningApi, whose: str) -> None:
    account = api.register()
    own, other = api.bot(account), api.bot(account)
    bot_id, token = own["id"], account.access_token
    if whose == "nobody's":
        bot_id = str(uuid4())
    elif whose == "a stranger's":
        token = api.register().access_token
    elif whose == "deleted":
        assert api.request("DELETE", f"/v1/bots/{bot_id}", token=token).status == 202
    else:
        token = api.api_key(account, scopes=["documents:write"], bot_ids=[other["id"]])["key"]

    answer = api.request("POST", f"/v1/bots/{bot_id}/upload-credentials", token=token)

    assert (answer.status, answer.code) == (404, "not_found")


def test_only_who_may_write_documents_may_upload(api: RunningApi) -> None:
    account = api.register()
    bot = api.bot(account)
    for scope, status in (("documents:read", 403), ("documents:write", 201)):
        key = api.api_key(account, scopes=[scope])["key"]
        assert api.request("POST", f"/v1/bots/{bot['id']}/upload-credentials", token=key).status == status


def test_a_token_service_that_is_away_is_a_503(database_urls: DatabaseUrls) -> None:
    variables = {"UPLOADS_BUCKET": "uploads", "UPLOADER_ROLE_ARN": ROLE, "STS_ENDPOINT": "http://127.0.0.1:9"}
    with running_api(database_urls, **variables, AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x") as api:
        account = api.register()
        path = f"/v1/bots/{api.bot(account)['id']}/upload-credentials"
        answer = api.request("POST", path, token=account.access_token)
    assert (answer.status, answer.code) == (503, "unavailable")


# -------------------------------------------------------------------------------------------- token service


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordingTokenService]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test-only")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with running_token_service() as service:
        yield service


def test_the_role_is_assumed_for_an_hour_with_the_policy_of_the_prefix(service: RecordingTokenService) -> None:
    lent = lend(service.url, "o/b/")

    assert (lent.access_key_id, lent.secret_access_key, lent.session_token) == ("ASIA", "secret", "token")
    assert lent.expires_at == datetime(2026, 1, 1, 1, tzinfo=UTC)
    (asked,) = [{name: values[0] for name, values in parse_qs(body).items()} for body in service.bodies]
    assert json.loads(asked.pop("Policy")) == session_policy("uploads", "o/b/")
    assert asked == {
        "Action": "AssumeRole",
        "Version": "2011-06-15",
        "RoleArn": ROLE,
        "RoleSessionName": "who",
        "DurationSeconds": "3600",
    }


def test_the_policy_permits_putting_under_the_prefix_and_no_more() -> None:
    objects, listing, keys = session_policy("uploads", "o/b/")["Statement"]
    assert sorted(objects["Action"]) == ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject"]
    assert objects["Resource"] == "arn:aws:s3:::uploads/o/b/*"
    assert (listing["Action"], listing["Resource"]) == ("s3:ListBucket", "arn:aws:s3:::uploads")
    assert listing["Condition"] == {"StringLike": {"s3:prefix": "o/b/*"}}
    assert keys["Condition"] == {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}}


def test_the_policy_fits_into_a_session(service: RecordingTokenService) -> None:
    # STS takes 2,048 characters; a bucket's name has up to 63.
    policy = json.dumps(session_policy("b" * 63, f"{uuid4()}/{uuid4()}/"), separators=(",", ":"))
    assert len(policy) < 2048


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (403, "AccessDenied", ConfigurationError),
        (500, "InternalFailure", UnavailableError),
        (400, "Throttling", UnavailableError),
    ],
)
def test_a_refusal_of_the_service_is_an_error_of_ours(
    service: RecordingTokenService, status: int, code: str, error: type[Exception]
) -> None:
    service.failure = (status, code)
    with pytest.raises(error) as refused:
        lend(service.url)
    assert "vendor text" not in str(refused.value)
