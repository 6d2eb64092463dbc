"""Works off a tenant's long jobs: retention runs, restores from the archive, exports and imports of bots."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from chatsphere.archive.restores import RestoreMessage
from chatsphere.archive.restoring import RestoreJob
from chatsphere.bootstrap import Container, container
from chatsphere.observability import Metric
from chatsphere.queue_batches import Delivery, process_batch
from chatsphere.retention.messages import RetentionMessage
from chatsphere.retention.running import RetentionRunner
from chatsphere.transfers.export_job import ExportJob
from chatsphere.transfers.import_job import ImportJob, Queues
from chatsphere.transfers.messages import ExportMessage, ImportMessage

Job = Callable[[Container, Mapping[str, Any]], None]


def _retention(c: Container, body: Mapping[str, Any]) -> None:
    runner = RetentionRunner(c.database, c.archiver, c.jobs_queue, c.purge_queue, c.clock, c.ids)
    runner.run(RetentionMessage.parse(body))


def _restore(c: Container, body: Mapping[str, Any]) -> None:
    job = RestoreJob(c.database, c.archive_store, c.row_files, c.jobs_queue, c.clock, c.ids)
    job.run(RestoreMessage.parse(body))


def _export(c: Container, body: Mapping[str, Any]) -> None:
    job = ExportJob(c.database, c.object_store, c.vector_store, c.archive_store, c.clock, c.ids)
    job.run(ExportMessage.parse(body))


def _import(c: Container, body: Mapping[str, Any]) -> None:
    queues = Queues(c.jobs_queue, c.embed_queue, c.purge_queue)
    job = ImportJob(
        c.database,
        c.object_store,
        c.vector_store,
        c.archive_store,
        c.available_embedders,
        c.embedder_for,
        queues,
        c.clock,
        c.ids,
        c.storage_settings.max_upload_bytes,
    )
    job.run(ImportMessage.parse(body))


JOBS: Final[dict[str, Job]] = {
    "export_id": _export,
    "import_id": _import,
    "restore_id": _restore,
    "retention_run_id": _retention,
}
"""By the field that only messages of this kind have."""


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Work off a batch of messages."""
    return process_batch(event, _run, Metric.JOB_TIME)


def _run(delivery: Delivery) -> None:
    job = next((job for field, job in JOBS.items() if field in delivery.body), None)
    if job is None:
        raise ValueError("no message of a known kind")
    job(container(), delivery.body)
