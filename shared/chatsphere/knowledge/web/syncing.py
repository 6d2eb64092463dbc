"""A synchronisation, step by step: each message makes one, with one page at most, and sends the next message."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chatsphere.db.database import Connection, Database
from chatsphere.errors import DocumentError, UrlUnreachableError, WebError
from chatsphere.insights.error_log import log_error
from chatsphere.knowledge.ingestion.errors import DeadlineExceededError, ProcessingError
from chatsphere.knowledge.web import steps_queries as queries
from chatsphere.knowledge.web.errors import (
    DuplicatePageError,
    NoIndexError,
    UrlNotFoundError,
)
from chatsphere.knowledge.web.found_pages import list_found
from chatsphere.knowledge.web.hosts import NotItsTurnError
from chatsphere.knowledge.web.leases import Step, give_back, pickup, take_step
from chatsphere.knowledge.web.messages import FetchMessage
from chatsphere.knowledge.web.pages import Ended, ListedPage, Pages
from chatsphere.knowledge.web.progress import Progress, progress_after, said
from chatsphere.knowledge.web.times import (
    BACKOFF,
    BEGINNINGS,
    FAILURES_IN_A_ROW,
    LONGEST_SYNC,
    MAX_DELAY,
    REMOVED_AT_ONCE,
    TRIES,
)
from chatsphere.observability import logger
from chatsphere.ports.queues import MessageQueue
from chatsphere.ports.system import Clock, Ids


@dataclass(frozen=True, slots=True)
class Synchroniser:
    """Makes steps. `random` gives uniform numbers from 0 to 1, for pauses that do not come all at once."""

    database: Database
    pages: Pages
    fetch_queue: MessageQueue
    purge_queue: MessageQueue
    clock: Clock
    ids: Ids
    random: Callable[[], float]

    def step(self, message: FetchMessage) -> None:
        """Make the step that the message asks for, unless it was made.

        Raises:
            NotNowError: somebody is at it, or a document of the page's name is being deleted.
            UnavailableError: something of our own does not answer; the message makes the step again.
        """
        step = take_step(self.database, message, self.clock, self.ids)
        if step is None:
            return
        try:
            if step.status == "deleting":
                self._delete(step)
            else:
                self._synchronise(step)
        except Exception:
            give_back(self.database, step, self.clock.now())
            raise

    def _synchronise(self, step: Step) -> None:
        if step.bot_status in ("archived", "deleting"):
            self._end(step, is_complete=False)
            return
        if step.sync_started_at is not None and self.clock.now() - step.sync_started_at > LONGEST_SYNC:
            self._end(step, is_complete=False, error=DeadlineExceededError("The source takes too long to be read."))
            return
        if step.failures >= FAILURES_IN_A_ROW:
            self._end(step, is_complete=False, error=UrlUnreachableError())
            return
        page = self._begin_page(step)
        if page is None:
            self._finish(step)
        elif page.not_before is not None and (wait := page.not_before - self.clock.now()) > timedelta(0):
            self._go_on(step, Progress(step.failures, wait=wait))
        else:
            self._make(step, page)

    def _begin_page(self, step: Step) -> ListedPage | None:
        now = self.clock.now()
        values = step.values | {"now": now, "depth_followed": step.depth_followed}
        with self.database.transaction(step.message.organization_id) as connection:
            row = connection.execute(queries.NEXT_PAGE, values).fetchone()
            if row is None:
                return None
            page = ListedPage.of(row)
            if page.not_before is None or page.not_before <= now:
                connection.execute(queries.BEGIN_PAGE, {"page_id": page.id})
        return page

    def _make(self, step: Step, page: ListedPage) -> None:
        try:
            if page.attempts >= BEGINNINGS:
                raise ProcessingError
            ended = self.pages.fetch(step, page)
        except NotItsTurnError as turn:
            self._defer(step, page, None, timedelta(seconds=turn.seconds), forgiven=1)
        except (UrlNotFoundError, NoIndexError, DuplicatePageError) as error:
            self._keep(step, page, self.pages.gone(step, page, error))
        except DocumentError as error:
            if isinstance(error, WebError) and error.retryable and page.attempts + 1 < TRIES:
                pause = BACKOFF * 2**page.attempts * (0.5 + self.random())
                self._defer(step, page, error, pause, forgiven=0)
            else:
                self._keep(step, page, self.pages.failed(step, page, error))
        else:
            self._keep(step, page, ended)

    def _defer(self, step: Step, page: ListedPage, error: WebError | None, pause: timedelta, *, forgiven: int) -> None:
        now = self.clock.now()
        values = {"page_id": page.id, "forgiven": forgiven, "not_before": now + pause, "now": now, **said(error)}
        with self.database.transaction(step.message.organization_id) as connection:
            connection.execute(queries.DEFER_PAGE, values)
        failures = step.failures + (error is not None)
        # Others may be asked meanwhile, but not of a host whose turn it is not.
        self._go_on(step, Progress(failures, wait=pause if error is None else timedelta(0)))

    def _keep(self, step: Step, page: ListedPage, ended: Ended) -> None:
        """Keep what became of the page and what was found on it, and go on."""
        now = self.clock.now()
        values = step.values | {
            "page_id": page.id,
            "status": ended.status,
            "document_id": ended.document_id,
            "etag": ended.validators.etag,
            "last_modified": ended.validators.last_modified,
            "sha256": ended.sha256,
            "links": list(ended.links),
            "now": now,
            **said(ended.error),
        }
        with self.database.transaction(step.message.organization_id) as connection:
            connection.execute(queries.END_PAGE, values)
            connection.execute(queries.END_EXCLUDED_PAGE, values)
            fits = [
                list_found(connection, step, kind, urls, depth, now=now, ids=self.ids)
                for kind, urls, depth in (
                    ("page", ended.twins, page.depth),
                    ("page", ended.pages, page.depth + 1),
                    ("sitemap", ended.sitemaps, page.depth + 1),
                )
            ]
        if ended.purge is not None:
            self.purge_queue.send([ended.purge.to_json()], group=ended.purge.group)
        self._go_on(step, progress_after(step, page, ended, fits=all(fits)))

    def _finish(self, step: Step) -> None:
        """Nothing is left to be fetched: remove what is not there any more, if all that is there was seen."""
        if step.is_complete and not step.is_one_page:
            values = step.values | {"limit": REMOVED_AT_ONCE}
            with self.database.transaction(step.message.organization_id) as connection:
                rows = connection.execute(queries.UNLISTED, values).fetchall()
            self._remove(step, rows)
            if len(rows) == REMOVED_AT_ONCE:
                self._go_on(step, Progress(step.failures))
                return
        self._end(step)

    def _end(self, step: Step, *, is_complete: bool = True, error: DocumentError | None = None) -> None:
        reason = said(error) if error else {"error_code": step.error_code, "error_message": step.error_message}
        values = step.values | reason | {"is_complete": is_complete, "now": self.clock.now()}
        with self.database.transaction(step.message.organization_id) as connection:
            connection.execute(queries.FORGET_UNLISTED, step.values)
            ended = connection.execute(queries.END_SYNC, values)
            if ended.rowcount and reason["error_code"]:
                self._log(connection, step, reason["error_code"], reason["error_message"] or "")
        logger.info(
            "web source synchronised",
            source_id=str(step.message.source_id),
            sync=step.sync,
            is_complete=step.is_complete and is_complete,
            error_code=reason["error_code"],
        )

    def _log(self, connection: Connection, step: Step, code: str, message: str) -> None:
        about = {"source_id": str(step.message.source_id), "sync": step.sync}
        log_error(
            connection,
            "sources",
            code,
            message,
            error_id=self.ids.new(),
            bot_id=step.message.bot_id,
            details=about,
            now=self.clock.now(),
        )

    def _delete(self, step: Step) -> None:
        """Delete some of the source's documents, or the source where none is left."""
        with self.database.transaction(step.message.organization_id) as connection:
            rows = connection.execute(queries.NEXT_TO_DELETE, step.values | {"limit": REMOVED_AT_ONCE}).fetchall()
        self._remove(step, rows)
        with self.database.transaction(step.message.organization_id) as connection:
            if len(rows) < REMOVED_AT_ONCE:
                connection.execute(queries.DELETE_SOURCE, step.values)
                return
            values = step.values | {"lease_expires_at": pickup(self.clock.now())}
            row = connection.execute(queries.DELETION_GOES_ON, values).fetchone()
        self._send(step, row, timedelta(0))

    def _remove(self, step: Step, rows: list[dict[str, Any]]) -> None:
        documents, namespace = self.pages.documents, step.message.namespace
        found = [documents.remove(namespace, row["id"], row["document_id"]) for row in rows]
        self.purge_queue.send([purge.to_json() for purge in found if purge], group=step.message.group)

    def _go_on(self, step: Step, progress: Progress) -> None:
        now = self.clock.now()
        wait = min(max(progress.wait, timedelta(0)), MAX_DELAY)
        values = step.values | {
            "failures": progress.failures,
            "is_complete": progress.is_complete,
            "lease_expires_at": pickup(now, wait),
            "now": now,
            **said(progress.error),
        }
        with self.database.transaction(step.message.organization_id) as connection:
            row = connection.execute(queries.GO_ON, values).fetchone()
        self._send(step, row, wait)

    def _send(self, step: Step, row: dict[str, Any] | None, wait: timedelta) -> None:
        """Ask for the next step; were the message lost, the lease would have the reaper send another."""
        if row is not None:
            following = step.message.model_copy(update={"step": row["step"]})
            delay = -int(-wait.total_seconds() // 1)
            self.fetch_queue.send([following.to_json()], group=following.group, delay_seconds=delay)
