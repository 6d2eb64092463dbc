import json
from typing import Any

from chatsphere.chat.openapi import paths_and_schemas
from chatsphere.chat.schemas import ChatRequest
from infra.catalog import FUNCTIONS, HttpTrigger


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {ref for key, item in value.items() for ref in ({item} if key == "$ref" else references(item))}
    return {ref for item in value for ref in references(item)} if isinstance(value, list) else set()


def test_every_route_of_the_streaming_function_is_described() -> None:
    paths, _ = paths_and_schemas()
    described = {(method.upper(), path) for path, operations in paths.items() for method in operations}
    triggers = [f.trigger for f in FUNCTIONS if isinstance(f.trigger, HttpTrigger) and f.trigger.streaming]
    assert described == {(route.method, route.path) for trigger in triggers for route in trigger.routes}


def test_every_reference_leads_to_a_schema() -> None:
    paths, schemas = paths_and_schemas()
    known = {f"#/components/schemas/{name}" for name in schemas} | {"#/components/schemas/Problem"}
    assert references(json.loads(json.dumps([paths, schemas]))) <= known


def test_the_request_is_the_model_that_validates_it() -> None:
    paths, schemas = paths_and_schemas()
    chat = paths["/v1/bots/{bot_id}/chat"]["post"]
    assert chat["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/ChatRequest"}
    assert schemas["ChatRequest"]["properties"].keys() == ChatRequest.model_fields.keys()
    assert schemas["ChatRequest"]["required"] == ["message"]
    assert schemas["ChatRequest"]["additionalProperties"] is False
    assert "event-stream" in " ".join(chat["responses"]["200"]["content"])
