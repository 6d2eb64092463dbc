"""What the OpenAPI document says of credentials: who may, how often, and once where a request is repeated."""

from typing import Any, Final

from chatsphere.access.permissions import REQUIREMENTS, Permission
from chatsphere.access.wording import requirement_text
from chatsphere.http.idempotency import HEADER, MAX_KEY, WRITES
from chatsphere.http.operations import PERMISSION

Json = dict[str, Any]

IDEMPOTENCY_KEY: Final[Json] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": (
        "Sent again with the same request within 24 hours, it is given the first answer again, with the header "
        "`Idempotency-Replayed: true`, and nothing is done twice. Answers of 5xx and 429 are not kept. Best a random "
        "UUID: what is kept is sealed with it."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[ -~]*[!-~][ -~]*$"},
}
IN_PROGRESS: Final = "The first request with this `Idempotency-Key` is still under way (`request_in_progress`)."
REUSED: Final = "Or the `Idempotency-Key` belongs to another request (`idempotency_key_reused`)."
RATE_LIMITED: Final = "Too many requests in a minute (`rate_limited`)."


def _header(description: str, example: str) -> Json:
    return {"description": description, "schema": {"type": "string"}, "example": example}


HEADERS: Final[Json] = {
    "RateLimitPolicy": _header(
        "Requests that the credential may send (`q`) in so many seconds (`w`).", '"requests";q=300;w=60'
    ),
    "RateLimit": _header(
        "Requests that are left now (`r`), and the seconds until there are more (`t`).", '"requests";r=299;t=1'
    ),
    "RetryAfter": _header("Seconds until the request may be sent again.", "1"),
    "IdempotencyReplayed": _header("`true` where this is the answer to an earlier request.", "true"),
}
LIMITED: Final[Json] = {
    "RateLimit-Policy": {"$ref": "#/components/headers/RateLimitPolicy"},
    "RateLimit": {"$ref": "#/components/headers/RateLimit"},
}
REPLAYED: Final[Json] = {"Idempotency-Replayed": {"$ref": "#/components/headers/IdempotencyReplayed"}}
COME_BACK: Final = frozenset({"409", "429", "503"})
RETRY_AFTER: Final[Json] = {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}}


def problem_headers(status: str) -> Json:
    """Return the headers of a problem that any operation may answer; all but the last only with a credential."""
    return LIMITED | REPLAYED | (RETRY_AFTER if status in COME_BACK else {})


def response_headers(method: str, operation: Json, status: str) -> Json:
    """Return the headers of one of the operation's own answers, besides the request's id."""
    limited = LIMITED if PERMISSION in operation else {}
    replayed = REPLAYED if is_keyed(method, operation) else {}
    return limited | replayed | (RETRY_AFTER if status in COME_BACK else {})


def is_keyed(method: str, operation: Json) -> bool:
    """Return whether the operation takes an `Idempotency-Key`."""
    return PERMISSION in operation and method.upper() in WRITES


def add_access(method: str, operation: Json) -> None:
    """Say which permission the operation requires, and add the key that it takes."""
    if PERMISSION not in operation:
        return
    requirement = REQUIREMENTS[Permission(operation[PERMISSION])]
    operation["security"] = [{"bearer": [requirement.scope.value] if requirement.scope else []}]
    who = f"Requires `{operation[PERMISSION]}`: {requirement_text(requirement)}."
    operation["description"] = "\n\n".join(filter(None, [operation.get("description", ""), who]))
    if is_keyed(method, operation):
        operation["parameters"] = [*operation.get("parameters", []), IDEMPOTENCY_KEY]


def own_problems(method: str, operation: Json) -> list[str]:
    """Return the statuses that the operation may answer for its credential's or its key's sake."""
    if PERMISSION not in operation:
        return []
    return ["401", "403", "429", *(["409", "422"] if is_keyed(method, operation) else [])]
