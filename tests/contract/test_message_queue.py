"""The `MessageQueue` port."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from chatsphere.adapters.sqs import SqsQueue
from chatsphere.errors import UnavailableError
from tests.fakes import InMemoryQueue
from tests.moto_server import make_queue, receive_all, running_moto


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with running_moto() as endpoint:
        yield endpoint


@dataclass
class Subject:
    """A queue, and how to take out what was sent."""

    queue: Any
    take: Callable[[], list[Any]]


@pytest.fixture(params=["sqs", "memory"])
def subject(request: pytest.FixtureRequest, endpoint: str) -> Subject:
    if request.param == "memory":
        fake = InMemoryQueue()
        return Subject(fake, lambda: list(fake.messages))
    url = make_queue(endpoint, f"queue-{uuid4().hex}")
    return Subject(
        SqsQueue(url, endpoint=endpoint),
        lambda: [json.loads(message["Body"]) for message in receive_all(endpoint, url)],
    )


@pytest.mark.parametrize("count", [0, 1, 10, 11, 25])
def test_every_message_arrives(subject: Subject, count: int) -> None:
    # When, from an iterator that can be read only once
    subject.queue.send(({"n": number, "text": "ü\n\"'<&>"} for number in range(count)), group="tenant")
    # Then
    assert sorted(message["n"] for message in subject.take()) == list(range(count))


def test_a_message_keeps_its_values(subject: Subject) -> None:
    message = {"id": str(uuid4()), "text": "ü 名前 \u2028", "number": 1, "nothing": None, "list": [1, "a"]}
    subject.queue.send([message], group="tenant")
    assert subject.take() == [message]


def test_the_group_is_the_tenant(endpoint: str) -> None:
    url = make_queue(endpoint, f"queue-{uuid4().hex}")
    SqsQueue(url, endpoint=endpoint).send([{"n": 1}], group="tenant")
    (message,) = receive_all(endpoint, url)
    assert message["Attributes"]["MessageGroupId"] == "tenant"


def test_a_delayed_message_is_not_there_yet(endpoint: str) -> None:
    url = make_queue(endpoint, f"queue-{uuid4().hex}")
    queue = SqsQueue(url, endpoint=endpoint)
    queue.send([{"n": 1}], group="tenant", delay_seconds=900)
    queue.send([{"n": 2}], group="tenant")
    assert [json.loads(message["Body"])["n"] for message in receive_all(endpoint, url)] == [2]


def test_a_queue_that_does_not_exist_is_unavailable(endpoint: str) -> None:
    with pytest.raises(UnavailableError):
        SqsQueue(f"{endpoint}/123456789012/nothing", endpoint=endpoint).send([{}], group="tenant")


def test_a_queue_that_does_not_answer_is_unavailable() -> None:
    with running_moto(), pytest.raises(UnavailableError):
        SqsQueue("http://127.0.0.1:9/1/queue", endpoint="http://127.0.0.1:9").send([{}], group="tenant")
