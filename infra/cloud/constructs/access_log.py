"""What is noted of each request, and nothing else: no query, body, header, and no text of a chat or a document."""

import json
from typing import Final

ACCESS_LOG_FIELDS: Final = {
    "request_id": "$context.requestId",
    "time": "$context.requestTime",
    "method": "$context.httpMethod",
    "route": "$context.resourcePath",
    "status": "$context.status",
    "latency_ms": "$context.responseLatency",
    "response_bytes": "$context.responseLength",
    "gateway_response": "$context.error.responseType",
    "function_status": "$context.integration.status",
    "function_latency_ms": "$context.integration.latency",
    "function_request_id": "$context.integration.requestId",
    "authorizer_status": "$context.authorizer.status",
    "authorizer_latency_ms": "$context.authorizer.latency",
    "organization_id": "$context.authorizer.organization_id",
    "api_key_id": "$context.authorizer.api_key_id",
    "source_ip": "$context.identity.sourceIp",
    "waf_status": "$context.waf.status",
    "trace_id": "$context.xrayTraceId",
}
"""The route, not the path; the address, because it is what a flood of wrong passwords has in common. Not the person: no
line may lead from an address to somebody, as it stays here longer than they may want."""


def access_log_format() -> str:
    """Return the format of one line: a JSON object."""
    return json.dumps(ACCESS_LOG_FIELDS)
