"""One instance: starts everything in order, keeps it running, and stops it in the reverse order."""

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from socket import socket
from typing import Any

from chatsphere.identity.token_keys import public_part
from infra.catalog import AuthorizerTrigger, HttpTrigger, QueueTrigger, ScheduleTrigger
from infra.function_environment import queue_url_variable
from infra.local import database
from infra.local.accounts import account_values
from infra.local.console import say
from infra.local.daemon_threads import in_daemon_thread
from infra.local.demo import demo_account
from infra.local.endpoints import Endpoints
from infra.local.environment import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from infra.local.errors import LocalRunError, PortInUseError
from infra.local.functions import Functions, max_workers
from infra.local.gateway import Gateway
from infra.local.home import Home
from infra.local.http_server import HttpServer
from infra.local.log_file import LogFile
from infra.local.pollers import Poller
from infra.local.ports import LOOPBACK, listening_socket
from infra.local.postgres import Postgres
from infra.local.postgres_cluster import SUPERUSER
from infra.local.product import Product
from infra.local.routing import RouteTable
from infra.local.scheduler import run_schedule
from infra.local.stand_in_plan import REGION, UPLOADER_ROLE_ARN
from infra.local.storage import Storage
from infra.local.token_keys import token_keys

TRIGGERS = (HttpTrigger, AuthorizerTrigger, QueueTrigger, ScheduleTrigger)


@asynccontextmanager
async def running_instance(product: Product, home: Home, port: int) -> AsyncIterator["Instance"]:
    """Run the product in `home` with its gateway on `port` (0: any free one) for the length of the context.

    Raises:
        LocalRunError: something cannot start; the message says what.
    """
    _check_triggers(product)
    with home.locked():
        listener = _take_port(port)
        async with AsyncExitStack() as stack:
            stack.callback(listener.close)
            instance = Instance(product, home, listener)
            await instance.start(stack)
            yield instance


class Instance:
    """The parts of a running instance. `failed` ends with the first error that nothing can recover from."""

    def __init__(self, product: Product, home: Home, listener: socket) -> None:
        self._product = product
        self._home = home
        self._listener = listener
        self.api = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        superuser = home.secret(SUPERUSER)
        log = LogFile(home.logs / "postgres.log")
        self.postgres = Postgres(home.database, lambda: home.port("postgres"), superuser, log)
        self.storage = Storage(product, home)
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._background: list[asyncio.Task[None]] = []

    async def start(self, stack: AsyncExitStack) -> None:
        """Start every part; `stack` stops them in the reverse order."""
        stack.push_async_callback(self.postgres.stop)
        stack.push_async_callback(self.storage.stop)
        passwords = database.role_passwords(self._home)
        await asyncio.gather(self._start_database(passwords), self.storage.start(), self._prepare_vector_store())
        self.functions = Functions(self._product, self._home, self._values(passwords))
        stack.push_async_callback(self.functions.stop)
        await self.functions.start()
        await self._announce_lost()
        stack.push_async_callback(self._cancel_background)
        self._start_background()
        await self._open_gateway(stack)
        demo = await demo_account(self._home, self.api) if self._product.make_demo else {}
        self.endpoints = self._endpoints(demo)
        stack.callback(self._home.endpoints.unlink, missing_ok=True)
        self.endpoints.write(self._home.endpoints)

    async def _start_database(self, passwords: dict[str, str]) -> None:
        await self.postgres.start()
        await database.prepare(self._product, self.postgres, passwords)

    async def _prepare_vector_store(self) -> None:
        if self._product.prepare_vector_store is not None:
            await in_daemon_thread(self._product.prepare_vector_store)

    async def _announce_lost(self) -> None:
        count = await self.storage.announce_lost(await database.known_versions(self._product, self.postgres))
        if count:
            say(f"{count} changes of stored objects are not known to the database; they are announced again")

    def _values(self, passwords: dict[str, str]) -> dict[str, str]:
        """Return every variable that a function's settings may take a value from."""
        queues = {queue_url_variable(queue): self.storage.sqs.url(queue.name) for queue in self._product.queues}
        keys = token_keys(self._home.root / "token_keys.json")
        return {
            **account_values(self._home),
            **self._product.values,
            **database.role_urls(self.postgres, passwords),
            **queues,
            "TOKEN_KEYS": keys,
            "TOKEN_PUBLIC_KEYS": public_part(keys),
            "UPLOADS_BUCKET": self._product.bucket,
            "ARCHIVE_BUCKET": self._product.archive_bucket,
            "S3_ENDPOINT": self.storage.endpoint,
            "SQS_ENDPOINT": self.storage.endpoint,
            "STS_ENDPOINT": self.storage.endpoint,
            "UPLOADER_ROLE_ARN": UPLOADER_ROLE_ARN,
            "PUBLIC_URL": self.api,
        }

    def _start_background(self) -> None:
        self._keep(self.postgres.keep_running())
        self._keep(self.storage.keep_running(self._announce_lost))
        self._keep(self.functions.retire_idle_workers())
        for spec in self._product.functions:
            if isinstance(spec.trigger, QueueTrigger):
                trigger = replace(spec.trigger, max_concurrency=max_workers(spec))
                self._keep(Poller(trigger, self.functions[spec.name], self.storage.sqs).run())
            elif isinstance(spec.trigger, ScheduleTrigger):
                self._keep(run_schedule(spec.trigger, self.functions[spec.name]))

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.append(task)
        task.add_done_callback(self._on_background_end)

    def _on_background_end(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None and not self.failed.done():
            self.failed.set_exception(error)

    async def _cancel_background(self) -> None:
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)

    async def _open_gateway(self, stack: AsyncExitStack) -> None:
        authorizers = [f.name for f in self._product.functions if isinstance(f.trigger, AuthorizerTrigger)]
        gateway = Gateway(
            RouteTable(self._product.functions),
            self.functions,
            next(iter(authorizers), None),
            LogFile(self._home.logs / "gateway.log"),
        )
        server = HttpServer(gateway)
        stack.push_async_callback(server.close)
        await server.listen(self._listener)

    def _endpoints(self, demo: dict[str, str]) -> Endpoints:
        return Endpoints(
            api=self.api,
            s3_endpoint=self.storage.endpoint,
            sqs_endpoint=self.storage.endpoint,
            uploads_bucket=self._product.bucket,
            database_url=self.postgres.url(),
            access_key_id=ACCESS_KEY_ID,
            secret_access_key=SECRET_ACCESS_KEY,
            region=REGION,
            supervisor=os.getpid(),
            demo=demo,
        )


def _take_port(port: int) -> socket:
    try:
        return listening_socket(port)
    except OSError as error:
        raise PortInUseError(
            f"port {port} cannot be used ({error.strerror}); choose another, such as PORT=8001, or PORT=0 for any"
        ) from None


def _check_triggers(product: Product) -> None:
    for spec in product.functions:
        if not isinstance(spec.trigger, TRIGGERS):
            raise LocalRunError(f"function {spec.name}: nothing here starts a {type(spec.trigger).__name__}")
