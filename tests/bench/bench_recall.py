"""Whether memory helps retrieval: long conversations, asked with and without recall.

Run as `python -m tests.bench.bench_recall`. The real embedder, store, memory and follow-up rules over a scratch
PostgreSQL. Each question has one passage that answers it among 129.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import log2
from typing import Final
from uuid import UUID

from chatsphere.adapters.extractive import ExtractiveAnswerModel
from chatsphere.adapters.minilm import MiniLmEmbedder
from chatsphere.adapters.pgvector import PgVectorStore
from chatsphere.adapters.pgvector_messages import PgMessageVectors
from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.chat.memory.recalling import BotMemory
from chatsphere.chat.opening import open_turn
from chatsphere.chat.retrieving import BotRetriever
from chatsphere.chat.turns import Question
from chatsphere.db.database import Database
from tests.bench import recall_conversations as conversations
from tests.bench.recall_conversations import SHOP, Case
from tests.conftest import add_tenant
from tests.integration.ingestion.pipeline import Pipeline
from tests.integration.memory import talking
from tests.postgres import fresh_database, running_server

DEEP: Final = 10
SETTINGS: Final = ("off", "conversation", "end_user")
SETS: Final[dict[str, Callable[[], Iterator[Case]]]] = {
    "named long ago": conversations.named_long_ago,
    "complete question": conversations.complete_questions,
    "unrelated question": conversations.unrelated_questions,
}


class Shop:
    """A bot that knows the manuals, and its conversations."""

    def __init__(self, pipeline: Pipeline, embedder: MiniLmEmbedder) -> None:
        self._pipeline = pipeline
        self._model = ExtractiveAnswerModel(embedder)
        database = pipeline.database
        self._retriever = BotRetriever(database, lambda _: embedder, pipeline.vectors)
        self._memory = BotMemory(database, lambda _: embedder, pipeline.messages, lambda: pipeline.embed_queue)

    def read_manuals(self) -> None:
        """Ingest the documents."""
        for name, lines in conversations.passages().items():
            self._pipeline.drop(name, "\n".join(lines))
        self._pipeline.run()

    def hold(self, opening: str, user: str) -> UUID:
        """Hold a conversation of which the beginning is longer ago than the history reaches; return it."""
        said = [opening, "Yes, that is possible.", *(text for pair in SHOP.items() for text in pair)]
        return talking.say(self._pipeline, *said, end_user=user)

    def rank(self, case: Case, conversation: UUID | None, user: str) -> int | None:
        """Ask at the end of a conversation, or in a new one; return the rank of the passage that answers."""
        tenant = self._pipeline.tenant
        question = Question(
            tenant.organization_id, tenant.user_id, tenant.bot_id, case.question,
            conversation_id=conversation, end_user_id=user,
        )  # fmt: skip
        turn = open_turn(
            question,
            database=self._pipeline.database,
            retriever=self._retriever,
            clock=SystemClock(),
            ids=self._pipeline.ids,
            model=self._model,
        )
        recalled = self._memory.recall(turn)
        asked = self._model.standalone_question(case.question, [*recalled.turns, *turn.history]).text
        settings = turn.bot.configuration.retrieval
        found = self._retriever.search(
            tenant.organization_id, tenant.bot_id, asked, limit=DEEP, within=None, settings=settings
        )
        ranks = [place for place, hit in enumerate(found.hits, 1) if case.answer in hit.content]
        return min(ranks, default=None)


@contextmanager
def running_shop() -> Iterator[tuple[Shop, Pipeline]]:
    """Run a bot with a database of its own."""
    with running_server() as server, fresh_database(server) as urls:
        database, ids, embedder = Database(urls.app), UuidV7Ids(SystemClock()), MiniLmEmbedder()
        pipeline = Pipeline(
            add_tenant(database, ids), database, Database(urls.reaper), ids,
            vectors=PgVectorStore(database), messages=PgMessageVectors(database), embedder=embedder,
        )  # fmt: skip
        pipeline.clock.advance(SystemClock().now() - pipeline.clock.now())
        shop = Shop(pipeline, embedder)
        shop.read_manuals()
        yield shop, pipeline
        database.close()


def measured(ranks: Sequence[int | None]) -> str:
    """Return nDCG@10 and the share of questions whose passage is the first, as cells of a table."""
    gains = [0.0 if rank is None else 1 / log2(1 + rank) for rank in ranks]
    return f"{sum(gains) / len(gains):.3f} | {sum(rank == 1 for rank in ranks) / len(ranks):.2f}"


def main() -> None:
    """Print the table."""
    print("| questions | asked | recall | nDCG@10 | first |\n|---|---|---|---|---|")
    with running_shop() as (shop, pipeline):
        for title, cases in SETS.items():
            asked = [(case, f"{title} {number}") for number, case in enumerate(cases())]
            held = [shop.hold(case.opening, user) for case, user in asked]
            talking.remember(pipeline)
            for setting in SETTINGS:
                talking.configure(pipeline, recall=setting)
                same = [shop.rank(case, there, user) for (case, user), there in zip(asked, held, strict=True)]
                print(f"| {title} | in the same conversation | {setting} | {measured(same)} |", flush=True)
                new = [shop.rank(case, None, user) for case, user in asked]
                print(f"| {title} | in a new one | {setting} | {measured(new)} |", flush=True)


if __name__ == "__main__":
    main()
