"""What the templates do not say: how much an idle deployment holds, and what one message or page takes.

Each is meant to be on the high side. `chatsphere cost` prints them beside what it computes from them.
"""

from dataclasses import dataclass
from typing import Final

HOURS: Final = 730.0
"""Hours of a month."""

IDLE_DATABASE_GB: Final = 1.0
IDLE_OBJECTS_GB: Final = 0.1
"""In each bucket."""

AWAKE_ACU: Final = 1.0
"""Average capacity of a database that a schedule has woken; it may go down to 0.5."""

WAKE_SECONDS: Final = 15.0
"""Until a paused database answers."""

IDLE_CONNECTION_SECONDS: Final = 60.0
"""For how long a function that waits for its next event keeps its connection (`idle_session_timeout`)."""

SCHEDULED_RUN_SECONDS: Final = 20.0
"""One run of a scheduled function on an idle deployment, the database's waking included."""

POLLERS: Final = 5
POLL_SECONDS: Final = 20.0
"""Lambda asks an empty queue from five connections, each waiting 20 seconds for an answer."""

RUN_LOG_KB: Final = 2.0
"""What one invocation logs, its EMF metrics included."""


@dataclass(frozen=True, slots=True)
class PerMessage:
    """One question and its streamed answer."""

    chat_seconds: float = 4.0
    authorizer_seconds: float = 0.05
    question_tokens: float = 40
    prompt_tokens: float = 3_000
    answer_tokens: float = 250
    rewrite_prompt_tokens: float = 400
    rewrite_answer_tokens: float = 20
    "Every second question follows another and is first made to stand alone, by a call of its own."
    database_acu_seconds: float = 0.5
    log_kb: float = 6
    response_kb: float = 12
    pinecone_read_units: float = 1
    "One for each GB of the bot's namespace, so for up to about 300,000 chunks."


@dataclass(frozen=True, slots=True)
class PerPage:
    """One page of a document of text, from the bucket to the vector store."""

    tokens: float = 600
    chunk_tokens: float = 220
    pages_per_document: float = 20
    extract_seconds_per_document: float = 5
    register_seconds_per_document: float = 0.5
    embed_seconds_per_chunk: float = 0.05
    database_acu_seconds_per_chunk: float = 0.1
    queue_requests_per_document: float = 12
    "Three messages, each sent, received and deleted, and as many again for batches."
    database_kb_per_chunk: float = 12
    "Text, lexical index, and in `lean` the vector with its index."
    log_kb_per_document: float = 30
    object_kb: float = 50
    pinecone_write_units_per_chunk: float = 4
    "A vector of 768 numbers has 3 KB and its metadata less than one; a unit is 1 KB."

    @property
    def chunks(self) -> float:
        """Chunks of one page."""
        return self.tokens / self.chunk_tokens
