"""One organization with webhooks, and the real function that delivers them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from standardwebhooks.webhooks import Webhook

from chatsphere.access.permissions import Role
from chatsphere.access.principal import Principal
from functions.deliver_webhooks.handler import handler as deliver
from tests.builders.rest_api import Answer
from tests.builders.running_api import Account, RunningApi
from tests.loopback.webhook_receiver import Inbox, Received


@dataclass(frozen=True)
class Hooked:
    """An organization's owner, with a bot, as tests of webhooks need them."""

    api: RunningApi
    account: Account
    bot_id: str

    @classmethod
    def of(cls, api: RunningApi) -> "Hooked":
        account = api.register()
        return cls(api, account, api.bot(account)["id"])

    @property
    def organization_id(self) -> UUID:
        return UUID(self.account.organization_id)

    def request(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        # As if the authorizer had let it in: tests move the clock by days, and tokens are good for minutes.
        owner = Principal(self.organization_id, UUID(self.account.user_id), Role.OWNER)
        return self.api.request(method, path, body, caller=owner, **options)

    def webhook(self, inbox: Inbox, **fields: Any) -> dict[str, Any]:
        """Make a webhook."""
        answer = self.request("POST", "/v1/webhooks", {"url": inbox.url, **fields})
        assert answer.status == 201, answer.text
        made: dict[str, Any] = answer.json
        return made

    def converse(self, count: int = 1, bot_id: str | None = None) -> list[str]:
        """Begin conversations, as the application does; return their ids."""
        c, ids = self.api.container, []
        for _ in range(count):
            with c.database.transaction(self.organization_id) as connection:
                ids.append(str(c.ids.new()))
                connection.execute(
                    "INSERT INTO conversations (id, organization_id, bot_id, created_at) VALUES (%s, %s, %s, %s)",
                    (ids[-1], self.organization_id, bot_id or self.bot_id, self.api.clock.now()),
                )
        return ids

    def execute(self, statement: str, values: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Run one statement as the tenant."""
        with self.api.container.database.transaction(self.organization_id) as connection:
            cursor = connection.execute(statement, dict(values or {}))
            return cursor.fetchall() if cursor.description else []

    def deliver(self) -> list[dict[str, Any]]:
        """Work off this organization's waiting messages with the real function; return those that it sent."""
        queue = self.api.webhooks_queue
        mine = [message for message, group in queue.sent if group == self.account.organization_id]
        queue.sent[:] = [entry for entry in queue.sent if entry[1] != self.account.organization_id]
        for message in mine:
            assert run(message) == []
        return [message for message, group in queue.sent if group == self.account.organization_id]

    def deliver_at(self, moment: datetime) -> None:
        """As `deliver`, when it is that late."""
        self.api.clock.moment = max(moment, self.api.clock.moment)
        self.deliver()

    def deliveries(self, webhook: Mapping[str, Any], **query: str) -> list[dict[str, Any]]:
        """Return a webhook's deliveries, the newest first."""
        sent = {name: [value] for name, value in query.items()}
        answer = self.request("GET", f"/v1/webhooks/{webhook['id']}/deliveries", query=sent)
        assert answer.status == 200, answer.text
        found: list[dict[str, Any]] = answer.json["data"]
        return found

    def shown(self, webhook: Mapping[str, Any]) -> dict[str, Any]:
        """Return a webhook as the API shows it."""
        found: dict[str, Any] = self.request("GET", f"/v1/webhooks/{webhook['id']}").json
        return found


def run(message: Mapping[str, Any]) -> list[str]:
    """Hand a message to the function; return its failures."""
    record = {"messageId": "1", "body": json.dumps(message), "attributes": {}, "messageAttributes": {}}
    return [failed["itemIdentifier"] for failed in deliver({"Records": [record]}, None)["batchItemFailures"]]


def verified(received: Received, secret: str) -> dict[str, Any]:
    """Return the body as a receiver with the Standard Webhooks library reads it; raises where it is not ours."""
    body: dict[str, Any] = Webhook(secret).verify(received.body, dict(received.headers))
    return body
