"""What answering depends on."""

from dataclasses import dataclass
from time import monotonic

from chatsphere.chat.evidence import Retriever
from chatsphere.chat.stopwatch import Timer
from chatsphere.db.database import Database
from chatsphere.ports import AnswerModel, Clock, Ids


@dataclass(frozen=True, slots=True)
class Services:
    """The adapters, chosen elsewhere."""

    database: Database
    retriever: Retriever
    model: AnswerModel
    clock: Clock
    ids: Ids
    timer: Timer = monotonic
