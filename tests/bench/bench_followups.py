"""How well follow-ups are searched for: `python -m tests.bench.bench_followups [DIR]`.

DIR is a set of follow-ups (see `chatsphere.cli.evaluation.conversations`); without it, the one beside this file. Each
question is made to stand alone from its conversation as chat does it, by the model that needs no vendor, and searched
for through the product's own search over an embedded PostgreSQL; so is the same question asked in full, and the
follow-up as it stands. Prints nDCG@10 of each, by kind, language and split, and the difference with its 95 % interval
(paired bootstrap).
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from uuid import UUID

from chatsphere.adapters.extractive import ExtractiveAnswerModel
from chatsphere.adapters.minilm import MiniLmEmbedder
from chatsphere.adapters.pgvector import PgVectorStore
from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.chat.retrieving import BotRetriever
from chatsphere.cli import metrics
from chatsphere.cli.evaluation.conversations import FollowUp, FollowUpSet, read_follow_ups
from chatsphere.cli.evaluation.intervals import mean_of
from chatsphere.db.database import Database
from chatsphere.knowledge.retrieval.embedding_text import embedding_text
from chatsphere.ports.answers import Turn
from chatsphere.ports.vectors import Namespace, VectorRecord
from tests.conftest import add_tenant
from tests.integration.retrieval.library import Library
from tests.postgres import fresh_database, running_server

OWN_SET = Path(__file__).with_name("followups")
DEPTH = 10

Search = Callable[[str], list[str]]


@dataclass(frozen=True)
class Measured:
    """One follow-up: nDCG@10 made stand-alone, asked in full, and as it stands."""

    follow_up: FollowUp
    rewritten: str
    standalone: float
    full: float
    bare: float


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("directory", type=Path, nargs="?", default=OWN_SET)
    arguments.add_argument("--misses", action="store_true", help="print what was found worse than asked in full")
    options = arguments.parse_args()
    chosen = read_follow_ups(options.directory)
    with searching(chosen) as search:
        measured = measure(chosen.follow_ups, search)
    if options.misses:
        _print_misses(measured)
    report(measured)


@contextmanager
def searching(chosen: FollowUpSet) -> Iterator[Search]:
    """Lend the product's search over a bot that holds the set's passages."""
    with running_server() as server, fresh_database(server) as urls:
        database = Database(urls.app)
        try:
            yield fill(database, chosen)
        finally:
            database.close()


def fill(database: Database, chosen: FollowUpSet) -> Search:
    """Write each passage as a document of one chunk and return the search over them."""
    ids, embedder, store = UuidV7Ids(SystemClock()), MiniLmEmbedder(), PgVectorStore(database)
    tenant = add_tenant(database, ids)
    library = Library(database, ids, Namespace(tenant.organization_id, tenant.bot_id))
    names: dict[UUID, str] = {}
    for passage in chosen.passages:
        document = library.add(passage.text, name=passage.name)
        names[document] = passage.id
        (vector,) = embedder.embed_documents([embedding_text(passage.name, [], passage.text)])
        store.upsert(
            library.namespace, [VectorRecord(f"{document}:1:0", vector, document, 1, library.chunks[document][0])]
        )
    retriever = BotRetriever(database, lambda _: embedder, store)

    def search(query: str) -> list[str]:
        found = retriever.search(tenant.organization_id, tenant.bot_id, query, limit=DEPTH)
        return metrics.fold(names[hit.document_id] for hit in found.hits)

    return search


def measure(follow_ups: Sequence[FollowUp], search: Search) -> list[Measured]:
    """Search three times for each follow-up."""
    model = ExtractiveAnswerModel(MiniLmEmbedder())
    measured = []
    for follow_up in follow_ups:
        history = [Turn(said.role, said.content) for said in follow_up.turns]
        rewritten = model.standalone_question(follow_up.question, history).text
        scores = [
            metrics.ndcg(search(query), follow_up.relevant, DEPTH)
            for query in (rewritten, follow_up.full_question, follow_up.question)
        ]
        measured.append(Measured(follow_up, rewritten, *scores))
    return measured


def report(measured: Sequence[Measured]) -> None:
    """Print the table."""
    print(f"{'follow-ups':24}{'n':>4}{'stand-alone':>13}{'in full':>9}{'as it stands':>14}{'difference':>12}  95 %")
    for title, group in _groups(measured).items():
        difference = mean_of([one.standalone - one.full for one in group])
        print(
            f"{title:24}{len(group):4}{fmean(one.standalone for one in group):13.3f}"
            f"{fmean(one.full for one in group):9.3f}{fmean(one.bare for one in group):14.3f}"
            f"{difference.value:+12.3f}  [{difference.low:+.3f}, {difference.high:+.3f}]"
        )


def _groups(measured: Sequence[Measured]) -> dict[str, list[Measured]]:
    groups: dict[str, list[Measured]] = defaultdict(list)
    for one in measured:
        for name in ("kind", "language", "split"):
            value = getattr(one.follow_up, name)
            if value:
                groups[f"{name} {value}"].append(one)
    return {**{key: groups[key] for key in sorted(groups)}, "all": list(measured)}


def _print_misses(measured: Sequence[Measured]) -> None:
    for one in measured:
        if one.standalone < one.full:
            print(f"{one.follow_up.id} {one.follow_up.kind}: {one.standalone:.2f} < {one.full:.2f}  {one.rewritten!r}")


if __name__ == "__main__":
    main()
