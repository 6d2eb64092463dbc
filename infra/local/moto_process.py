"""The process that stands in for S3, SQS and STS: moto, with its buckets mirrored on disk.

Started by `stand_in.py` with the path of a `StandInPlan` as JSON and a listening socket.
"""

import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path

os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "true"
# Objects beyond this size leave moto's memory for a temporary file until they are mirrored.
os.environ["MOTO_S3_DEFAULT_KEY_BUFFER_SIZE"] = str(256 * 1024)

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from infra.local import moto_queues
from infra.local.moto_bucket import MirroredBucket, MirroredBuckets
from infra.local.moto_requests import RequestGate
from infra.local.object_mirror import ObjectMirror
from infra.local.stand_in_plan import StandInPlan

SERVICES = ("s3", "sqs", "sts")


class ThreeServices(DomainDispatcherApplication):
    """Moto's dispatcher, serving nothing but S3, SQS and STS (and not its own API, whose `reset` loses everything)."""

    def get_backend_for_host(self, host: str | None) -> str | None:
        """Return the service behind `host`; whatever is none of the three is a bucket's name."""
        if host is None:
            return None
        service = super().get_backend_for_host(host)
        return str(service) if service in SERVICES else "s3"


def main(arguments: Sequence[str]) -> None:
    """Restore what is on disk, then serve on the given socket until the process is ended."""
    plan = StandInPlan.read(Path(arguments[0]))
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    queues = moto_queues.create(plan)
    uploads = MirroredBucket(plan.bucket, ObjectMirror(Path(plan.objects)), publish=queues.publish)
    archive = MirroredBucket(plan.archive_bucket, ObjectMirror(Path(plan.archived)))
    buckets = MirroredBuckets([uploads, archive])
    buckets.restore()
    app = RequestGate(ThreeServices(create_backend_app), buckets, max_body_bytes=plan.max_body_bytes)
    server = make_server(
        "127.0.0.1", plan.port, app, threaded=True, request_handler=MotoRequestHandler, fd=int(arguments[1])
    )
    threading.current_thread().name = "stand-in"
    server.serve_forever()
