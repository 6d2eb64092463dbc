"""What goes wrong in reconciliation."""

from chatsphere.errors import ConflictError


class ReconciliationRunningError(ConflictError):
    """A reconciliation of the other kind, with or without repairs, is under way; try again when it has ended."""

    code = "reconciliation_running"
    title = "A reconciliation is under way"
