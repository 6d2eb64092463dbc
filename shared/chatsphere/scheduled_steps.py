"""A scheduled run of several steps: what one cannot do keeps no other from its own; the next run goes on with it."""

from collections.abc import Callable, Mapping

from chatsphere.observability import logger
from chatsphere.queue_batches import describe


def run_each(steps: Mapping[str, Callable[[], int]]) -> dict[str, int]:
    """Run the steps in their order; return what each says of itself.

    Raises:
        Exception: the error of the last step that failed, after all were tried.
    """
    done: dict[str, int] = {}
    failed: Exception | None = None
    for name, step in steps.items():
        try:
            done[name] = step()
        except Exception as error:
            logger.error("scheduled step failed", step=name, **describe(error))
            failed = error
    if failed is not None:
        raise failed
    return done
