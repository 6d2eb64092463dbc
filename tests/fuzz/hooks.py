"""What schemathesis loads: who asks, and ids that lead somewhere.

The file that `CHATSPHERE_FUZZ` names holds a `tests.fuzz.subject.Subject`.
"""

import os
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import httpx
import schemathesis
from schemathesis import AuthContext, Case, HookContext

from tests.fuzz.subject import Subject

SUBJECT = Subject.read(Path(os.environ["CHATSPHERE_FUZZ"]))
REFRESH_SECONDS = 240
"""An access token lives for 600."""

USES_UP = {
    "deleteBot", "deleteDocument", "deleteConversation", "deleteSource", "revokeApiKey", "rotateApiKey", "archiveBot",
}  # fmt: skip
"""What ends an object is let at objects that nothing else needs, as long as there are any."""


@schemathesis.auth(refresh_interval=REFRESH_SECONDS)
class Session:
    """The subject's session, which goes on by its refresh token."""

    def get(self, case: Case[Any], ctx: AuthContext) -> str:
        body = {"refresh_token": SUBJECT.refresh_token}
        answer = httpx.post(f"{SUBJECT.api}/v1/auth/refresh", json=body, timeout=30)
        answer.raise_for_status()
        SUBJECT.refresh_token = answer.json()["refresh_token"]
        token: str = answer.json()["access_token"]
        return token

    def set(self, case: Case[Any], data: str, ctx: AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Let two of three requests be about what exists, and none about the session that asks."""
    operation, path = case.operation.definition.raw["operationId"], case.path_parameters
    if operation == "endSession":
        case.path_parameters = {"session_id": str(uuid5(UUID(int=0), repr(path)))}
    elif path and _draw(path) % 3:
        known = SUBJECT.objects
        if operation in USES_UP:
            known = SUBJECT.spare.pop() if SUBJECT.spare else {}
        case.path_parameters = {name: known.get(name, value) for name, value in path.items()}


def _draw(path_parameters: dict[str, Any]) -> int:
    """Return a number that is the same for the same case, so that a failure can be tried again."""
    return sum(repr(sorted(path_parameters.items())).encode())
