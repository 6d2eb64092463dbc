"""The official client of OpenAI's API, unmodified: its requests reach the application as API Gateway's do."""

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio
import httpx2
from openai import AsyncOpenAI
from starlette.types import ASGIApp

from tests.conftest import Tenant
from tests.integration.chat.client import ChatClient

Result = TypeVar("Result")
TIMEOUT = 20


class OpenAiCaller:
    """Calls the application as one caller."""

    def __init__(self, app: ASGIApp | httpx2.MockTransport, tenant: Tenant, **limits: Any) -> None:
        self.tenant = tenant
        self._transport = app if isinstance(app, httpx2.MockTransport) else httpx2.ASGITransport(app)
        self._caller = ChatClient(_no_app, tenant, **limits)

    def call(self, ask: Callable[[AsyncOpenAI], Awaitable[Result]], max_retries: int = 0) -> Result:
        """Return what the client makes of the answer."""

        async def run() -> Result:
            context = json.loads(self._caller.context()["x-amzn-request-context"])
            context |= {"domainName": "api.example.com", "path": "/prod/v1/chat/completions"}
            async with (
                httpx2.AsyncClient(transport=self._transport, timeout=TIMEOUT) as http,
                AsyncOpenAI(
                    api_key="cs_live_unused",
                    base_url="http://chat/v1",
                    http_client=http,
                    max_retries=max_retries,
                    default_headers={"x-amzn-request-context": json.dumps(context)},
                ) as client,
            ):
                return await ask(client)

        return anyio.run(run)


async def _no_app(*_: Any) -> None:
    raise AssertionError("only its context is used")
