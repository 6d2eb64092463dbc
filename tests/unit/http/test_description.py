"""What the API tells of itself."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
from openapi_spec_validator import validate

from chatsphere.access.permissions import REQUIREMENTS, Permission
from chatsphere.http import description
from infra.catalog import FUNCTIONS, HttpTrigger, Route
from tests.builders.rest_api import Answer
from tests.builders.running_api import RunningApi, running_api
from tests.postgres import DatabaseUrls

NOWHERE = DatabaseUrls(*["postgresql://127.0.0.1:1/nothing?connect_timeout=1"] * 6)
ROUTES = [route for f in FUNCTIONS if isinstance(f.trigger, HttpTrigger) for route in f.trigger.routes]
METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def api() -> Iterator[RunningApi]:
    with running_api(NOWHERE) as api:
        yield api


@pytest.fixture
def document(api: RunningApi) -> dict[str, Any]:
    answer = api.request("GET", "/v1/openapi.json")
    assert answer.status == 200
    made: dict[str, Any] = answer.json
    return made


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_it_describes_the_catalogs_routes_and_no_others(document: dict[str, Any]) -> None:
    assert set(operations(document)) == {(route.method, route.path) for route in ROUTES}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_each_operation_says_what_it_does_who_may_and_what_can_go_wrong(document: dict[str, Any], route: Route) -> None:
    operation = operations(document)[route.method, route.path]

    assert operation["summary"]
    assert operation["tags"][0] in {tag["name"] for tag in document["tags"]}
    assert (operation.get("security") == []) == route.public
    expected = {"503"}
    expected |= set() if route.public else {"401", "403", "429"}
    expected |= {"409", "422"} if is_keyed(route) else set()
    expected |= {"404"} if "{" in route.path else set()
    expected |= {"400", "413", "415", "422"} if "requestBody" in operation else set()
    assert expected <= set(operation["responses"])
    assert any(status.startswith("2") for status in operation["responses"])
    assert re.findall(r"\{(\w+)\}", route.path) == [
        parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "path"
    ]


def is_keyed(route: Route) -> bool:
    return not route.public and route.method != "GET"


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_each_operation_says_who_may_how_often_and_whether_it_can_be_repeated(
    document: dict[str, Any], route: Route
) -> None:
    operation = operations(document)[route.method, route.path]
    keyed = [parameter for parameter in operation.get("parameters", []) if parameter["name"] == "Idempotency-Key"]

    assert len(keyed) == is_keyed(route)
    if route.public:
        assert "x-permission" not in operation
        return
    permission = Permission(operation["x-permission"])
    scope = REQUIREMENTS[permission].scope
    assert operation["security"] == [{"bearer": [scope.value] if scope else []}]
    assert f"Requires `{permission.value}`" in operation["description"]
    answers = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    assert all({"RateLimit", "RateLimit-Policy"} <= set(answer["headers"]) for answer in answers)
    assert all(("Idempotency-Replayed" in answer["headers"]) == is_keyed(route) for answer in answers)


def test_who_must_come_back_is_told_when(document: dict[str, Any]) -> None:
    problems = document["components"]["responses"]

    assert {name for name, problem in problems.items() if "Retry-After" in problem["headers"]} == {
        "Problem409",
        "Problem429",
        "Problem503",
    }


def test_every_error_is_a_problem_document(document: dict[str, Any]) -> None:
    shared = document["components"]["responses"]
    for operation in operations(document).values():
        for status, response in operation["responses"].items():
            resolved = shared[response["$ref"].rpartition("/")[2]] if "$ref" in response else response
            assert "X-Request-Id" in resolved["headers"]
            if int(status) >= 400:
                assert resolved["content"] == {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                }


def test_operation_ids_are_unique_and_meant_for_clients(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for operation in operations(document).values()]

    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z][A-Za-z]+", name) for name in ids), ids


def test_every_reference_resolves_and_no_foreign_error_shape_is_left(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    schemas = document["components"]["schemas"]
    referred = set(re.findall(r'"#/components/schemas/([^"]+)"', text))

    assert referred <= set(schemas)
    assert {"Problem", "BotResponse", "Page_BotResponse_"} <= referred
    assert not {name for name in schemas if "ValidationError" in name}


def test_it_is_made_once_for_a_process(
    api: RunningApi, document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("made again")

    monkeypatch.setattr(description, "openapi_document", fail)

    assert api.request("GET", "/v1/openapi.json").json == document


def test_it_names_the_public_address(document: dict[str, Any]) -> None:
    assert document["servers"] == [{"url": "http://127.0.0.1:8000"}]


def docs(api: RunningApi) -> Answer:
    answer = api.request("GET", "/docs")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    return answer


def test_the_page_loads_nothing_from_elsewhere(api: RunningApi) -> None:
    html = re.sub(r"<script>.*?</script>|<style>.*?</style>", "", docs(api).text, flags=re.DOTALL)

    assert re.findall(r"""(?:src|href)=["']?([^"'>]+)""", html) == ["data:,"]


def test_the_policy_permits_the_pages_own_scripts_and_no_other(api: RunningApi) -> None:
    answer = docs(api)
    scripts = re.findall(r"<script>(.*?)</script>", answer.text, flags=re.DOTALL)
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))

    hashes = [f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts]
    assert len(scripts) == 2
    assert policy["script-src"].split() == hashes
    assert policy["default-src"] == "'none'"


def test_the_page_shows_the_served_document(api: RunningApi) -> None:
    assert 'url: "v1/openapi.json"' in docs(api).text


def test_the_keys_of_tokens_are_published_without_a_database(api: RunningApi) -> None:
    answer = api.request("GET", "/.well-known/jwks.json")

    assert answer.json == api.container.token_verifier.public_keys()
    assert all("d" not in key for key in answer.json["keys"])
    # What lacks the keys of receipts is kept by no cache.
    assert answer.headers["Cache-Control"] == "no-store"


def test_it_lives_without_a_database(api: RunningApi) -> None:
    answer = api.request("GET", "/v1/health/live")

    assert (answer.status, answer.json) == (200, {"status": "ok"})


def test_without_a_database_it_is_not_ready_and_says_why(api: RunningApi) -> None:
    answer = api.request("GET", "/v1/health/ready")

    assert (answer.status, answer.code, answer.json["detail"]) == (503, "unavailable", "Not ready: database.")
    assert "postgresql" not in answer.text


def test_with_a_database_it_is_ready(database_urls: DatabaseUrls) -> None:
    with running_api(database_urls) as api:
        answer = api.request("GET", "/v1/health/ready")

    assert (answer.status, answer.json) == (200, {"status": "ok", "checks": {"database": "ok"}})
