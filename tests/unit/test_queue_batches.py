"""Partial batch responses."""

import json
from typing import Any

import pytest

from chatsphere.errors import ConfigurationError
from chatsphere.observability import Metric
from chatsphere.queue_batches import MAX_DELIVERIES, Delivery, NotNowError, process_batch
from infra.catalog import QUEUES

TIME = Metric.PURGE_TIME


def record(message_id: str, body: str, receive_count: int = 1) -> dict[str, Any]:
    return {"messageId": message_id, "body": body, "attributes": {"ApproximateReceiveCount": str(receive_count)}}


def test_only_what_failed_is_named() -> None:
    # Given
    seen = []

    def process(delivery: Delivery) -> None:
        seen.append(delivery)
        if delivery.body["n"] == 2:
            raise NotNowError("busy")
        if delivery.body["n"] == 3:
            raise KeyError("lost")

    records = [record(f"m{n}", json.dumps({"n": n}), receive_count=n) for n in (1, 2, 3, 4)]
    # When
    answer = process_batch({"Records": records}, process, TIME)
    # Then
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m2"}, {"itemIdentifier": "m3"}]}
    assert seen == [Delivery({"n": n}, n) for n in (1, 2, 3, 4)]


@pytest.mark.parametrize("body", ["", "no json", "[1]", '"text"'])
def test_a_poison_message_fails_alone(body: str) -> None:
    answer = process_batch({"Records": [record("bad", body), record("good", "{}")]}, lambda _: None, TIME)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}


def test_the_log_tells_where_an_error_came_from_but_not_its_words(caplog: pytest.LogCaptureFixture) -> None:
    def process(_: Delivery) -> None:
        raise ValueError("SECRET TEXT")

    process_batch({"Records": [record("m", "{}")]}, process, TIME)
    (logged,) = caplog.records
    said = str(vars(logged))
    assert "ValueError" in said
    assert "test_queue_batches.py" in said
    assert "SECRET" not in said


def test_the_log_tells_which_setting_is_wrong(caplog: pytest.LogCaptureFixture) -> None:
    def process(_: Delivery) -> None:
        raise ConfigurationError("VECTOR_DIMENSIONS is 384, the embedder's is 768.")

    process_batch({"Records": [record("m", "{}")]}, process, TIME)
    (logged,) = caplog.records
    assert vars(logged)["detail"] == "VECTOR_DIMENSIONS is 384, the embedder's is 768."


def test_the_last_delivery_is_known() -> None:
    assert {queue.max_receive_count for queue in QUEUES} == {MAX_DELIVERIES}
