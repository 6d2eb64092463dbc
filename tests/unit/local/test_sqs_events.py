"""SQS messages become Lambda events, and batch responses are read as Lambda reads them."""

import json
from typing import Any

import pytest

from infra.local.errors import FunctionFailedError
from infra.local.pollers import backoff_seconds
from infra.local.sqs_events import failed_ids, receive_count, sqs_event

MESSAGES: list[dict[str, Any]] = [
    {
        "MessageId": "m1",
        "ReceiptHandle": "h1",
        "Body": "b1",
        "MD5OfBody": "d1",
        "Attributes": {"ApproximateReceiveCount": "3", "MessageGroupId": "g"},
        "MessageAttributes": {"trace": {"StringValue": "t", "DataType": "String"}},
    },
    {"MessageId": "m2", "ReceiptHandle": "h2", "Body": "b2", "MD5OfBody": "d2"},
]


def test_event() -> None:
    first, second = sqs_event("work", MESSAGES)["Records"]
    assert first["messageId"] == "m1"
    assert first["attributes"] == {"ApproximateReceiveCount": "3", "MessageGroupId": "g"}
    assert first["messageAttributes"]["trace"]["stringValue"] == "t"
    assert first["eventSource"] == "aws:sqs"
    assert first["eventSourceARN"].endswith(":work")
    assert second["messageAttributes"] == {}


@pytest.mark.parametrize("payload", [b"", b"null", b"{}", b'{"batchItemFailures": []}', b'{"batchItemFailures": null}'])
def test_no_report_means_all_handled(payload: bytes) -> None:
    assert failed_ids(payload, MESSAGES) == set()


def test_reported_failures() -> None:
    assert failed_ids(json.dumps({"batchItemFailures": [{"itemIdentifier": "m2"}]}).encode(), MESSAGES) == {"m2"}


@pytest.mark.parametrize(
    "report",
    [
        [1],
        "x",
        {"batchItemFailures": "x"},
        {"batchItemFailures": [{}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"itemIdentifier": "other"}]},
        {"batchItemFailures": [{"itemIdentifier": []}]},
    ],
)
def test_malformed_report(report: Any) -> None:
    with pytest.raises(FunctionFailedError):
        failed_ids(json.dumps(report).encode(), MESSAGES)


def test_backoff_doubles_up_to_a_cap() -> None:
    assert [backoff_seconds(n) for n in (1, 2, 3, 4, 5, 500)] == [2, 4, 8, 16, 30, 30]


def test_receive_count() -> None:
    assert [receive_count(message) for message in MESSAGES] == [3, 1]
