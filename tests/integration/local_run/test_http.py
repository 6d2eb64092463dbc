"""The gateway in front of buffered functions."""

import json
import socket
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.local_run.toys import Toys
from tests.waiting import wait_for


def is_problem(response: httpx.Response, status: int, code: str) -> bool:
    document = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert document["request_id"] == response.headers["x-request-id"]
    assert (response.status_code, document["status"], document["code"]) == (status, status, code)
    return True


def test_function_gets_a_rest_event_and_its_own_request_id(toys: Toys) -> None:
    with toys.http() as http:
        response = http.post("/public?a=1", content='{"x": "ü"}', headers={"x-forwarded-for": "6.6.6.6"})
    event = response.json()["event"]
    assert event["body"] == '{"x": "ü"}'
    assert event["queryStringParameters"] == {"a": "1"}
    assert event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"
    assert event["requestContext"]["requestId"] == response.headers["x-request-id"]
    assert response.json()["id"]


def test_path_parameter(toys: Toys) -> None:
    with toys.http() as http:
        assert http.get("/things/a%2Fb").json()["event"]["pathParameters"] == {"thing_id": "a/b"}


def test_unknown_path_and_method(toys: Toys) -> None:
    with toys.http() as http:
        assert is_problem(http.get("/nothing"), 404, "not_found")
        response = http.delete("/public")
        assert is_problem(response, 405, "method_not_allowed")
        assert response.headers["allow"] == "GET, POST"


@pytest.mark.parametrize("misdeed", ["raise", "nonsense", "die"])
def test_function_that_fails(toys: Toys, misdeed: str) -> None:
    with toys.http() as http:
        assert is_problem(http.get(f"/public?do={misdeed}"), 502, "internal_error")
        assert http.get("/public").status_code == 200


def test_function_that_hangs_is_replaced(toys: Toys) -> None:
    with toys.http() as http:
        assert is_problem(http.get("/public?do=hang"), 504, "timeout")
        assert http.get("/public").status_code == 200


def test_binary_body_both_ways(toys: Toys) -> None:
    with toys.http() as http:
        assert http.post("/public", content=b"\xff\x00").json()["event"]["isBase64Encoded"] is True
        response = http.get("/public?do=binary")
    assert response.content == bytes(range(256))
    assert response.headers.get_list("x-two") == ["a", "b"]


def test_functions_own_request_id_wins(toys: Toys) -> None:
    with toys.http() as http:
        assert http.get("/public?do=own-id").headers["x-request-id"] == "mine"


@pytest.mark.parametrize("declared", [True, False])
def test_large_body_is_refused(toys: Toys, declared: bool) -> None:
    body = b"x" * (11 * 1024 * 1024)
    with toys.http() as http:
        response = http.post("/public", content=body if declared else iter([body]))
        assert is_problem(response, 413, "payload_too_large")
        assert http.get("/public").status_code == 200


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"not http at all\r\n\r\n", 400),
        (b"POST /public HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nabc", 400),
        (b"GET http://elsewhere/public HTTP/1.1\r\nHost: a\r\n\r\n", 404),
        (b"GET /public?%zz=%ff&=&& HTTP/1.1\r\nHost: a\r\nOdd: \xff\xfe\r\n\r\n", 200),
        (b"GET /things/%ff%00%zz HTTP/1.0\r\n\r\n", 200),
        (b"GET /private HTTP/1.1\r\nHost: a\r\nAuthorization: \xff\r\n\r\n", 401),
        (b"HEAD /nothing HTTP/1.1\r\nHost: a\r\n\r\n", 404),
    ],
)
def test_odd_requests(toys: Toys, request_bytes: bytes, status: int) -> None:
    host, _, port = toys.endpoints.api.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(request_bytes)
        assert connection.recv(1000).split()[1] == str(status).encode()


def test_request_that_breaks_off_reaches_no_function(toys: Toys) -> None:
    host, _, port = toys.endpoints.api.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(b"POST /public HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
        connection.shutdown(socket.SHUT_WR)
        assert b"HTTP/1.1 200" not in connection.recv(1000)


def test_environment_is_allow_listed(toys: Toys) -> None:
    with toys.http() as http:
        environment: dict[str, str] = http.get("/public?do=environment").json()
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "echo"
    assert "RECORDS" not in environment
    allowed = ("AWS_", "LAMBDA_", "POWERTOOLS_", "PYTHON", "OMP_", "OPENBLAS_", "MKL_", "LC_")
    rest = {name for name in environment if not name.startswith(allowed)}
    assert rest == {"HOME", "LANG", "MALLOC_ARENA_MAX", "PATH", "TMPDIR", "TOKENIZERS_PARALLELISM", "TZ", "_HANDLER"}


def test_another_worker_is_started_when_all_are_busy(toys: Toys) -> None:
    def meet(folder: str) -> Any:
        with toys.http() as http:
            return http.get("/public", params={"do": "meet", "folder": folder}).json()["pid"]

    def met() -> bool:
        # Each of the two waits for the other; if the second process starts too slowly, they try again.
        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as threads:
            try:
                return len(set(threads.map(meet, [folder, folder]))) == 2
            except KeyError:
                return False

    wait_for(met, what="two workers at once")


def test_nothing_secret_is_logged(toys: Toys) -> None:
    with toys.http() as http:
        http.post("/public?q=query-secret", content="body-secret", headers={"Authorization": "Bearer header-secret"})
    text = "".join(path.read_text(errors="replace") for path in Path(toys.home, "logs").iterdir())
    assert "POST /public 200" in text
    assert "secret" not in text.replace("secrets.json", "")


class TestAuthorizer:
    """Routes that are not public."""

    def test_context_reaches_the_function_as_strings(self, toys: Toys) -> None:
        with toys.http() as http:
            response = http.get("/private", headers={"Authorization": "Bearer good"})
        assert response.json()["event"]["requestContext"]["authorizer"] == {
            "principalId": "user-1",
            "organization_id": "o-1",
            "admin": "true",
            "limit": "3",
        }

    def test_without_credential(self, toys: Toys) -> None:
        with toys.http() as http:
            response = http.get("/private")
        assert is_problem(response, 401, "missing_credential")
        assert response.headers["www-authenticate"] == "Bearer"

    def test_denied_in_the_authorizers_own_words(self, toys: Toys) -> None:
        with toys.http() as http:
            response = http.get("/private", headers={"Authorization": "Bearer old"})
        assert is_problem(response, 401, "token_expired")
        assert response.json()["title"] == "The token has expired"
        assert response.json()["detail"] == "It expired yesterday"
        assert response.headers["www-authenticate"] == "Bearer"

    def test_authorizer_that_answers_nonsense_lets_nobody_in(self, toys: Toys) -> None:
        with toys.http() as http:
            assert is_problem(http.get("/private", headers={"Authorization": "Bearer broken"}), 502, "internal_error")


def test_endpoints_file_is_private(toys: Toys) -> None:
    path = toys.home / "endpoints.json"
    assert path.stat().st_mode & 0o077 == 0
    assert json.loads(path.read_text())["api"] == toys.endpoints.api
