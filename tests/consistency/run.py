"""Writers that change documents through the real stages, beside readers that search all the time."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from threading import Event, Thread
from time import monotonic
from typing import Any, Final, get_args
from uuid import UUID

from psycopg import conninfo

from chatsphere.adapters.pgvector import PgVectorStore
from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.db.database import Database
from chatsphere.knowledge.ingestion.messages import PurgeMessage
from chatsphere.knowledge.retrieval.models import Mode
from chatsphere.knowledge.retrieval.search import search
from chatsphere.ports.embedding import EmbeddingModel, Vector
from tests.conftest import Tenant, add_tenant
from tests.consistency.ledger import Ledger, Report, text
from tests.fakes_chat import BagOfWordsEmbedder
from tests.integration.ingestion import retraining
from tests.integration.ingestion.pipeline import Pipeline
from tests.postgres import DatabaseUrls
from tests.waiting import wait_for

TOPICS: Final = ("ash", "birch", "cedar", "elm")
"""Documents that are always there, in one edition or another; the second half is the second writer's."""
MODES: Final = get_args(Mode)
LIMIT: Final = 30

PAUSE: Final = 0.02
SPEED: Final = 20
"""How much faster than the real one the stages' clock runs: what waits for a lease to expire takes seconds."""


def connect(urls: DatabaseUrls) -> Database:
    """Return a connection as the application; commits do not wait for the disk."""
    return Database(conninfo.make_conninfo(urls.app, options="-c synchronous_commit=off"))


class FastClock:
    """A clock that all share."""

    def __init__(self) -> None:
        self._began, self._at = SystemClock().now(), monotonic()

    def now(self) -> datetime:
        return self._began + SPEED * timedelta(seconds=monotonic() - self._at)


@dataclass
class World:
    """What the workers share: a tenant with a bot in a real database, and a bucket."""

    urls: DatabaseUrls
    tenant: Tenant
    ledger: Ledger
    clock: FastClock = field(default_factory=FastClock)
    stored: dict[str, Any] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def make(cls, urls: DatabaseUrls) -> "World":
        database = connect(urls)
        tenant = add_tenant(database, UuidV7Ids(SystemClock()))
        database.close()
        return cls(urls, tenant, Ledger())


class _OtherEmbedder(BagOfWordsEmbedder):
    """A second model, which sees the same words in other directions."""

    model = "another bag of words"

    def embed_query(self, text: str) -> Vector:
        return list(reversed(super().embed_query(text)))


MODELS: Final = {each.model: each for each in (BagOfWordsEmbedder(), _OtherEmbedder())}


def run(
    urls: DatabaseUrls,
    *,
    seconds: float,
    seed: int,
    readers: int = 3,
    sabotage: "Callable[[Writer], None]" = lambda _: None,
    until: Callable[[Report], bool] = lambda _: False,
) -> Report:
    """Let writers and readers work side by side, and return what the readers found.

    It ends before its time where `until` holds. `sabotage` breaks a writer, to see whether that is noticed.
    """
    world = World.make(urls)
    writers = [Writer(world, Random(f"{seed} writer {part}"), TOPICS[part::2]) for part in (0, 1)]
    for writer in writers:
        writer.write_first()
        sabotage(writer)
    threads: list[_Worker] = [*writers, _Trainer(world, Random(f"{seed} trainer"))]
    threads += [_Reader(world, Random(f"{seed} reader {number}")) for number in range(readers)]
    ends = monotonic() + seconds
    try:
        for thread in threads:
            thread.start()
        while monotonic() < ends and not until(world.ledger.report) and all(thread.error is None for thread in threads):
            Event().wait(PAUSE)
    finally:
        for thread in threads:
            thread.tell_to_stop()
        for thread in threads:
            thread.end()
    for thread in threads:
        if thread.error is not None:
            raise thread.error
    return world.ledger.report


class _StoppedError(Exception):
    """The run is over: nobody looks at what this step would come to."""


class _Worker(Thread):
    """Does its step again and again until it is told to stop, or the step fails."""

    def __init__(self, world: World, random: Random) -> None:
        super().__init__(daemon=True)
        self.database, self.tenant, self.ledger, self.random = connect(world.urls), world.tenant, world.ledger, random
        self.error: BaseException | None = None
        self._stopping = Event()

    def run(self) -> None:
        try:
            while not self._stopping.is_set():
                self.step()
        except _StoppedError:
            pass
        except BaseException as error:
            self.error = error

    def tell_to_stop(self) -> None:
        self._stopping.set()

    def end(self) -> None:
        """Wait for the step under way, and close what was opened."""
        self.join()
        self.database.close()

    def step(self) -> None:
        raise NotImplementedError


class _Changer(_Worker):
    """Works off what it sends itself, with stages and stores of its own beside one database."""

    def __init__(self, world: World, random: Random) -> None:
        super().__init__(world, random)
        self._reaper = Database(world.urls.reaper)
        clock: Any = world.clock
        self.pipeline = Pipeline(self.tenant, self.database, self._reaper, UuidV7Ids(SystemClock()), clock)
        # One bucket, of which each is told what it has stored itself.
        self.pipeline.objects._versions = world.stored
        self.pipeline.vectors = PgVectorStore(self.database)
        self.pipeline.embedder, *_ = MODELS.values()
        self.pipeline.further_embedders = dict(MODELS)

    def end(self) -> None:
        super().end()
        self._reaper.close()

    def run_until(self, done: Callable[[], Any]) -> Any:
        """Deliver what was sent until something holds; return it."""

        def delivered() -> Any:
            if self._stopping.is_set():
                raise _StoppedError
            self.pipeline.run()
            found = done()
            if not found:
                self.pipeline.reap()
            return found

        return wait_for(delivered, what="what was sent to be worked off")


class _Trainer(_Changer):
    """Embeds the bot anew, with the one model and the other in turns."""

    def step(self) -> None:
        present = retraining.embedding(self.pipeline).model
        name = next(name for name in MODELS if name != present)
        model = EmbeddingModel(name, MODELS[name].dimensions, 1, is_default=False)
        message = retraining.start(self.pipeline, model)
        self.run_until(lambda: retraining.run_of(self.pipeline, message)["status"] != "running")
        assert retraining.run_of(self.pipeline, message)["status"] == "succeeded"
        self.ledger.is_reembedded()


class Writer(_Changer):
    """Replaces its documents, and makes and deletes others. Only it writes them, so that it knows what is true."""

    def __init__(self, world: World, random: Random, topics: tuple[str, ...]) -> None:
        super().__init__(world, random)
        self._topics = dict.fromkeys(topics, 0)
        self._mortals = 0

    def write_first(self) -> None:
        """Begin with the first edition of each."""
        for topic in self._topics:
            self._replace(topic)

    def step(self) -> None:
        if self.random.random() < 0.7:
            self._replace(self.random.choice([*self._topics]))
        else:
            self._make_and_delete()

    def delete(self, document_id: UUID) -> None:
        """Delete a document, as the route does."""
        message = PurgeMessage(
            organization_id=self.tenant.organization_id, bot_id=self.tenant.bot_id, document_id=document_id
        )
        self.pipeline.eraser.delete(message, self.pipeline.purge_queue)

    def _replace(self, topic: str) -> None:
        self._topics[topic] += 1
        self._write(topic, self._topics[topic])
        self.ledger.is_live(topic, self._topics[topic])

    def _make_and_delete(self) -> None:
        self._mortals += 1
        topic = f"{min(self._topics)}mortal"
        document_id = self._write(topic, self._mortals)
        self.delete(document_id)
        self.ledger.is_deleted(document_id)

    def _write(self, topic: str, edition: int) -> UUID:
        """Store an edition and have it ingested."""
        self.pipeline.drop(f"{topic}.txt", text(topic, edition))
        document: dict[str, Any] = self.run_until(lambda: self._ready(f"{topic}.txt"))
        found: UUID = document["id"]
        return found

    def _ready(self, name: str) -> dict[str, Any] | None:
        documents = [one for one in self.pipeline.documents() if (one["name"], one["status"]) == (name, "ready")]
        return documents[0] if documents else None


class _Reader(_Worker):
    """Searches as the API does, with connections of its own."""

    def __init__(self, world: World, random: Random) -> None:
        super().__init__(world, random)
        self._vectors_database = connect(world.urls)
        self._vectors = PgVectorStore(self._vectors_database)

    def step(self) -> None:
        topic, mode = self.random.choice(TOPICS), self.random.choice(MODES)
        # Now and then for what is made and deleted all the time.
        asked = topic if self.random.random() < 0.7 else f"{self.random.choice(TOPICS[:2])}mortal"
        began = self.ledger.moment()
        hits = self._search(f"topic{asked} handbook", mode)
        self.ledger.judge(asked, began, hits)

    def end(self) -> None:
        super().end()
        self._vectors_database.close()

    def _search(self, query: str, mode: Mode) -> Any:
        result = search(
            self.database,
            self._vectors,
            lambda name: MODELS[name or BagOfWordsEmbedder.model],
            organization_id=self.tenant.organization_id,
            bot_id=self.tenant.bot_id,
            query=query,
            limit=LIMIT,
            mode=mode,
        )
        return result.hits
