"""A developer's client of the running product: nothing but HTTP and S3."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import boto3
import httpx

TERMINAL = {"ready", "failed"}


@dataclass(frozen=True)
class Event:
    """One Server-Sent Event."""

    name: str
    data: dict[str, Any]


class Client:
    """One organization's developer."""

    def __init__(self, api: str, token: str = "") -> None:
        self.api = api
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(base_url=api, headers=headers, timeout=60)

    @classmethod
    def registered(cls, api: str) -> "Client":
        """Register a new person, who gets an organization."""
        return cls.with_registration(api)[0]

    @classmethod
    def with_registration(cls, api: str) -> tuple["Client", dict[str, Any]]:
        """Register a new person; return what the API answered, too."""
        body = {
            "email": f"{uuid4()}@example.com",
            "password": "correct horse battery staple",
            "first_name": "Ada",
            "last_name": "Test",
        }
        answer = httpx.post(f"{api}/v1/auth/register", json=body, timeout=60)
        assert answer.status_code == 201, answer.text
        client = cls(api, answer.json()["access_token"])
        client.organization_id = answer.json()["organization"]["id"]
        return client, answer.json()

    organization_id = ""

    def bot(self, **fields: Any) -> dict[str, Any]:
        """Make a bot."""
        answer = self.http.post("/v1/bots", json={"name": "Helper", **fields})
        assert answer.status_code == 201, answer.text
        bot: dict[str, Any] = answer.json()
        return bot

    def upload(self, bot_id: str, name: str, body: bytes, content_type: str) -> str:
        """Upload a file as a browser would, through a presigned form; return the document's id."""
        answer = self.http.post(
            f"/v1/bots/{bot_id}/documents", json={"name": name, "content_type": content_type, "size": len(body)}
        )
        assert answer.status_code == 201, answer.text
        upload = answer.json()["upload"]
        posted = httpx.post(upload["url"], data=upload["fields"], files={"file": (name, body)}, timeout=60)
        assert posted.status_code in (200, 201, 204), posted.text
        document_id: str = answer.json()["document"]["id"]
        return document_id

    def text(self, bot_id: str, name: str, text: str) -> str:
        """Add a raw text; return the document's id."""
        answer = self.http.post(f"/v1/bots/{bot_id}/documents", json={"name": name, "text": text})
        assert answer.status_code == 202, answer.text
        document_id: str = answer.json()["document"]["id"]
        return document_id

    def document(self, bot_id: str, document_id: str) -> dict[str, Any]:
        """Read one document's state."""
        answer = self.http.get(f"/v1/bots/{bot_id}/documents/{document_id}")
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def documents(self, bot_id: str) -> list[dict[str, Any]]:
        """Read every document of the bot, page by page."""
        found: list[dict[str, Any]] = []
        cursor = None
        while True:
            answer = self.http.get(
                f"/v1/bots/{bot_id}/documents", params={"limit": 100, **({"cursor": cursor} if cursor else {})}
            )
            assert answer.status_code == 200, answer.text
            found += answer.json()["data"]
            cursor = answer.json()["next_cursor"]
            if cursor is None:
                return found

    def chat(self, bot_id: str, message: str, **fields: Any) -> dict[str, Any]:
        """Ask, and wait for the whole answer."""
        answer = self.http.post(f"/v1/bots/{bot_id}/chat", json={"message": message, **fields})
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def stream(self, bot_id: str, message: str, **fields: Any) -> Iterator[Event]:
        """Ask, and yield the events as they arrive."""
        body = {"message": message, "stream": True, **fields}
        with self.http.stream("POST", f"/v1/bots/{bot_id}/chat", json=body) as answer:
            assert answer.status_code == 200, answer.read()
            assert answer.headers["content-type"].startswith("text/event-stream")
            name, data = "message", []
            for line in answer.iter_lines():
                if line.startswith("event:"):
                    name = line[6:].strip()
                elif line.startswith("data:"):
                    data.append(line[5:].removeprefix(" "))
                elif not line and data:
                    yield Event(name, json.loads("\n".join(data)))
                    name, data = "message", []


def s3_client(endpoints: dict[str, Any]) -> Any:
    """Return an ordinary S3 client for the running instance."""
    return boto3.client(
        "s3",
        endpoint_url=endpoints["s3_endpoint"],
        aws_access_key_id=endpoints["access_key_id"],
        aws_secret_access_key=endpoints["secret_access_key"],
        region_name=endpoints["region"],
    )
