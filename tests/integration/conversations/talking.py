"""One bot that is talked with in process, and the API to look at what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from chatsphere.chat.asgi import chat_app
from chatsphere.chat.services import Services
from chatsphere.ports.answers import AnswerCitation, AnswerDelta, AnswerEnd
from chatsphere.ports.message_vectors import MessageFilter, MessageMatch
from tests.builders.running_api import Account, Answer, RunningApi
from tests.conftest import Tenant
from tests.fakes_chat import FakeRetriever, ScriptedModel, passage
from tests.integration.chat.client import ChatClient

ANSWER = "49 EUR"


@dataclass
class FakeMemory:
    """`SemanticSearch` that finds what it is told to, in this order, and keeps what it was asked."""

    found: list[MessageMatch] = field(default_factory=list)
    asked: list[tuple[UUID, str, int, MessageFilter | None]] = field(default_factory=list)

    def search(
        self, organization_id: UUID, bot_id: UUID, query: str, *, limit: int, where: MessageFilter | None = None
    ) -> Sequence[MessageMatch]:
        self.asked.append((bot_id, query, limit, where))
        return self.found[:limit]


@dataclass
class Talk:
    """Asks a bot as its account's owner, and reads over the API."""

    api: RunningApi
    account: Account
    bot: str
    memory: FakeMemory = field(default_factory=FakeMemory)

    @property
    def organization_id(self) -> UUID:
        return UUID(self.account.organization_id)

    def ask(self, message: str = "Price?", *, answered: bool = True, says: str = ANSWER, **fields: Any) -> Any:
        """Ask a second later than before; where it is not `answered`, nothing relevant is found."""
        self.api.clock.advance(seconds=1)
        response = self.client(answered=answered, says=says).chat(message, **fields)
        assert response.status_code == 200, response.text
        return response.json()

    def client(self, *, answered: bool = True, says: str = ANSWER) -> ChatClient:
        retriever = FakeRetriever([passage(f"It costs {says}.")] if answered else [])
        model = ScriptedModel([AnswerDelta(says), AnswerCitation(1, says, 0, len(says)), AnswerEnd("stop", 5, 2, 1)])
        c = self.api.container
        services = Services(c.database, retriever, model, self.api.clock, c.ids, memory=self.memory)
        tenant = Tenant(self.organization_id, UUID(self.account.user_id), UUID(self.bot))
        return ChatClient(chat_app(lambda: services), tenant)

    def search(self, query: str | None = None, **fields: Any) -> Any:
        """Search in the bot's messages."""
        response = self.client().post("/v1/conversations/search", {"bot_id": self.bot, "query": query, **fields})
        assert response.status_code == 200, response.text
        return response.json()

    def request(self, method: str, path: str, body: Any = None, **query: str) -> Answer:
        """Send a request as the owner; `{bot}` in the path is the bot."""
        return self.api.request(
            method,
            path.format(bot=self.bot),
            body,
            token=self.account.access_token,
            query={name: [value] for name, value in query.items()},
        )

    def get(self, path: str, **query: str) -> Any:
        answer = self.request("GET", path, **query)
        assert answer.status == 200, answer.text
        return answer.json

    def pages(self, path: str, limit: int, **query: str) -> list[list[Mapping[str, Any]]]:
        """Return every page of a list."""
        pages, cursor = [], ""
        while True:
            page = self.get(path, limit=str(limit), **query, **({"cursor": cursor} if cursor else {}))
            pages.append(page["data"])
            if not page["has_more"]:
                assert page["next_cursor"] is None
                return pages
            cursor = page["next_cursor"]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return the organization's rows of a table."""
        with self.api.container.database.transaction(self.organization_id) as connection:
            return connection.execute(f"SELECT * FROM {table}").fetchall()
