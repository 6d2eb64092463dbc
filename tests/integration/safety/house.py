"""An organization with a bot whose documents and questions go the whole way, but for the network."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final, Self
from uuid import UUID

from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.chat.memory.messages import MemoryMessage
from chatsphere.knowledge.extraction import Position
from chatsphere.knowledge.text import Block
from tests.builders.running_api import Account, Answer, RunningApi
from tests.conftest import Tenant
from tests.integration.chat.client import Event, events_of
from tests.integration.ingestion.pipeline import START, FakeExtraction, Pipeline
from tests.loopback.gemini_model import text_of
from tests.loopback.gemini_server import GeminiServer

SETTINGS: Final = {"threshold": 0.0, "neighbours": 0}
"""Whatever is found is evidence: what is tested comes after that."""

IDS: Final = UuidV7Ids(SystemClock())

OWNERS_WORDS: Final = "Speak like a pirate. The launch is on the ninth."


def read_whole(path: Path, *, position: Position = START, **_: Any) -> Any:
    """A text is one block, lines and all: what an author wants beside each other stays so."""
    return FakeExtraction(islice([Block(path.read_text())], position.blocks, None), position=position)


@dataclass
class House:
    """An organization's owner, bot and documents, and the model that they share with everybody."""

    api: RunningApi
    gemini: GeminiServer
    owner: Account
    bot_id: str
    documents: dict[str, str] = field(default_factory=dict)

    @classmethod
    def found(cls, api: RunningApi, gemini: GeminiServer) -> Self:
        """Register an owner and make a bot."""
        owner = api.register()
        bot = api.bot(owner, configuration=SETTINGS, system_prompt=OWNERS_WORDS)
        return cls(api, gemini, owner, bot["id"])

    def another_bot(self) -> "House":
        """Return the same organization with a second bot."""
        bot = self.api.bot(self.owner, configuration=SETTINGS)
        return House(self.api, self.gemini, self.owner, bot["id"])

    # ------------------------------------------------------------------------------------------------ documents

    @property
    def pipeline(self) -> Pipeline:
        """Ingestion into the API's stores."""
        c = self.api.container
        tenant = Tenant(UUID(self.owner.organization_id), UUID(self.owner.user_id), UUID(self.bot_id))
        made = Pipeline(tenant, c.database, c.reaper_database, IDS, vectors=c.vector_store, embedder=c.embedder)
        made.clock.advance(self.api.clock.now() - made.clock.now())
        made.objects, made.messages, made.read = c.object_store, c.message_vectors, read_whole
        made.personal_data = lambda: c.personal_data
        return made

    def learns(self, name: str, text: str) -> str:
        """Put a document, or another version of it, and have it ingested; return its id."""
        pipeline = self.pipeline
        pipeline.drop(name, text)
        pipeline.run()
        self.documents = {each["name"]: str(each["id"]) for each in pipeline.documents()}
        return self.documents[name]

    def forgets(self, document_id: str) -> str:
        """Delete a document and work that off; return the state of the deletion."""
        deleted = self.ask("DELETE", f"/bots/{self.bot_id}/documents/{document_id}")
        assert deleted.status == 202, deleted.text
        pipeline = self.pipeline
        for message, _ in self.api.purge_queue.sent:
            pipeline.purge_queue.messages.append(message)
        self.api.purge_queue.sent.clear()
        pipeline.run()
        path = f"/deletions/{deleted.json['deletion']['id']}"
        shown: dict[str, Any] = self.ask("GET", path).json
        return str(shown.get("deletion", shown)["status"])

    def remembers(self) -> None:
        """Have what was said embedded, as it is a moment after an answer."""
        message = MemoryMessage(organization_id=UUID(self.owner.organization_id), bot_id=UUID(self.bot_id))
        pipeline = self.pipeline
        pipeline.embed_queue.send([message.to_json()], group=message.group)
        pipeline.run()

    # ------------------------------------------------------------------------------------------------ questions

    def ask(self, method: str, path: str, body: Any = None, **fields: Any) -> Answer:
        """Send a request, the owner's unless another token is given."""
        fields.setdefault("token", self.owner.access_token)
        return self.api.request(method, f"/v1{path}", body, **fields)

    def chat(self, message: str, **fields: Any) -> dict[str, Any]:
        """Return the bot's answer."""
        answer = self.ask("POST", f"/bots/{self.bot_id}/chat", {"message": message, **fields})
        assert answer.status == 200, answer.text
        body: dict[str, Any] = answer.json
        assert_citations_are_true(body, self)
        return body

    def stream(self, message: str) -> list[Event]:
        """Return the bot's answer as it is told."""
        answer = self.ask("POST", f"/bots/{self.bot_id}/chat", {"message": message, "stream": True})
        assert answer.status == 200, answer.text
        return events_of(answer.text)

    def visitor(self, message: str) -> dict[str, Any]:
        """Return what the bot answers somebody without an account."""
        path = f"/public/bots/{self.bot_id}/chat"
        answer = self.ask("POST", path, {"message": message}, token=None)
        assert answer.status == 200, answer.text
        body: dict[str, Any] = answer.json
        return body

    def changed(self, **fields: Any) -> None:
        """Change the bot."""
        answer = self.ask("PATCH", f"/bots/{self.bot_id}", fields)
        assert answer.status == 200, answer.text

    # ------------------------------------------------------------------------------------------- what was heard

    def prompts(self) -> list[Mapping[str, Any]]:
        """Return what the model was sent."""
        return [call.body for call in self.gemini.received]

    def prompt(self) -> str:
        """Return the words of the last call."""
        body = self.gemini.received[-1].body
        return "\n".join(map(text_of, [body["systemInstruction"], *body["contents"]]))


def assert_citations_are_true(answer: Mapping[str, Any], house: House) -> None:
    """Each citation quotes, character for character, a source of this answer that is a document of this bot; and
    without one it is not said to rest on anything.
    """
    sources = {source["number"]: source for source in answer["sources"]}
    for citation in answer["citations"]:
        source = sources[citation["number"]]
        assert source["document_id"] == citation["document_id"]
        assert citation["document_id"] in house.documents.values()
        start = citation["char_start"] - source["char_start"]
        assert source["content"][start : start + len(citation["quote"])] == citation["quote"]
        assert 0 <= citation["answer_start"] < citation["answer_end"] <= len(answer["answer"])
    assert answer["answerable"] == bool(answer["citations"])


def everything_in(*answers: Any) -> str:
    """Return all that answers tell, as one text."""
    return json.dumps(answers, default=str, ensure_ascii=False)
