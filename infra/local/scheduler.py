"""Runs the scheduled functions: EventBridge Scheduler."""

import asyncio

from infra.catalog import ScheduleTrigger
from infra.local.console import say
from infra.local.errors import InvocationError
from infra.local.workers import WorkerPool

EVENT = b"{}"


async def run_schedule(trigger: ScheduleTrigger, function: WorkerPool) -> None:
    """Invoke the function now and then every period, until cancelled; never two at once."""
    period = trigger.every_minutes * 60.0
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        try:
            await function.invoke(EVENT)
        except InvocationError as error:
            say(f"{function.name}: a scheduled run failed: {error}")
        due = max(due + period, loop.time())
        await asyncio.sleep(due - loop.time())
