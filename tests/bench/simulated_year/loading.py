"""Writing a world into the database, as fast as it takes it: past triggers, which are about what people do."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from tests.bench.simulated_year import world as ids
from tests.bench.simulated_year.world import ROLES, Indices, World

PLAN = UUID("01970000-0000-7000-8000-000000000004")


class Loader:
    """Writes as the superuser."""

    def __init__(self, admin_url: str, world: World) -> None:
        self._connection = psycopg.connect(admin_url, autocommit=True)
        self._connection.execute("SET session_replication_role = replica")
        self._world = world

    def close(self) -> None:
        """Let the connection go."""
        self._connection.close()

    def organizations(self) -> None:
        """Write organizations, policies and bots."""
        world, now = self._world, self._world.start
        self._copy(
            "organizations (id, name, plan_id)",
            ((ids.organization_id(n), f"Organization {n}", PLAN) for n in range(world.organizations)),
        )
        self._copy(
            "bots (id, organization_id, name)",
            (
                (ids.bot_id(bot), ids.organization_id(int(owner)), f"Bot {bot}")
                for bot, owner in enumerate(world.bot_organization)
            ),
        )
        self._copy("retention_policies (id, organization_id, bot_id, rules, updated_at)", self._policies(now))

    def messages(self, messages: Indices, new: Indices) -> None:
        """Write messages, the conversations that are new among theirs, and when each was last used."""
        world = self._world
        self._copy(
            "conversations (id, organization_id, bot_id, end_user_id, title, created_at, updated_at)",
            self._conversations(messages, new),
        )
        self._copy(
            "messages (id, organization_id, bot_id, conversation_id, role, content, created_at)",
            (
                (
                    ids.message_id(int(n)),
                    *self._place(conversation := int(world.message_conversation[n])),
                    ids.conversation_id(conversation),
                    ROLES[world.message_role[n]],
                    ids.text_of(int(n)),
                    world.time(world.message_at[n]),
                )
                for n in messages
            ),
        )
        self._connection.execute(
            """
            UPDATE conversations SET updated_at = GREATEST(updated_at, last.at)
            FROM (SELECT * FROM unnest(%s::uuid[], %s::timestamptz[]) AS u (id, at)) last
            WHERE conversations.id = last.id
            """,
            self._last_uses(messages),
        )

    def _policies(self, now: datetime) -> Iterator[tuple[Any, ...]]:
        world = self._world
        for number, rules in enumerate(world.rules):
            if rules:
                yield UUID(int=(5 << 112) | number), ids.organization_id(number), None, Jsonb(rules), now
        for bot, rules in world.bot_rules.items():
            owner = ids.organization_id(int(world.bot_organization[bot]))
            yield UUID(int=(6 << 112) | bot), owner, ids.bot_id(bot), Jsonb(rules), now

    def _conversations(self, messages: Indices, new: Indices) -> Iterator[tuple[Any, ...]]:
        world, wanted, seen = self._world, set(new.tolist()), set[int]()
        for n in messages:
            conversation = int(world.message_conversation[n])
            if conversation in wanted and conversation not in seen:
                seen.add(conversation)
                at = world.time(world.message_at[n])
                user = ids.end_user(int(world.conversation_end_user[conversation]))
                yield ids.conversation_id(conversation), *self._place(conversation), user, "", at, at

    def _place(self, conversation: int) -> tuple[UUID, UUID]:
        bot = int(self._world.conversation_bot[conversation])
        return ids.organization_id(int(self._world.bot_organization[bot])), ids.bot_id(bot)

    def _last_uses(self, messages: Indices) -> tuple[list[UUID], list[datetime]]:
        last: dict[int, int] = {}
        for n in messages:
            conversation = int(self._world.message_conversation[n])
            last[conversation] = max(last.get(conversation, 0), int(self._world.message_at[n]))
        return [ids.conversation_id(c) for c in last], [self._world.time(at) for at in last.values()]

    def _copy(self, target: str, rows: Iterator[tuple[Any, ...]]) -> None:
        with self._connection.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
