import pytest

from chatsphere.adapters.extractive.followups import MAX_BORROWED_WORDS, needs_context, standalone
from chatsphere.ports import Turn


def after(*questions: str) -> list[Turn]:
    return [turn for question in questions for turn in (Turn("user", question), Turn("assistant", "Some answer."))]


@pytest.mark.parametrize(
    "question",
    [
        "and how much does it cost?",
        "And the Eagle plan?",
        "what about refunds for students?",
        "How about on weekends and holidays?",
        "How long does it take to arrive?",
        "When was he born in that city?",
        "Do they ship to Norway?",
        "What is its price per month?",
        "Who wrote that?",
        "Why?",
        "How much?",
        "Does the price include it?",
        "und der Adler-Tarif?",
    ],
)
def test_a_question_that_leans_on_the_one_before_needs_context(question: str) -> None:
    assert needs_context(question)


@pytest.mark.parametrize(
    "question",
    [
        "How much does the Falcon plan cost?",
        "How long is the warranty of the Eagle plan?",
        "Is it possible to return shoes after 30 days?",
        "How long does it take to cancel a subscription?",
        "If I lose my card, who replaces it?",
        "What are the documents that must be submitted to the court?",
        "What is the Falcon plan and what does it include?",
        "Which animals regulate their temperature?",
        "Was kostet der Falcon-Tarif?",
    ],
)
def test_a_question_that_names_its_subject_stays_as_it_is(question: str) -> None:
    assert not needs_context(question)
    assert standalone(question, after("What is the Eagle plan?")) == question


def test_the_subject_comes_from_the_question_before() -> None:
    assert standalone("and how much does it cost?", after("What is the Falcon plan?")) == (
        "Falcon plan: and how much does it cost?"
    )


def test_a_chain_of_follow_ups_keeps_the_first_subject() -> None:
    question = standalone("And for students?", after("What is the Falcon plan?", "how much does it cost?"))
    assert question == "Falcon plan cost: And for students?"


def test_a_new_subject_replaces_the_old_one() -> None:
    history = after("What is the Falcon plan?", "How long is the Eagle warranty?")
    assert standalone("Is it extensible?", history) == "long Eagle warranty: Is it extensible?"


def test_without_history_there_is_nothing_to_borrow() -> None:
    assert standalone("and then?", []) == "and then?"
    assert standalone("and then?", [Turn("assistant", "Welcome to the Falcon shop")]) == "and then?"


def test_words_that_the_question_has_are_not_repeated() -> None:
    assert standalone("And the plans?", after("What is the Falcon plan?")) == "Falcon: And the plans?"


def test_a_long_question_lends_only_a_few_words() -> None:
    history = after(" ".join(f"subject{n}" for n in range(1000)))
    assert len(standalone("and why?", history).split(":")[0].split()) == MAX_BORROWED_WORDS
