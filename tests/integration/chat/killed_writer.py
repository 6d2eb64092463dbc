"""A process that writes an answer and never finishes: it is there to be killed."""

import sys
import time
from uuid import UUID

from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.chat.answering import answer
from chatsphere.chat.services import Services
from chatsphere.chat.turns import Question
from chatsphere.chat.watching import WatchPace
from chatsphere.db.database import Database
from chatsphere.ports.answers import AnswerDelta
from tests.fakes_chat import FakeRetriever, ScriptedModel, passage

CONTENT = "The Falcon plan is for teams."


def main(url: str, organization_id: UUID, bot_id: UUID, document_id: UUID) -> None:
    """Say something, and then nothing for longer than any test runs."""
    clock = SystemClock()
    services = Services(
        Database(url),
        FakeRetriever([passage(CONTENT, document_id=document_id)]),
        ScriptedModel([AnswerDelta("It costs "), lambda: time.sleep(600)]),
        clock,
        UuidV7Ids(clock),
        pace=WatchPace(0.02, 0.04),
    )
    for _ in answer(Question(organization_id, None, bot_id, "What does it cost?"), services):
        pass


if __name__ == "__main__":
    main(sys.argv[1], *map(UUID, sys.argv[2:]))
