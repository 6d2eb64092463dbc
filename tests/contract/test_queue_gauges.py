"""The `QueueGauges` port."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from chatsphere.adapters.sqs import SqsQueue
from chatsphere.adapters.sqs_gauges import SqsGauges
from chatsphere.errors import UnavailableError
from chatsphere.ports.queues import QueueLength
from tests.moto_server import make_queue, running_moto


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with running_moto() as endpoint:
        yield endpoint


def test_each_queue_is_as_long_as_what_waits_in_it(endpoint: str) -> None:
    # Given a queue with a dead-letter queue, and one without
    names = [f"gauged-{uuid4().hex}" for _ in range(2)]
    urls = dict(zip(("embed", "extract"), (make_queue(endpoint, name) for name in names), strict=True))
    dead = make_queue(endpoint, f"{names[0]}-dead")
    SqsQueue(urls["embed"], endpoint=endpoint).send([{}, {}], group="g")
    SqsQueue(dead, endpoint=endpoint).send([{}], group="g")
    # Then
    lengths = SqsGauges(urls, endpoint=endpoint).lengths()
    assert lengths == {"embed": QueueLength(2, 1), "extract": QueueLength(0, None)}


def test_queues_that_do_not_answer_are_unavailable() -> None:
    with running_moto(), pytest.raises(UnavailableError):
        SqsGauges({"embed": "http://127.0.0.1:9/1/embed"}, endpoint="http://127.0.0.1:9").lengths()
