"""`QueueGauges` on Amazon SQS, or anything that speaks its protocol."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from chatsphere.errors import UnavailableError
from chatsphere.ports.queues import QueueLength

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

_AT_ONCE: Final = 10
_SECONDS: Final = 2
_WAITING: Final = "ApproximateNumberOfMessages"


class SqsGauges:
    """The `QueueGauges` port; connects when first used. `urls` are the queues' by name.

    A dead-letter queue is the one of the same name with `-dead` behind it, as every deployment of ours makes it.
    """

    def __init__(self, urls: Mapping[str, str], *, endpoint: str | None = None) -> None:
        self._urls = urls
        self._endpoint = endpoint

    def lengths(self) -> Mapping[str, QueueLength]:
        """See `QueueGauges.lengths`. All are asked at once."""
        client = self._client
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            waiting = {name: threads.submit(_count, client, url) for name, url in self._urls.items()}
            dead = {name: threads.submit(_dead, client, url) for name, url in self._urls.items()}
        try:
            return {name: QueueLength(waiting[name].result(), dead[name].result()) for name in self._urls}
        except (BotoCoreError, ClientError) as error:
            raise UnavailableError("The queues do not answer.") from error

    @cached_property
    def _client(self) -> "SQSClient":
        import boto3
        from botocore.config import Config

        return boto3.client(
            "sqs",
            endpoint_url=self._endpoint,
            config=Config(
                connect_timeout=_SECONDS,
                read_timeout=_SECONDS,
                retries={"mode": "standard", "total_max_attempts": 1},
                max_pool_connections=_AT_ONCE,
            ),
        )


def _count(client: "SQSClient", url: str) -> int:
    answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    return int(answer["Attributes"][_WAITING])


def _dead(client: "SQSClient", url: str) -> int | None:
    try:
        return _count(client, f"{url}-dead")
    except ClientError:
        # Not there, or not for us to see.
        return None
