"""Embedding the messages that are pending, one batch at a time, and following the bot to another model.

What is written twice is the same vector; what is cut short between two steps is claimed again when its time is over.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from chatsphere.billing.budgets import Spending
from chatsphere.billing.work import PaidWork, WorkOverBudgetError, price_of
from chatsphere.bots.configuration import BotConfiguration
from chatsphere.chat.memory import queries
from chatsphere.chat.memory.messages import MemoryMessage
from chatsphere.chat.memory.times import MEMORY_LEASE, MOST_DOUBLINGS, PENDING_LEASE, WITHOUT_MODEL
from chatsphere.chat.turns import CLOCK_SKEW
from chatsphere.db.database import Connection, Database
from chatsphere.errors import ChatSphereError, EmbeddingModelUnavailableError, NotFoundError, UnavailableError
from chatsphere.knowledge.retrieval.embedding_text import storable
from chatsphere.observability import Metric, logger, record
from chatsphere.ports.embedding import Embedder
from chatsphere.ports.message_vectors import MessageVector, MessageVectors
from chatsphere.ports.queues import MessageQueue
from chatsphere.ports.system import Clock, Ids
from chatsphere.ports.vectors import Namespace

BATCH: Final = 64
"""Messages that are embedded at a time."""

CONVERSATIONS: Final = 20
"""Former conversations that are taken in at a time."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Work:
    """Messages to be embedded: claimed, and as they were when they were."""

    namespace: Namespace
    model: str
    claim: UUID
    rows: Sequence[Row]
    claimed: Mapping[UUID, UUID]
    """The conversation of each message."""


@dataclass(frozen=True, slots=True)
class MemoryKeeper:
    """Works off `MemoryMessage`. `embedders` returns the embedder of a model's name, None: the deployment's own."""

    database: Database
    embedders: Callable[[str | None], Embedder]
    vectors: MessageVectors
    embed_queue: MessageQueue
    clock: Clock
    ids: Ids

    def work(self, message: MemoryMessage) -> None:
        """Embed the bot's next batch, and send another message if there is more.

        Where the deployment does not have the bot's model, or the budget no room, its messages wait.

        Raises:
            UnavailableError: something does not answer; the message must come again.
        """
        try:
            with self.database.transaction(message.organization_id) as connection:
                work = self._take(connection, message, self.embedders(None))
            if work is None:
                return
            if work.claimed:
                self._work_off(work)
        except (EmbeddingModelUnavailableError, WorkOverBudgetError) as cause:
            self._postpone(message, cause)
            return
        with self.database.transaction(message.organization_id) as connection:
            values = {"bot_id": message.bot_id, "now": self.clock.now()}
            row = connection.execute(queries.IS_AHEAD, values).fetchone()
        if row is not None and row["ahead"]:
            self.embed_queue.send([message.to_json()], group=message.group)

    def _postpone(self, message: MemoryMessage, cause: ChatSphereError) -> None:
        logger.warning("memory waits", bot_id=str(message.bot_id), cause=cause.code)
        values = {"bot_id": message.bot_id, "due_at": self.clock.now() + WITHOUT_MODEL}
        with self.database.transaction(message.organization_id) as connection:
            connection.execute(queries.POSTPONE, values)

    # ------------------------------------------------------------------------------------------- taking work

    def _take(self, connection: Connection, message: MemoryMessage, first: Embedder) -> _Work | None:
        """Return what to embed; None where the bot has no memory."""
        held = connection.execute(queries.HOLD, {"bot_id": message.bot_id}).fetchone()
        if held is None:
            return None
        state: dict[str, Any] = dict(held)
        if not BotConfiguration.stored(state["configuration"]).memory:
            self._end(connection, message.bot_id, state)
            return None
        wanted = state["wanted"] or first.model
        if state["model"] != wanted:
            dimensions = first.dimensions if wanted == first.model else self.embedders(wanted).dimensions
            state |= self._begin(connection, message.bot_id, state, wanted, dimensions)
        namespace = Namespace(message.organization_id, message.bot_id, state["revision"], state["dimensions"])
        claim = self.ids.new()
        claimed = self._claim(connection, message.bot_id, claim)
        if len(claimed) < BATCH:
            self._take_in(connection, message.bot_id, state["remaining_before"])
            claimed |= self._claim(connection, message.bot_id, claim, BATCH - len(claimed))
        rows = self._texts(connection, claimed)
        return _Work(namespace, wanted, claim, rows, {each: row["conversation_id"] for each, row in claimed.items()})

    def _begin(
        self, connection: Connection, bot_id: UUID, state: Mapping[str, Any], model: str, dimensions: int
    ) -> dict[str, Any]:
        """Begin a memory by this model, and have the former one deleted."""
        self._delete_former(connection, bot_id, state)
        due_at = self.clock.now() + MEMORY_LEASE
        values = {"bot_id": bot_id, "model": model, "dimensions": dimensions, "due_at": due_at}
        begun = connection.execute(queries.BEGIN, values).fetchone()
        assert begun is not None
        logger.info("memory begun", bot_id=str(bot_id), model=model, revision=begun["revision"])
        return {"model": model, "dimensions": dimensions, **begun}

    def _end(self, connection: Connection, bot_id: UUID, state: Mapping[str, Any]) -> None:
        """Leave nothing of a memory that was switched off."""
        self._delete_former(connection, bot_id, state)
        connection.execute(queries.DROP_PENDING, {"bot_id": bot_id})
        connection.execute(queries.END, {"bot_id": bot_id})

    def _delete_former(self, connection: Connection, bot_id: UUID, state: Mapping[str, Any]) -> None:
        if state["model"] is not None:
            place = {"revision": state["revision"], "dimensions": state["dimensions"]}
            values = place | {"id": self.ids.new(), "bot_id": bot_id, "now": self.clock.now()}
            connection.execute(queries.DELETE_REVISION, values)

    def _claim(self, connection: Connection, bot_id: UUID, claim: UUID, limit: int = BATCH) -> dict[UUID, Row]:
        values = {
            "bot_id": bot_id,
            "claim": claim,
            "now": self.clock.now(),
            "lease": PENDING_LEASE,
            "most": MOST_DOUBLINGS,
            "alone": False,
            "limit": limit,
        }
        rows = connection.execute(queries.CLAIM, values).fetchall()
        if not rows and limit == BATCH:
            rows = connection.execute(queries.CLAIM, values | {"alone": True, "limit": 1}).fetchall()
        return {row["message_id"]: row for row in rows}

    def _take_in(self, connection: Connection, bot_id: UUID, remaining_before: UUID | None) -> None:
        """Have the next conversations embedded that were held before the memory was begun."""
        now, left = self.clock.now(), None
        values = {"bot_id": bot_id, "remaining_before": remaining_before, "limit": CONVERSATIONS}
        rows = connection.execute(queries.REMAINING, values).fetchall() if remaining_before else []
        if rows:
            bounds = {"since": min(row["created_at"] for row in rows), "until": now + CLOCK_SKEW}
            chosen = [row["id"] for row in rows]
            connection.execute(queries.ADD_PENDING, bounds | {"conversations": chosen, "now": now})
        if len(rows) == CONVERSATIONS:
            left = rows[-1]["id"]
        due_at = None if left is None else now + MEMORY_LEASE
        connection.execute(queries.SET_REMAINING, {"bot_id": bot_id, "remaining_before": left, "due_at": due_at})

    def _texts(self, connection: Connection, claimed: Mapping[UUID, Row]) -> Sequence[Row]:
        if not claimed:
            return ()
        times = [row["created_at"] for row in claimed.values()]
        values = {"messages": list(claimed), "since": min(times), "until": max(times)}
        return connection.execute(queries.CLAIMED_TEXTS, values).fetchall()

    # ---------------------------------------------------------------------------------------------- embedding

    def _work_off(self, work: _Work) -> None:
        try:
            self._embed(work)
        except (UnavailableError, WorkOverBudgetError):
            # When their time has come, they are tried again.
            raise
        except Exception:
            values = {"messages": list(work.claimed), "claim": work.claim}
            with self.database.transaction(work.namespace.organization_id) as connection:
                connection.execute(queries.REFUSE, values)
            raise

    def _embed(self, work: _Work) -> None:
        embedder = self.embedders(work.model)
        texts = [storable(row["content"]) for row in work.rows]
        tokens = sum(map(embedder.count_tokens, texts))
        price = price_of(embedder, tokens)
        paid = PaidWork(self.database, self.clock, self.ids)
        embedded = paid.do(work.namespace.organization_id, price, lambda: embedder.embed_documents(texts))
        records = [
            MessageVector(
                message_id=row["message_id"],
                conversation_id=row["conversation_id"],
                end_user_id=row["end_user_id"],
                role=row["role"],
                created_at=row["created_at"],
                values=values,
            )
            for row, values in zip(work.rows, embedded, strict=True)
        ]
        self._write(work.namespace, records)
        record(Metric.TOKENS_EMBEDDED, tokens)
        self._finish(work, Spending(tokens, price.cost_microdollars))

    def _write(self, namespace: Namespace, records: Sequence[MessageVector]) -> None:
        try:
            self.vectors.upsert(namespace, records)
        except NotFoundError:
            with self.database.transaction(namespace.organization_id) as connection:
                there = _existing(connection, {each.conversation_id for each in records})
            try:
                self.vectors.upsert(namespace, [each for each in records if each.conversation_id in there])
            except NotFoundError:
                raise UnavailableError("One conversation after the other is deleted.") from None

    def _finish(self, work: _Work, used: Spending) -> None:
        """Note what is embedded and paid for; take back what is not wanted any more."""
        organization_id, bot_id = work.namespace.organization_id, work.namespace.bot_id
        with self.database.transaction(organization_id) as connection:
            present = connection.execute(queries.HOLD_REVISION, {"bot_id": bot_id}).fetchone()
            is_current = present is not None and present["revision"] == work.namespace.revision
            statement = queries.FINISH if is_current else queries.RELEASE
            values = {"messages": list(work.claimed), "claim": work.claim}
            ended = {row["message_id"] for row in connection.execute(statement, values)}
            others = {conversation for each, conversation in work.claimed.items() if each not in ended}
            gone = others - _existing(connection, others)
            self._count(connection, work, used)
        unwanted: dict[UUID, list[UUID]] = defaultdict(list)
        for message_id, conversation_id in work.claimed.items():
            if not is_current or conversation_id in gone:
                unwanted[conversation_id].append(message_id)
        for conversation_id, messages in unwanted.items():
            self.vectors.delete_conversation(work.namespace, conversation_id, messages)

    def _count(self, connection: Connection, work: _Work, used: Spending) -> None:
        now = self.clock.now()
        values = {
            "id": self.ids.new(),
            "bot_id": work.namespace.bot_id,
            "model": work.model,
            "tokens": used.tokens,
            "cost": used.cost_microdollars,
            "count": len(work.rows),
            "now": now,
        }
        connection.execute(queries.COUNT_USAGE, values)


def _existing(connection: Connection, conversations: set[UUID]) -> set[UUID]:
    if not conversations:
        return set()
    return {row["id"] for row in connection.execute(queries.EXISTING, {"conversations": list(conversations)})}
