"""The REST API as one OpenAPI document with API Gateway's extensions, made from the catalog.

Only what API Gateway acts upon stands in it; what clients read is the document that the product itself publishes.
One definition is one resource of CloudFormation, where a resource for each path and each method exceeds the 500 that a
stack may have.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from aws_cdk import Stack

from infra.catalog import AuthorizerTrigger, FunctionSpec, HttpTrigger, Route
from infra.cloud.config import DeploymentConfig
from infra.cloud.constructs.authorizer import AUTHORIZER, request_authorizer
from infra.cloud.constructs.catalog_function import function_name
from infra.cloud.constructs.cors import preflight
from infra.cloud.constructs.gateway_responses import gateway_responses

BUFFERED_TIMEOUT_MS: Final = 29_000
COMPRESSED_FROM_BYTES: Final = 1024
PARAMETER: Final = re.compile(r"{(\w+)}")
BUFFERED: Final = ("2015-03-31", "invocations")
STREAMED: Final = ("2021-11-15", "response-streaming-invocations")


def api_name(config: DeploymentConfig) -> str:
    """Return the API's name, by which CloudWatch knows it."""
    return f"{config.prefix}-api"


def api_definition(stack: Stack, config: DeploymentConfig, specs: Iterable[FunctionSpec]) -> dict[str, Any]:
    """Return the definition of the API that asks these functions; one of them is the authorizer.

    It names the functions and refers to none: they are told the API's address, and so are made after it.
    """
    specs = list(specs)
    asked = next(spec for spec in specs if isinstance(spec.trigger, AuthorizerTrigger))
    return {
        "openapi": "3.0.1",
        "info": {"title": api_name(config), "version": "1", "description": "ChatSphere"},
        "servers": [
            {
                "url": "/",
                "x-amazon-apigateway-endpoint-configuration": {"disableExecuteApiEndpoint": config.domain is not None},
            }
        ],
        "x-amazon-apigateway-minimum-compression-size": COMPRESSED_FROM_BYTES,
        "x-amazon-apigateway-gateway-responses": gateway_responses(cross_origin=bool(config.console_origins)),
        "paths": _paths(stack, config, specs),
        "components": {"securitySchemes": {AUTHORIZER: request_authorizer(_uri(stack, config, asked))}},
    }


def _paths(stack: Stack, config: DeploymentConfig, specs: Iterable[FunctionSpec]) -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for spec in specs:
        if isinstance(spec.trigger, HttpTrigger):
            integration = _integration(stack, config, spec, spec.trigger)
            for route in spec.trigger.routes:
                paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, integration)
    if config.console_origins:
        for path, operations in paths.items():
            operations["options"] = _parameters(path) | preflight(config.console_origins)
    return dict(sorted(paths.items()))


def _operation(route: Route, integration: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        **_parameters(route.path),
        "responses": {"200": {"description": ""}},
        "x-amazon-apigateway-integration": integration,
    }
    return operation if route.public else operation | {"security": [{AUTHORIZER: []}]}


def _parameters(path: str) -> dict[str, Any]:
    """Return the path's parameters, which a valid document declares."""
    return {
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in PARAMETER.findall(path)
        ]
    }


def _integration(stack: Stack, config: DeploymentConfig, spec: FunctionSpec, trigger: HttpTrigger) -> dict[str, Any]:
    timeout = spec.timeout_seconds * 1000 if trigger.streaming else BUFFERED_TIMEOUT_MS
    return {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "uri": _uri(stack, config, spec, streaming=trigger.streaming),
        "responseTransferMode": "STREAM" if trigger.streaming else "BUFFERED",
        "timeoutInMillis": timeout,
    }


def _uri(stack: Stack, config: DeploymentConfig, spec: FunctionSpec, *, streaming: bool = False) -> str:
    version, call = STREAMED if streaming else BUFFERED
    where = f"{stack.region}:{stack.account}"
    function = f"arn:{stack.partition}:lambda:{where}:function:{function_name(config.prefix, spec)}"
    return f"arn:{stack.partition}:apigateway:{stack.region}:lambda:path/{version}/functions/{function}/{call}"
