"""The operations of the API as its OpenAPI document names them: what the matrix is generated from."""

import re
from dataclasses import dataclass
from typing import Any

from tests.builders.rest_api import RestApi

BOT_IN_PATH = ("bot_id", "conversation_id", "message_id", "response_id", "model_id")


@dataclass(frozen=True)
class Operation:
    """One operation. `permission` is what its `x-permission` says, None where it needs no credential.

    `referring` names the fields of its body and query that hold ids: whoever fills them in may name what is not theirs.
    """

    id: str
    method: str
    path: str
    permission: str | None
    referring: frozenset[str]

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names in the path, in their order."""
        return tuple(re.findall(r"\{(\w+)\}", self.path))

    @property
    def names_bot(self) -> bool:
        """Whether the path leads to a bot, directly, by a conversation or by a message."""
        return any(name in BOT_IN_PATH for name in self.parameters)


def read_document(api: RestApi) -> dict[str, Any]:
    """Return the document that the running API serves."""
    answer = api.request("GET", "/v1/openapi.json")
    assert answer.status == 200, answer.text
    document: dict[str, Any] = answer.json
    return document


def operations(document: dict[str, Any]) -> list[Operation]:
    """Return every operation of the document."""
    found = []
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            public = said.get("security") == []
            permission = said.get("x-permission")
            assert public == (permission is None), f"{method} {path} is neither public nor protected"
            found.append(
                Operation(said["operationId"], method.upper(), path, permission, frozenset(_ids(said, document)))
            )
    return found


def _ids(said: dict[str, Any], document: dict[str, Any]) -> set[str]:
    content = said.get("requestBody", {}).get("content", {})
    schemas = [("", media.get("schema", {})) for media in content.values()]
    schemas += [(p["name"], p["schema"]) for p in said.get("parameters", ()) if p["in"] == "query"]
    return {found for name, schema in schemas for found in _uuids(schema, document, name, frozenset())}


def _uuids(schema: dict[str, Any], document: dict[str, Any], name: str, seen: frozenset[str]) -> set[str]:
    """Return the names of the properties below this schema whose values are UUIDs, or name an object otherwise."""
    reference = schema.get("$ref")
    if reference is not None:
        if reference in seen:
            return set()
        target = document["components"]["schemas"][reference.rpartition("/")[2]]
        return _uuids(target, document, name, seen | {reference})
    found = {name} if schema.get("format") == "uuid" or "x-refers-to" in schema else set()
    for inner in (schema.get("items"), *schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        if isinstance(inner, dict):
            found |= _uuids(inner, document, name, seen)
    for inner_name, inner in schema.get("properties", {}).items():
        found |= _uuids(inner, document, inner_name, seen)
    return found
