"""All functions of the product, each as a pool of worker processes."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.catalog import FunctionSpec, HttpTrigger, QueueTrigger, ScheduleTrigger
from infra.local.child import Child, start_child
from infra.local.environment import function_environment
from infra.local.home import Home
from infra.local.log_file import LogFile
from infra.local.product import Product
from infra.local.runtime_api import RuntimeApi
from infra.local.worker import Worker
from infra.local.workers import WorkerPool

MAX_HTTP_WORKERS = 8
MAX_QUEUE_WORKERS = 4
MAX_STREAMS = 128
"""Requests that one process of a streaming function serves at a time, as one of Lambda's managed instances may: a
stream mostly waits for its model. In plain Lambda each has an environment of its own."""

RETIRE_SECONDS = 15.0


def max_workers(spec: FunctionSpec) -> int:
    """Return how many processes a function may have at once."""
    if isinstance(spec.trigger, QueueTrigger):
        return min(spec.trigger.max_concurrency, MAX_QUEUE_WORKERS)
    if capacity(spec) > 1:
        # More processes than processors would only cost their starts, while somebody waits.
        return max(2, os.cpu_count() or 1)
    return 1 if isinstance(spec.trigger, ScheduleTrigger) else MAX_HTTP_WORKERS


def capacity(spec: FunctionSpec) -> int:
    """Return how many invocations one process of a function takes at a time."""
    return MAX_STREAMS if isinstance(spec.trigger, HttpTrigger) and spec.trigger.streaming else 1


def runtime_arguments(spec: FunctionSpec) -> list[str]:
    """Return which runtime serves the function, and its entry point."""
    if isinstance(spec.trigger, HttpTrigger) and spec.trigger.streaming:
        return ["infra.local.web_adapter", "handler.app"]
    if sys.platform == "linux":
        return ["awslambdaric", "handler.handler"]
    return ["infra.local.runtime_client", "handler.handler"]


class Functions:
    """Starts, finds and stops the pools."""

    def __init__(self, product: Product, home: Home, values: Mapping[str, str]) -> None:
        self._product = product
        self._home = home
        self._api = RuntimeApi()
        self._logs: dict[str, LogFile] = {}
        slots = asyncio.Semaphore(max(2, os.cpu_count() or 1))
        self._environments = {spec.name: self._environment(spec, values) for spec in product.functions}
        self._pools = {spec.name: self._pool(spec, slots) for spec in product.functions}

    def __getitem__(self, name: str) -> WorkerPool:
        """Return the pool of the function `name`."""
        return self._pools[name]

    async def start(self) -> None:
        """Start one worker of each function.

        Raises:
            FunctionStartError: one of them could not start.
        """
        await asyncio.gather(*(pool.start() for pool in self._pools.values()))

    async def retire_idle_workers(self) -> None:
        """For as long as the run lasts, end workers that are no longer needed."""
        while True:
            await asyncio.sleep(RETIRE_SECONDS)
            for pool in self._pools.values():
                pool.retire_idle()

    async def stop(self) -> None:
        """End all workers."""
        await asyncio.gather(*(pool.stop() for pool in self._pools.values()))
        await self._api.close()

    def _environment(self, spec: FunctionSpec, values: Mapping[str, str]) -> dict[str, str]:
        return function_environment(
            spec, folder=self._folder(spec), python_path=self._product.python_path, home=self._home, values=values
        )

    def _folder(self, spec: FunctionSpec) -> Path:
        return self._product.functions_folder / spec.name

    def _pool(self, spec: FunctionSpec, slots: asyncio.Semaphore) -> WorkerPool:
        log = LogFile(self._home.logs / f"{spec.name}.log")

        async def start(pool: WorkerPool, worker: Worker) -> Child:
            address = await self._api.open(pool, worker)
            worker.release = lambda: self._api.forget(address)
            return await start_child(
                runtime_arguments(spec),
                environment=self._environments[spec.name]
                | {"AWS_LAMBDA_RUNTIME_API": address, "AWS_LAMBDA_MAX_CONCURRENCY": str(capacity(spec))},
                folder=self._folder(spec),
                log=log,
            )

        return WorkerPool(
            spec.name,
            timeout_seconds=spec.timeout_seconds,
            max_workers=max_workers(spec),
            capacity=capacity(spec),
            start_process=start,
            start_slots=slots,
        )
