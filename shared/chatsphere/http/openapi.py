"""One OpenAPI 3.1 document of the whole API, made from the routes themselves."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer, Server

from chatsphere import __version__
from chatsphere.http import openapi_access
from chatsphere.http.problem import CONTENT_TYPE, Problem

Json = dict[str, Any]

DESCRIPTION = """Drop files into a bot, ask it, and get answers that cite page and passage, or that say "I don't know".

Every error is a problem document (RFC 9457): decide by its `code`, which is stable. Every answer carries
`X-Request-Id`. What belongs to another organization is answered as if it did not exist.

Each operation with a credential names the permission that it requires (`x-permission`). Requests are counted for each
person and each API key (`RateLimit-Policy`, `RateLimit`); one too many is answered 429. A write with an
`Idempotency-Key` is done once, however often it is sent."""

TAGS = {
    "auth": "Accounts and sessions.",
    "me": "Who is asking.",
    "api keys": "Credentials for programs.",
    "organizations": "Who works together: members, invitations, roles.",
    "billing": "Plans, usage and payments.",
    "bots": "What answers, and how.",
    "public bots": "Bots that anybody may ask, without a credential.",
    "documents": "What bots answer from.",
    "sources": "What bots read on the web.",
    "ingestion": "Whether bucket, database and vector store of a bot correspond.",
    "training": "Embedding models, and bots that are embedded with another one.",
    "deletions": "What was deleted, with a receipt.",
    "search": "What a bot would answer from.",
    "chat": "Questions and cited answers.",
    "openai": "The same for clients of OpenAI's API: set their base URL to `/v1`, their key to an API key.",
    "conversations": "What was asked and answered.",
    "feedback": "What those who asked think of the answers.",
    "unanswered questions": "What a bot was asked and did not know.",
    "evaluation": "Sets of questions that a bot is measured with.",
    "insights": "What was used, what it cost, how fast and how good it was.",
    "retention": "What is deleted or archived when, and the runs that do it.",
    "legal holds": "What nobody may delete.",
    "archive": "What was archived: listed, read, brought back.",
    "erasures": "What was erased everywhere, with a signed receipt.",
    "webhooks": "What other systems are told.",
    "audit log": "Who did what to which object, when, and from where.",
    "service": "The API about itself.",
}

PROBLEMS = {
    "400": "The body is not a JSON object.",
    "401": "The credential is missing, unknown, revoked or has expired.",
    "403": "The credential does not permit this.",
    "404": "There is no such object, or it belongs to somebody else.",
    "409": openapi_access.IN_PROGRESS,
    "413": "The body is too large.",
    "415": "The body is not declared as application/json.",
    "422": f"A field or parameter is not valid; `errors` names it. {openapi_access.REUSED}",
    "429": openapi_access.RATE_LIMITED,
    "503": "Something that the service depends on does not answer; try again later.",
}
PROBLEM_CONTENT = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
REQUEST_ID = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}


def openapi_document(
    routers: Sequence[Router], others: tuple[Mapping[str, Any], Mapping[str, Any]], *, public_url: str
) -> Json:
    """Return the document of the routers' operations and of `others`: paths, and component schemas they refer to."""
    document = _from_routers(routers, public_url)
    paths, schemas = others
    for path, operations in paths.items():
        document["paths"].setdefault(path, {}).update(operations)
    document["paths"] = dict(sorted(document["paths"].items()))
    document["tags"] = [{"name": name, "description": description} for name, description in TAGS.items()]
    components = document.setdefault("components", {})
    components["schemas"] = dict(sorted((_own(components.get("schemas", {})) | dict(schemas)).items()))
    components["schemas"]["Problem"] = _problem_schema(components["schemas"])
    components["responses"] = {
        f"Problem{status}": {
            "description": description,
            "headers": REQUEST_ID | openapi_access.problem_headers(status),
            "content": PROBLEM_CONTENT,
        }
        for status, description in PROBLEMS.items()
    }
    components["headers"] = openapi_access.HEADERS | {
        "RequestId": {"description": "Names this request in the logs.", "schema": {"type": "string"}}
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(method, path, operation)
    return document


def _from_routers(routers: Sequence[Router], public_url: str) -> Json:
    resolver = APIGatewayRestResolver()
    for router in routers:
        resolver.include_router(router)
    document: Json = json.loads(
        resolver.get_openapi_json_schema(
            title="ChatSphere",
            version=__version__,
            openapi_version="3.1.0",
            description=DESCRIPTION,
            servers=[Server(url=public_url)],
            security_schemes={
                "bearer": HTTPBearer(description="An access token (`POST /v1/auth/login`) or an API key (`cs_live_…`).")
            },
            security=[{"bearer": []}],
        )
    )
    return document


def _own(schemas: Mapping[str, Any]) -> Json:
    """Leave out the error shapes of Powertools: ChatSphere answers errors with problems."""
    foreign = {"HTTPValidationError", "ValidationError", "ResponseValidationError"}
    return {name: schema for name, schema in schemas.items() if name not in foreign}


def _problem_schema(schemas: Json) -> Json:
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(schema.pop("$defs", {}))
    return schema


def _complete(method: str, path: str, operation: Json) -> None:
    """Add what every operation has in common: who may, its problems, and the headers of every answer."""
    openapi_access.add_access(method, operation)
    responses: Json = operation.setdefault("responses", {})
    for status, response in responses.items():
        said = response.get("headers", {})
        response["headers"] = REQUEST_ID | openapi_access.response_headers(method, operation, status) | said
        if int(status) >= 400:
            response["content"] = PROBLEM_CONTENT
        elif not response.get("content"):
            response.pop("content", None)
    if openapi_access.is_keyed(method, operation) and "409" in responses:
        responses["409"]["description"] += f" Or: {PROBLEMS['409']}"
    for status in _problems(method, path, operation):
        responses.setdefault(status, {"$ref": f"#/components/responses/Problem{status}"})
    operation["responses"] = dict(sorted(responses.items()))


def _problems(method: str, path: str, operation: Json) -> list[str]:
    statuses = ["503", *openapi_access.own_problems(method, operation)]
    if "{" in path:
        statuses.append("404")
    if "requestBody" in operation:
        statuses += ["400", "413", "415", "422"]
    if any(parameter["in"] == "query" for parameter in operation.get("parameters", [])):
        statuses.append("422")
    return statuses
