"""What retention sends through the jobs queue, as JSON."""

from uuid import UUID

from chatsphere.queue_messages import TenantMessage


class RetentionMessage(TenantMessage):
    """Go on with a run."""

    retention_run_id: UUID
