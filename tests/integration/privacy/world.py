"""People, organizations and what they keep, and the functions that delete all of it, in one process."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
import pyotp
from psycopg import sql

from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.archive.datasets import DATASETS, DatasetName
from functions.purge_deleted.handler import handler as purge_deleted
from functions.reap_stalled.handler import handler as reap_stalled
from tests.builders.running_api import PASSWORD, Account, Answer, RunningApi
from tests.conftest import Tenant
from tests.fakes import InMemoryObjectStore
from tests.integration.ingestion.pipeline import Pipeline

IDS = UuidV7Ids(SystemClock())

TENANT_TABLES = """
    SELECT c.relname FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id'
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
"""

UUID_COLUMNS = """
    SELECT c.relname, a.attname FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.atttypid = 'uuid'::regtype
"""


@dataclass
class World:
    """`admin` sees every row."""

    api: RunningApi
    objects: InMemoryObjectStore
    admin: psycopg.Connection

    # ----------------------------------------------------------------------------------------------- what there is

    def fill(self, account: Account) -> str:
        """Give an organization something in every store; return its bot's id."""
        bot = self.api.bot(account)
        pipeline = self.pipeline(account, bot["id"])
        for name, text in (("a.txt", "One.\nTwo."), ("a.txt", "One.\nThree."), ("b.txt", "Four.")):
            pipeline.drop(name, text)
            pipeline.run()
        self._converse(account, bot["id"])
        self.api.api_key(account)
        headers = {"Idempotency-Key": f"key-{bot['id']}"}
        made = self.api.request("POST", "/v1/bots", {"name": "Second"}, token=account.access_token, headers=headers)
        assert made.status == 201, made.text
        return str(bot["id"])

    def archive(self, account: Account, bot_id: str) -> None:
        """Put a row of the organization into its archive, and a file of its bot into the same bucket."""
        c, now = self.api.container, self.api.clock.now()
        empty: dict[str, Any] = dict.fromkeys(column.name for column in DATASETS[DatasetName.MESSAGES].columns)
        row = empty | {"id": str(IDS.new()), "conversation_id": str(IDS.new()), "created_at": now}
        c.archiver.copy(
            [row],
            organization_id=UUID(account.organization_id),
            bot_id=UUID(bot_id),
            dataset=DatasetName.MESSAGES,
            source="world",
        )
        key = f"exports/{account.organization_id}/{bot_id}/{IDS.new()}.zip"
        c.archive_store.put_stream(key, [b"Bot."], content_type="application/zip", metadata={})

    def archived(self) -> list[str]:
        """The keys in the archive's bucket that hold anything."""
        return [key for key, versions in self.api.archive_store.saved().items() if versions]

    def pipeline(self, account: Account, bot_id: str) -> Pipeline:
        """Ingestion into this world's stores."""
        c = self.api.container
        tenant = Tenant(UUID(account.organization_id), UUID(account.user_id), UUID(bot_id))
        pipeline = Pipeline(tenant, c.database, c.reaper_database, IDS, vectors=c.vector_store)
        pipeline.clock.advance(self.api.clock.now() - pipeline.clock.now())
        pipeline.objects = self.objects
        return pipeline

    def _converse(self, account: Account, bot_id: str) -> None:
        values = {"organization": account.organization_id, "user": account.user_id, "bot": bot_id}
        values |= {name: str(IDS.new()) for name in ("conversation", "message", "usage", "error")}
        for statement in (
            "INSERT INTO conversations (id, organization_id, bot_id)"
            " VALUES (%(conversation)s, %(organization)s, %(bot)s)",
            "INSERT INTO messages (id, organization_id, bot_id, conversation_id, role, content, created_at)"
            " VALUES (%(message)s, %(organization)s, %(bot)s, %(conversation)s, 'user', 'Hi', now())",
            "INSERT INTO usage_events (id, organization_id, bot_id, user_id, metric)"
            " VALUES (%(usage)s, %(organization)s, %(bot)s, %(user)s, 'chat.answer')",
            "INSERT INTO error_logs (id, organization_id, bot_id, service, error_type, message)"
            " VALUES (%(error)s, %(organization)s, %(bot)s, 'chat', 'x', 'x')",
        ):
            self.admin.execute(statement, values)

    def join(self, account: Account, organization: Account, role: str = "editor") -> None:
        """Make a person a member of another's organization."""
        self.admin.execute(
            "INSERT INTO memberships (organization_id, user_id, role) VALUES (%s, %s, %s)",
            (organization.organization_id, account.user_id, role),
        )

    def enroll(self, account: Account) -> pyotp.TOTP:
        """Switch a person's second factor on."""
        enrolled = self.api.request(
            "POST", "/v1/auth/mfa/enroll", {"password": PASSWORD}, token=account.access_token
        ).json
        totp = pyotp.TOTP(enrolled["secret"])
        body = {"mfa_token": enrolled["mfa_token"], "code": totp.at(self.api.clock.now())}
        verified = self.api.request("POST", "/v1/auth/mfa/verify", body)
        assert verified.status == 200, verified.text
        return totp

    # --------------------------------------------------------------------------------------------------- deleting

    def delete_me(self, account: Account, **body: Any) -> Answer:
        return self.api.request("DELETE", "/v1/me", {"password": PASSWORD, **body}, token=account.access_token)

    def delete_organization(self, account: Account) -> Answer:
        path = f"/v1/organizations/{account.organization_id}"
        return self.api.request("DELETE", path, {"password": PASSWORD}, token=account.access_token)

    def purge(self) -> list[dict[str, Any]]:
        """Deliver what is in the purge queue once; what fails stays in it. Return what failed."""
        messages = [message for message, _ in self.api.purge_queue.sent]
        self.api.purge_queue.sent.clear()
        failed = [message for message in messages if not deliver(message)]
        self.api.purge_queue.sent += [(message, "") for message in failed]
        return failed

    def reap(self, answer: Answer) -> int:
        """Run the reaper; return how many messages it sent about this deletion, and drop what other tests left."""
        reap_stalled({}, None)
        message = {"erasure_id": answer.json["erasure"]["id"]}
        self.api.purge_queue.sent = [sent for sent in self.api.purge_queue.sent if sent[0] == message]
        return len(self.api.purge_queue.sent)

    def receipt(self, answer: Answer) -> Any:
        """The deletion as its token shows it."""
        body = {"receipt_token": answer.json["receipt_token"]}
        shown = self.api.request("POST", "/v1/erasures/receipt", body)
        assert shown.status == 200, shown.text
        return shown.json

    # --------------------------------------------------------------------------------------------------- counting

    def rows_of_organization(self, organization_id: str) -> dict[str, int]:
        """How many rows each table holds of an organization, counted one by one and by nobody's rules."""
        tables = [row[0] for row in self.admin.execute(TENANT_TABLES)]
        return self._count({table: ["organization_id"] for table in tables}, organization_id) | self._count(
            {"organizations": ["id"]}, organization_id
        )

    def columns_with(self, value: str) -> set[str]:
        """Each column of each table that holds this id somewhere, as `table.column`."""
        columns = [(table, column) for table, column in self.admin.execute(UUID_COLUMNS)]
        return {f"{table}.{column}" for table, column in columns if self._count({table: [column]}, value)}

    def _count(self, tables: Mapping[str, list[str]], value: str) -> dict[str, int]:
        counts = {}
        for table, (column,) in tables.items():
            query = sql.SQL("SELECT count(*) FROM {} WHERE {} = %s").format(
                sql.Identifier(table), sql.Identifier(column)
            )
            row = self.admin.execute(query, (value,)).fetchone()
            counts[table] = row[0] if row else 0
        return {table: number for table, number in counts.items() if number}


def deliver(message: Mapping[str, Any]) -> bool:
    """Hand the purge function one message; return whether it was worked off."""
    record = {"messageId": "m", "body": json.dumps(message), "attributes": {"ApproximateReceiveCount": "1"}}
    return not purge_deleted({"Records": [record]}, None)["batchItemFailures"]
