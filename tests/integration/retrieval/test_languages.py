"""Words in other languages than English: each document is stemmed in its own, and a question in all of them."""

from collections.abc import Callable

import pytest

from chatsphere.knowledge.retrieval.lexical import Question, analyse
from chatsphere.knowledge.retrieval.lexical_index import compact
from chatsphere.knowledge.retrieval.models import SearchResult
from tests.integration.retrieval.library import Library

GERMAN = (
    "Die Kündigungsfristen betragen drei Monate zum Ende eines Jahres.",
    "Bestellte Waren werden innerhalb von zwei Wochen geliefert.",
    "Der Kundendienst ist montags bis freitags zu erreichen.",
)
FRENCH = (
    "Les abonnements sont résiliés à la demande des clients.",
    "Les livraisons sont effectuées sous quinze jours.",
    "Le service après-vente répond aux courriers des utilisateurs.",
)
SPANISH = (
    "Los contratos se cancelarán con treinta días de antelación.",
    "Los pedidos se entregan en dos semanas.",
    "Las facturas se envían a principios de cada mes.",
)

LANGUAGES = "ar hy eu ca da nl fi fr de el hi hu id ga it lt ne no pt ro ru sr es sv ta tr yi pl zh"


def analysed(library: Library, question: str) -> Question:
    """Return the question as the bot's index sees it."""
    with library.transaction() as connection:
        return analyse(connection, library.namespace.bot_id, question)


def found(library: Library, question: str) -> list[str]:
    """Return the texts that words find, best first."""
    return [hit.content for hit in ask(library, question).hits]


def ask(library: Library, question: str) -> SearchResult:
    """Search the bot by words, with an explanation."""
    return library.search(question, mode="lexical", explain=True)


@pytest.mark.parametrize(
    ("language", "texts", "question", "answer"),
    [
        ("de", GERMAN, "Welche Kündigungsfrist gilt?", 0),
        ("de", GERMAN, "kundigungsfrist", 0),
        ("de", GERMAN, "In welcher Woche?", 1),
        ("fr", FRENCH, "Peut-on effectuer ceci ?", 1),
        ("fr", FRENCH, "effectué", 1),
        ("es", SPANISH, "cancelar", 0),
        ("es", SPANISH, "entregar", 1),
    ],
)
def test_other_forms_of_a_word_are_found_in_its_language_only(
    new_library: Callable[[], Library], language: str, texts: tuple[str, ...], question: str, answer: int
) -> None:
    of_its_language, english = new_library(), new_library()
    of_its_language.add(*texts, language=language)
    english.add(*texts, language="en")

    assert found(of_its_language, question)[:1] == [texts[answer]]
    assert texts[answer] not in found(english, question)


def test_what_was_indexed_before_stays_english(library: Library) -> None:
    library.add("The runners were running.", "Readers read books.", language=None)

    assert analysed(library, "the run").configurations == ("english",)
    assert found(library, "run") == ["The runners were running."]


def test_a_language_without_a_stemmer_is_searched_as_it_stands(library: Library) -> None:
    library.add("Umowa zostanie rozwiązana.", language="pl")

    assert analysed(library, "umowa").configurations == ("simple",)
    assert found(library, "umowa") == ["Umowa zostanie rozwiązana."]
    assert found(library, "rozwiazana") == ["Umowa zostanie rozwiązana."]


def test_scripts_without_spaces_are_searched_by_pairs_in_every_bot(library: Library) -> None:
    library.add("東京は日本の首都です", language="ja")
    library.add(*GERMAN, language="de")

    assert found(library, "日本の首都") == ["東京は日本の首都です"]


def test_a_word_counts_once_in_a_bot_of_several_languages(library: Library) -> None:
    library.add(*GERMAN, language="de")
    library.add(*FRENCH, language="fr")
    library.add("Ordered goods are delivered.", language="en")

    question = analysed(library, "Kündigungsfrist Kündigungsfristen")

    assert question.configurations == ("english", "french", "german")
    (term,) = question.terms
    assert term.document_frequency == 1
    assert question.total_weight == question.weight(term)
    assert found(library, "Kündigungsfrist") == [GERMAN[0]]


def test_words_that_mean_nothing_in_the_questions_language_are_left_out(library: Library) -> None:
    library.add(*GERMAN, language="de")
    library.add("How do people die of the plague?", language="en")

    german = analysed(library, "Wie lang ist die Kündigungsfrist?")
    english = analysed(library, "How do people die?")

    assert not any("die" in term.lexemes for term in german.terms)
    assert any("die" in term.lexemes for term in english.terms)


def test_no_share_is_above_one_where_a_chunk_holds_all_stems_of_a_word(library: Library) -> None:
    library.add("Katze Katzen Katz Katzes", "Hunde bellen", language="de")
    library.add("Katze Katzen Katz Katzes", "dogs bark", language="en")

    result = ask(library, "Katzen")

    assert result.explanation is not None
    shares = [hit.explanation.lexical_share for hit in result.hits if hit.explanation]
    assert shares
    assert all(share is not None and 0 < share < 1 for share in shares)


def test_merged_segments_keep_their_languages(library: Library) -> None:
    for number in range(9):
        library.add(f"{GERMAN[0]} {number}", language="de" if number % 2 else "en")

    with library.transaction() as connection:
        compact(connection, library.namespace.bot_id, budget=100)

    assert analysed(library, "x").configurations == ("english", "german")
    library.assert_index_is_exact()


def test_a_language_that_is_gone_is_not_asked_any_more(library: Library) -> None:
    library.add(*GERMAN, language="de")
    french = library.add(*FRENCH, language="fr")
    with library.transaction() as connection:
        compact(connection, library.namespace.bot_id, budget=100)

    library.remove(french)

    assert analysed(library, "x").configurations == ("german",)


def test_a_question_of_any_words_is_analysed_by_every_configuration(library: Library) -> None:
    for language in LANGUAGES.split():
        library.add("Ein Satz mit 12 Wörtern — и слово, λέξη, 東京 ½ ﬁn 'quoted' \\ back.", language=language)

    question = analysed(library, "Wörter 'quoted' \\ слово ½ ﬁn ··· 東京 λέξη " * 20)

    assert len(question.configurations) == 29
    assert found(library, "слово 東京 λέξη")
    library.assert_index_is_exact()
