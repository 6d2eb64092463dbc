"""An organization in whose every store a word was planted, and a search for it through all of them."""

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

from chatsphere.adapters.parquet import ParquetFiles
from chatsphere.archive.archiving import Archiver
from chatsphere.archive.datasets import DATASETS, DatasetName
from chatsphere.archive.model import ArchiveBatch
from chatsphere.audit.recording import note
from chatsphere.chat.asgi import chat_app
from chatsphere.chat.memory.messages import MemoryMessage
from chatsphere.chat.opening import open_turn
from chatsphere.chat.services import Services
from chatsphere.chat.turns import Question
from chatsphere.knowledge.ingestion.messages import ErasureMessage
from chatsphere.ports.answers import AnswerCitation, AnswerDelta, AnswerEnd
from chatsphere.ports.cache import CacheSpace
from chatsphere.privacy.erasing import ErasureJob
from chatsphere.privacy.model import Part
from chatsphere.privacy.organization_erasing import OrganizationEraser
from chatsphere.privacy.part_erasing import PartEraser
from chatsphere.privacy.part_erasures import PartErasures
from chatsphere.privacy.part_requesting import PartDesk
from chatsphere.privacy.parts.means import Means
from chatsphere.privacy.person_erasing import PersonEraser
from chatsphere.privacy.requesting import Requested
from chatsphere.privacy.whole_erasures import WholeErasures
from tests.fakes import InMemoryObjectStore
from tests.fakes_chat import FakeRetriever, ScriptedModel, passage
from tests.integration.chat.client import ChatClient
from tests.integration.ingestion.pipeline import Pipeline
from tests.integration.privacy.means import means_of

RELATIONS = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition
      AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
"""


@dataclass
class Planted:
    """One organization. `word` is planted in `plant`, and looked for everywhere; `admin` sees every row."""

    pipeline: Pipeline
    eraser_database: Any
    admin: psycopg.Connection
    word: str = field(default_factory=lambda: f"canary{uuid4().hex[:12]}")
    archive: InMemoryObjectStore = field(init=False)
    document_id: UUID | None = None

    def __post_init__(self) -> None:
        self.archive = InMemoryObjectStore(self.pipeline.clock)
        self.tenant = self.pipeline.tenant
        self.model = ScriptedModel()
        self.retriever = FakeRetriever()

    # ------------------------------------------------------------------------------------------------ what there is

    def add_document(self, name: str, text: str, **metadata: str) -> UUID:
        """Have a document read."""
        self.pipeline.drop(name, text)
        self.pipeline.run()
        document_id = UUID(str(self.pipeline.document()["id"]))
        with self.acting() as connection:
            connection.execute(
                "UPDATE documents SET metadata = %s, tags = %s WHERE id = %s",
                (json.dumps(metadata), list(metadata.values()), document_id),
            )
        return document_id

    def ask(self, question: str, answer: str, document_id: UUID | None = None, name: str = "", **fields: Any) -> Any:
        """Ask the bot, which answers this, quoting this document."""
        self.retriever.passages = [passage(answer, document_id=document_id, name=name)] if document_id else []
        self.retriever.confidence = 0.9 if document_id else 0.1
        self.model.script = [
            AnswerDelta(answer),
            *([AnswerCitation(1, answer, 0, len(answer))] if document_id else []),
            AnswerEnd("stop", 10, 3, 7),
        ]
        response = ChatClient(chat_app(lambda: self.services), self.tenant).chat(question, **fields)
        assert response.status_code == 200, response.text
        t = self.tenant
        self.pipeline.memory.work(MemoryMessage(organization_id=t.organization_id, bot_id=t.bot_id))
        return response.json()

    @property
    def services(self) -> Services:
        p = self.pipeline
        return Services(p.database, self.retriever, self.model, p.clock, p.ids)

    def rate(self, answer: Any, comment: str, end_user_id: str | None = None) -> None:
        """Say something of an answer."""
        with self.acting() as connection:
            connection.execute(
                "INSERT INTO conversation_feedback (id, organization_id, bot_id, conversation_id, message_id,"
                " message_created_at, end_user_id, rating, comment, created_at, updated_at)"
                " SELECT %s, organization_id, bot_id, conversation_id, id, created_at, %s, 1, %s, created_at,"
                " created_at FROM messages WHERE id = %s",
                (self.pipeline.ids.new(), end_user_id, comment, answer["message_id"]),
            )

    def archive_conversation(self, conversation_id: str) -> None:
        """Move a conversation into the archive."""
        clock = self.pipeline.clock
        with self.acting() as connection:
            rows = {
                table: [row["id"] for row in connection.execute(
                    sql.SQL("SELECT id FROM {} WHERE {} = %s").format(sql.Identifier(table), sql.Identifier(column)),
                    (conversation_id,))]
                for table, column in (
                    ("conversations", "id"), ("messages", "conversation_id"),
                    ("conversation_feedback", "conversation_id"))
            }  # fmt: skip
        batch = ArchiveBatch(
            self.tenant.organization_id, self.tenant.bot_id, clock.now().replace(year=2020),
            clock.now().replace(year=2040), rows["conversations"], rows["messages"], rows["conversation_feedback"],
        )  # fmt: skip
        archiver = Archiver(self.pipeline.database, self.archive, ParquetFiles(), clock, self.pipeline.ids)
        gone = "DELETE FROM conversations WHERE id = %s"
        archiver.move(batch, run_id=uuid4(), part=0, delete=lambda c: c.execute(gone, (conversation_id,)))

    def add_case(self, document_name: str, quote: str) -> None:
        """Have an evaluation set with a case that names a document by its name alone."""
        t, p = self.tenant, self.pipeline
        named = json.dumps([{"document_id": None, "document_name": document_name, "quote": quote}])
        values = {"set": p.ids.new(), "case": p.ids.new(), "bot": t.bot_id, "named": named, "now": p.clock.now()}
        with self.acting() as connection:
            connection.execute(
                "INSERT INTO evaluation_sets (id, organization_id, bot_id, name, created_at, updated_at)"
                " VALUES (%(set)s, app.current_organization(), %(bot)s, 'Set', %(now)s, %(now)s)", values,
            )  # fmt: skip
            connection.execute(
                "INSERT INTO evaluation_cases (id, organization_id, set_id, question, relevant_documents, source,"
                " created_at) VALUES (%(case)s, app.current_organization(), %(set)s, 'What?', %(named)s, 'manual',"
                " %(now)s)", values,
            )  # fmt: skip

    def read_from_web(self, origin: str) -> None:
        """Have the bot read a page of this host."""
        t, p = self.tenant, self.pipeline
        values = {"id": p.ids.new(), "bot": t.bot_id, "origin": origin, "now": p.clock.now()}
        with self.acting() as connection:
            connection.execute(
                "INSERT INTO web_hosts (organization_id, origin, next_request_at)"
                " VALUES (app.current_organization(), %(origin)s, %(now)s)", values,
            )  # fmt: skip

    def archive_audit_log(self) -> None:
        """Put the entries of the audit log into the archive, as their partition's way out does."""
        archiver = Archiver(
            self.pipeline.database, self.archive, ParquetFiles(), self.pipeline.clock, self.pipeline.ids
        )
        with self.acting() as connection:
            entries = connection.execute(DATASETS[DatasetName.AUDIT_LOG].select()).fetchall()
        archiver.copy(
            entries,
            organization_id=self.tenant.organization_id,
            bot_id=None,
            dataset=DatasetName.AUDIT_LOG,
            source="a partition",
        )

    def begin_answer(self, end_user_id: str, message: str) -> Any:
        """Have an answer begun that is not written yet; return its turn."""
        question = Question(
            self.tenant.organization_id, self.tenant.user_id, self.tenant.bot_id, message, end_user_id=end_user_id
        )
        p = self.pipeline
        return open_turn(
            question, database=p.database, retriever=self.retriever, clock=p.clock, ids=p.ids, model=self.model
        )

    def put_elsewhere(self, *, about_documents: bool = True) -> None:
        """Plant the word where nothing of this test comes by itself."""
        t, p = self.tenant, self.pipeline
        self.means.cache.put(  # type: ignore[union-attr]
            CacheSpace(t.organization_id, t.bot_id, "question"), bytes(32), self.word.encode(), seconds=3600
        )
        key = f"exports/{t.organization_id}/{t.bot_id}/{uuid4()}.zip"
        self.archive.put(key, self.word.encode(), content_type="application/zip", metadata={})
        if not about_documents:
            return
        values = {"org": t.organization_id, "bot": t.bot_id, "id": p.ids.new(), "word": self.word, "now": p.clock.now()}
        values |= {"examples": json.dumps([{"object": self.word}])}
        with self.acting() as connection:
            for statement in (
                "INSERT INTO reconciliations (id, organization_id, bot_id, status, dry_run, step, examples, started_at)"
                " VALUES (%(id)s, %(org)s, %(bot)s, 'succeeded', true, 'index', %(examples)s, %(now)s)",
                "INSERT INTO error_logs (id, organization_id, bot_id, document_id, service, error_type, message,"
                " created_at) SELECT %(id)s, %(org)s, %(bot)s, (SELECT id FROM documents WHERE bot_id = %(bot)s"
                " LIMIT 1), 'ingestion', 'x', %(word)s, %(now)s",
            ):
                connection.execute(statement, values)

    def hold_once(self, end_user_id: str) -> None:
        """Hold an end user, and release them."""
        t, p = self.tenant, self.pipeline
        with p.database.transaction(t.organization_id, t.user_id) as connection:
            connection.execute(
                "INSERT INTO legal_holds (id, organization_id, subject, bot_id, end_user_id, reason, made_at,"
                " released_at) VALUES (%s, %s, 'end_user', %s, %s, %s, %s, %s)",
                (
                    p.ids.new(),
                    t.organization_id,
                    t.bot_id,
                    end_user_id,
                    f"A case of {end_user_id}.",
                    p.clock.now(),
                    p.clock.now(),
                ),
            )
            note(connection, "hold.released", "hold", None, after={"end_user_id": end_user_id})

    def hold_conversation_once(self, conversation_id: str) -> None:
        """Hold a conversation for a reason that has the word in it, and release it."""
        with self.acting() as connection:
            connection.execute(
                "INSERT INTO legal_holds (id, organization_id, subject, bot_id, conversation_id, reason, made_at,"
                " released_at) VALUES (%s, %s, 'conversation', %s, %s, %s, %s, %s)",
                (
                    self.pipeline.ids.new(), self.tenant.organization_id, self.tenant.bot_id, conversation_id,
                    f"About {self.word}.", self.pipeline.clock.now(), self.pipeline.clock.now(),
                ),
            )  # fmt: skip

    def hold(self, end_user_id: str) -> None:
        """Hold an end user, as the route does."""
        t, p = self.tenant, self.pipeline
        with self.acting() as connection:
            connection.execute("SELECT app.lock_holds(app.current_organization(), true)")
            connection.execute(
                "INSERT INTO legal_holds (id, organization_id, subject, bot_id, end_user_id, reason, made_at)"
                " VALUES (%s, %s, 'end_user', %s, %s, 'A case.', %s)",
                (p.ids.new(), t.organization_id, t.bot_id, end_user_id, p.clock.now()),
            )

    def release(self) -> None:
        """Release all holds."""
        with self.acting() as connection:
            connection.execute("UPDATE legal_holds SET released_at = %s", (self.pipeline.clock.now(),))

    def acting(self) -> Any:
        return self.pipeline.database.transaction(self.tenant.organization_id)

    # ----------------------------------------------------------------------------------------------------- erasing

    @property
    def means(self) -> Means:
        p = self.pipeline
        return means_of(p, p.database, self.eraser_database, p.objects, p.vectors, self.archive)

    def job(self, means: Means | None = None, eraser: Any = None, objects: Any = None) -> ErasureJob:
        """The job, over the world's stores or others."""
        p, means = self.pipeline, means or self.means
        organizations = OrganizationEraser(means, objects or p.objects, p.vectors)
        wholes = WholeErasures(organizations, PersonEraser(means.eraser_database, means.archives), p.clock)
        return ErasureJob(eraser or self.eraser_database, wholes, PartErasures(PartEraser(means), p.clock), p.clock)

    def request(self, kind: str, **fields: Any) -> Requested:
        """Ask for an erasure of the organization's bot, or of something of it."""
        t, p = self.tenant, self.pipeline
        fields.setdefault("bot_id", t.bot_id)
        part = Part(kind, t.organization_id, asked_at=p.clock.now(), **fields)
        with p.database.transaction(t.organization_id, t.user_id) as connection:
            return PartDesk(p.database, p.purge_queue, p.clock, p.ids).request(connection, part, t.user_id)

    def run(self, requested: Requested, job: ErasureJob | None = None) -> None:
        (job or self.job()).run(ErasureMessage(erasure_id=requested.erasure.id))

    def row(self, requested: Requested) -> dict[str, Any]:
        with psycopg.connect(
            self.admin.info.dsn, row_factory=psycopg.rows.dict_row, password=self.admin.info.password
        ) as c:
            found = c.execute("SELECT * FROM erasures WHERE id = %s", (requested.erasure.id,)).fetchone()
        assert found is not None
        return found

    # --------------------------------------------------------------------------------------------------- searching

    def where(self) -> set[str]:
        """Everywhere that the word is: tables, buckets, vector stores."""
        return set(self._tables()) | {name for name, text in self._stores() if self.word in text.lower()}

    def _tables(self) -> Iterator[str]:
        as_bytes = self.word.encode().hex()
        for schema, name in self.admin.execute(RELATIONS).fetchall():
            query = sql.SQL(
                "SELECT EXISTS (SELECT FROM {} r WHERE strpos(lower(r::text), %s) > 0 OR strpos(r::text, %s) > 0)"
            )
            found = self.admin.execute(query.format(sql.Identifier(schema, name)), (self.word, as_bytes)).fetchone()
            if found is not None and found[0]:
                yield name

    def _stores(self) -> Iterator[tuple[str, str]]:
        yield "objects", _text_of(self.pipeline.objects, lambda _, body: body.decode(errors="replace"))
        yield "archive", _text_of(self.archive, _decoded)
        yield "vectors", repr(self.pipeline.vectors.records)
        yield "memory", repr(self.pipeline.messages.records)


def _text_of(store: InMemoryObjectStore, read: Callable[[str, bytes], str]) -> str:
    """Return all versions of all objects, with their names and metadata."""
    return "\n".join(
        f"{key} {dict(version.metadata)} {'' if version.body is None else read(key, version.body)}"
        for key, versions in store.saved().items()
        for version in versions
        if key
    )


def _decoded(key: str, body: bytes) -> str:
    if not key.endswith(".parquet"):
        return body.decode(errors="replace")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.parquet"
        path.write_bytes(body)
        return repr(list(ParquetFiles().read(path)))
