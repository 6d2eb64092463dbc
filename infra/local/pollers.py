"""Moves messages from queues to functions: Lambda's event source mappings."""

import asyncio
import json
from typing import Any

import httpx

from infra.catalog import QueueTrigger
from infra.local.console import say
from infra.local.errors import InvocationError
from infra.local.sqs import Sqs
from infra.local.sqs_events import failed_ids, receive_count, sqs_event
from infra.local.workers import WorkerPool

MAX_BACKOFF_SECONDS = 30
RECONNECT_SECONDS = 0.5


def backoff_seconds(receives: int) -> int:
    """Return how long a message that failed stays hidden: the cloud's visibility timeout is too long to wait for."""
    return int(min(MAX_BACKOFF_SECONDS, 2 ** min(receives, 10)))


class Poller:
    """Receives one queue's messages and invokes one function with them, several batches at a time."""

    def __init__(self, trigger: QueueTrigger, function: WorkerPool, sqs: Sqs) -> None:
        self._queue = trigger.queue.name
        self._batch_size = trigger.batch_size
        self._slots = asyncio.Semaphore(trigger.max_concurrency)
        self._function = function
        self._sqs = sqs

    async def run(self) -> None:
        """Poll until cancelled; batches under way are then cancelled too."""
        async with asyncio.TaskGroup() as batches:
            while True:
                # Only with a worker to spare: a message that waits here would use up its visibility.
                await self._slots.acquire()
                messages = await self._receive()
                if messages:
                    batches.create_task(self._deliver(messages)).add_done_callback(lambda _: self._slots.release())
                else:
                    self._slots.release()

    async def _receive(self) -> list[dict[str, Any]]:
        try:
            return await self._sqs.receive(self._queue, self._batch_size)
        except httpx.HTTPError:  # the stand-in is being restarted
            await asyncio.sleep(RECONNECT_SECONDS)
            return []

    async def _deliver(self, messages: list[dict[str, Any]]) -> None:
        event = json.dumps(sqs_event(self._queue, messages)).encode()
        try:
            failed = failed_ids(await self._function.invoke(event), messages)
        except InvocationError as error:
            say(f"{self._function.name}: a batch of {len(messages)} from {self._queue} failed: {_first_line(error)}")
            failed = {message["MessageId"] for message in messages}
        try:
            for message in messages:
                await self._settle(message, message["MessageId"] in failed)
        except httpx.HTTPError:
            say(f"{self._queue}: a batch could not be settled; it will be delivered again")

    async def _settle(self, message: dict[str, Any], failed: bool) -> None:
        receipt = message["ReceiptHandle"]
        if failed:
            await self._sqs.hide(self._queue, receipt, backoff_seconds(receive_count(message)))
        else:
            await self._sqs.delete(self._queue, receipt)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
