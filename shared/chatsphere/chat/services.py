"""What answering depends on."""

from dataclasses import dataclass, field
from time import monotonic

from chatsphere.chat.evidence import Retriever
from chatsphere.chat.message_search.semantic import SemanticSearch
from chatsphere.chat.optional_stages import AnswerCache, Recall
from chatsphere.chat.stopwatch import Timer
from chatsphere.chat.watching import WatchPace
from chatsphere.db.database import Database
from chatsphere.knowledge.redaction.masking import MakeFinder, no_finder
from chatsphere.ports.answers import AnswerModel
from chatsphere.ports.system import Clock, Ids


@dataclass(frozen=True, slots=True)
class Services:
    """The adapters, chosen elsewhere."""

    database: Database
    retriever: Retriever
    model: AnswerModel
    clock: Clock
    ids: Ids
    timer: Timer = monotonic
    cache: AnswerCache | None = None
    recall: Recall | None = None
    memory: SemanticSearch | None = None
    personal_data: MakeFinder = no_finder
    pace: WatchPace = field(default_factory=WatchPace)
