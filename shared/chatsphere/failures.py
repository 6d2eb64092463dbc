"""What went wrong, for the client and for the log."""

import traceback

from psycopg import OperationalError

from chatsphere.errors import ChatSphereError, UnavailableError
from chatsphere.observability import Metric, log_failure, logger, record


def public_error(error: Exception) -> ChatSphereError:
    """Return what the client is told; anything unforeseen is logged and becomes an internal error."""
    if isinstance(error, ChatSphereError):
        log_failure(error)
        return error
    # Not the message: a driver's or a model's words may quote what the client sent.
    stack = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    logger.error("unexpected error", error_type=type(error).__name__, stack=stack)
    record(Metric.UNEXPECTED_ERRORS)
    return (
        UnavailableError("The database does not answer.") if isinstance(error, OperationalError) else ChatSphereError()
    )
