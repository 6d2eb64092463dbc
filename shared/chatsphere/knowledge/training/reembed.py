"""One batch of what readers see is embedded for a run, beside the vectors that they search."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chatsphere.billing.work import PaidWork, WorkOverBudgetError
from chatsphere.db.database import Database
from chatsphere.errors import NotFoundError, UnavailableError
from chatsphere.knowledge.ingestion import work_queries
from chatsphere.knowledge.ingestion.batch_vectors import EmbeddedBatch, EmbedderFor, TextOf, write_vectors
from chatsphere.knowledge.ingestion.times import MAX_ATTEMPTS
from chatsphere.knowledge.retrieval.embedding_text import embedding_text
from chatsphere.knowledge.training import queries
from chatsphere.knowledge.training.advance import RunAdvancer
from chatsphere.knowledge.training.ending import RunEnding
from chatsphere.knowledge.training.messages import ReembedMessage, TrainingMessage
from chatsphere.knowledge.training.times import BUDGET_WAIT, RUN_LEASE

FAILED = "embedding_failed"
"""`error_code` of a run whose model refuses a batch again and again."""


class _OvertakenError(Exception):
    """The run has ended or the generation is not what readers see, after the vectors were written."""


@dataclass(frozen=True, slots=True)
class BatchReembedder:
    """Works off `ReembedMessage`; the last batch of a run has readers switched over."""

    advancer: RunAdvancer
    embedders: EmbedderFor
    text_of: TextOf = embedding_text

    def embed(self, message: ReembedMessage, receive_count: int) -> None:
        """Embed the batch that the message names, unless that is done or overtaken, or the budget has no room for it.

        Raises:
            UnavailableError: something does not answer; the message must come again.
        """
        try:
            self._embed(message, receive_count)
        except UnavailableError:
            raise
        except WorkOverBudgetError:
            self._await_budget(message)
        except (NotFoundError, _OvertakenError):
            self._overtaken(message, written=True)
        except Exception as error:
            if receive_count >= MAX_ATTEMPTS:
                self._give_up(message, getattr(error, "code", FAILED))
            raise

    def _embed(self, message: ReembedMessage, receive_count: int) -> None:
        with self._database.transaction(message.organization_id) as connection:
            run = connection.execute(queries.BEGIN_BATCH, message.model_dump()).fetchone()
            chunks = connection.execute(work_queries.BATCH_CHUNKS, message.model_dump()).fetchall() if run else []
        if run is None:
            # A former delivery may have written, and died before it noted that.
            self._overtaken(message, written=receive_count > 1)
            return
        written = None
        if not run["embedded"]:
            written = write_vectors(
                message,
                run["name"],
                chunks,
                namespace=message.namespace,
                embedder=self.embedders(run["embedding_model"]),
                vectors=self.advancer.vectors,
                paid=PaidWork(self._database, self.advancer.clock, self.advancer.ids),
                text_of=self.text_of,
            )
        self._record(message, run, written, len(chunks))

    def _record(
        self, message: ReembedMessage, run: Mapping[str, Any], written: EmbeddedBatch | None, chunks: int
    ) -> None:
        now = self.advancer.clock.now()
        values = message.model_dump() | dict(run) | {"now": now, "lease_expires_at": now + RUN_LEASE, "chunks": chunks}
        with self._database.transaction(message.organization_id) as connection:
            if written is not None:
                if connection.execute(queries.HOLD_DOCUMENT, values).fetchone() is None:
                    raise _OvertakenError
                values |= written.values()
                values["new"] = connection.execute(work_queries.RECORD_BATCH, values).rowcount
                if connection.execute(queries.COUNT_BATCH, values).fetchone() is None:
                    raise _OvertakenError
            ahead = connection.execute(queries.IS_AHEAD, values).fetchone()
        if ahead is not None and not ahead["ahead"]:
            self.advancer.finish(_run_of(message), run)

    def _overtaken(self, message: ReembedMessage, *, written: bool) -> None:
        """The run has ended, or the document has changed: what was written for it must not stay."""
        values = message.model_dump() | {"now": self.advancer.clock.now()}
        with self._database.transaction(message.organization_id) as connection:
            run = connection.execute(queries.PLACE, values).fetchone()
            kept = (
                run is not None
                and run["wanted"]
                and bool(
                    connection.execute(work_queries.IS_FINISHED, values).fetchone()
                    or connection.execute(work_queries.LEAVE_VECTORS, values).fetchone()
                )
            )
        if written and not kept:
            self.advancer.vectors.delete_document(message.namespace, message.document_id)
        if run is not None and run["status"] == "running":
            # It may have been the last one ahead of the run.
            self.advancer.finish(_run_of(message), run)

    def _await_budget(self, message: ReembedMessage) -> None:
        """Leave the rest of the run until later; the reaper sends it again."""
        now = self.advancer.clock.now()
        values = message.model_dump() | {"now": now, "lease_expires_at": now + BUDGET_WAIT}
        with self._database.transaction(message.organization_id) as connection:
            connection.execute(queries.AWAIT_BUDGET, values)

    def _give_up(self, message: ReembedMessage, error_code: str) -> None:
        run = _run_of(message)
        with self._database.transaction(message.organization_id) as connection:
            ended = RunEnding(self.advancer.clock, self.advancer.ids).give_up(connection, run, "failed", error_code)
        if ended:
            self.advancer.embed_queue.send([run.to_json()], group=run.group)

    @property
    def _database(self) -> Database:
        return self.advancer.database


def _run_of(message: ReembedMessage) -> TrainingMessage:
    return TrainingMessage(**message.model_dump(include={"organization_id", "bot_id", "training_run_id"}))
