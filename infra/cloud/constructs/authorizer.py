"""The REST API's authorizer: asked before every route that is not public, on each request."""

from typing import Any, Final

AUTHORIZER: Final = "Authorizer"
"""Its name, by which operations refer to it."""


def request_authorizer(uri: str) -> dict[str, Any]:
    """Return the security scheme; `uri` is how API Gateway calls the function that is asked.

    Nothing is cached: a revoked key must be refused by the next request.
    """
    return {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "x-amazon-apigateway-authtype": "custom",
        "x-amazon-apigateway-authorizer": {
            "type": "request",
            "authorizerUri": uri,
            "identitySource": "method.request.header.Authorization",
            "authorizerResultTtlInSeconds": 0,
        },
    }
