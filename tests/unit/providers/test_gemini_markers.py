"""From `[n]` in a model's words to claims that hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatsphere.adapters.gemini.markers import MarkedText
from chatsphere.adapters.gemini.support import read, supporting_quote
from chatsphere.ports.answers import AnswerCitation, AnswerDelta, SourcePassage

FALCON = "The Falcon plan is for small teams. It costs 49 EUR a month and comes with 20 seats."
EAGLE = "The Eagle plan is for large teams.\nIt costs 99 EUR a month. Support is by phone, from 9 to 5."
PASSAGES = (SourcePassage(1, "eagle.md", None, EAGLE), SourcePassage(2, "falcon.md", None, FALCON))

Claim = tuple[int, str, str]


def told(*pieces: str) -> tuple[str, list[Claim]]:
    """Return the text and, for each claim, its passage, the span of the answer and the quote."""
    marked = MarkedText(PASSAGES)
    events = [event for piece in pieces for event in marked.add(piece)] + list(marked.end())
    text = "".join(event.text for event in events if isinstance(event, AnswerDelta))
    claims = [event for event in events if isinstance(event, AnswerCitation)]
    return text, [(claim.number, text[claim.answer_start : claim.answer_end], claim.quote) for claim in claims]


COST = (2, "The Falcon plan costs 49 EUR", FALCON)


@pytest.mark.parametrize(
    "said",
    [
        "The Falcon plan costs 49 EUR [2].",
        "The Falcon plan costs 49 EUR[2].",
        "The Falcon plan costs 49 EUR  [ 2 ].",
        "The Falcon plan costs 49 EUR [2][2].",
    ],
)
def test_a_mark_becomes_a_claim_and_leaves_the_text(said: str) -> None:
    assert told(said) == ("The Falcon plan costs 49 EUR.", [COST])


def test_a_mark_after_the_full_stop_is_about_the_sentence_before() -> None:
    text, claims = told("It is for teams. The Falcon plan costs 49 EUR. [2] More follows.")
    assert text == "It is for teams. The Falcon plan costs 49 EUR. More follows."
    assert claims == [(2, "The Falcon plan costs 49 EUR.", COST[2])]


@pytest.mark.parametrize("mark", ["[1][2]", "[1, 2]", "[1,2]", "[1-2]", "[1–2]", "[1] [2]", "[1;2]", "[1]. [2]"])
def test_a_statement_may_rest_on_two_passages(mark: str) -> None:
    _, claims = told(f"There are teams, small and large {mark}")
    assert [(number, quote) for number, _, quote in claims] == [
        (1, "The Eagle plan is for large teams."),
        (2, "The Falcon plan is for small teams."),
    ]


def test_each_statement_has_its_own_span() -> None:
    text, claims = told("- 49 EUR a month [2]\n- comes with 20 seats [2]\n")
    assert text == "- 49 EUR a month\n- comes with 20 seats\n"
    assert [span for _, span, _ in claims] == ["- 49 EUR a month", "- comes with 20 seats"]


@pytest.mark.parametrize(
    "said",
    [
        "The Falcon plan costs 49 EUR [7].",
        "The Falcon plan costs 49 EUR [0].",
        "The Falcon plan costs 49 EUR [999].",
        "The Falcon plan costs 59 EUR [2].",
        "The Falcon plan costs 49 EUR for 25 seats [2].",
        "Penguins live in Antarctica [2].",
        "Small penguins that live near research stations of several nations often gather in teams [2].",
        "Yes [2].",
        "[2]",
        "... [1]",
    ],
)
def test_what_no_passage_supports_is_not_claimed(said: str) -> None:
    text, claims = told(said)
    assert claims == []
    assert "[" not in text


@pytest.mark.parametrize(
    "said",
    [
        "see [the docs](https://example.com)",
        "see [1](https://example.com) for 49 EUR a month",
        "an array `prices[1]` and\n```\nx[2] = 49\n```\n",
        "a list [a, b] and [ ] and []",
        "an open [1, 2",
        "a year [2019 EUR]",
        "spaces at the end   ",
        "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]",
    ],
)
def test_other_brackets_stay(said: str) -> None:
    assert told(said) == (said, [])


def test_a_statement_that_sums_up_two_sentences_quotes_both() -> None:
    _, claims = told("The Eagle plan is for large teams and costs 99 EUR a month [1].")
    assert claims[0][2] == "The Eagle plan is for large teams.\nIt costs 99 EUR a month."


def test_a_statement_that_one_sentence_supports_quotes_no_more() -> None:
    _, claims = told("It comes with 20 seats [2].")
    assert claims[0][2] == "It costs 49 EUR a month and comes with 20 seats."


def test_numbers_count_in_any_spelling() -> None:
    passage = SourcePassage(1, "a", None, "The device weighs 1,299.50 kg and holds 007 crates.")
    marked = MarkedText([passage])
    events = list(marked.add("The device weighs 1.299,5 kg with 7 crates [1]")) + list(marked.end())
    assert [type(event) for event in events] == [AnswerDelta, AnswerCitation]


def test_text_is_given_out_as_soon_as_it_is_certain() -> None:
    marked = MarkedText(PASSAGES)
    assert list(marked.add("It costs 49 EUR ")) == [AnswerDelta("It costs 49 EUR")]
    assert list(marked.add("[")) == []
    assert list(marked.add("2]")) == []
    claim, rest = marked.add(". And")
    assert isinstance(claim, AnswerCitation)
    assert rest == AnswerDelta(". And")


ALPHABET = st.sampled_from(
    [*"[]12 ,-`(\n.", "The Falcon plan costs 49 EUR", " 20 seats", "[2]", " [1, 2]", "漢字。", "🦅"]
)


@given(st.lists(ALPHABET, max_size=30).map("".join), st.data())
def test_where_the_stream_is_cut_changes_nothing(said: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(said)), max_size=8)))
    pieces = [said[start:end] for start, end in zip([0, *cuts], [*cuts, len(said)], strict=True)]
    assert told(*pieces) == told(said)


@given(st.lists(ALPHABET, max_size=30).map("".join))
def test_every_claim_is_a_quote_about_a_span(said: str) -> None:
    text, claims = told(said)
    for number, span, quote in claims:
        assert quote in PASSAGES[number - 1].content
        assert span.strip() == span != ""
        assert span in text


def test_a_year_in_brackets_names_no_passage() -> None:
    many = tuple(SourcePassage(number, "falcon.md", None, FALCON) for number in range(1, 6))
    marked = MarkedText(many)
    events = [*marked.add("The Falcon plan costs 49 EUR [2024]."), *marked.end()]
    assert not [event for event in events if isinstance(event, AnswerCitation)]


def test_a_number_before_a_full_stop_must_be_the_passages_too() -> None:
    passage = "The office opens on 5. May at nine."
    for day, supported in ((5, True), (3, False)):
        statement = f"The office opens on {day}. May at nine."
        assert (supporting_quote(statement, read(passage)) is not None) == supported


@pytest.mark.parametrize(
    ("statement", "passage", "supported"),
    [
        ("Sale items cannot be returned.", "Sale items cannot be returned.", True),
        ("Sale items cannot be returned.", "Sale items can be returned within 30 days.", False),
        ("Sale items can be returned.", "Sale items cannot be returned.", False),
        ("Refunds are possible within 30 days.", "Refunds are possible within 30 days, but not for sale items.", True),
        ("The museum is not open on Mondays.", "The museum is closed on Mondays.", True),
        ("Dogs are welcome at the lodge.", "No animals, and no dogs, are welcome at the lodge.", False),
        ("Hunde sind erlaubt im Haus.", "Hunde sind im Haus nicht erlaubt.", False),
        ("La carte n'est pas gratuite.", "La carte coûte dix euros.", False),
        ("Se puede trabajar con el visado.", "Con el visado no se puede trabajar.", False),
        ("The plan of Eagle costs 49 EUR.", "The plan of Falcon costs 49 EUR.", False),
        ("It costs 49 EUR and includes 3 seats.", "It costs 49 EUR. It includes 5 seats.", False),
        ("3. Mai 2024 ist der Beginn der Miete.", "Beginn der Miete ist der 4. Mai 2024.", False),
    ],
)
def test_a_statement_is_not_supported_by_its_opposite(statement: str, passage: str, supported: bool) -> None:
    assert (supporting_quote(statement, read(passage)) is not None) == supported


def test_long_white_space_takes_no_longer_than_other_text() -> None:
    # Quadratic, each of these would take minutes.
    gap = " " * 60_000
    assert told(f"The Falcon plan{gap}costs 49 EUR [2].", "\n" * 60_000 + "It is [1].")[0].startswith("The Falcon")
