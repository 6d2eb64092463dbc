"""Bringing back runs that nobody is at: for the reaper."""

from dataclasses import dataclass

from chatsphere.db.database import Database
from chatsphere.knowledge.training import queries
from chatsphere.knowledge.training.ending import RunEnding
from chatsphere.knowledge.training.messages import TrainingMessage
from chatsphere.knowledge.training.times import MAX_ATTEMPTS, RUN_LEASE
from chatsphere.ports.queues import MessageQueue
from chatsphere.ports.system import Clock, Ids

STALLED = "training_stalled"
"""`error_code` of a run in which not one more batch was embedded however often it was taken up."""


@dataclass(frozen=True, slots=True)
class RunReviver:
    """Sends a stalled run's message again, or ends the run after too many times in vain."""

    database: Database
    embed_queue: MessageQueue
    clock: Clock
    ids: Ids

    def revive(self, message: TrainingMessage) -> None:
        """Decide and commit, then send: were the message lost, the lease would have it sent once more."""
        now = self.clock.now()
        values = {
            "bot_id": message.bot_id,
            "run_id": message.training_run_id,
            "now": now,
            "lease_expires_at": now + RUN_LEASE,
        }
        with self.database.transaction(message.organization_id) as connection:
            run = connection.execute(queries.REVIVE, values).fetchone()
            if run is None:
                return
            if run["status"] == "running" and run["attempts"] > MAX_ATTEMPTS:
                RunEnding(self.clock, self.ids).give_up(connection, message, "failed", STALLED)
        self.embed_queue.send([message.to_json()], group=message.group)
