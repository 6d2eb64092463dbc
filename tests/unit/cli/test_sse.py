"""Server-Sent Events, cut anywhere."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatsphere.cli.sse import Event, events, lines

STREAM = (
    ': hello\n\nevent: delta\r\ndata: {"text":"a\u2028b"}\r\n\r\ndata: {"n":\ndata: 1}\n\nevent: done\ndata: {}\n\n'
)
EXPECTED = [Event("delta", {"text": "a\u2028b"}), Event("message", {"n": 1}), Event("done", {})]


@given(st.lists(st.integers(0, len(STREAM)), max_size=10))
def test_events_do_not_depend_on_where_the_stream_is_cut(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    chunks = [STREAM[start:end] for start, end in pairwise(places)]

    assert list(events(lines(chunks))) == EXPECTED


def test_an_event_cut_off_by_the_end_is_dropped() -> None:
    assert list(events(lines([STREAM, "event: delta\ndata: {}\n"]))) == EXPECTED


@pytest.mark.parametrize("data", ["{", "[]", "1"])
def test_data_that_is_no_object_is_an_error(data: str) -> None:
    with pytest.raises(ValueError):
        list(events(lines([f"data: {data}\n\n"])))
