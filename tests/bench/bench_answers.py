"""How often the extractive answer holds the gold answer: `python -m tests.bench.bench_answers DIR`.

DIR is a set in the BEIR-like form whose questions carry `answers`. Each question is given its gold passage
among the nearest others, in the order in which dense retrieval returns them.
"""

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chatsphere.adapters.extractive import ExtractiveAnswerModel
from chatsphere.adapters.minilm import MiniLmEmbedder
from chatsphere.ports.answers import AnswerCitation, AnswerDelta, AnswerRequest, SourcePassage


@dataclass(frozen=True)
class Outcome:
    """One question: whether the answer, and its gold passage's quotes, hold a gold string."""

    hit: bool
    cites_gold: bool
    characters: int
    quotes: int
    cpu_seconds: float


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("directory", type=Path)
    arguments.add_argument("--passages", type=int, default=5)
    arguments.add_argument("--every", type=int, default=1, help="take every n-th question")
    arguments.add_argument("--misses", type=int, default=0, help="print this many misses")
    options = arguments.parse_args()
    _report(measure(options.directory, options.passages, options.every, options.misses))


def measure(directory: Path, passages: int, every: int, misses: int = 0) -> list[Outcome]:
    """Answer every `every`-th question of the set."""
    embedder = MiniLmEmbedder()
    model = ExtractiveAnswerModel(embedder)
    corpus = {row["id"]: row for row in _rows(directory / "corpus.jsonl")}
    questions = [row for row in _rows(directory / "queries.jsonl") if row.get("answers")][::every]
    gold = dict(line.split("\t")[:2] for line in (directory / "qrels.tsv").read_text().splitlines())
    ids = list(corpus)
    matrix = np.array(embedder.embed_documents([corpus[key]["text"] for key in ids]))
    outcomes = []
    for question in questions:
        nearest = [ids[i] for i in np.argsort(-(matrix @ np.array(embedder.embed_query(question["text"]))))]
        chosen = nearest[:passages]
        if gold[question["id"]] not in chosen:
            chosen[-1] = gold[question["id"]]
        outcome, answer = _answer(model, question, [corpus[key] for key in chosen], gold[question["id"]])
        outcomes.append(outcome)
        if misses and not outcome.hit:
            misses -= 1
            print(f"Q {question['text']}\n  gold {question['answers']}\n  got  {answer!r}")
    return outcomes


def _answer(
    model: ExtractiveAnswerModel, question: dict[str, Any], given: Sequence[dict[str, Any]], gold: str
) -> tuple[Outcome, str]:
    sources = [SourcePassage(n, row.get("title", ""), None, row["text"]) for n, row in enumerate(given, 1)]
    started = time.process_time()
    events = list(model.stream(AnswerRequest(question["text"], sources)))
    cpu_seconds = time.process_time() - started
    answer = "".join(event.text for event in events if isinstance(event, AnswerDelta))
    cited = [event.number for event in events if isinstance(event, AnswerCitation)]
    hit = any(text.casefold() in answer.casefold() for text in question["answers"])
    cites_gold = any(given[number - 1]["id"] == gold for number in cited)
    return Outcome(hit, cites_gold, len(answer), len(cited), cpu_seconds), answer


def _report(outcomes: Sequence[Outcome]) -> None:
    times = sorted(outcome.cpu_seconds * 1000 for outcome in outcomes)
    count = len(outcomes)
    print(f"questions            {count}")
    print(f"gold string answered {sum(o.hit for o in outcomes) / count:.3f}")
    print(f"gold passage cited   {sum(o.cites_gold for o in outcomes) / count:.3f}")
    print(f"answer length        {statistics.mean(o.characters for o in outcomes):.0f} characters")
    print(f"quotes per answer    {statistics.mean(o.quotes for o in outcomes):.2f}")
    print(f"CPU milliseconds     p50 {statistics.median(times):.0f}, p95 {times[int(count * 0.95)]:.0f}")


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line]


if __name__ == "__main__":
    main()
