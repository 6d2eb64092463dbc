from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatsphere.adapters.extractive.followups import MAX_BORROWED_WORDS, MAX_READ_CHARS, needs_context, standalone
from chatsphere.ports.answers import Turn


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
        "and how much does Falcon plan cost?"
    )


def test_a_chain_of_follow_ups_keeps_the_first_subject() -> None:
    question = standalone("And for students?", after("What is the Falcon plan?", "how much does it cost?"))
    assert question == "how much does Falcon plan cost for students?"


def test_a_new_subject_replaces_the_old_one() -> None:
    history = after("What is the Falcon plan?", "How long is the Eagle warranty?")
    assert standalone("Is it extensible?", history) == "Is Eagle extensible?"


def test_without_history_there_is_nothing_to_borrow() -> None:
    assert standalone("and then?", []) == "and then?"
    assert standalone("and then?", [Turn("assistant", "Welcome to the Falcon shop")]) == "and then?"


def talk(*said: str) -> list[Turn]:
    return [Turn(("user", "assistant")[place % 2], text) for place, text in enumerate(said)]


FALCON = talk("What does the Falcon 5 cost?", "The Falcon 5 costs 49 EUR.")
BOTH = [*FALCON, *talk("And the Eagle?", "The Eagle costs 99 EUR.")]


@pytest.mark.parametrize(
    ("history", "question", "expected"),
    [
        # A pronoun, also where only the answer named what it stands for.
        (FALCON, "How heavy is it?", "How heavy is Falcon 5?"),
        (talk("Who found radium?", "Marie Curie found it."), "Where was she born?", "Where was Marie Curie born?"),
        (talk("Wie laut ist der Ofen Thermo 3?", "Leise."), "Was kostet er?", "Ofen Thermo 3: Was kostet er?"),
        # What an ellipsis names takes the place of its like; what it does not name stays.
        (FALCON, "And the Eagle?", "What does the Eagle cost?"),
        (BOTH, "And how heavy is it?", "And how heavy is Eagle?"),
        (FALCON, "and for students?", "What does the Falcon 5 cost for students?"),
        (FALCON, "What about the warranty?", "Falcon 5: What about the warranty?"),
        (talk("Was kostet die Karte A 1?", "Neun."), "Und die Karte B 2?", "Was kostet die Karte B 2?"),
        (
            talk("¿Cuánto cuesta el visado de estudiante?", "80"),
            "¿Y el de turista?",
            "¿Cuánto cuesta el visado de turista?",
        ),
        # Two that were spoken of.
        (BOTH, "Compare the two by weight.", "Compare Falcon 5 / Eagle by weight."),
        (BOTH, "which is cheaper?", "Falcon 5 Eagle: which is cheaper?"),
        # The second of a list.
        (talk("What is there?", "1. Falcon 5\n2. Eagle"), "How much is the second one?", "How much is Eagle?"),
        # Nothing of its own.
        (FALCON, "Why?", "What does the Falcon 5 cost: Why?"),
        # Another subject.
        (FALCON, "What is photosynthesis?", "What is photosynthesis?"),
        (FALCON, "How long is parental leave?", "How long is parental leave?"),
        (FALCON, "Does the Eagle fly at night?", "Does the Eagle fly at night?"),
    ],
)
def test_what_a_question_leaves_out_is_taken_from_the_conversation(
    history: list[Turn], question: str, expected: str
) -> None:
    assert standalone(question, history) == expected


def test_what_a_question_names_replaces_the_thing_it_is_most_like() -> None:
    history = talk("How does basalt form?", "Basalt forms from lava at the surface.")

    def likeness(text: str, others: Sequence[str]) -> list[float]:
        return [0.9 if (text, other) == ("granite", "basalt") else 0.1 for other in others]

    assert standalone("And granite?", history, likeness) == "How does granite form?"


@given(st.lists(st.text(max_size=60), max_size=5), st.text(max_size=60))
def test_any_conversation_leaves_a_question_that_ends_as_short_as_it_may(said: list[str], question: str) -> None:
    rewritten = standalone(question, talk(*said))
    assert rewritten == question or rewritten.strip()


def test_words_that_the_question_has_are_not_repeated() -> None:
    assert standalone("And the plans?", after("What is the Falcon plan?")) == "Falcon: And the plans?"


def test_a_long_question_lends_only_a_few_words() -> None:
    history = after(" ".join(f"subject{n}" for n in range(1000)))
    assert len(standalone("and why?", history).split(":")[0].split()) == MAX_BORROWED_WORDS


def test_of_a_very_long_message_its_beginning_is_read() -> None:
    said = "What does the Falcon plan cost? " + "[1" * MAX_READ_CHARS + " Does the Heron plan cost more?"
    found = standalone("And what does it include?", [Turn("user", said), Turn("assistant", "49 EUR.")])
    assert "Heron" not in found
    assert len(found) < 1000
