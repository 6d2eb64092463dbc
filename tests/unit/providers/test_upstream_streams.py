"""Streams from a vendor: piece by piece, ended at once, and cut ones noticed."""

import pytest

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
