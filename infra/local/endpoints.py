"""Where a running instance is reached, as kept in `<home>/endpoints.json`."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from infra.local.files import write_json


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses and credentials for people, tests and operators; `database_url` is the superuser's."""

    api: str
    s3_endpoint: str
    sqs_endpoint: str
    uploads_bucket: str
    database_url: str
    access_key_id: str
    secret_access_key: str
    region: str
    supervisor: int
    demo: dict[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write the file, readable by its owner only."""
        write_json(path, asdict(self))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file."""
        return cls(**json.loads(path.read_bytes()))
