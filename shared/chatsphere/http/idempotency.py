"""Writes that carry an `Idempotency-Key` are done once: a repeated one is given the first answer again (decision 70).

Every write with a credential is taken on before its route runs and its answer is kept afterwards, without the route's
help. That leaves a gap: when the function dies after the route's commit, the request is done again by whoever repeats
it. A route that makes something in one transaction closes the gap by calling `keep_answer` in that transaction, last:

    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        made = BotResponse.model_validate(bots.create_bot(connection, …))
        keep_answer(connection, 201, made)
    return made
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from pydantic import BaseModel

from chatsphere.access.principal import Principal
from chatsphere.bootstrap import Container
from chatsphere.db.database import Connection, Database
from chatsphere.errors import ChatSphereError, FieldError, InvalidRequestError, RequestInProgressError
from chatsphere.http.idempotency_store import Fingerprint, KeptAnswer, Lease, claim
from chatsphere.http.json_body import MEDIA_TYPE
from chatsphere.observability import log_failure
from chatsphere.ports.system import Clock

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = {"Idempotency-Replayed": "true"}
WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
MAX_KEY: Final = 255

LONGEST_REQUEST: Final = timedelta(seconds=150)
"""Longer than any function that answers requests may run: after it nobody works on a request any more."""


@dataclass(slots=True)
class Undertaking:
    """A keyed request that is being answered. `kept` is the status that its route has kept, and maybe committed."""

    caller: Principal
    database: Database
    lease: Lease
    kept: int | None = field(default=None)

    def keep_in(self, connection: Connection, answer: KeptAnswer) -> None:
        """Keep the answer in the route's own transaction.

        Raises:
            RequestInProgressError: somebody else has taken the request over; the transaction must not commit.
        """
        if not self.lease.keep(connection, answer):
            raise RequestInProgressError("Another request with this Idempotency-Key has taken over.")
        self.kept = answer.status

    def end(self, answer: KeptAnswer) -> None:
        """Keep the answer unless the route has, or give the key free where trying again may help.

        A failure here is logged and no more: the request was answered, and the lease ends by itself.
        """
        if answer.status == self.kept:
            return
        try:
            with self.database.transaction(self.caller.organization_id, self.caller.user_id) as connection:
                if answer.status >= 500 or answer.status == 429:
                    self.lease.release(connection)
                else:
                    self.lease.keep(connection, answer)
        except ChatSphereError as error:
            log_failure(error)


_undertaking: ContextVar[Undertaking | None] = ContextVar("undertaking", default=None)


def sent_key(values: list[str]) -> str | None:
    """Return the key that a request carries, by the header's values; None where it carries none.

    Raises:
        InvalidRequestError: it carries several, of which nobody could say which one is meant, or one that is none.
    """
    if not values:
        return None
    if len(values) > 1 or not re.fullmatch(rf"[\x20-\x7e]{{1,{MAX_KEY}}}", values[0]) or not values[0].strip():
        problem = FieldError(HEADER, "idempotency_key", f"Send one key of 1 to {MAX_KEY} printable ASCII characters.")
        raise InvalidRequestError("See `errors` for the fields that are not valid.", (problem,))
    return values[0]


def undertake(
    key: str, caller: Principal, request: bytes, *, database: Database, clock: Clock, lease: timedelta = LONGEST_REQUEST
) -> Undertaking | KeptAnswer:
    """Take a keyed request on, or return its first answer. `request` is all that makes it this request.

    Raises:
        IdempotencyKeyReusedError: the key belongs to another request.
        RequestInProgressError: the first request is still under way.
    """
    mark = Fingerprint.of(key, caller, request)
    with database.transaction(caller.organization_id, caller.user_id) as connection:
        box = Container.answer_box(mark.seal)
        taken = claim(connection, caller.organization_id, mark, box, clock.now(), lease)
    return taken if isinstance(taken, KeptAnswer) else Undertaking(caller, database, taken)


@contextmanager
def under_way(undertaking: Undertaking) -> Iterator[None]:
    """Let the routes of the block find the request with `keep_answer`."""
    token = _undertaking.set(undertaking)
    try:
        yield
    finally:
        _undertaking.reset(token)


def keep_answer(connection: Connection, status: int, body: BaseModel | None = None) -> None:
    """Keep the answer to the present request in the transaction that does its work; nothing without a key.

    Call it last in the transaction, with what the route then returns. Either both are committed or neither is, so that
    a repeated request finds the answer or does the work for the first time. The transaction may be another tenant's.

    Raises:
        RequestInProgressError: the request took longer than its lease and is another's now; roll back.
    """
    undertaking = _undertaking.get()
    if undertaking is not None:
        text = "" if body is None else json.dumps(body.model_dump(mode="json"), separators=(",", ":"))
        undertaking.keep_in(connection, KeptAnswer(status, MEDIA_TYPE if text else None, text))
