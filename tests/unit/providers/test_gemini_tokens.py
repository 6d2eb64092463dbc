import json
from pathlib import Path

import pytest

from chatsphere.adapters.gemini.tokens import GeminiTokenEstimate, fitting

COUNTS = json.loads((Path(__file__).parent / "gemma_token_counts.json").read_text("utf-8"))["counts"]


@pytest.mark.parametrize("kind", COUNTS)
def test_the_estimate_is_near_the_count_of_a_tokenizer_of_the_family(kind: str) -> None:
    true = COUNTS[kind]["tokens"]
    assert 0.75 <= GeminiTokenEstimate().count_tokens(COUNTS[kind]["text"]) / true <= 2.4


def test_over_all_kinds_it_counts_too_many_rather_than_too_few() -> None:
    true = sum(entry["tokens"] for entry in COUNTS.values())
    estimated = sum(GeminiTokenEstimate().count_tokens(entry["text"]) for entry in COUNTS.values())
    assert 1 <= estimated / true <= 1.4


@pytest.mark.parametrize("kind", COUNTS)
@pytest.mark.parametrize("limit", [0, 1, 7, 10_000])
def test_what_is_cut_fits_and_is_as_long_as_fits(kind: str, limit: int) -> None:
    text, counter = COUNTS[kind]["text"], GeminiTokenEstimate()
    cut = fitting(text, limit)
    assert text.startswith(cut)
    assert counter.count_tokens(cut) <= limit or not cut
    assert cut == text or counter.count_tokens(cut) > limit - 200
