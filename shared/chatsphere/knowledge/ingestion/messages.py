"""What the stages send each other through the queues, as JSON."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from chatsphere.ports.vectors import Namespace
from chatsphere.queue_messages import TenantMessage


class Message(TenantMessage):
    """Base of all messages: which bot of which organization."""

    bot_id: UUID

    @property
    def namespace(self) -> Namespace:
        """Where the bot's vectors are."""
        return Namespace(self.organization_id, self.bot_id)


class ExtractMessage(Message):
    """Read this generation of the document."""

    document_id: UUID
    generation: int


class EmbedMessage(ExtractMessage):
    """Embed this batch of the generation's chunks."""

    batch: int


class PurgeMessage(Message):
    """Finish deleting a document, or its former vectors; without a document: the whole bot. With a deletion that is
    done: look once more whether anything has turned up since.
    """

    document_id: UUID | None = None
    deletion_id: UUID | None = None


class ReconcileMessage(Message):
    """Compare a bot's stores, or go on with the comparison that is named."""

    reconciliation_id: UUID | None = None


class ErasureMessage(BaseModel):
    """Finish the erasure of a person or of an organization. It comes through the same queue as `PurgeMessage`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    erasure_id: UUID

    @property
    def group(self) -> str:
        """The queue's fairness group: an erasure of its own."""
        return str(self.erasure_id)

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Self:
        """Read a message; raises `ValueError` where it is none."""
        return cls.model_validate(body)

    def to_json(self) -> dict[str, Any]:
        """Return what is sent."""
        return self.model_dump(mode="json")


def embed_messages(message: ExtractMessage, batches: Iterable[int]) -> Iterator[dict[str, Any]]:
    """Yield the messages that ask for these batches of a generation."""
    for batch in batches:
        yield EmbedMessage(**message.model_dump(include=set(ExtractMessage.model_fields)), batch=batch).to_json()


def vector_id(message: ExtractMessage, ordinal: int) -> str:
    """Return the id of a chunk's vector, the same whoever writes it and however often."""
    return f"{message.document_id}:{message.generation}:{ordinal}"
