import json
from itertools import pairwise
from typing import Any

import pytest

from chatsphere.http.event_stream import sse_event


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "two\nlines",
        "carriage\r\nreturn\rs",
        "separators \u2028 and \u2029 and \x85",
        "ünïcödé 漢字 🦅",
        'quotes " and \\ backslashes',
        "data: not a field\n\nevent: done",
        "",
        "\x1c\x1d\x1e\x0b\x0c",
    ],
)
def test_an_event_is_one_name_line_one_data_line_and_a_blank_line(text: str) -> None:
    frame = sse_event("delta", {"text": text}).decode()
    # str.splitlines splits at everything that any client takes for a line end.
    name, data, blank = frame.splitlines()[:3]
    assert frame.endswith("\n\n")
    assert len(frame.splitlines()) == 3
    assert name == "event: delta"
    assert json.loads(data.removeprefix("data: ")) == {"text": text}
    assert blank == ""


def test_events_follow_each_other_without_ambiguity() -> None:
    stream = b"".join(sse_event("delta", {"text": str(n)}) for n in range(3)).decode()
    events: list[dict[str, Any]] = [
        json.loads(line.removeprefix("data: ")) for name, line in pairwise(stream.split("\n")) if name == "event: delta"
    ]
    assert events == [{"text": "0"}, {"text": "1"}, {"text": "2"}]


def test_what_is_no_json_number_is_never_sent() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        sse_event("done", {"confidence": float("nan")})
