"""Which checks there are, put together from what the process has."""

from chatsphere.bootstrap import Container
from chatsphere.upkeep.health import Check
from chatsphere.upkeep.health_checks import (
    bucket_check,
    cache_check,
    database_check,
    model_check,
    queues_check,
    vector_store_check,
)


def checks_of(container: Container) -> dict[str, Check]:
    """Return the checks by name. Nothing is opened before they run."""
    return {
        "database": database_check(container.database, container.clock.now()),
        "vector_store": vector_store_check(lambda: container.vector_store, lambda: container.vector_store_kind),
        "uploads": bucket_check(lambda: container.object_store),
        "archive": bucket_check(lambda: container.archive_store),
        "queues": queues_check(lambda: container.queue_gauges),
        "embedding_model": model_check(container.remote_models, "embedding_model"),
        "answer_model": model_check(container.remote_models, "answer_model"),
        "cache": cache_check(lambda: container.cache, lambda: container.cache_server_settings.cache),
    }
