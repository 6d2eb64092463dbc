"""One vendor over HTTP: what is sent, what is tried again, and where it ends."""

import gzip
import json
import logging
import socket
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from chatsphere.adapters.upstream import Upstream, exchange
from chatsphere.errors import (
    ChatSphereError,
    ConfigurationError,
    ProviderOverloadedError,
    ProviderRejectedError,
    UnavailableError,
)
from chatsphere.settings import ProviderSettings
from tests.unit.providers.conftest import Timeline
from tests.unit.providers.scripted_server import (
    ScriptedServer,
    Step,
    answers,
    drips,
    hangs_up,
    is_silent,
    raw_answer,
    sends,
    sends_then_hangs_up,
    sends_then_is_silent,
)
from tests.waiting import wait_for

KEY = "the-secret-key"
WORDS = "words of a person"


def upstream(url: str, timeline: Timeline | None = None, **settings: float) -> Upstream:
    time = timeline or Timeline()
    return Upstream(
        "Vendor",
        url,
        {"x-key": KEY},
        ProviderSettings.model_validate({"provider_backoff_seconds": 0.5, **settings}),
        sleep=time.sleep,
        random=lambda: 0.5,
        monotonic=time.monotonic,
    )


def unused_url() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


# -------------------------------------------------------------------------------------------- what is sent


def test_json_goes_out_with_the_key_in_a_header_and_comes_back(server: ScriptedServer) -> None:
    server.script = [answers(200, {"vectors": [1, 2]}, X_Lsn="7")]

    reply = upstream(server.url + "/base/").call("POST", "/query?a=b", {"text": "Grüße"})

    assert (reply.status, reply.body, reply.headers["x-lsn"]) == (200, {"vectors": [1, 2]}, "7")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /base/query?a=b HTTP/1.1\r\n")
    assert f"x-key: {KEY}".encode() in head
    assert json.loads(body) == {"text": "Grüße"}


def test_half_a_character_is_not_sent_as_one(server: ScriptedServer) -> None:
    server.script = [answers(200)]
    upstream(server.url).call("POST", "/", {"text": "a\ud800b"})
    assert json.loads(server.requests[0].partition(b"\r\n\r\n")[2]) == {"text": "a?b"}


def test_a_call_without_a_body_sends_none_and_an_answer_may_have_none(server: ScriptedServer) -> None:
    server.script = [sends(b"HTTP/1.1 204 X\r\n\r\n")]
    reply = upstream(server.url).call("DELETE", "/things/1")
    assert (reply.status, reply.body) == (204, None)
    assert server.requests[0].endswith(b"\r\n\r\n")


def test_one_connection_serves_many_calls(server: ScriptedServer) -> None:
    server.script = [answers(200), answers(404), answers(200)]
    vendor = upstream(server.url)
    for _ in range(3):
        vendor.call("GET", "/", accepted=(404,))
    assert (len(server.requests), server.connections) == (3, 1)


def test_compressed_answers_are_read(server: ScriptedServer) -> None:
    server.script = [sends(raw_answer(200, gzip.compress(b'{"a": 1}'), [("Content-Encoding", "gzip")]))]
    assert upstream(server.url).call("GET", "/").body == {"a": 1}


# ---------------------------------------------------------------------------------------- what is tried again


@pytest.mark.parametrize(
    "fault",
    [
        answers(408),
        answers(429),
        answers(500),
        answers(503),
        hangs_up,
        sends_then_hangs_up(raw_answer(200, b"{}")[:-1]),
        sends_then_hangs_up(b"HTTP/1.1 200 OK\r\nServer: x\r\n"),
    ],
    ids=["408", "429", "500", "503", "hung up", "cut", "cut in the headers"],
)
def test_what_may_pass_is_tried_again(server: ScriptedServer, timeline: Timeline, fault: Step) -> None:
    server.script = [fault, fault, answers(200, {"ok": True})]

    reply = upstream(server.url, timeline).call("POST", "/", {})

    assert reply.body == {"ok": True}
    assert timeline.slept == [0.25, 0.5]


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 409, 422])
def test_what_is_refused_for_good_is_not(server: ScriptedServer, status: int) -> None:
    server.script = [answers(status, {"error": WORDS}, Location="/elsewhere"), answers(200)]
    with pytest.raises(ProviderRejectedError):
        upstream(server.url).call("GET", "/")
    assert len(server.requests) == 1


def test_a_status_can_be_accepted(server: ScriptedServer) -> None:
    server.script = [sends(raw_answer(404, b"not here"))]
    reply = upstream(server.url).call("GET", "/", accepted=(404,))
    assert (reply.status, reply.body) == (404, None)


@pytest.mark.parametrize(("status", "error"), [(429, ProviderOverloadedError), (500, UnavailableError)])
def test_tries_are_limited(server: ScriptedServer, status: int, error: type[ChatSphereError]) -> None:
    server.script = [answers(status) for _ in range(4)]
    with pytest.raises(error) as raised:
        upstream(server.url, provider_attempts=3).call("GET", "/")
    assert type(raised.value) is error
    assert len(server.requests) == 3


def test_nobody_listening_is_unavailable(timeline: Timeline) -> None:
    with pytest.raises(UnavailableError):
        upstream(unused_url(), timeline).call("GET", "/")
    assert len(timeline.slept) == 3


@pytest.mark.parametrize(("fault", "calls"), [(hangs_up, 1), (answers(503), 1), (answers(429), 2)])
def test_a_call_that_may_have_been_done_is_not_repeated_unless_it_may_be(
    server: ScriptedServer, fault: Step, calls: int
) -> None:
    server.script = [fault, answers(200)]
    with suppress(UnavailableError):
        upstream(server.url).call("POST", "/", {}, repeatable=False)
    assert len(server.requests) == calls


def test_a_call_that_never_arrived_is_repeated_always(timeline: Timeline) -> None:
    with pytest.raises(UnavailableError):
        upstream(unused_url(), timeline).call("POST", "/", {}, repeatable=False)
    assert len(timeline.slept) == 3


# ----------------------------------------------------------------------------------------------- how long


def test_seconds_of_rest_are_kept(server: ScriptedServer, timeline: Timeline) -> None:
    server.script = [answers(429, Retry_After="7"), answers(200)]
    upstream(server.url, timeline).call("GET", "/")
    assert timeline.slept == [7.25]


def test_a_date_of_rest_is_kept(server: ScriptedServer, timeline: Timeline) -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    server.script = [answers(503, Retry_After=until), answers(200)]
    upstream(server.url, timeline).call("GET", "/")
    assert 15 < timeline.slept[0] < 21


@pytest.mark.parametrize("asked", ["soon", "", "-1", "Thu, 99 Foo"])
def test_rest_that_cannot_be_read_is_ours(server: ScriptedServer, timeline: Timeline, asked: str) -> None:
    server.script = [answers(429, Retry_After=asked), answers(200)]
    upstream(server.url, timeline).call("GET", "/")
    assert timeline.slept == [0.25]


def test_rest_longer_than_the_time_is_not_waited_for(server: ScriptedServer, timeline: Timeline) -> None:
    server.script = [answers(429, Retry_After="60")]
    with pytest.raises(ProviderOverloadedError):
        upstream(server.url, timeline, provider_total_seconds=45).call("GET", "/")
    assert timeline.slept == []


def test_a_call_can_be_given_less_time(server: ScriptedServer, timeline: Timeline) -> None:
    server.script = [answers(429, Retry_After="10")]
    with pytest.raises(ProviderOverloadedError):
        upstream(server.url, timeline).call("GET", "/", within_seconds=8)
    assert timeline.slept == []


def test_silence_ends_at_the_time_limit_of_a_read(server: ScriptedServer) -> None:
    server.script = [is_silent]
    with pytest.raises(UnavailableError):
        upstream(server.url, provider_read_seconds=0.1, provider_attempts=1).call("GET", "/")
    wait_for(lambda: server.left, what="the server to see the client leave")


HEADERS = [("X-Padding", "x" * 400)]


@pytest.mark.parametrize(
    "step",
    [
        drips(raw_answer(200, b"{}", HEADERS)),
        drips(raw_answer(200, b"{}", HEADERS), after=60),
        drips(raw_answer(200, b'"' + b"x" * 400 + b'"'), after=60),
        drips(raw_answer(200, b'"' + b"x" * 400 + b'"', [("Connection", "close")]), after=60),
    ],
    ids=["status", "headers", "body", "last body"],
)
def test_a_slow_drip_ends_at_the_total_time(server: ScriptedServer, step: Step) -> None:
    server.script = [step]
    with pytest.raises(UnavailableError):
        upstream(server.url, provider_total_seconds=0.3, provider_attempts=1).call("GET", "/")
    wait_for(lambda: server.left, what="the server to see the client leave")


def test_silence_amid_the_answer_ends(server: ScriptedServer) -> None:
    server.script = [sends_then_is_silent(raw_answer(200, b"{}")[:-1])]
    with pytest.raises(UnavailableError):
        upstream(server.url, provider_total_seconds=0.2, provider_attempts=1).call("GET", "/")
    wait_for(lambda: server.left, what="the server to see the client leave")


# ------------------------------------------------------------------------------------- what cannot be read


@pytest.mark.parametrize(
    "body", [b"<html>", b'{"a": ', b"\xff\xfe", b"[" * 100_000], ids=["html", "cut", "bytes", "deep"]
)
def test_an_answer_that_is_no_json_is_unavailable_at_once(server: ScriptedServer, body: bytes) -> None:
    server.script = [sends(raw_answer(200, body))]
    with pytest.raises(UnavailableError):
        upstream(server.url).call("GET", "/")


def test_what_is_not_http_is_unavailable(server: ScriptedServer) -> None:
    server.script = [sends_then_hangs_up(b"SSH-2.0-OpenSSH\r\n")]
    with pytest.raises(UnavailableError):
        upstream(server.url, provider_attempts=1).call("GET", "/")


@pytest.mark.parametrize("compressed", [False, True])
def test_an_answer_that_is_too_large_is_not_read_to_its_end(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, compressed: bool
) -> None:
    monkeypatch.setattr(exchange, "MAX_ANSWER_BYTES", 100_000)
    body = b'"' + b"x" * 1_000_000 + b'"'
    coding = [("Content-Encoding", "gzip")] if compressed else []
    server.script = [sends(raw_answer(200, gzip.compress(body) if compressed else body, coding))]
    with pytest.raises(UnavailableError, match="too much"):
        upstream(server.url).call("GET", "/")


# --------------------------------------------------------------------------------------------- the circuit


def test_after_failures_in_a_row_the_vendor_is_left_alone(server: ScriptedServer, timeline: Timeline) -> None:
    server.script = [*(answers(500) for _ in range(4)), answers(200, {"ok": True})]
    vendor = upstream(server.url, timeline, provider_attempts=2, provider_breaker_failures=4)
    for _ in range(2):
        with pytest.raises(UnavailableError):
            vendor.call("GET", "/")

    with pytest.raises(ProviderOverloadedError):
        vendor.call("GET", "/")
    assert len(server.requests) == 4

    timeline.now += 15
    assert vendor.call("GET", "/").body == {"ok": True}


def test_refusals_are_answers(server: ScriptedServer) -> None:
    server.script = [answers(400) for _ in range(5)]
    vendor = upstream(server.url, provider_breaker_failures=2)
    for _ in range(5):
        with pytest.raises(ProviderRejectedError):
            vendor.call("GET", "/")


# ------------------------------------------------------------------------------------------------ secrets


@pytest.mark.parametrize("step", [answers(400, {"e": WORDS}), answers(500, {"e": WORDS}), hangs_up])
def test_neither_key_nor_words_reach_an_error_or_a_log(
    server: ScriptedServer, step: Step, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    server.script = [step]
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ChatSphereError) as raised:
        upstream(server.url, provider_attempts=1).call("POST", "/", {"text": WORDS})
    told = [str(raised.value), raised.value.detail, *capsys.readouterr(), caplog.text]
    assert not [text for text in told if KEY in text or WORDS in text]
    assert raised.value.__cause__ is None


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com",
        "http://127.0.0.1.example.com",
        "http://10.0.0.1",
        "ftp://127.0.0.1",
        "api.example.com",
        "https://user:pass@api.example.com",
        "https://api.example.com?key=1",
        "",
    ],
)
def test_an_address_that_would_give_the_key_away_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        upstream(url)


@pytest.mark.parametrize("url", ["https://api.example.com/v1", "http://localhost:1", "http://[::1]:1"])
def test_other_addresses_open_nothing_by_themselves(url: str) -> None:
    upstream(url)
