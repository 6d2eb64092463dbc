"""What the S3 and SQS stand-in must provide; passed to its process as a JSON file."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from infra.local.files import write_json

ACCOUNT = "123456789012"
REGION = "us-east-1"
UPLOADER_ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/chatsphere-uploader"


@dataclass(frozen=True, slots=True)
class QueuePlan:
    """One queue; its dead-letter queue is `<name>-dead`."""

    name: str
    visibility_seconds: int
    max_receive_count: int

    @property
    def dead(self) -> str:
        """The dead-letter queue's name."""
        return f"{self.name}-dead"


@dataclass(frozen=True, slots=True)
class StandInPlan:
    """The buckets with their mirrors, the queues, and the queue that hears of the uploads bucket's objects."""

    port: int
    bucket: str
    objects: str
    archive_bucket: str
    archived: str
    queues: tuple[QueuePlan, ...]
    notify: str
    max_body_bytes: int

    def write(self, path: Path) -> None:
        """Write the plan for the process."""
        write_json(path, asdict(self))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote."""
        values = json.loads(path.read_bytes())
        values["queues"] = tuple(QueuePlan(**queue) for queue in values["queues"])
        return cls(**values)
