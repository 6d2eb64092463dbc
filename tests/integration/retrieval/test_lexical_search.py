"""Lexical search: BM25 as published, over exactly what the bot's readers may see."""

import random
from collections.abc import Callable

import pytest

from chatsphere.knowledge.retrieval import lexical
from tests.integration.retrieval.library import Library, bm25

# Words that the stemmer leaves as they are.
WORDS = [f"{first}{second}k" for first in "bdfgmnprtz" for second in ("a", "o", "u", "ab", "ob")]


def random_texts(count: int, seed: int) -> list[str]:
    """Return texts of frequent and rare words, of different lengths."""
    chance = random.Random(seed)
    weights = [1 / (rank + 1) for rank in range(len(WORDS))]
    return [" ".join(chance.choices(WORDS, weights, k=chance.randint(3, 60))) for _ in range(count)]


def test_scores_are_those_of_the_published_formula(library: Library) -> None:
    texts = random_texts(60, seed=1)
    documents = [library.add(*texts[start : start + 5]) for start in range(0, 60, 5)]
    chunks = [chunk for document in documents for chunk in library.chunks[document]]
    question = f"{WORDS[0]} {WORDS[7]} {WORDS[20]} {WORDS[20]} {WORDS[40]}"

    found = library.find(f"What is the {question}?", limit=60)

    expected = bm25(question.split(), [text.split() for text in texts])
    wanted = {chunk: score for chunk, score in zip(chunks, expected, strict=True) if score}
    assert found == pytest.approx(wanted)
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_inflected_words_match_and_stop_words_do_not(library: Library) -> None:
    document = library.add("The committee rejected three proposals.", "It was what it was.")

    assert list(library.find("Which proposal was rejected?")) == [library.chunks[document][0]]


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("See https://example.com/prices.html for prices_2024.xlsx", "example prices 2024"),
        ("A boundary-layer e-mail about v1.2.3", "boundary"),
        ("Das Café an der Straße", "cafe"),
        ("ΑΘΉΝΑ και Πειραιάς", "αθηνα"),
        ("Привет, МОСКВА", "москва"),
        ("ＦＵＬＬＷＩＤＴＨ ﬁne", "fullwidth"),
        ("我爱北京天安门广场。", "天安门在哪里"),
        ("東京は日本の首都です。", "日本の首都"),
        ("กรุงเทพมหานครเป็นเมืองหลวง", "กรุงเทพ"),
        ("सत्यमेव जयते।", "जयते"),
    ],
)
def test_words_are_found_in_any_script_and_spelling(library: Library, text: str, question: str) -> None:
    document = library.add(text, "an unrelated line")

    assert list(library.find(question)) == [library.chunks[document][0]]


def test_headings_count_as_text(library: Library) -> None:
    document = library.add("Thirty days from delivery.", heading=("Terms", "Refunds"))

    assert list(library.find("refund")) == library.chunks[document]


@pytest.mark.parametrize("question", ["", "   ", "the of and", "?!", "zzzz", "a'b\"c \\ | & ! <-> :*", "x" * 5000])
def test_a_question_without_known_words_finds_nothing(library: Library, question: str) -> None:
    library.add("Thirty days from delivery.")

    assert library.find(question) == {}


def test_an_empty_bot_finds_nothing(library: Library) -> None:
    assert library.find("anything") == {}


def test_a_search_can_be_restricted_to_documents(library: Library) -> None:
    documents = [library.add("apple pear", "apple plum") for _ in range(3)]

    found = library.find("apple plum", documents=[documents[1]])

    assert list(found) == [library.chunks[documents[1]][1], library.chunks[documents[1]][0]]


def test_no_more_than_the_limit_is_returned(library: Library) -> None:
    library.add(*["apple"] * 5)

    assert len(library.find("apple", limit=3)) == 3


def test_frequent_words_that_find_nothing_still_count(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    library.add(*random_texts(80, seed=2))
    question = " ".join(WORDS[:3] + WORDS[30:33])
    exact = library.find(question, limit=10)
    # Given: no more room than for the rarest words.
    monkeypatch.setattr(lexical, "MAX_POSTINGS", 20)

    found = library.find(question, limit=10)

    assert {chunk: found[chunk] for chunk in list(exact)[:3]} == pytest.approx(dict(list(exact.items())[:3]))


def test_a_pasted_page_is_cut_to_its_rarest_words(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexical, "MAX_TERMS", 1)
    document = library.add("apple pear", "apple", "apple")

    assert list(library.find("apple pear")) == [library.chunks[document][0]]


def test_another_organization_finds_nothing_by_naming_the_bot(new_library: Callable[[], Library]) -> None:
    mine, other = new_library(), new_library()
    mine.add("apple")
    forged = Library(mine.database, mine.ids, other.namespace)
    forged.namespace = type(other.namespace)(other.namespace.organization_id, mine.namespace.bot_id)

    assert forged.find("apple") == {}
    assert list(mine.find("apple")) != []
