"""The four calls of the Lambda Runtime API, where `awslambdaric` has no wheels (it has them for Linux only)."""

import http.client
import importlib
import json
import os
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PREFIX = "/2018-06-01/runtime"


@dataclass(frozen=True, slots=True)
class Context:
    """What a handler is told of its invocation; the names are Lambda's."""

    aws_request_id: str
    invoked_function_arn: str
    deadline_ms: int
    function_name: str
    function_version: str
    memory_limit_in_mb: str
    log_group_name: str
    log_stream_name: str
    client_context: None = None
    identity: None = None

    def get_remaining_time_in_millis(self) -> int:
        """Return the time left, in milliseconds."""
        return max(0, self.deadline_ms - int(time.time() * 1000))


def context(headers: Mapping[str, str], environment: Mapping[str, str]) -> Context:
    """Return the context of an invocation from its headers and the function's environment."""
    return Context(
        aws_request_id=headers["Lambda-Runtime-Aws-Request-Id"],
        invoked_function_arn=headers["Lambda-Runtime-Invoked-Function-Arn"],
        deadline_ms=int(headers["Lambda-Runtime-Deadline-Ms"]),
        function_name=environment["AWS_LAMBDA_FUNCTION_NAME"],
        function_version=environment["AWS_LAMBDA_FUNCTION_VERSION"],
        memory_limit_in_mb=environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        log_group_name=environment["AWS_LAMBDA_LOG_GROUP_NAME"],
        log_stream_name=environment["AWS_LAMBDA_LOG_STREAM_NAME"],
    )


class Runtime:
    """A connection to the Runtime API."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address)

    def next(self) -> tuple[Any, Mapping[str, str]]:
        """Wait for the next event; return it with the invocation's headers."""
        body, headers = self._call("GET", "/invocation/next")
        return json.loads(body), headers

    def respond(self, request_id: str, result: Any) -> None:
        """Send the handler's result."""
        self._call("POST", f"/invocation/{request_id}/response", json.dumps(result).encode())

    def fail(self, path: str, error: BaseException) -> None:
        """Report an error to `path`."""
        trace = traceback.format_exception(error)
        report = {"errorType": type(error).__name__, "errorMessage": str(error), "stackTrace": trace}
        self._call("POST", path, json.dumps(report).encode())

    def _call(self, method: str, path: str, body: bytes | None = None) -> tuple[bytes, Mapping[str, str]]:
        self._connection.request(method, PREFIX + path, body, {"Content-Type": "application/json"} if body else {})
        response = self._connection.getresponse()
        return response.read(), dict(response.headers.items())


def main(arguments: Sequence[str]) -> None:
    """Serve the handler `module.function`, until the Runtime API is gone."""
    runtime = Runtime(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        module, _, name = arguments[0].rpartition(".")
        handler: Callable[[Any, Context], Any] = getattr(importlib.import_module(module), name)
    except BaseException as error:
        runtime.fail("/init/error", error)
        raise
    while True:
        event, headers = runtime.next()
        described = context(_title_case(headers), os.environ)
        try:
            runtime.respond(described.aws_request_id, handler(event, described))
        except Exception as error:
            traceback.print_exc()
            runtime.fail(f"/invocation/{described.aws_request_id}/error", error)


def _title_case(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.title(): value for name, value in headers.items()}
