"""Measures whether neighbours of the hits help: is the answer in the passages more often, and what does that cost?

    python -m tests.bench.bench_neighbours SET_DIR

The set needs `answers` and `answer_start` (XQuAD). Five of its passages after each other make a document, cut as the
product cuts; words alone find. Tokens are counted as words.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np

from chatsphere.knowledge.chunking import Chunker
from chatsphere.knowledge.retrieval.models import Hit, Passage, Scores
from chatsphere.knowledge.retrieval.passages import assemble
from chatsphere.knowledge.text import Block, Chunk
from tests.bench.labelled_sets import Analyser, LabelledSet, SmallBot, analyser

TOGETHER = 5
BUDGET = 2000


@dataclass(frozen=True)
class Question:
    """A question, and the span of the document that answers it."""

    text: str
    document: int
    start: int
    end: int


def main() -> None:
    """Print a row for each length of chunks and number of hits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    folder = parser.parse_args().set
    documents, questions = _read(folder)
    print("words in a chunk", "hits", "neighbours", "answer in the passages", "words given", sep="\t")
    with analyser() as lexemes:
        for size in (60, 120, 200):
            for row in _measured(documents, questions, lexemes, size):
                print(size, *row, sep="\t", flush=True)


def _read(folder: Path) -> tuple[list[list[str]], list[Question]]:
    """Return documents as paragraphs, and the questions to them."""
    corpus = [json.loads(line) for line in (folder / "corpus.jsonl").open()]
    numbers = {passage["id"]: number for number, passage in enumerate(corpus)}
    texts = [passage["text"] for passage in corpus]
    places = {query: numbers[key] for query, key, _ in (line.split("\t") for line in (folder / "qrels.tsv").open())}
    questions = []
    for line in (folder / "queries.jsonl").open():
        query = json.loads(line)
        number = places[query["id"]]
        before = texts[number - number % TOGETHER : number]
        start = sum(len(text) + 2 for text in before) + query["answer_start"]
        questions.append(Question(query["text"], number // TOGETHER, start, start + len(query["answers"][0])))
    return [texts[i : i + TOGETHER] for i in range(0, len(texts), TOGETHER)], questions


def _measured(
    documents: list[list[str]], questions: list[Question], lexemes: Analyser, size: int
) -> Iterator[tuple[object, ...]]:
    ids = [uuid4() for _ in documents]
    hits = [hit for number, document in enumerate(documents) for hit in _hits(ids[number], document, size)]
    bot = SmallBot(
        LabelledSet("", [lexemes(hit.content) for hit in hits], np.zeros((len(hits), 1)), []), range(len(hits))
    )
    found = [list(bot.lexical(bot.question(tuple(lexemes(question.text))))) for question in questions]
    for limit in (3, 8):
        for reach in (0, 1, 2):
            given = [_given([hits[n] for n in ranking[:limit]], hits, reach) for ranking in found]
            held = [
                any(passage.document_id == ids[asked.document] and passage.char_start <= asked.start
                    and asked.end <= passage.char_end for passage in passages)
                for asked, passages in zip(questions, given, strict=True)
            ]  # fmt: skip
            words = [sum(len(passage.content.split()) for passage in passages) for passages in given]
            yield limit, reach, f"{np.mean(held):.3f}", f"{np.mean(words):.0f}"


def _given(chosen: list[Hit], hits: list[Hit], reach: int) -> list[Passage]:
    near = {(hit.document_id, hit.ordinal + step) for hit in chosen for step in range(-reach, reach + 1)}
    beside = [hit for hit in hits if (hit.document_id, hit.ordinal) in near and hit not in chosen]
    return assemble(chosen, BUDGET, lambda text: len(text.split()), neighbours=beside)


def _hits(document: UUID, paragraphs: list[str], size: int) -> Iterator[Hit]:
    chunker = Chunker(lambda text: len(text.split()), target_tokens=size * 9 // 10, max_tokens=size)
    for paragraph in paragraphs:
        yield from (_hit(document, chunk) for chunk in chunker.add(Block(paragraph)))
    yield from (_hit(document, chunk) for chunk in chunker.finish())


def _hit(document: UUID, chunk: Chunk) -> Hit:
    return Hit(
        chunk_id=uuid4(),
        document_id=document,
        document_name="",
        content=chunk.content,
        ordinal=chunk.ordinal,
        page_start=None,
        page_end=None,
        char_start=chunk.char_start,
        char_end=chunk.char_end,
        heading=None,
        score=0.0,
        scores=Scores(None, None, None),
    )


if __name__ == "__main__":
    main()
