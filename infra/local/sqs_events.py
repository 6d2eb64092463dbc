"""Lambda's SQS events, and the partial batch responses to them."""

import json
from typing import Any

from infra.local.errors import FunctionFailedError
from infra.local.stand_in_plan import ACCOUNT, REGION


def sqs_event(queue: str, messages: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the event for a batch of received messages."""
    return {"Records": [_record(queue, message) for message in messages]}


def failed_ids(payload: bytes, messages: list[dict[str, Any]]) -> set[str]:
    """Return the ids of the messages that the function did not handle.

    As in Lambda, no report means that all were handled, and a malformed one that none was.

    Raises:
        FunctionFailedError: the report is malformed.
    """
    known = {message["MessageId"] for message in messages}
    try:
        report = json.loads(payload or b"null") or {}
        failed = {failure["itemIdentifier"] for failure in report.get("batchItemFailures") or []}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise FunctionFailedError("the partial batch response is malformed") from None
    if not failed <= known:
        raise FunctionFailedError("the partial batch response names a message that was not in the batch")
    return failed


def receive_count(message: dict[str, Any]) -> int:
    """Return how often a message was received, this time included."""
    return int(message.get("Attributes", {}).get("ApproximateReceiveCount", "1"))


def _record(queue: str, message: dict[str, Any]) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {
            name: _attribute(value) for name, value in (message.get("MessageAttributes") or {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}",
        "awsRegion": REGION,
    }


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    """Lambda writes the names of an attribute's parts in lower camel case."""
    names = {"StringValue": "stringValue", "BinaryValue": "binaryValue", "DataType": "dataType"}
    parts = {names[name]: part for name, part in value.items() if name in names}
    return parts | {"stringListValues": [], "binaryListValues": []}
