"""What chat takes besides embedding and the model, in bots of given sizes, one client, warm.

    python -m tests.bench.bench_chat --chunks 10000 100000

The use case of chat with an embedded PostgreSQL, the local embedder and the extractive answers; synthetic are only the
bot's text and vectors. Beside it in the same run: the two lookups of a search as raw SQL, and the raw embedding of a
question.
"""

import argparse
from collections.abc import Sequence
from time import perf_counter

import psycopg

from chatsphere.adapters.extractive import ExtractiveAnswerModel
from chatsphere.adapters.minilm import MiniLmEmbedder
from chatsphere.adapters.pgvector import PgVectorStore
from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.chat.answering import answer
from chatsphere.chat.events import AnswerDone
from chatsphere.chat.retrieving import BotRetriever
from chatsphere.chat.services import Services
from chatsphere.chat.turns import Question
from chatsphere.db.database import Database
from chatsphere.knowledge.retrieval.lexical import analyse, search_lexical
from chatsphere.knowledge.retrieval.settings import CANDIDATES
from chatsphere.ports.vectors import Namespace
from tests.bench.bench_search import SyntheticEmbedder, prepare
from tests.bench.search_corpus import Corpus
from tests.bench.timing import Timing, print_table, summarize, time_calls
from tests.postgres import DatabaseUrls, fresh_database, running_server

QUESTIONS = 100
WARM_UP = 5
OWN_STAGES = ("load", "rewrite", "retrieve", "persist")

# A plan without a limit of messages, and an answer to each question: synthetic words say little.
OPEN = """
UPDATE organizations SET plan_id = (SELECT id FROM subscription_plans WHERE name = 'Enterprise');
UPDATE bots SET configuration = '{"threshold": 0, "cache": false}', status = 'trained';
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Fill a bot of each size and print a table for it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, nargs="+", default=[10_000, 100_000])
    for chunks in parser.parse_args(arguments).chunks:
        with running_server() as server, fresh_database(server) as urls:
            measure(urls, chunks)


def measure(urls: DatabaseUrls, chunks: int) -> None:
    """Fill one bot and print what asking it takes."""
    corpus, database = Corpus(), Database(urls.app)
    bot = prepare(urls, database, corpus, chunks)
    with psycopg.connect(urls.admin, autocommit=True) as connection:
        connection.execute(OPEN)
    count = QUESTIONS + WARM_UP
    questions = [corpus.question() for _ in range(count)]
    vectors = [vector.tolist() for vector in corpus.query_vectors(count)]
    plain, store = MiniLmEmbedder(), PgVectorStore(database)

    def raw(number: int) -> None:
        store.query(bot.namespace, vectors[number], limit=CANDIDATES)
        _lexical(database, bot.namespace, questions[number])

    embedding = time_calls("raw embedding of a question", lambda i: plain.embed_query(questions[i]), calls=QUESTIONS)
    sql = time_calls("raw SQL: nearest vectors, and words", raw, calls=QUESTIONS)
    # The one that the extractive answers use is the real one: sentences are really compared.
    services = _services(database, SyntheticEmbedder(vectors), plain)
    own = _ask(services, bot.namespace, questions)
    database.close()
    print_table(f"Chat, {chunks:,} chunks of one bot, one client, warm", [embedding, *own], baseline=sql)


def _lexical(database: Database, namespace: Namespace, question: str) -> None:
    with database.transaction(namespace.organization_id) as connection:
        analysed = analyse(connection, namespace.bot_id, question)
        search_lexical(connection, namespace.bot_id, analysed, limit=CANDIDATES, documents=None)


def _services(database: Database, embedder: SyntheticEmbedder, plain: MiniLmEmbedder) -> Services:
    clock = SystemClock()
    return Services(
        database=database,
        retriever=BotRetriever(database, lambda _: embedder, PgVectorStore(database)),
        model=ExtractiveAnswerModel(plain),
        clock=clock,
        ids=UuidV7Ids(clock),
    )


def _ask(services: Services, namespace: Namespace, questions: Sequence[str]) -> list[Timing]:
    """Ask one question after the other; return the time of the whole, and of what is neither embedding nor model."""
    whole, own = [], []
    stages: dict[str, list[float]] = {}
    for text in questions:
        question = Question(namespace.organization_id, None, namespace.bot_id, text)
        begin = perf_counter()
        last = list(answer(question, services))[-1]
        whole.append((perf_counter() - begin) * 1000)
        assert isinstance(last, AnswerDone), last
        own.append(whole[-1] - last.latency_ms.get("embed", 0) - last.latency_ms.get("model", 0))
        for name in OWN_STAGES:
            stages.setdefault(name, []).append(last.latency_ms.get(name, 0))
    parts = [summarize(f"  of it {name}", times[WARM_UP:]) for name, times in stages.items()]
    return [summarize("chat, whole", whole[WARM_UP:]), summarize("chat's own share", own[WARM_UP:]), *parts]


if __name__ == "__main__":
    main()
