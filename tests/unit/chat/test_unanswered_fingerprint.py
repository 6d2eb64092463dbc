"""Which questions are the same."""

import pytest

from chatsphere.chat.unanswered.noting import fingerprint


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Who sings?", "who  sings"),
        ("Who\nsings", "WHO SINGS!!"),
        ("Straße", "STRASSE"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("ｆｕｌｌ width", "full width"),
        ("???", " ???"),
    ],
)
def test_only_how_it_is_written_differs(one: str, other: str) -> None:
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Who sings?", "Who dances?"), ("C", "C++"), ("??", "!!"), ("ab", "a b"), ("कि", "का")]
)
def test_these_are_different_questions(one: str, other: str) -> None:
    assert fingerprint(one) != fingerprint(other)
