"""Stopping an answer that is being written, in whatever execution environment that is."""

from typing import Literal
from uuid import UUID

from chatsphere.chat import under_way_queries as queries
from chatsphere.chat.interrupted import settle_interrupted
from chatsphere.chat.stored_answers import stored_answer
from chatsphere.db.database import Database
from chatsphere.errors import ConflictError
from chatsphere.ports.system import Clock, Ids

State = Literal["stopping", "stopped"]


class NotUnderWayError(ConflictError):
    """The answer has ended already, and not because somebody stopped it."""

    code = "answer_not_under_way"
    title = "The answer is not being written any more"


def stop_answer(
    organization_id: UUID, user_id: UUID | None, message_id: UUID, *, database: Database, clock: Clock, ids: Ids
) -> State:
    """Ask for the end of an answer; its writer notices within about a second. To ask again changes nothing.

    `stopped` is returned once the answer is kept.

    Raises:
        NotFoundError: there is no such answer.
        NotUnderWayError: it ended otherwise.
    """
    now = clock.now()
    with database.transaction(organization_id, user_id) as connection:
        if connection.execute(queries.REQUEST_STOP, {"message_id": message_id, "now": now}).fetchone():
            return "stopping"
        settle_interrupted(connection, message_id, now=now, ids=ids)
        answer = stored_answer(connection, message_id)
    if answer["finish_reason"] == "stopped":
        return "stopped"
    raise NotUnderWayError
