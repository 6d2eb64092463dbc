"""The job's means over a pipeline's stores."""

from typing import Any

from chatsphere.adapters.parquet import ParquetFiles
from chatsphere.adapters.postgres_cache import PostgresCache
from chatsphere.archive.erasing import ArchiveEraser
from chatsphere.knowledge.ingestion.deletion import Eraser
from chatsphere.knowledge.ingestion.purge import Purger
from chatsphere.privacy.parts.means import Means
from tests.integration.ingestion.pipeline import Pipeline


def means_of(
    pipeline: Pipeline,
    database: Any,
    eraser: Any,
    objects: Any,
    vectors: Any,
    archive: Any,
    messages: Any = None,
) -> Means:
    """Return them, over these stores instead of the pipeline's own."""
    ids, messages = pipeline.ids, messages or pipeline.messages
    made = Eraser(database, objects, vectors, pipeline.clock)
    return Means(
        database=database,
        eraser_database=eraser,
        messages=messages,
        purger=Purger(database, objects, vectors, made, pipeline.clock, messages),
        cache=PostgresCache(database, pipeline.clock),
        archives=ArchiveEraser(database, archive, ParquetFiles(), pipeline.clock, ids),
        archive_store=archive,
        clock=pipeline.clock,
        ids=ids,
    )
