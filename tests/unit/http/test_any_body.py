"""Whatever a client sends, no route answers 500. Without a database, what is valid is answered 503."""

import importlib
import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatsphere.access.permissions import Permission, Role
from chatsphere.access.principal import Principal
from chatsphere.http import rest_api
from chatsphere.http.gate import Visit
from tests.builders.rest_api import proxy_event
from tests.builders.running_api import running_api
from tests.postgres import DatabaseUrls

NOWHERE = DatabaseUrls(*["postgresql://127.0.0.1:1/nothing?connect_timeout=1"] * 6)
BOT = "/v1/bots/01970000-0000-7000-8000-000000000001"
ROUTES = [
    ("manage_bots", "POST", "/v1/bots"),
    ("manage_bots", "PATCH", BOT),
    ("manage_identity", "POST", "/v1/auth/register"),
    ("manage_identity", "POST", "/v1/auth/login"),
    ("manage_identity", "POST", "/v1/auth/refresh"),
    ("manage_identity", "POST", "/v1/api-keys"),
    ("manage_identity", "PATCH", "/v1/me"),
]
FIELDS = [
    "name",
    "email",
    "password",
    "first_name",
    "refresh_token",
    "scopes",
    "bot_ids",
    "expires_at",
    "temperature",
    "avatar",
    "is_active",
    "configuration",
    "top_k",
    "threshold",
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=[]))
    | st.sampled_from(["a@example.com", "correct horse", "2030-01-01T00:00:00Z", "chat", BOT[-36:], 10**400, 1e308])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS) | st.text(), inner, max_size=3),
    max_leaves=5,
)
OBJECTS = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6)
FEW = settings(max_examples=60)


def let_in(caller: Principal, permission: Permission, path: Mapping[str, UUID], **_: object) -> Visit:
    return Visit(caller, permission, path, rate=None, bot=None)


@pytest.fixture
def _no_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # The gate asks the database before anything is validated.
    monkeypatch.setattr(rest_api, "arrive", let_in)
    with running_api(NOWHERE):
        yield


def status(function: str, method: str, path: str, body: str) -> int:
    event = proxy_event(method, path, path, {}, {"Content-Type": "application/json"}, {}) | {"body": body}
    event["requestContext"]["authorizer"] = Principal(UUID(int=1), UUID(int=2), Role.OWNER).to_context()
    answer = importlib.import_module(f"functions.{function}.handler").handler(event, None)
    assert json.loads(answer["body"])["status"] == answer["statusCode"]
    return int(answer["statusCode"])


@pytest.mark.usefixtures("_no_database")
@pytest.mark.parametrize(("function", "method", "path"), ROUTES)
@given(value=OBJECTS)
@FEW
def test_an_object_of_any_values_is_valid_or_refused(
    function: str, method: str, path: str, value: dict[str, Any]
) -> None:
    assert status(function, method, path, json.dumps(value)) in (400, 422, 401, 503)


@pytest.mark.usefixtures("_no_database")
@given(body=st.text(st.characters(exclude_categories=[]), min_size=1) | VALUES.map(json.dumps))
@FEW
def test_any_text_is_refused(body: str) -> None:
    assert status("manage_bots", "POST", "/v1/bots", body) in (400, 422, 503)
