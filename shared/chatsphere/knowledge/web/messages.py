"""What is sent through the queue `fetch`."""

from uuid import UUID

from chatsphere.knowledge.ingestion.messages import Message


class FetchMessage(Message):
    """Make the next step of a source's synchronisation. `step` is its number: done once, however often delivered."""

    source_id: UUID
    step: int
