"""Ending a run: readers are switched over, or it is given up. Inside the caller's transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chatsphere.db.database import Connection
from chatsphere.insights.error_log import log_error
from chatsphere.knowledge.ingestion.messages import EmbedMessage
from chatsphere.knowledge.training import queries
from chatsphere.knowledge.training.messages import TrainingMessage
from chatsphere.observability import logger
from chatsphere.ports.system import Clock, Ids


@dataclass(frozen=True, slots=True)
class RunEnding:
    """What ends runs."""

    clock: Clock
    ids: Ids

    def switch(
        self, connection: Connection, message: TrainingMessage, run: Mapping[str, Any]
    ) -> list[EmbedMessage] | None:
        """Let readers search what the run has made, if nothing is ahead of it; else return None.

        Before the commit they search the former revision, whole, after it the new one. What is returned are batches of
        generations under way, to be embedded once more.
        """
        values = self._values(message) | dict(run)
        held = connection.execute(queries.HOLD_BOT, values).fetchone()
        if held is None or held["embedding_revision"] != run["former_revision"]:
            return None
        ahead = connection.execute(queries.IS_AHEAD, values).fetchone()
        if ahead is None or ahead["ahead"] or not self._end(connection, message, "succeeded"):
            return None
        connection.execute(queries.SWITCH, values)
        unfinished = connection.execute(queries.UNFINISHED, values).fetchall()
        connection.execute(queries.FORGET_BATCHES, values | {"obsolete": run["former_revision"]})
        logger.info("bot embedded anew", bot_id=str(message.bot_id), model=run["embedding_model"])
        return [
            EmbedMessage(organization_id=message.organization_id, bot_id=message.bot_id, **row) for row in unfinished
        ]

    def give_up(self, connection: Connection, message: TrainingMessage, status: str, error_code: str | None) -> bool:
        """End a run as `failed` or `cancelled`: readers go on as before. Return whether it was running."""
        ended = self._end(connection, message, status, error_code)
        if ended is None:
            return False
        connection.execute(queries.FORGET_BATCHES, self._values(message) | {"obsolete": ended["revision"]})
        logger.warning("training run ended", bot_id=str(message.bot_id), status=status, error_code=error_code)
        return True

    def _end(
        self, connection: Connection, message: TrainingMessage, status: str, error_code: str | None = None
    ) -> Mapping[str, Any] | None:
        values = self._values(message) | {"status": status, "error_code": error_code}
        ended = connection.execute(queries.END, values).fetchone()
        if ended is not None:
            connection.execute(queries.COUNT_USAGE, values | ended | {"event_id": self.ids.new()})
        if ended is not None and error_code is not None:
            log_error(
                connection,
                "training",
                error_code,
                "The bot was not embedded anew.",
                error_id=self.ids.new(),
                bot_id=message.bot_id,
                details={"training_run_id": str(message.training_run_id)},
                now=self.clock.now(),
            )
        return ended

    def _values(self, message: TrainingMessage) -> dict[str, Any]:
        return {"bot_id": message.bot_id, "run_id": message.training_run_id, "now": self.clock.now()}
