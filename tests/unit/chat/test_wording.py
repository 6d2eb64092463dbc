"""Which questions are taken for the same: ways to write one, and never two."""

from itertools import combinations

import pytest

from chatsphere.chat.cache.wording import same_wording

SAME = [
    ("How do I cancel?", "how do I cancel"),
    ("How do I cancel?", "  How  do\tI cancel ?? "),
    ("How do I cancel?", "How do I cancel…"),
    ("How do I cancel?", "Hello, how do I cancel?"),
    ("How do I cancel?", "Please, how do I cancel"),
    ("How do I cancel?", "How do I cancel, please?"),
    ("How do I cancel?", "Hi there! How do I cancel? "),
    ("What’s the price?", "What's the price?"),
    ("Où est le café ?", "où est le cafe\u0301?"),
    ("何ですか？", "何ですか"),
    ("Who is “Ada”?", 'Who is "Ada"?'),
]

# Each line: questions that look alike, to people or to an embedder, and of which no two are the same.
DIFFERENT = [
    ["How do I enable two-factor login?", "How do I disable two-factor login?"],
    ["What changed in 2023?", "What changed in 2024?", "What changed in 2O23?"],
    ["What is due before closing?", "What is due after closing?"],
    ["How do I move from Berlin to Paris?", "How do I move from Paris to Berlin?"],
    ["Is it covered?", "Is it not covered?", "Isn't it covered?"],
    ["What does IT cost?", "What does it cost?"],
    ["May the US sue us?", "May the us sue US?"],
    ["Does the policy include travel?", "Does the policy exclude travel?"],
    ["What is the minimum deposit?", "What is the maximum deposit?"],
    ["Can I pay with a card?", "Can I pay without a card?", "Can I pay a card?"],
    ["How much is plan A?", "How much is plan B?", "How much is plan a?", "How much is a plan?"],
    ["How do I increase the limit?", "How do I decrease the limit?"],
    ["What is 5!", "What is 5?"],
    ["What is C?", "What is C++?", "What is C#?"],
    ["How do I reset Teams?", "How do I reset teams?"],
    ["What is v1.2?", "What is v12?", "What is v1,2?"],
    ["Is -5 allowed?", "Is 5 allowed?", "Is +5 allowed?"],
    ["What is x²?", "What is x2?"],
    ["Is more than 5 allowed?", "Is less than 5 allowed?", "Is 5 allowed?"],
    ["Who wrote Please Please Me?", "Who wrote Please Me?"],
    ["Please Like Me is by whom?", "Like Me is by whom?"],
    ["if x:\n  y\nz", "if x:\n  y\n  z"],
    ["Wie lange ist die Garantie gültig?", "Wie lange ist die Garantie ungültig?"],
    ["schon bezahlt?", "schön bezahlt?"],
    ["Do I have to pay?", "Do I have two pay?"],
    ["Only managers can approve what?", "Managers can only approve what?"],
    ["US visa", "us visa"],
    ["Was ist versichert?", "Was ist mitversichert?"],
    ["Is smoking allowed on the 1st floor?", "Is smoking allowed on the 2nd floor?"],
    ["Who reports to Ada Byron?", "Who does Ada Byron report to?"],
    ["", "?"],
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_ways_to_write_a_question_are_the_same(one: str, other: str) -> None:
    assert same_wording(one) == same_wording(other)


@pytest.mark.parametrize("questions", DIFFERENT, ids=lambda questions: questions[0])
def test_questions_that_look_alike_are_not(questions: list[str]) -> None:
    for one, other in combinations(questions, 2):
        assert same_wording(one) != same_wording(other)


def test_no_question_of_one_line_is_taken_for_one_of_another() -> None:
    texts = {question for questions in DIFFERENT for question in questions}
    assert len({same_wording(text) for text in texts}) == len(texts)


@pytest.mark.parametrize("text", [one for pair in SAME for one in pair])
def test_the_same_wording_is_its_own(text: str) -> None:
    assert same_wording(same_wording(text)) == same_wording(text)
