"""The unit of work: one short transaction in which the database knows the tenant."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, nullcontext, suppress
from threading import RLock
from typing import Final
from uuid import UUID

import psycopg
from psycopg.rows import DictRow, dict_row

from chatsphere.db.origin import current_origin
from chatsphere.errors import UnavailableError

Connection = psycopg.Connection[DictRow]

SLOW_READ_MS: Final = 10_000
"""How long a statement may take that reads as much as somebody has and asks for."""

Password = Callable[[], str]
"""Makes the password of the next connection, where the URL holds none."""

EventsHook = Callable[[Collection[UUID]], None]
"""Is told whose outbox holds something new, after the COMMIT. It raises nothing: the work is done."""

EVENT_NOTICE: Final = "CSWEB"
"""SQLSTATE of the notice with which a trigger says that it wrote an event of the organization that it names."""


class Database:
    """One connection of one execution environment, opened when first needed.

    A Lambda environment serves one request at a time; the lock makes that true for threads as well. No
    transaction may stay open during a call to a model, a vector store or a URL.
    """

    def __init__(
        self,
        url: str,
        *,
        password: Password | None = None,
        connect_seconds: int = 5,
        application_name: str = "chatsphere",
        on_events: EventsHook | None = None,
    ) -> None:
        self._url = url
        self._password = password
        self._connect_seconds = connect_seconds
        self._application_name = application_name
        self._connection: Connection | None = None
        self._lock = RLock()
        self._on_events = on_events
        self._events_of: set[UUID] = set()

    @contextmanager
    def transaction(
        self,
        organization_id: UUID | None,
        actor_id: UUID | None = None,
        *,
        pipelined: bool = False,
        statement_ms: int | None = None,
    ) -> Iterator[Connection]:
        """Run one transaction as a tenant: row level security sees `organization_id`, and only that.

        With None as organization, tenant tables appear empty to the application role. The block's exception
        rolls the transaction back. `pipelined`: the block's statements and the COMMIT are one round trip, where the
        block reads none of the rows; they are read after it. `statement_ms`: how long each statement may take, else as
        long as the role's may.

        Raises:
            UnavailableError: the database cannot be reached, took too long, or was lost before the end; whether a
                COMMIT that was lost took effect is not known.
        """
        with self._lock:
            connection = self._begin(organization_id, actor_id, statement_ms)
            try:
                with connection.pipeline() if pipelined else nullcontext():
                    yield connection
                    connection.execute("COMMIT")
            except psycopg.OperationalError as error:
                # The connection was lost, or the statement was too slow: not the caller's fault.
                self._roll_back(connection)
                raise UnavailableError("The database did not finish.") from error
            except BaseException:
                self._roll_back(connection)
                raise
            events_of = set(self._events_of)
        if events_of and self._on_events is not None:
            self._on_events(events_of)

    def close(self) -> None:
        """Close the connection; the next transaction opens another."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _begin(self, organization_id: UUID | None, actor_id: UUID | None, statement_ms: int | None) -> Connection:
        """Open the transaction on a working connection; one that broke while idle is replaced once."""
        reused = self._connection is not None
        try:
            return self._begin_once(organization_id, actor_id, statement_ms)
        except psycopg.OperationalError:
            if reused:
                with suppress(psycopg.OperationalError):
                    return self._begin_once(organization_id, actor_id, statement_ms)
        raise UnavailableError("The database does not answer.")

    def _begin_once(self, organization_id: UUID | None, actor_id: UUID | None, statement_ms: int | None) -> Connection:
        connection = self._open()
        self._events_of.clear()
        try:
            # One round trip for all. Not connection.transaction(), which would stay in pipeline mode.
            with connection.pipeline():
                connection.execute("BEGIN")
                connection.execute(
                    "SELECT app.begin_request(%s, %s, %s::jsonb)",
                    (organization_id, actor_id, current_origin().to_json()),
                )
                if statement_ms is not None:
                    connection.execute("SELECT app.limit_statements(%s)", (statement_ms,))
        except BaseException:
            # A transaction that failed as it began would fail all that come after it on this connection.
            self.close()
            raise
        return connection

    def _roll_back(self, connection: Connection) -> None:
        try:
            connection.execute("ROLLBACK")
        except psycopg.Error:
            self.close()

    def _open(self) -> Connection:
        if self._connection is None or self._connection.closed:
            # prepare_threshold=None: DEALLOCATE ALL would pin an RDS Proxy connection.
            self._connection = psycopg.connect(
                self._url,
                autocommit=True,
                prepare_threshold=None,
                row_factory=dict_row,
                connect_timeout=self._connect_seconds,
                # A peer that vanished while the environment was frozen: without it the kernel tries for 15 minutes.
                # Not less than the time to connect, which it limits, too: a cluster that wakes up may be silent.
                tcp_user_timeout=1000 * self._connect_seconds,
                application_name=self._application_name,
                password=self._password() if self._password else None,
            )
            self._connection.add_notice_handler(self._hear)
        return self._connection

    def _hear(self, notice: psycopg.errors.Diagnostic) -> None:
        # It comes with the statement's own answer: nobody has to ask the database whether there is an event.
        if notice.sqlstate == EVENT_NOTICE and notice.message_primary is not None:
            self._events_of.add(UUID(notice.message_primary))
