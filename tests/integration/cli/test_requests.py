"""Attempts, waits, and what a broken connection looks like."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chatsphere.cli.client import Client
from tests.integration.cli.conftest import Run
from tests.integration.cli.fake_api import FakeApi


@contextmanager
def server_that_hangs_up() -> Iterator[str]:
    """A server that takes connections and closes them without a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connection.recv(65536)
                connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize("status", [429, 503])
def test_a_refused_request_is_sent_again_whatever_its_method(cli: Run, known: FakeApi, status: int) -> None:
    known.state.fail("POST", "/v1/bots", status, times=2, Retry_After="0")

    assert cli("bots", "create", "Ada", "--json").code == 0

    sent = [request for request in known.state.requests if request.method == "POST"]
    assert len(sent) == 3
    assert len({request.headers["Idempotency-Key"] for request in sent}) == 1


def test_it_gives_up_and_shows_the_servers_code(cli: Run, known: FakeApi) -> None:
    known.state.fail("GET", "/v1/bots", 429, times=9, code="rate_limited", Retry_After="0")

    result = cli("bots", "list", "--json")

    assert (result.code, result.json["error"]["code"]) == (1, "rate_limited")
    assert known.state.count("GET", "/v1/bots") == 5


def test_a_wait_of_minutes_is_not_waited(cli: Run, known: FakeApi) -> None:
    known.state.fail("GET", "/v1/bots", 429, Retry_After="3600")

    assert cli("bots", "list", "--json").code == 1
    assert known.state.count("GET", "/v1/bots") == 1


def test_a_gateways_error_repeats_a_get_and_no_creation(cli: Run, known: FakeApi) -> None:
    known.state.fail("GET", "/v1/bots", 502, Retry_After="0")
    known.state.fail("POST", "/v1/bots", 502, Retry_After="0")

    assert cli("bots", "list", "--json").code == 0
    assert cli("bots", "create", "Ada", "--json").json["error"]["code"] == "code_502"
    assert known.state.bots == {}


def test_a_connection_that_breaks_is_exit_4(cli: Run) -> None:
    with server_that_hangs_up() as url:
        result = cli("bots", "create", "x", "--api", url, "--api-key", "k", "--json")

    assert (result.code, result.json["error"]["code"]) == (4, "broken_connection")


def test_another_kind_of_server_is_named_as_such(cli: Run, known: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    known.state.fail("GET", "/v1/health/live", 200)
    monkeypatch.setattr("json.dumps", lambda *_, **__: "<html>")

    result = cli("status")

    assert result.code == 1
    assert "not ChatSphere's" in result.err


def test_a_defect_shows_no_traceback_without_debug(cli: Run, known: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def defect(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(Client, "items", defect)

    quiet, loud = cli("bots", "list", "--json"), cli("bots", "list", "--debug")

    assert (quiet.code, quiet.json["error"]["code"]) == (1, "internal")
    assert "Traceback" not in quiet.err
    assert "in defect" in loud.err


def test_ctrl_c_is_exit_130_without_a_word(cli: Run, known: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Client, "items", interrupted)

    result = cli("bots", "list")

    assert (result.code, result.out, result.err) == (130, "", "")
