"""What functions log, kept out of what a command prints: a table, or one JSON document and nothing else."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from chatsphere.observability import logger


@contextmanager
def without_log() -> Iterator[None]:
    """Log nothing for the length of a block; the process's log is as it was afterwards."""
    level = logger.log_level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
