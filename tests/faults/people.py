"""The people of a fault run: developers who make bots, drop and delete files, and repeat what was not answered."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import httpx

from tests.e2e.client import Client
from tests.faults.workload import Life, Step

TRIES: Final = 400
WAIT_SECONDS: Final = 0.5


@dataclass(frozen=True)
class Bot:
    """One bot and whose it is."""

    client: Client
    id: str

    @property
    def organization_id(self) -> str:
        """The organization that the bot belongs to."""
        return self.client.organization_id

    def key(self, name: str) -> str:
        """The key of a document's object."""
        return f"{self.organization_id}/{self.id}/{name}"

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        """Ask the API below the bot's path; again and again where it fails, as a client with manners does."""
        headers = {"Idempotency-Key": str(uuid4())} if method == "POST" else {}
        return patiently(
            lambda: self.client.http.request(method, f"/v1/bots/{self.id}{path}", json=body, headers=headers)
        )

    def documents(self) -> dict[str, dict[str, Any]]:
        """Return every document by its name."""
        found: dict[str, dict[str, Any]] = {}
        cursor: str | None = ""
        while cursor is not None:
            page = self.call("GET", f"/documents?limit=100{f'&cursor={cursor}' if cursor else ''}").json()
            found |= {document["name"]: document for document in page["data"]}
            cursor = page["next_cursor"]
        return found


def patiently(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """Ask until there is an answer that is no failure of the server's.

    Raises:
        RuntimeError: there is none after some minutes: a request that was cut off keeps its Idempotency-Key for 150 s.
    """
    last: object = None
    for _ in range(TRIES):
        try:
            answer = ask()
            if answer.status_code < 500 and answer.status_code not in (409, 429):
                return answer
            last = answer.text
        except httpx.TransportError as error:
            last = error
        time.sleep(WAIT_SECONDS)
    raise RuntimeError(f"the API does not answer: {last}")


def bots_of(api: str, organizations: int, each: int) -> list[Bot]:
    """Register so many people with so many bots each."""
    clients = [Client.registered(api) for _ in range(organizations)]
    return [Bot(client, client.bot(name=f"Bot {n}")["id"]) for client in clients for n in range(each)]


@dataclass(frozen=True)
class Hands:
    """Carries out the steps of documents' lives."""

    s3: Any
    bucket: str
    bots: list[Bot]

    def do(self, life: Life, step: Step) -> None:
        """Carry out one step."""
        bot = self.bots[life.bot]
        place = {"Bucket": self.bucket, "Key": bot.key(life.name)}
        if step.verb == "put":
            self.s3.put_object(**place, Body=step.body)
        elif step.verb == "remove":
            self.s3.delete_object(**place)
        elif step.verb == "text":
            answer = bot.call("POST", "/documents", {"name": life.name, "text": step.body.decode()})
            if answer.status_code != httpx.codes.ACCEPTED:
                raise RuntimeError(f"a text was not taken: {answer.text}")
        else:
            self._delete(bot, life, place)
        life.done += 1

    def _delete(self, bot: Bot, life: Life, place: dict[str, str]) -> None:
        """Delete by the API; where its event was dropped or is late, there is no document yet, and S3 must do."""
        document = bot.documents().get(life.name)
        if document is None:
            self.s3.delete_object(**place)
        else:
            bot.call("DELETE", f"/documents/{document['id']}")
