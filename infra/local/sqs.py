"""The calls of SQS that the run needs, over plain HTTP: boto3 would cost threads and 40 MB."""

import json
from typing import Any

import httpx

from infra.local.environment import ACCESS_KEY_ID
from infra.local.stand_in_plan import ACCOUNT, REGION

# The stand-in finds the service in the credential's scope and checks no signature.
AUTHORIZATION = (
    f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY_ID}/20200101/{REGION}/sqs/aws4_request, SignedHeaders=host, Signature=0"
)
WAIT_SECONDS = 20


class Sqs:
    """A client of the stand-in's queues. Every method raises httpx.HTTPError when the stand-in is gone."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
        self._http = httpx.AsyncClient(base_url=endpoint, timeout=WAIT_SECONDS + 10, limits=limits, trust_env=False)

    def url(self, queue: str) -> str:
        """Return the address of a queue."""
        return f"{self._endpoint}/{ACCOUNT}/{queue}"

    async def send(self, queue: str, body: str) -> None:
        """Put a message on a queue."""
        await self._call("SendMessage", queue, MessageBody=body)

    async def receive(self, queue: str, at_most: int) -> list[dict[str, Any]]:
        """Wait for messages and return some, or none after a while."""
        answer = await self._call(
            "ReceiveMessage",
            queue,
            MaxNumberOfMessages=min(at_most, 10),
            WaitTimeSeconds=WAIT_SECONDS,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        messages: list[dict[str, Any]] = answer.get("Messages") or []
        return messages

    async def delete(self, queue: str, receipt: str) -> None:
        """Delete a received message."""
        await self._call("DeleteMessage", queue, ReceiptHandle=receipt)

    async def hide(self, queue: str, receipt: str, seconds: int) -> None:
        """Make a received message visible again in `seconds`."""
        await self._call("ChangeMessageVisibility", queue, ReceiptHandle=receipt, VisibilityTimeout=seconds)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _call(self, operation: str, queue: str, **parameters: Any) -> dict[str, Any]:
        headers = {
            "Authorization": AUTHORIZATION,
            "X-Amz-Target": f"AmazonSQS.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
        }
        content = json.dumps({"QueueUrl": self.url(queue), **parameters})
        response = await self._http.post("/", content=content, headers=headers)
        response.raise_for_status()
        answer: dict[str, Any] = response.json() if response.content else {}
        return answer
