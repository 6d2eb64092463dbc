"""What every request with a credential passes first."""

import re
from uuid import UUID

import pytest

from chatsphere.db.database import Database
from tests.builders.rest_api import proxy_event
from tests.builders.running_api import Account, RunningApi
from tests.postgres import DatabaseUrls

POLICY, RATE = re.compile(r'"requests";q=(\d+);w=60'), re.compile(r'"requests";r=(\d+);t=(\d+)')
MISSING = str(UUID(int=9))
QUOTA = 3


@pytest.fixture
def limited_key(api: RunningApi, account: Account, database_urls: DatabaseUrls) -> str:
    """The text of a key that may send three requests a minute."""
    made = api.api_key(account, scopes=["bots:read", "bots:write", "conversations:read"])
    administrator = Database(database_urls.admin)
    with administrator.transaction(None) as connection:
        connection.execute("UPDATE api_keys SET requests_per_minute = %s WHERE id = %s", (QUOTA, made["id"]))
    administrator.close()
    return str(made["key"])


def left(headers: object) -> tuple[int, int]:
    """Return the quota that the headers tell, and what is left of it."""
    assert isinstance(headers, dict)
    policy, rate = POLICY.fullmatch(headers["RateLimit-Policy"]), RATE.fullmatch(headers["RateLimit"])
    assert policy is not None
    assert rate is not None
    return int(policy[1]), int(rate[1])


def test_a_request_too_many_is_told_when_to_come_back(api: RunningApi, limited_key: str) -> None:
    answers = [api.request("GET", "/v1/bots", token=limited_key) for _ in range(QUOTA + 1)]

    assert [(answer.status, left(answer.headers)) for answer in answers] == [
        (200, (QUOTA, 2)),
        (200, (QUOTA, 1)),
        (200, (QUOTA, 0)),
        (429, (QUOTA, 0)),
    ]
    refused = answers[-1]
    assert (refused.code, refused.headers["Retry-After"]) == ("rate_limited", "20")
    assert refused.headers["RateLimit"] == '"requests";r=0;t=20'
    api.clock.advance(seconds=19)
    assert api.request("GET", "/v1/bots", token=limited_key).headers["Retry-After"] == "1"
    api.clock.advance(seconds=1)
    assert api.request("GET", "/v1/bots", token=limited_key).status == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", f"/v1/bots/{MISSING}", None, 404),
        ("GET", "/v1/bots/nonsense", None, 404),
        ("GET", "/v1/conversations/nonsense", None, 404),
        ("POST", "/v1/bots", {"name": ""}, 422),
        ("POST", "/v1/bots", [], 422),
        ("GET", "/v1/api-keys", None, 403),
        ("PATCH", "/v1/me", {"first_name": "A"}, 403),
    ],
)
def test_a_failed_request_counts(
    api: RunningApi, limited_key: str, method: str, path: str, body: object, status: int
) -> None:
    answer = api.request(method, path, body, token=limited_key)

    assert (answer.status, left(answer.headers)) == (status, (QUOTA, 2))
    assert left(api.request("GET", "/v1/bots", token=limited_key).headers) == (QUOTA, 1)


def test_nothing_is_looked_at_once_the_bucket_is_empty(api: RunningApi, limited_key: str) -> None:
    for _ in range(QUOTA):
        api.request("GET", "/v1/bots", token=limited_key)

    for path in ("/v1/bots", f"/v1/bots/{MISSING}", "/v1/bots/nonsense", "/v1/api-keys"):
        assert api.request("GET", path, token=limited_key).code == "rate_limited"


def test_what_needs_no_credential_is_not_counted(api: RunningApi) -> None:
    assert "RateLimit" not in api.request("GET", "/v1/health/live").headers


@pytest.mark.parametrize(
    ("method", "path", "noun"),
    [
        ("GET", "/v1/bots/x", "bot"),
        ("DELETE", "/v1/bots/{bot}/documents/x", "document"),
        ("GET", "/v1/bots/x/documents/{bot}", "bot"),
        ("GET", "/v1/conversations/x/messages", "conversation"),
        ("GET", "/v1/api-keys/x", "API key"),
        ("GET", f"/v1/bots/{MISSING}/documents/x", "bot"),
    ],
)
def test_an_id_that_cannot_be_one_is_a_missing_object_of_its_own_kind(
    api: RunningApi, account: Account, method: str, path: str, noun: str
) -> None:
    answer = api.request(method, path.format(bot=api.bot(account)["id"]), token=account.access_token)

    assert (answer.code, answer.json["detail"]) == ("not_found", f"There is no such {noun}.")


@pytest.mark.parametrize("resource", ["/v1/bots/{bot_id}", "/v1/health/live", "", "/{proxy+}"])
def test_the_route_that_serves_a_request_is_the_one_whose_permission_is_asked(
    api: RunningApi, account: Account, resource: str
) -> None:
    """Whatever API Gateway calls the resource."""
    from functions.manage_bots.handler import handler

    event = proxy_event("GET", f"/v1/bots/{api.bot(account)['id']}", resource, {}, {}, {})

    assert handler(event, None)["statusCode"] == 401
