"""Streams from a vendor: piece by piece, ended at once, and cut ones noticed."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from chatsphere.adapters.upstream.client import NAP_SECONDS
from chatsphere.cancellation import CallCancelledError, Cancellation
from chatsphere.errors import ProviderOverloadedError, ProviderRejectedError, UnavailableError
from tests.unit.providers.conftest import Timeline
from tests.unit.providers.scripted_server import (
    ScriptedServer,
    Step,
    answers,
    chunked,
    drips,
    hangs_up,
    sends,
    sends_then_hangs_up,
    sends_then_is_silent,
)
from tests.unit.providers.test_upstream import upstream
from tests.waiting import wait_for


def test_pieces_come_before_the_end(server: ScriptedServer) -> None:
    server.script = [sends_then_is_silent(chunked(b"data: 1\n\n", whole=False))]
    stream = upstream(server.url).stream("POST", "/", {})
    assert next(stream) == b"data: 1\n\n"
    stream.close()


def test_closing_it_closes_the_connection(server: ScriptedServer) -> None:
    server.script = [sends_then_is_silent(chunked(b"data: 1\n\n", whole=False))]
    stream = upstream(server.url).stream("POST", "/", {})
    next(stream)
    assert server.left == 0
    stream.close()
    wait_for(lambda: server.left == 1, what="the server to see the client leave")


def test_a_whole_stream_leaves_its_connection_for_the_next(server: ScriptedServer) -> None:
    server.script = [sends(chunked(b"a", b"b")), sends(chunked(b"c"))]
    vendor = upstream(server.url)
    assert [b"".join(vendor.stream("POST", "/", {})) for _ in range(2)] == [b"ab", b"c"]
    assert server.connections == 1


def test_an_empty_stream_is_empty(server: ScriptedServer) -> None:
    server.script = [sends(chunked())]
    assert list(upstream(server.url).stream("POST", "/", {})) == []


@pytest.mark.parametrize(
    "fault",
    [answers(503), answers(429), hangs_up, sends_then_hangs_up(chunked(whole=False))],
    ids=["503", "429", "hung up", "cut before the first byte"],
)
def test_before_its_first_byte_it_is_tried_again(server: ScriptedServer, timeline: Timeline, fault: Step) -> None:
    server.script = [fault, sends(chunked(b"a"))]
    assert b"".join(upstream(server.url, timeline).stream("POST", "/", {})) == b"a"
    assert timeline.slept == [0.25]


def test_after_its_first_byte_it_is_not(server: ScriptedServer) -> None:
    server.script = [sends_then_hangs_up(chunked(b"a", whole=False)), sends(chunked(b"b"))]
    stream = upstream(server.url).stream("POST", "/", {})
    assert next(stream) == b"a"
    with pytest.raises(UnavailableError):
        next(stream)
    assert len(server.requests) == 1


def test_a_refusal_is_one(server: ScriptedServer) -> None:
    server.script = [answers(400)]
    with pytest.raises(ProviderRejectedError):
        next(upstream(server.url).stream("POST", "/", {}))


def test_another_success_than_200_is_no_stream(server: ScriptedServer) -> None:
    server.script = [answers(202)]
    with pytest.raises(UnavailableError):
        next(upstream(server.url).stream("POST", "/", {}))


def test_silence_between_pieces_ends(server: ScriptedServer) -> None:
    server.script = [sends_then_is_silent(chunked(b"a", whole=False))]
    stream = upstream(server.url, provider_read_seconds=0.1).stream("POST", "/", {})
    next(stream)
    with pytest.raises(UnavailableError):
        next(stream)


def test_a_slow_drip_ends_at_the_total_time(server: ScriptedServer) -> None:
    server.script = [drips(chunked(*[b"x"] * 100), after=80)]
    with pytest.raises(UnavailableError):
        list(upstream(server.url, provider_total_seconds=0.3, provider_attempts=1).stream("POST", "/", {}))
    wait_for(lambda: server.left, what="the server to see the client leave")


def test_streams_that_are_cut_open_the_circuit(server: ScriptedServer) -> None:
    server.script = [sends_then_hangs_up(chunked(b"a", whole=False)) for _ in range(2)]
    vendor = upstream(server.url, provider_breaker_failures=2)
    for _ in range(2):
        with pytest.raises(UnavailableError):
            list(vendor.stream("POST", "/", {}))
    with pytest.raises(ProviderOverloadedError):
        next(vendor.stream("POST", "/", {}))


def test_a_stream_that_the_caller_ends_is_no_failure(server: ScriptedServer) -> None:
    server.script = [sends_then_is_silent(chunked(b"a", whole=False)) for _ in range(3)]
    vendor = upstream(server.url, provider_breaker_failures=1)
    for _ in range(3):
        stream = vendor.stream("POST", "/", {})
        assert next(stream) == b"a"
        stream.close()


@pytest.mark.parametrize("sent", [b"", chunked(b"a", whole=False)], ids=["before the headers", "between pieces"])
def test_another_thread_ends_the_wait_for_a_silent_vendor(server: ScriptedServer, sent: bytes) -> None:
    # Given a vendor that is waited for
    server.script = [sends_then_is_silent(sent), sends(chunked(b"b"))]
    vendor, cancellation = upstream(server.url, provider_breaker_failures=1), Cancellation()
    stream = vendor.stream("POST", "/", {}, cancellation=cancellation)
    if sent:
        assert next(stream) == b"a"
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(next, stream)
        wait_for(lambda: server.requests, what="the vendor to be called")
        # When
        cancellation.cancel()
        # Then
        with pytest.raises(CallCancelledError):
            waiting.result()
    wait_for(lambda: server.left, what="the server to see the client leave")
    # And it is no failure of the vendor's
    assert b"".join(vendor.stream("POST", "/", {})) == b"b"


def test_what_is_cancelled_is_not_tried_again(server: ScriptedServer) -> None:
    class CancelledWhileWaiting(Timeline):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            cancellation.cancel()

    server.script = [answers(503, **{"retry-after": "20"}), sends(chunked(b"a"))]
    cancellation, timeline = Cancellation(), CancelledWhileWaiting()
    with pytest.raises(CallCancelledError):
        next(upstream(server.url, timeline).stream("POST", "/", {}, cancellation=cancellation))
    assert timeline.slept == [NAP_SECONDS]
    assert len(server.script) == 1


def test_what_is_cancelled_before_is_not_called(server: ScriptedServer) -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(CallCancelledError):
        next(upstream(server.url).stream("POST", "/", {}, cancellation=cancellation))
    assert server.connections == 0
