"""Measures what stemming a text by its own language finds that stemming it as English does not.

    python -m tests.bench.bench_languages

Words alone, by the product's lexemes and BM25: each set of `language_sets` is a bot of its own.
"""

from collections.abc import Mapping
from math import log2

import psycopg

from tests.bench.language_sets import SETS
from tests.postgres import fresh_database, running_server

LEXEMES = """
SELECT COALESCE(jsonb_object_agg(lexeme, cardinality(positions)), '{}')
FROM unnest(app.lexemes(app.text_search_configuration(%s), '{}', %s))
"""

Words = Mapping[str, int]


def main() -> None:
    """Print a row for each language."""
    print("language", "passages", "as English: first, nDCG@10", "its own: first, nDCG@10", sep="\t")
    with running_server() as server, fresh_database(server) as urls, psycopg.connect(urls.admin) as connection:
        for language, rows in SETS.items():
            columns = [_measured(connection, name, rows) for name in ("en", language)]
            print(language, len(rows), *(f"{first:.2f} {gain:.3f}" for first, gain in columns), sep="\t")


def _measured(connection: psycopg.Connection, language: str, rows: tuple[tuple[str, str], ...]) -> tuple[float, float]:
    """Return how often the right passage comes first, and the mean nDCG@10."""
    passages = [_lexemes(connection, language, passage) for passage, _ in rows]
    ranks = [
        _rank(_lexemes(connection, language, question), passages, number) for number, (_, question) in enumerate(rows)
    ]
    gains = [1 / log2(rank + 1) if rank and rank <= 10 else 0.0 for rank in ranks]
    return sum(rank == 1 for rank in ranks) / len(ranks), sum(gains) / len(gains)


def _lexemes(connection: psycopg.Connection, language: str, text: str) -> Words:
    row = connection.execute(LEXEMES, (language, text)).fetchone()
    assert row is not None
    words: Words = row[0]
    return words


def _rank(question: Words, passages: list[Words], right: int) -> int | None:
    """Return the right passage's place by BM25; None where no word finds it. Of equals, it is the last."""
    average = sum(sum(passage.values()) for passage in passages) / len(passages)
    scores = [sum(_saturated(word, passage, passages, average) for word in question) for passage in passages]
    return sum(score >= scores[right] for score in scores) if scores[right] else None


def _saturated(word: str, passage: Words, passages: list[Words], average: float) -> float:
    frequency = passage.get(word, 0)
    containing = sum(word in other for other in passages)
    weight = log2(1 + (len(passages) - containing + 0.5) / (containing + 0.5))
    return weight * frequency / (frequency + 1.5 * (0.25 + 0.75 * sum(passage.values()) / average))


if __name__ == "__main__":
    main()
