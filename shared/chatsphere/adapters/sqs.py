"""`MessageQueue` on Amazon SQS, or anything that speaks its protocol."""

import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from chatsphere.errors import UnavailableError
from chatsphere.observability import CORRELATION_ATTRIBUTE, correlation_id

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import MessageAttributeValueTypeDef, SendMessageBatchRequestEntryTypeDef

_AT_ONCE: Final = 10


class SqsQueue:
    """The `MessageQueue` port on one queue; connects when first used."""

    def __init__(self, url: str, *, endpoint: str | None = None) -> None:
        self._url = url
        self._endpoint = endpoint

    def send(self, messages: Iterable[Mapping[str, Any]], *, group: str, delay_seconds: int = 0) -> None:
        """See `MessageQueue.send`. The group makes a standard queue a fair one; it does not order messages."""
        remaining = iter(messages)
        while batch := list(islice(remaining, _AT_ONCE)):
            self._send_batch(batch, group, delay_seconds)

    def _send_batch(self, messages: list[Mapping[str, Any]], group: str, delay_seconds: int) -> None:
        attributes = _attributes()
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {
                "Id": str(number),
                "MessageBody": json.dumps(message),
                "MessageGroupId": group,
                "MessageAttributes": attributes,
                "DelaySeconds": delay_seconds,
            }
            for number, message in enumerate(messages)
        ]
        try:
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
        except (BotoCoreError, ClientError) as error:
            raise UnavailableError("The queue does not answer.") from error
        if answer.get("Failed"):
            raise UnavailableError("The queue did not take every message.")

    @cached_property
    def _client(self) -> "SQSClient":
        import boto3
        from botocore.config import Config

        return boto3.client(
            "sqs",
            endpoint_url=self._endpoint,
            config=Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 4}),
        )


def _attributes() -> "dict[str, MessageAttributeValueTypeDef]":
    """Return the id of the present log lines, so that those of the message's receiver carry it, too."""
    present = correlation_id()
    return {CORRELATION_ATTRIBUTE: {"DataType": "String", "StringValue": present}} if present else {}
