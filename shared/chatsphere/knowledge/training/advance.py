"""What comes next for a run: its batches are sent, readers are switched over, what is obsolete is deleted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chatsphere.db.database import Database
from chatsphere.errors import UnavailableError
from chatsphere.knowledge.ingestion.budget_waits import try_again
from chatsphere.knowledge.training import queries
from chatsphere.knowledge.training.ending import RunEnding
from chatsphere.knowledge.training.messages import ReembedMessage, TrainingMessage
from chatsphere.knowledge.training.times import RUN_LEASE, SECOND_LOOK, WAVE
from chatsphere.observability import logger
from chatsphere.ports.queues import MessageQueue
from chatsphere.ports.system import Clock, Ids
from chatsphere.ports.vectors import Namespace, VectorStore


@dataclass(frozen=True, slots=True)
class RunAdvancer:
    """Works off `TrainingMessage`. Each step commits first; were a message lost, the run's lease brings it back."""

    database: Database
    vectors: VectorStore
    embed_queue: MessageQueue
    clock: Clock
    ids: Ids

    def advance(self, message: TrainingMessage) -> None:
        """Do the next step of the run; nothing where it has none, or somebody is at it.

        Raises:
            UnavailableError: something does not answer, or shows vectors that were deleted; to be tried again.
        """
        values = self._values(message)
        with self.database.transaction(message.organization_id) as connection:
            run = connection.execute(queries.TAKE_UP, values).fetchone()
            ahead = []
            if run is not None and run["status"] == "running":
                ahead = connection.execute(queries.AHEAD, values | run | {"limit": WAVE}).fetchall()
        if run is None:
            return
        if run["status"] != "running":
            self._clean(message, run)
        elif ahead:
            self._send(message, run, ahead)
        elif message.after is None:
            self.finish(message, run)

    def finish(self, message: TrainingMessage, run: Mapping[str, Any]) -> None:
        """Switch readers over if nothing is ahead of the run, and have the former vectors deleted."""
        with self.database.transaction(message.organization_id) as connection:
            unfinished = RunEnding(self.clock, self.ids).switch(connection, message, run)
        if unfinished is None:
            return
        follow_up = TrainingMessage(**message.model_dump(exclude={"after"}))
        sent = [each.to_json() for each in unfinished] + [follow_up.to_json()]
        self.embed_queue.send(sent, group=message.group)

    def _send(self, message: TrainingMessage, run: Mapping[str, Any], ahead: list[dict[str, Any]]) -> None:
        scope = message.model_dump(exclude={"after"})
        place = {"revision": run["revision"], "dimensions": run["dimensions"]}
        sent = [ReembedMessage(**scope, **place, **row).to_json() for row in ahead]
        if len(ahead) == WAVE:
            # Behind this wave in the queue, so that one run's batches never fill it.
            after = (ahead[-1]["document_id"], ahead[-1]["batch"])
            sent.append(TrainingMessage(**scope, after=after).to_json())
        self.embed_queue.send(sent, group=message.group)

    def _clean(self, message: TrainingMessage, run: Mapping[str, Any]) -> None:
        """Delete the revision that nobody needs any more, and look again later: a batch may have been under way.
        Documents that found no room in the budget for the former model are tried again.
        """
        former = run["obsolete_revision"] == run["former_revision"]
        dimensions = run["former_dimensions" if former else "dimensions"]
        namespace = Namespace(message.organization_id, message.bot_id, run["obsolete_revision"], dimensions)
        if former and run["cleaned_at"] is None:
            with self.database.transaction(message.organization_id) as connection:
                try_again(connection, message.bot_id, self.clock.now())
        vectors = self.vectors.delete_namespace(namespace)
        if self.vectors.count(namespace):
            raise UnavailableError("The vector store still shows vectors that were deleted.")
        with self.database.transaction(message.organization_id) as connection:
            connection.execute(queries.FIND_CLEAN, self._values(message))
        logger.info("obsolete vectors deleted", bot_id=str(message.bot_id), vectors=vectors)

    def _values(self, message: TrainingMessage) -> dict[str, Any]:
        now = self.clock.now()
        document_id, batch = message.after or (None, None)
        return {
            "bot_id": message.bot_id,
            "run_id": message.training_run_id,
            "document_id": document_id,
            "batch": batch,
            "now": now,
            "lease_expires_at": now + RUN_LEASE,
            "second_look_at": now + SECOND_LOOK,
        }
