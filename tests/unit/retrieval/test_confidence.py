"""Confidence: grows with the evidence, whatever the bot's size."""

import pytest

from chatsphere.knowledge.retrieval.calibration import BUILT_IN, WORDS_ALONE
from chatsphere.knowledge.retrieval.confidence import Evidence, confidence, features
from chatsphere.knowledge.retrieval.lexical import Question
from chatsphere.knowledge.retrieval.words import Term

(MODEL, *_) = BUILT_IN.values()


def question(*frequencies: int, chunks: int = 100) -> Question:
    """Return a question of terms "0", "1", … with these document frequencies."""
    return Question(tuple(Term(str(n), found) for n, found in enumerate(frequencies)), chunks, 50.0)


def test_no_hits_are_no_confidence() -> None:
    assert confidence(MODEL, question(1), []) == 0.0


def test_nearer_hits_and_more_words_are_more_confidence() -> None:
    asked = question(3, 3)

    chances = [
        confidence(MODEL, asked, [Evidence(dense, terms)])
        for dense, terms in [(0.05, []), (0.3, []), (0.3, ["0"]), (0.3, ["0", "1"]), (0.8, ["0", "1"])]
    ]

    assert chances == sorted(set(chances))
    assert chances[0] < 0.05
    assert chances[-1] > 0.95


def test_a_rare_word_covers_more_than_a_common_one() -> None:
    asked = question(2, 5000, chunks=10_000)

    rare, common = (features(asked, [Evidence(None, [term])]).coverage for term in ("0", "1"))

    assert rare > 3 * common
    assert rare + common == pytest.approx(1)


def test_in_a_tiny_bot_all_words_count_alike() -> None:
    asked = question(1, 0, chunks=1)

    assert features(asked, [Evidence(0.5, ["0"])]).coverage == pytest.approx(0.5, abs=0.02)


def test_the_best_hit_decides_each_feature() -> None:
    found = features(question(1, 1), [Evidence(0.2, ["0", "1"]), Evidence(0.6, []), Evidence(None, ["0"])])

    assert (found.dense, found.coverage) == (0.6, 1.0)


def test_a_question_of_stop_words_has_no_coverage() -> None:
    assert features(Question(), [Evidence(0.4, [])]).coverage == 0.0


def test_an_uncalibrated_model_is_judged_by_words_alone() -> None:
    asked = question(1, 1)

    near, far = (confidence(WORDS_ALONE, asked, [Evidence(dense, ["0"])]) for dense in (0.9, 0.1))

    assert near == far
    assert confidence(WORDS_ALONE, asked, [Evidence(0.1, ["0", "1"])]) > near
