"""A conversation's first title."""

import pytest

from chatsphere.chat.titles import MAX_CHARS, title_of


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("What does it cost?", "What does it cost?"),
        ("  What\n\ndoes\tit cost? ", "What does it cost?"),
        ("# Prices\n\n**What** does the `pro` plan _really_ cost?", "Prices What does the pro plan _really_ cost?"),
        ("***Both*** and ~~none~~", "Both and none"),
        ("- one\n- two\n1. three\n> four", "one two three four"),
        ("See [the plans](https://example.com/plans) ![logo](x.png)", "See the plans logo"),
        ("Why does this fail?\n```python\nprint(1)\n```", "Why does this fail?"),
        ("2 * 3 * 4 and snake_case_name", "2 * 3 * 4 and snake_case_name"),
        ("```only code```", "```only code```"),
        ("???", "???"),
    ],
)
def test_it_is_the_question_as_plain_text_in_one_line(question: str, title: str) -> None:
    assert title_of(question) == title


def test_of_a_long_question_it_is_the_first_sentence() -> None:
    asked = "Hi! What does the Falcon plan cost per month? " + "I ask because of our budget, which is small. " * 3
    assert title_of(asked) == "Hi! What does the Falcon plan cost per month?"


@pytest.mark.parametrize("question", ["word " * 40, "longer, words; and — dashes " * 10])
def test_a_long_sentence_ends_after_a_whole_word(question: str) -> None:
    title = title_of(question)
    assert len(title) <= MAX_CHARS
    assert title.endswith("…")
    assert question.startswith(title[:-1])
    assert not question[len(title) - 1].isalnum()


@pytest.mark.parametrize("question", ["x" * 300, "料金" * 60, "short " + "y" * 200])
def test_what_has_no_spaces_is_cut_anywhere(question: str) -> None:
    title = title_of(question)
    assert (len(title), title[-1]) == (MAX_CHARS, "…")


def test_hostile_markup_takes_no_time() -> None:
    for question in ("[" * 8000, "*" * 8000, "`" * 7999 + " ", "> " * 4000, "a*" * 4000, "~~~" + "`" * 7000):
        assert title_of(question)
