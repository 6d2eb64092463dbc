"""Explanations: whoever has one computes every score again."""

from math import exp, isclose, log

import pytest

from chatsphere.knowledge.retrieval.explanation import Explanation
from chatsphere.knowledge.retrieval.models import SearchResult
from chatsphere.knowledge.retrieval.settings import RetrievalSettings
from tests.integration.retrieval.library import Library

TEXTS = tuple(f"pears {'grow' if number % 2 else 'fall'} on tree {number}" for number in range(30))


def explained(
    library: Library, query: str, settings: RetrievalSettings | None = None
) -> tuple[SearchResult, Explanation]:
    """Search with an explanation."""
    result = library.search(query, settings=settings or RetrievalSettings(), explain=True)
    assert result.explanation is not None
    return result, result.explanation


@pytest.mark.parametrize("candidates", [10, 100])
@pytest.mark.parametrize("weight", [0.0, 1.5, 7.25])
def test_every_score_can_be_computed_again(library: Library, candidates: int, weight: float) -> None:
    library.shelve(*TEXTS)
    library.add("pears that only words find, growing")

    result, explanation = explained(
        library, "pears grow unknownword", RetrievalSettings(lexical_weight=weight, candidates=candidates)
    )

    assert isclose(explanation.total_weight, sum(term.weight for term in explanation.terms))
    assert len(result.hits) == 8
    for hit in result.hits:
        why = hit.explanation
        assert why is not None
        assert isclose(hit.score, (why.dense_part + weight * why.lexical_part) / (1 + weight))
        assert why.dense_part == (explanation.dense_floor if why.dense is None else why.dense)
        assert why.lexical_part == (explanation.lexical_floor if why.lexical_share is None else why.lexical_share)
        if why.lexical is not None:
            assert isclose(why.lexical_share or 0, why.lexical / explanation.total_weight)
        assert set(why.terms) | set(why.missing_terms) == {term.term for term in explanation.terms}
        assert "unknownword" in why.missing_terms


def test_weights_are_inverse_document_frequencies(library: Library) -> None:
    library.shelve(*TEXTS)

    _, explanation = explained(library, "pears grow")

    terms = {term.term: term for term in explanation.terms}
    assert {name: term.document_frequency for name, term in terms.items()} == {"pear": 30, "grow": 15}
    assert isclose(terms["pear"].weight, log(1 + 0.5 / 30.5))
    assert isclose(terms["grow"].weight, log(1 + 15.5 / 15.5))


def test_ranks_count_in_each_side(library: Library) -> None:
    library.shelve(*TEXTS)

    result, explanation = explained(library, "pears grow on tree 3", RetrievalSettings(deduplicate=False))

    best = result.hits[0].explanation
    assert best is not None
    assert (best.dense_rank, best.lexical_rank) == (1, 1)
    by_rank = sorted((why.dense_rank or 0, -(why.dense or 0)) for hit in result.hits if (why := hit.explanation))
    assert by_rank == sorted(by_rank, key=lambda pair: pair[1])
    assert (explanation.dense_found, explanation.lexical_found) == (30, 30)


def test_confidence_can_be_computed_again(library: Library) -> None:
    library.shelve(*TEXTS)

    result, explanation = explained(library, "pears grow")

    features, fitted = explanation.features, explanation.calibration
    assert features is not None
    assert fitted is not None
    odds = fitted.intercept + fitted.dense * features.dense + fitted.coverage * features.coverage
    assert result.confidence == explanation.confidence == pytest.approx(1 / (1 + exp(-odds)))
    assert features.coverage == pytest.approx(1)
    assert features.dense == max(hit.scores.dense or 0 for hit in result.hits)
    assert (explanation.embedding_model, explanation.configurations) == ("words", ("english",))


@pytest.mark.parametrize(("threshold", "refused"), [(0.0, False), (1.0, True), (None, False)])
def test_it_says_whether_chat_would_refuse(library: Library, threshold: float | None, refused: bool) -> None:
    library.shelve(*TEXTS)

    result, explanation = explained(library, "pears grow", RetrievalSettings(threshold=threshold))

    assert explanation.refused is refused
    assert result.threshold == explanation.threshold
    assert threshold in (None, explanation.threshold)


def test_nothing_found_is_refused_and_has_no_features(library: Library) -> None:
    result, explanation = explained(library, "anything")

    assert (result.hits, explanation.features, explanation.refused) == ((), None, True)
