"""Lambda authorizer of the REST API."""

from typing import Any

from chatsphere.bootstrap import container
from chatsphere.identity.authorizer import authorize
from chatsphere.observability import invocation


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer one REQUEST authorizer event."""
    with invocation(event.get("requestContext", {}).get("requestId")):
        return authorize(event, container())
