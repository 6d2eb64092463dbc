"""moto's S3 and SQS on a loopback port, inside the test process."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import boto3
from moto.server import ThreadedMotoServer

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test-only",
    "AWS_SECRET_ACCESS_KEY": "test-only",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextmanager
def running_moto() -> Iterator[str]:
    """Start moto and yield its address; all servers of one process share their buckets and queues."""
    with patch.dict(os.environ, ENVIRONMENT):
        for variable in [name for name in os.environ if name.startswith("AWS_") and name not in ENVIRONMENT]:
            del os.environ[variable]
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        try:
            host, port = server.get_host_and_port()
            yield f"http://{host}:{port}"
        finally:
            server.stop()


def make_bucket(endpoint: str, name: str, *, versioned: bool = True) -> Any:
    """Make a bucket and return a client for it."""
    client = boto3.client("s3", endpoint_url=endpoint)
    client.create_bucket(Bucket=name)
    if versioned:
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return client


def make_queue(endpoint: str, name: str) -> str:
    """Make a queue and return its address."""
    url: str = boto3.client("sqs", endpoint_url=endpoint).create_queue(QueueName=name)["QueueUrl"]
    return url


def receive_all(endpoint: str, url: str) -> list[dict[str, Any]]:
    """Take every message that is visible in the queue."""
    client = boto3.client("sqs", endpoint_url=endpoint)
    taken: list[dict[str, Any]] = []
    while messages := client.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
    ).get("Messages"):
        for message in messages:
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        taken.extend(messages)  # type: ignore[arg-type]
    return taken
