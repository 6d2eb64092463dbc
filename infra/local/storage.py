"""The uploads bucket and the queues of an instance, kept running."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress

import httpx

from infra.catalog import FunctionSpec, Queue, QueueTrigger
from infra.local.child import Child
from infra.local.console import say
from infra.local.home import Home
from infra.local.log_file import LogFile
from infra.local.object_mirror import ObjectMirror
from infra.local.ports import LOOPBACK, listening_socket
from infra.local.product import Product
from infra.local.s3_events import lost_events
from infra.local.sqs import Sqs
from infra.local.stand_in import start_stand_in
from infra.local.stand_in_plan import REGION, QueuePlan, StandInPlan

# AWS's advice: a message must stay hidden for longer than several tries of its function can take.
VISIBILITY_FACTOR = 6
DEFAULT_VISIBILITY_SECONDS = 30
FORM_OVERHEAD_BYTES = 1024 * 1024
RESTART_SECONDS = 0.5


def stand_in_plan(product: Product, home: Home, port: int) -> StandInPlan:
    """Return what the stand-in must provide for the product."""
    return StandInPlan(
        port=port,
        bucket=product.bucket,
        objects=str(home.objects),
        archive_bucket=product.archive_bucket,
        archived=str(home.archived),
        queues=tuple(_queue_plan(queue, product.functions) for queue in product.queues),
        notify=product.notifications.name,
        max_body_bytes=product.max_upload_bytes + FORM_OVERHEAD_BYTES,
    )


def _queue_plan(queue: Queue, functions: Iterable[FunctionSpec]) -> QueuePlan:
    fed = [spec for spec in functions if isinstance(spec.trigger, QueueTrigger) and spec.trigger.queue == queue]
    timeouts = [spec.timeout_seconds for spec in fed]
    visibility = VISIBILITY_FACTOR * max(timeouts, default=0) or DEFAULT_VISIBILITY_SECONDS
    return QueuePlan(queue.name, visibility, queue.max_receive_count)


class Storage:
    """The S3 and SQS stand-in: started, watched, and restarted when it dies."""

    def __init__(self, product: Product, home: Home) -> None:
        self._home = home
        # Held from now on, so that nobody takes the port before the stand-in has it.
        self._listener = home.listener("s3")
        self._plan = stand_in_plan(product, home, self._listener.getsockname()[1])
        self._log = LogFile(home.logs / "stand_in.log")
        self._child: Child | None = None
        self.endpoint = f"http://{LOOPBACK}:{self._plan.port}"
        self.sqs = Sqs(self.endpoint)

    @property
    def pid(self) -> int | None:
        """The process id of the stand-in."""
        return self._child.pid if self._child is not None else None

    async def start(self) -> None:
        """Start the stand-in with every object of the mirror."""
        self._child = await start_stand_in(self._plan, self._home, self._log, self._listener)

    async def keep_running(self, recover: Callable[[], Awaitable[None]]) -> None:
        """Restart the stand-in whenever it ends, then have `recover` make up for the messages that went with it."""
        while self._child is not None:
            code = await self._child.wait()
            say(f"the S3 and SQS stand-in ended (exit code {code}) and is restarted:\n{self._log.tail()}")
            await asyncio.sleep(RESTART_SECONDS)
            self._listener = listening_socket(self._plan.port)
            await self.start()
            with suppress(httpx.HTTPError):  # it ended again: the next round recovers
                await recover()

    async def announce_lost(self, known: Mapping[str, str | None]) -> int:
        """Announce again the changes that `known`, the versions by key, does not hold; return how many."""
        newest = await asyncio.to_thread(ObjectMirror(self._home.objects).newest)
        events = lost_events(self._plan.bucket, REGION, newest, known)
        for event in events:
            await self.sqs.send(self._plan.notify, json.dumps(event))
        return len(events)

    async def stop(self) -> None:
        """End the stand-in."""
        self._listener.close()
        await self.sqs.close()
        if self._child is not None:
            await self._child.stop()
