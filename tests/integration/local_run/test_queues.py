"""Queues, their pollers, and schedules."""

import json
from typing import Any
from uuid import uuid4

from tests.integration.local_run.toys import Toys
from tests.waiting import wait_for


def dead_letters(toys: Toys, name: str) -> list[dict[str, Any]]:
    """Messages of this test on the dead-letter queue; they become visible again at once."""
    answer = toys.sqs().receive_message(
        QueueUrl=toys.queue_url("work-dead"), MaxNumberOfMessages=10, VisibilityTimeout=0
    )
    return [json.loads(message["Body"]) for message in answer.get("Messages", []) if name in message["Body"]]


def test_message_reaches_the_function_as_an_sqs_event(toys: Toys) -> None:
    name = f"n{uuid4().hex}"
    toys.send(name)
    (note,) = toys.wait_for_notes(name, lambda notes: len(notes) == 1)
    record = note["record"]
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"].endswith(":work")
    assert {"messageId", "receiptHandle", "md5OfBody", "attributes", "messageAttributes", "awsRegion"} <= record.keys()


def test_only_the_failed_message_of_a_batch_comes_again(toys: Toys) -> None:
    bad, good = f"b{uuid4().hex}", f"g{uuid4().hex}"
    toys.send(bad, fail_first=True)
    toys.send(good)
    notes = toys.wait_for_notes(bad, lambda notes: len(notes) == 2)
    assert [note["count"] for note in notes] == [1, 2]
    assert len(toys.notes(good)) == 1


def test_message_that_always_fails_is_dead_lettered(toys: Toys) -> None:
    name = f"d{uuid4().hex}"
    toys.send(name, fail_always=True)
    wait_for(lambda: dead_letters(toys, name), what="a dead letter")
    assert [note["count"] for note in toys.notes(name)] == [1, 2]


def test_message_of_a_killed_worker_comes_again(toys: Toys) -> None:
    name = f"k{uuid4().hex}"
    toys.send(name, die_first=True)
    first, second = toys.wait_for_notes(name, lambda notes: len(notes) == 2)
    assert (first["count"], second["count"]) == (1, 2)
    assert first["pid"] != second["pid"]


def test_scheduled_function_runs_at_start(toys: Toys) -> None:
    assert toys.wait_for_notes("tick", bool)[0] == {}


def test_visibility_is_six_times_the_functions_timeout(toys: Toys) -> None:
    answer = toys.sqs().get_queue_attributes(QueueUrl=toys.queue_url("work"), AttributeNames=["All"])
    assert answer["Attributes"]["VisibilityTimeout"] == "120"
    assert json.loads(answer["Attributes"]["RedrivePolicy"])["maxReceiveCount"] == 2


def test_a_group_that_keeps_the_consumers_busy_lets_the_others_pass(toys: Toys) -> None:
    # Given a queue that nobody polls, and a message of one group that is being worked on
    sqs, url, names = toys.sqs(), toys.queue_url("work-dead"), [f"f{uuid4().hex}" for _ in range(4)]

    def send(name: str, group: str) -> None:
        sqs.send_message(QueueUrl=url, MessageBody=name, MessageGroupId=group)

    def receive() -> list[str]:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60)
        received.update({message["Body"]: message["ReceiptHandle"] for message in answer.get("Messages", [])})
        return [message["Body"] for message in answer.get("Messages", []) if message["Body"] in names]

    received: dict[str, str] = {}
    send(names[0], "busy")
    assert receive() == names[:1]
    # When
    send(names[1], "busy")
    send(names[2], "busy")
    send(names[3], "quiet")
    # Then
    assert receive() == [names[3], names[1], names[2]]
    for receipt in received.values():
        sqs.delete_message(QueueUrl=url, ReceiptHandle=receipt)
