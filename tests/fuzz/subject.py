"""Somebody with an object of every kind, whom schemathesis asks as."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from tests.e2e.client import Client
from tests.waiting import wait_for

SPARE: Final = 12
TEXT: Final = "The Falcon plan costs 49 EUR a month."


@dataclass
class Subject:
    """A person's session, path parameters that exist, and objects that may be used up."""

    api: str
    refresh_token: str
    objects: dict[str, Any]
    spare: list[dict[str, Any]]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` has written."""
        return cls(**json.loads(path.read_text()))

    def write(self, path: Path) -> None:
        """Hand the subject to another process."""
        path.write_text(json.dumps(asdict(self)))


def make_subject(api: str) -> Subject:
    """Register somebody at the running product, and make the objects."""
    client, registered = Client.with_registration(api)
    me = registered["user"]["id"]
    objects = _bot(client) | {
        "organization_id": registered["organization"]["id"],
        "user_id": me,
        "api_key_id": _key(client),
        "invitation_id": _invitation(client, registered["organization"]["id"]),
        "version": 1,
    }
    client.http.put(f"/v1/bots/{objects['bot_id']}/members/{me}", json={"permission": "manage"}).raise_for_status()
    client.http.post(f"/v1/bots/{objects['bot_id']}/publish").raise_for_status()
    spare = [_bot(client) | {"api_key_id": _key(client)} for _ in range(SPARE)]
    return Subject(api, registered["refresh_token"], objects, spare)


def _bot(client: Client) -> dict[str, str]:
    """Make a bot with a document that is ready and a conversation."""
    bot_id = client.bot()["id"]
    document_id = client.text(bot_id, "plans.txt", TEXT)
    wait_for(lambda: client.document(bot_id, document_id)["status"] == "ready", what="the document")
    conversation_id = client.chat(bot_id, "What does the Falcon plan cost?")["conversation_id"]
    return {"bot_id": bot_id, "document_id": document_id, "conversation_id": conversation_id}


def _key(client: Client) -> str:
    answer = client.http.post("/v1/api-keys", json={"name": "key"})
    answer.raise_for_status()
    key_id: str = answer.json()["id"]
    return key_id


def _invitation(client: Client, organization_id: str) -> str:
    path = f"/v1/organizations/{organization_id}/invitations"
    answer = client.http.post(path, json={"email": "guest@example.com"})
    answer.raise_for_status()
    invitation_id: str = answer.json()["id"]
    return invitation_id
