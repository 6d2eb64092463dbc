"""What exports and imports send through the jobs queue, as JSON."""

from uuid import UUID

from chatsphere.knowledge.ingestion.messages import Message
from chatsphere.queue_messages import TenantMessage


class ExportMessage(Message):
    """Go on with this export, or delete its file when its time is over."""

    export_id: UUID


class ImportMessage(TenantMessage):
    """Go on with this import, or clear up after it."""

    import_id: UUID
