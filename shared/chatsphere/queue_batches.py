"""One batch of an SQS event, answered message by message: what is named as failed is delivered again."""

import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from chatsphere.errors import ConfigurationError
from chatsphere.observability import (
    CORRELATION_ATTRIBUTE,
    Metric,
    bind,
    correlated,
    invocation,
    logger,
    record,
    timed,
)

MAX_DELIVERIES: Final = 5
"""How often a queue delivers a message before it goes to the dead letters."""


class NotNowError(Exception):
    """The message cannot be worked on at present and must be delivered again."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as it was delivered; `receive_count` is 1 the first time."""

    body: Mapping[str, Any]
    receive_count: int


def process_batch(event: Mapping[str, Any], process: Callable[[Delivery], None], time: Metric) -> dict[str, Any]:
    """Process each message of the event on its own and return the partial batch response.

    `time` is the metric of how long a message takes.
    """
    with invocation():
        failed = [entry["messageId"] for entry in event["Records"] if not _succeeds(entry, process, time)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _succeeds(entry: Mapping[str, Any], process: Callable[[Delivery], None], time: Metric) -> bool:
    with correlated(_correlation_id(entry), message_id=entry["messageId"]):
        try:
            with timed(time):
                process(_delivery(entry))
        except NotNowError as reason:
            logger.info("message returned", reason=str(reason))
        except Exception as error:
            logger.error("message failed", **describe(error))
            record(Metric.MESSAGES_FAILED)
        else:
            return True
        if _receive_count(entry) >= MAX_DELIVERIES:
            record(Metric.MESSAGES_DEAD)
        return False


def _correlation_id(entry: Mapping[str, Any]) -> str:
    """Return the id that the message brought along, or for the first message of a chain its own."""
    given = entry.get("messageAttributes", {}).get(CORRELATION_ATTRIBUTE, {}).get("stringValue")
    return str(given or entry["messageId"])


def describe(error: BaseException) -> dict[str, Any]:
    """Return what may be logged of an unexpected error: its text may quote the document, so type and place only."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    # Which setting is wrong is nobody's words but ours.
    detail = {"detail": error.detail} if isinstance(error, ConfigurationError) else {}
    return {"error_type": type(error).__name__, "error_trace": " > ".join(places), **detail}


def _delivery(entry: Mapping[str, Any]) -> Delivery:
    body = json.loads(entry["body"])
    if not isinstance(body, dict):
        raise TypeError("a message must be a JSON object")
    if "organization_id" in body:
        bind(organization_id=body["organization_id"])
    return Delivery(body, _receive_count(entry))


def _receive_count(entry: Mapping[str, Any]) -> int:
    return int(entry.get("attributes", {}).get("ApproximateReceiveCount", 1))
