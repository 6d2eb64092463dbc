"""Runs one instance from the command line until it is asked to stop."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Final

from infra.local.console import complain, say
from infra.local.endpoints import Endpoints
from infra.local.errors import LocalRunError
from infra.local.home import Home
from infra.local.product import Product
from infra.local.providers import used_vendors
from infra.local.supervisor import running_instance

STOP_AT_EOF: Final = "CHATSPHERE_STOP_AT_EOF"
"""A variable that is set, to anything, by a program that runs an instance for itself alone: the instance then stops
when its standard input ends, and that ends with the program, however the program ends."""


def up(product: Product, home: Home, port: int) -> int:
    """Run until SIGINT or SIGTERM, or the end of an input that `STOP_AT_EOF` says to heed; return the exit code."""
    try:
        asyncio.run(_run(product, home, port))
    except LocalRunError as error:
        complain(str(error))
        return 1
    return 0


async def _run(product: Product, home: Home, port: int) -> None:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    if STOP_AT_EOF in os.environ:
        _at_end_of_input(asked.set)
    running = asyncio.create_task(_until_failed(product, home, port))
    waiting = asyncio.create_task(asked.wait())
    # A signal also ends a start that is under way.
    await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if asked.is_set():
        say("stopping …")
        running.cancel()
    try:
        await running
    except asyncio.CancelledError:
        say("stopped")


def _at_end_of_input(tell: Callable[[], object]) -> None:
    loop, descriptor = asyncio.get_running_loop(), sys.stdin.fileno()

    def read() -> None:
        if not os.read(descriptor, 1024):
            loop.remove_reader(descriptor)
            tell()

    loop.add_reader(descriptor, read)


async def _until_failed(product: Product, home: Home, port: int) -> None:
    async with running_instance(product, home, port) as instance:
        say(greeting(instance.endpoints, home, used_vendors(product.values)))
        await instance.failed


def greeting(endpoints: Endpoints, home: Home, vendors: Sequence[str] = ()) -> str:
    """Return what a person needs to begin: the address, the demo login and three commands."""
    demo = endpoints.demo
    lines = [f"ChatSphere is ready at {endpoints.api} (everything it keeps is in {home.root})"]
    if vendors:
        lines.append(f"It sends text to {' and '.join(vendors)}: their keys are in your environment.")
    lines.append(f"It sends no mail: what it would send is in {home.mail}")
    if demo:
        s3 = f"aws s3 cp FILE s3://{endpoints.uploads_bucket}/{demo['organization_id']}/{demo['bot_id']}/"
        access = (
            f"AWS_ACCESS_KEY_ID={endpoints.access_key_id} AWS_SECRET_ACCESS_KEY={endpoints.secret_access_key} "
            f"AWS_DEFAULT_REGION={endpoints.region}"
        )
        key = f"-H 'Authorization: Bearer {demo['api_key']}' -H 'Content-Type: application/json'"
        bots = f"{endpoints.api}/v1/bots"
        lines += [
            f"Demo login: {demo['email']}  password: {demo['password']}",
            f"API key:    {demo['api_key']}",
            "",
            "Make a bot:",
            f'  curl {key} -d \'{{"name": "My bot"}}\' {bots}',
            "Drop a file for the demo bot:",
            f"  {access} {s3} --endpoint-url {endpoints.s3_endpoint}",
            f'  curl {key} -d \'{{"name": "note.txt", "text": "The office opens at nine."}}\' '
            f"{bots}/{demo['bot_id']}/documents",
            "Ask:",
            f'  curl {key} -d \'{{"message": "When does the office open?"}}\' {bots}/{demo["bot_id"]}/chat',
        ]
    return "\n".join([*lines, "", "Ctrl-C stops it."])
