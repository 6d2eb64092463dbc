"""What re-embedding sends through the embed queue."""

from uuid import UUID

from chatsphere.knowledge.ingestion.messages import EmbedMessage, Message
from chatsphere.ports.vectors import Namespace


class TrainingMessage(Message):
    """Look at this run, and do what is to be done next; its next batches are those behind `after`.

    `after` is a document's id and the number of one of its batches.
    """

    training_run_id: UUID
    after: tuple[UUID, int] | None = None


class ReembedMessage(EmbedMessage):
    """Embed this batch of a live generation for the run, which makes this revision."""

    training_run_id: UUID
    revision: int
    dimensions: int | None = None

    @property
    def namespace(self) -> Namespace:
        """Where the run's vectors are."""
        return Namespace(self.organization_id, self.bot_id, self.revision, self.dimensions)
