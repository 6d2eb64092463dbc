"""A running toy product, as its tests see it."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import httpx
import psutil
from botocore.config import Config

from infra.local.endpoints import Endpoints
from infra.local.instance import start, wait_until_ready
from tests.waiting import wait_for

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient

ACCOUNT = "123456789012"


class Toys:
    """The folders of one instance, and clients of it once it runs."""

    endpoints: Endpoints

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.records = folder / "records"
        self.records.mkdir(exist_ok=True)

    def command(self, python: str = sys.executable) -> Sequence[str]:
        return (python, "-m", "tests.integration.local_run.toy_product", str(self.records))

    def start(self, port: int = 0) -> subprocess.Popen[bytes]:
        """Start the instance, wait until it is ready, and note its endpoints."""
        process = start(self.home, port, self.command())
        self.endpoints = wait_until_ready(process, self.home)
        return process

    def http(self) -> httpx.Client:
        return httpx.Client(base_url=self.endpoints.api, timeout=60, trust_env=False)

    def s3(self) -> "S3Client":
        return boto3.client("s3", endpoint_url=self.endpoints.s3_endpoint, **self._credentials())

    def sqs(self) -> "SQSClient":
        return boto3.client("sqs", endpoint_url=self.endpoints.sqs_endpoint, **self._credentials())

    def send(self, name: str, **order: bool) -> None:
        """Put an order for the consuming toy function on its queue."""
        self.sqs().send_message(QueueUrl=self.queue_url("work"), MessageBody=json.dumps({"name": name, **order}))

    def queue_url(self, name: str) -> str:
        return f"{self.endpoints.sqs_endpoint}/{ACCOUNT}/{name}"

    def notes(self, prefix: str) -> list[Any]:
        """What the toy functions noted under a name so far, oldest first."""
        paths = sorted(self.records.glob(f"{prefix}-*"), key=lambda path: path.stat().st_mtime_ns)
        notes = []
        for path in paths:
            with suppress(ValueError):  # still being written
                notes.append(json.loads(path.read_text()))
        return notes

    def wait_for_notes(self, prefix: str, condition: Callable[[list[Any]], bool]) -> list[Any]:
        def found() -> list[Any]:
            notes = self.notes(prefix)
            return notes if condition(notes) else []

        return wait_for(found, what=f"notes of {prefix}: {self.notes(prefix)}")

    def wait_for_event(self, key: str, event: str) -> dict[str, Any]:
        """The first event of this kind that the intake function got for a (URL-encoded) key."""

        def matching(notes: list[Any]) -> list[Any]:
            return [n for n in notes if n["s3"]["object"]["key"] == key and n["eventName"] == event]

        notes = self.wait_for_notes("event", lambda notes: bool(matching(notes)))
        first: dict[str, Any] = matching(notes)[0]
        return first

    def processes(self) -> list[psutil.Process]:
        """The supervisor and everything below it."""
        supervisor = psutil.Process(self.endpoints.supervisor)
        return [supervisor, *supervisor.children(recursive=True)]

    def worker(self, function: str) -> psutil.Process:
        """The only process of a function."""

        def workers() -> list[psutil.Process]:
            return [p for p in self.processes() if _folder(p) == function]

        return wait_for(workers, what=f"a worker of {function}")[0]

    def stand_in(self) -> psutil.Process:
        """The S3 and SQS stand-in."""
        return next(p for p in self.processes() if "infra.local.moto_process" in p.cmdline())

    def _credentials(self) -> dict[str, Any]:
        return {
            "aws_access_key_id": self.endpoints.access_key_id,
            "aws_secret_access_key": self.endpoints.secret_access_key,
            "region_name": self.endpoints.region,
            "config": Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        }


def _folder(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        if process.name() != "postgres":
            return Path(process.cwd()).name
    return ""
