"""The streaming function behind the gateway."""

import json
from pathlib import Path

import httpx
import pytest

from tests.integration.local_run.toys import Toys
from tests.waiting import wait_for


def test_parts_arrive_as_they_are_sent(toys: Toys, folder: Path) -> None:
    go_on = folder / "go-on"
    with toys.http() as http, http.stream("POST", "/stream", params={"until": str(go_on)}, content="hi") as response:
        parts = response.iter_raw()
        assert next(parts) == b"first hi"
        go_on.touch()
        assert b"".join(parts) == b" second"
    assert response.status_code == 201
    assert response.headers["content-type"] == "text/event-stream"


def test_request_context_cannot_be_forged(toys: Toys) -> None:
    with toys.http() as http:
        response = http.post("/stream", headers={"x-amzn-request-context": '{"forged": 1}'})
    context = json.loads(response.headers["x-context"])
    assert "forged" not in context
    assert context["requestId"] == response.headers["x-request-id"]


@pytest.mark.parametrize("misdeed", ["die", "raise"])
def test_broken_stream_ends_for_the_client(toys: Toys, misdeed: str) -> None:
    with toys.http() as http:
        with pytest.raises(httpx.RemoteProtocolError), http.stream("POST", f"/stream?do={misdeed}") as response:
            response.read()
        assert http.post("/stream", content="x").content == b"first x second"


def test_failure_before_the_stream_begins(toys: Toys) -> None:
    with toys.http() as http:
        response = http.post("/stream?do=raise-early")
    assert (response.status_code, response.json()["code"]) == (502, "internal_error")


def test_function_keeps_running_when_the_client_leaves(toys: Toys, folder: Path) -> None:
    go_on, done = folder / "go-on", folder / "done"
    query = {"until": str(go_on), "done": str(done)}
    with toys.http() as http, http.stream("POST", "/stream", params=query) as response:
        next(response.iter_raw())
    go_on.touch()
    wait_for(done.exists, what="the end of the function's work")
