"""One batch of an SQS event, answered message by message: what is named as failed is delivered again."""

import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatsphere.knowledge.ingestion.errors import NotNowError
from chatsphere.observability import logger


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as it was delivered; `receive_count` is 1 the first time."""

    body: Mapping[str, Any]
    receive_count: int


def process_batch(event: Mapping[str, Any], process: Callable[[Delivery], None]) -> dict[str, Any]:
    """Process each message of the event on its own and return the partial batch response."""
    failed = [record["messageId"] for record in event["Records"] if not _succeeds(record, process)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _succeeds(record: Mapping[str, Any], process: Callable[[Delivery], None]) -> bool:
    try:
        process(_delivery(record))
    except NotNowError as reason:
        logger.info("message returned", message_id=record["messageId"], reason=str(reason))
        return False
    except Exception as error:
        logger.error("message failed", message_id=record["messageId"], **describe(error))
        return False
    return True


def describe(error: BaseException) -> dict[str, Any]:
    """Return what may be logged of an unexpected error: its text may quote the document, so type and place only."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    return {"error_type": type(error).__name__, "error_trace": " > ".join(places)}


def _delivery(record: Mapping[str, Any]) -> Delivery:
    body = json.loads(record["body"])
    if not isinstance(body, dict):
        raise TypeError("a message must be a JSON object")
    return Delivery(body, int(record.get("attributes", {}).get("ApproximateReceiveCount", 1)))
