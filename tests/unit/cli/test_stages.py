"""What a person is told of a document that failed."""

import pytest

from chatsphere.cli.stages import problem


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("The file is encrypted", "encrypted: The file is encrypted. Save it"),
        ("The file is encrypted.", "encrypted: The file is encrypted. Save it"),
        (None, "encrypted. Save it"),
    ],
)
def test_why_and_what_to_do_are_sentences(message: str | None, told: str) -> None:
    assert problem({"error_code": "encrypted", "error_message": message}, 200).startswith(told)


def test_a_long_reason_leaves_room_for_what_to_do() -> None:
    shown = problem({"id": "7", "error_code": "unknown", "error_message": "x" * 500, "retryable": True}, 40)
    assert shown.endswith("… Try it again: chatsphere docs reprocess 7")
