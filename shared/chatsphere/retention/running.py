"""Works off a retention run for as long as there is time, and sends a message for the rest."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from psycopg.types.json import Jsonb

from chatsphere.db.database import Database
from chatsphere.errors import UnavailableError
from chatsphere.observability import logger
from chatsphere.ports.queues import MessageQueue
from chatsphere.ports.system import Clock, Ids
from chatsphere.retention import run_queries as queries
from chatsphere.retention.acting import Actor
from chatsphere.retention.holds import lock_holds
from chatsphere.retention.listing import Lister, Place
from chatsphere.retention.messages import RetentionMessage
from chatsphere.retention.policies import read_policies
from chatsphere.retention.reports import finish_run, forget_items, stored_run
from chatsphere.retention.runs import LostRunError, Run, claim_run, hold_run
from chatsphere.retention.work import Archive, ChangedError

TIME: Final = timedelta(seconds=180)
"""How long one invocation goes on: less than its function's own limit by more than a batch takes."""

MOST_CHANGES: Final = 50
"""How often one invocation looks anew because something was held, or a policy put, in the very moment."""

MOST_ATTEMPTS: Final = 8
"""How often a run is taken up without getting further, before it has failed. The next day's begins anew."""


@dataclass(frozen=True, slots=True)
class RetentionRunner:
    """Works off `RetentionMessage`. `database` is the tenants'."""

    database: Database
    archive: Archive
    jobs_queue: MessageQueue
    purge_queue: MessageQueue
    clock: Clock
    ids: Ids
    time: timedelta = TIME

    def run(self, message: RetentionMessage) -> None:
        """Go on with a run. Another delivery of the message, also at the same time, changes nothing.

        Raises:
            UnavailableError: a store does not answer; what was done before is kept.
        """
        run = self._take_up(message)
        if run is None:
            return
        try:
            ended = self._go_on(run)
        except LostRunError:
            return
        except Exception:
            with suppress(UnavailableError):
                self._let_go(run)
            raise
        if not ended:
            self._let_go(run)
            self.jobs_queue.send([message.to_json()], group=message.group)

    def _take_up(self, message: RetentionMessage) -> Run | None:
        now = self.clock.now()
        with self.database.transaction(message.organization_id) as connection:
            run = claim_run(connection, message.organization_id, message.retention_run_id, self.ids.new(), now)
            if run is not None and run.attempts > MOST_ATTEMPTS:
                finish_run(connection, stored_run(connection, run.id), now, error_code="gave_up")
                logger.error("retention run failed", retention_run_id=str(run.id))
                run = None
        if run is not None and run.attempts > 1 and run.step == "act":
            self.archive.discard_unfinished(run.organization_id, run.id)
        return run

    def _go_on(self, run: Run) -> bool:
        """Work until the run has ended, or the time is over; return whether it has ended."""
        until = self.clock.now() + self.time
        actor, changes = Actor(self.database, self.archive, self.purge_queue, self.clock), 0
        while self.clock.now() < until:
            if run.step == "list":
                run = self._list(run)
                continue
            if run.step == "done":
                return True
            try:
                assert run.policies is not None
                if not actor.next_batch(run, run.policies):
                    return self._finish(run)
            except ChangedError:
                changes += 1
                if changes > MOST_CHANGES:
                    raise UnavailableError("What is due is changed again and again.") from None
                self.archive.discard_unfinished(run.organization_id, run.id)
                run = self._look_anew(run)
        return False

    def _list(self, run: Run) -> Run:
        """List some of what is due, from where the list has got to; from the beginning where a policy is another."""
        with self.database.transaction(run.organization_id) as connection:
            lock_holds(connection)
            hold_run(connection, run, self.clock.now())
            policies = read_policies(connection)
            is_same = run.policies is not None and policies.to_json() == run.policies.to_json()
            if run.policies is not None and not is_same:
                connection.execute(queries.DROP_OPEN_ITEMS, {"id": run.id})
                run = replace(run, place=Place())
            lister = Lister(connection, run.to_list(policies), run.listed, self.clock)
            place = lister.go_on(run.place)
            step = "list" if place else "act"
            values = {
                "id": run.id,
                "place": Jsonb(place.to_json() if place else {}),
                "listed": lister.listed,
                "step": step,
                "policies": None if is_same else Jsonb(policies.to_json()),
            }
            connection.execute(queries.LISTED, values)
            if place is None and (run.dry_run or lister.listed == 0):
                # Nothing is left to be done: the usual case.
                step = "done"
                finish_run(connection, stored_run(connection, run.id), self.clock.now())
        if step == "done":
            self._tell(run)
        return replace(run, place=place or Place(), listed=lister.listed, step=step, policies=policies)

    def _look_anew(self, run: Run) -> Run:
        """Go on after something has changed: by the list that there is, unless a policy is another."""
        with self.database.transaction(run.organization_id) as connection:
            lock_holds(connection)
            hold_run(connection, run, self.clock.now())
            policies = read_policies(connection)
            if run.policies is not None and policies.to_json() == run.policies.to_json():
                return run
            connection.execute(queries.DROP_OPEN_ITEMS, {"id": run.id})
            connection.execute(queries.POLICIES_CHANGED, {"id": run.id, "policies": Jsonb(policies.to_json())})
        return replace(run, place=Place(), step="list", policies=policies)

    def _finish(self, run: Run) -> bool:
        with self.database.transaction(run.organization_id) as connection:
            hold_run(connection, run, self.clock.now())
            finish_run(connection, stored_run(connection, run.id), self.clock.now())
        self._tell(run)
        return True

    def _tell(self, run: Run) -> None:
        """Say that the run has ended, and forget what nobody looks at any more of former ones."""
        seconds = (self.clock.now() - run.started_at).total_seconds()
        logger.info("retention run done", retention_run_id=str(run.id), items=run.listed, seconds=seconds)
        forgotten = 1
        while forgotten:
            with self.database.transaction(run.organization_id) as connection:
                forgotten = forget_items(connection)

    def _let_go(self, run: Run) -> None:
        values = {"id": run.id, "token": run.token, "now": self.clock.now()}
        with self.database.transaction(run.organization_id) as connection:
            connection.execute(queries.LET_GO, values)
