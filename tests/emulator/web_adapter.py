"""A stand-in for the AWS Lambda Web Adapter: takes events from MiniStack, hands them to the function's `run.sh`.

MiniStack posts each event to an address and takes the answer whole, so nothing streams here.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from anyio.from_thread import start_blocking_portal

from infra.catalog import FUNCTIONS
from infra.local.ports import LOOPBACK
from infra.local.web_adapter import http_scope, request_body
from infra.packaging.functions import is_streaming
from tests.background_server import in_background
from tests.emulator.ministack import MiniStack
from tests.infra.packaging.machine import lay_out
from tests.infra.packaging.running import environment, serving

STREAMING: Final = next(spec for spec in FUNCTIONS if is_streaming(spec))
OF_THE_CONNECTION: Final = frozenset({b"host", b"connection", b"content-length", b"transfer-encoding"})
REQUEST_SECONDS: Final = 60


class WebAdapter:
    """Listens at `url`; knows the function's server once that runs."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer((LOOPBACK, 0), partial(_Handler, self))
        self._server.daemon_threads = True
        self.url = f"http://{LOOPBACK}:{self._server.server_port}"
        self.function_url: str | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take events."""
        with in_background(self._server):
            yield

    @contextmanager
    def serving(self, ministack: MiniStack, function_name: str, home: Path) -> Iterator[None]:
        """Run the deployed function's server: its package, its environment, and a session of its role."""
        configuration = ministack.client("lambda").get_function_configuration(FunctionName=function_name)
        package = lay_out(STREAMING, home)
        variables = environment(package, configuration["Environment"]["Variables"], home) | {
            **_session(ministack, configuration["Role"]),
            "AWS_ENDPOINT_URL": ministack.url,
            "AWS_CA_BUNDLE": str(ministack.certificate),
        }
        with (
            start_blocking_portal() as portal,
            portal.wrap_async_context_manager(serving(package, variables, home / "server.log")) as server,
        ):
            self.function_url = server.url
            yield

    def ask(self, event: dict[str, Any], request_id: str, deadline: int) -> dict[str, Any]:
        """Return the function's answer to an event of API Gateway.

        Raises:
            OSError: the function's server does not answer.
        """
        if self.function_url is None:
            raise ConnectionRefusedError("the function's server does not run yet")
        context = {"request_id": request_id, "deadline": deadline, "invoked_function_arn": "", "env_config": {}}
        scope, body = http_scope(event, context), request_body(event)
        connection = HTTPConnection(str(urlsplit(self.function_url).netloc), timeout=REQUEST_SECONDS)
        try:
            target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
            connection.putrequest(scope["method"], target.decode("ascii"))
            for name, value in scope["headers"]:
                if name not in OF_THE_CONNECTION:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            return _answer(connection.getresponse())
        finally:
            connection.close()


def _answer(response: HTTPResponse) -> dict[str, Any]:
    headers: dict[str, list[str]] = {}
    for name, value in response.getheaders():
        if name.lower().encode() not in OF_THE_CONNECTION:
            headers.setdefault(name, []).append(value)
    return {"statusCode": response.status, "multiValueHeaders": headers, "body": response.read().decode()}


def _session(ministack: MiniStack, role: str) -> dict[str, str]:
    """Return credentials of the function's execution role, as Lambda would give it."""
    made = ministack.client("sts").assume_role(RoleArn=role, RoleSessionName="web-adapter")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
        "AWS_SESSION_TOKEN": made["SessionToken"],
    }


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, adapter: WebAdapter, *arguments: Any) -> None:
        self._adapter = adapter
        super().__init__(*arguments)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's name
        pass

    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        request_id, deadline = self.headers["X-Amzn-Lambda-Request-Id"], self.headers["X-Amzn-Lambda-Deadline-Ms"]
        try:
            status, answer = 200, self._adapter.ask(event, request_id, int(deadline))
        except OSError as error:
            status, answer = 502, {"errorType": type(error).__name__, "errorMessage": str(error)}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
