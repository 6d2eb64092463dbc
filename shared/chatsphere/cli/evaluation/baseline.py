"""BM25 by another implementation, on the same passages: what lexical search is held to."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from chatsphere.cli.errors import UsageError
from chatsphere.cli.evaluation.dataset import Dataset, Question
from chatsphere.cli.evaluation.measuring import DEPTH, Scores, score

NAME = "bm25s"


def require() -> None:
    """Check that the baseline can be computed before hours are spent on the rest.

    Raises:
        UsageError: a package is missing.
    """
    for package, distribution in (("bm25s", "bm25s"), ("Stemmer", "PyStemmer")):
        try:
            import_module(package)
        except ImportError:
            raise UsageError(
                f"The baseline needs the package {distribution}.", hint="pip install bm25s PyStemmer"
            ) from None


def measure(dataset: Dataset, questions: Sequence[Question]) -> Scores:
    """Score bm25s with English stemming and stop words, method `lucene`, its default k1 and b."""
    # Neither package has types.
    bm25s: Any = import_module("bm25s")
    stemmer: Any = import_module("Stemmer").Stemmer("english")
    passages = dataset.loadable

    def tokens(texts: Sequence[str]) -> Any:
        return bm25s.tokenize(list(texts), stopwords="en", stemmer=stemmer, show_progress=False)

    index = bm25s.BM25(method="lucene")
    index.index(tokens([passage.text for passage in passages]), show_progress=False)
    found, scores = index.retrieve(
        tokens([question.text for question in questions]), k=min(DEPTH, len(passages)), show_progress=False
    )
    # bm25s fills up with passages that share no word with the question: they were not found.
    rankings = [
        [passages[number].id for number, value in zip(row, row_scores, strict=True) if value > 0]
        for row, row_scores in zip(found, scores, strict=True)
    ]
    return score(NAME, rankings, questions)
