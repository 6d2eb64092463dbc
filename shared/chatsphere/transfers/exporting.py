"""Writing a bot's file: what readers see of it, document by document, as it comes out of the stores."""

import json
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chatsphere import __version__
from chatsphere.db.database import Connection, Database
from chatsphere.knowledge.embedding import BotEmbedding, bot_embedding
from chatsphere.ports.objects import ObjectStore
from chatsphere.ports.system import Clock
from chatsphere.ports.vectors import VectorStore
from chatsphere.transfers import export_queries as queries
from chatsphere.transfers.ahead import ahead
from chatsphere.transfers.document_export import DocumentExport
from chatsphere.transfers.document_reading import DocumentReader
from chatsphere.transfers.errors import BotGoneError, ExportTooLargeError
from chatsphere.transfers.format import (
    BOT,
    DOCUMENTS,
    EVALUATION_SETS,
    FORMAT,
    MANIFEST,
    VERSION,
    VERSIONS,
    BotLine,
    CaseLine,
    EmbeddedBy,
    EvaluationLine,
    Line,
    Manifest,
    VersionLine,
)
from chatsphere.transfers.limits import MAX_DOCUMENTS, MAX_FILE_BYTES
from chatsphere.transfers.spool import Spool
from chatsphere.transfers.zip_stream import ZipStream

PAGE: Final = 200
AT_ONCE: Final = 6
"""Documents that are read at the same time: it is the stores' answers that take long. Some 12 MiB each, at most."""

Progress = Callable[[int, int], None]
"""Hears how many documents are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which bot, and which of the parts that may be left out."""

    organization_id: UUID
    bot_id: UUID
    include: frozenset[str]


@dataclass(slots=True)
class BotExport:
    """One writing of a file. After the last block, `counts` says what is in it, and `zip` its size and SHA-256."""

    database: Database
    objects: ObjectStore
    vectors: VectorStore
    clock: Clock
    scope: Scope
    ends: datetime
    progress: Progress
    zip: ZipStream
    counts: Counter[str] = field(default_factory=Counter)
    dimensions: int = 0

    def blocks(self) -> Iterator[bytes]:
        """Yield the file.

        Raises:
            BotGoneError: there is no such bot any more.
            ExportTooLargeError: a limit, or the time, is exceeded.
            VectorsMissingError: the vector store lacks some.
            NotNowError: what is written changes all the time; to be tried again.
            UnavailableError: a store does not answer.
        """
        with self._transaction() as connection:
            bot = connection.execute(queries.BOT, {"bot_id": self.scope.bot_id}).fetchone()
            embedding = bot_embedding(connection, self.scope.organization_id, self.scope.bot_id)
        if bot is None:
            raise BotGoneError
        with Spool() as lines:
            places = yield from self._documents(embedding, lines)
            yield from self._add(DOCUMENTS, lines.blocks())
        yield from self._add(BOT, [_json(BotLine.model_construct(**bot))])
        yield from self._add(VERSIONS, self._versions())
        yield from self._add(EVALUATION_SETS, self._evaluations(places))
        yield from self._add(MANIFEST, [_json(self._manifest(embedding))])
        yield from self.zip.finish()

    def _documents(self, embedding: BotEmbedding, lines: Spool) -> Generator[bytes, None, dict[str, int]]:
        """Yield the documents' members; return the place of each by its id."""
        ids = self._document_ids()
        places: dict[str, int] = {}
        reader = DocumentReader(self.database, self.objects, self.vectors, self.scope.include, embedding)
        export = DocumentExport(reader, self.zip, self._add, self.counts)
        read = ahead(reader.read, ids, at_once=AT_ONCE, drop=lambda found: found.close() if found else None)
        with closing(read):
            for number, (document_id, found) in enumerate(zip(ids, read, strict=True)):
                self._check_limits()
                if found is not None:
                    with closing(found):
                        line = yield from export.blocks(found, len(places))
                    lines.write(_json(line) + b"\n")
                    places[str(document_id)] = len(places)
                self.progress(number + 1, len(ids))
        self.dimensions = export.dimensions
        return places

    def _document_ids(self) -> Sequence[UUID]:
        values = {"bot_id": self.scope.bot_id, "limit": MAX_DOCUMENTS + 1}
        with self._transaction() as connection:
            ids = [row["id"] for row in connection.execute(queries.DOCUMENT_IDS, values)]
        if len(ids) > MAX_DOCUMENTS:
            raise ExportTooLargeError(f"A file holds up to {MAX_DOCUMENTS} documents.")
        return ids

    def _versions(self) -> Iterator[bytes]:
        after, more = 0, "versions" in self.scope.include
        while more:
            values = {"bot_id": self.scope.bot_id, "after": after, "limit": PAGE}
            with self._transaction() as connection:
                rows = connection.execute(queries.VERSIONS, values).fetchall()
            for row in rows:
                yield _json(VersionLine.model_construct(**row)) + b"\n"
                self.counts["versions"] += 1
            after, more = (rows[-1]["version"], len(rows) == PAGE) if rows else (after, False)

    def _evaluations(self, places: Mapping[str, int]) -> Iterator[bytes]:
        if "evaluation_sets" not in self.scope.include:
            return
        with self._transaction() as connection:
            sets = connection.execute(queries.SETS, {"bot_id": self.scope.bot_id}).fetchall()
        for row in sets:
            yield _json(EvaluationLine.model_construct(set=row["name"], description=row["description"])) + b"\n"
            self.counts["evaluation_sets"] += 1
            for case in self._cases(row["id"]):
                line = CaseLine.model_construct(**_case(case, places))
                yield _json(EvaluationLine.model_construct(case=line)) + b"\n"
                self.counts["evaluation_cases"] += 1

    def _cases(self, set_id: UUID) -> Iterator[Mapping[str, Any]]:
        after, more = None, True
        while more:
            values = {"set_id": set_id, "after": after, "limit": PAGE}
            with self._transaction() as connection:
                rows = connection.execute(queries.CASES, values).fetchall()
            yield from rows
            after, more = (rows[-1]["id"], len(rows) == PAGE) if rows else (after, False)

    def _manifest(self, embedding: BotEmbedding) -> Manifest:
        made_vectors = self.counts["vectors"] > 0 and embedding.model is not None
        beside = (BOT, VERSIONS, DOCUMENTS, EVALUATION_SETS)
        return Manifest.model_construct(
            format=FORMAT,
            version=VERSION,
            made_at=self.clock.now(),
            made_by=f"chatsphere {__version__}",
            include=sorted(self.scope.include),
            embedded_by=(
                EmbeddedBy.model_construct(model=embedding.model, dimensions=self.dimensions) if made_vectors else None
            ),
            counts=dict(self.counts),
            members={name: self.zip.members[name] for name in beside},
        )

    def _add(self, name: str, content: Iterable[bytes], *, compressed: bool = True) -> Iterator[bytes]:
        for block in self.zip.add(name, content, compressed=compressed):
            self._check_limits()
            yield block

    def _check_limits(self) -> None:
        if self.zip.size > MAX_FILE_BYTES:
            raise ExportTooLargeError(f"A file holds up to {MAX_FILE_BYTES} bytes.")
        if self.clock.now() > self.ends:
            raise ExportTooLargeError

    def _transaction(self) -> AbstractContextManager[Connection]:
        return self.database.transaction(self.scope.organization_id)


def _case(row: Mapping[str, Any], places: Mapping[str, int]) -> dict[str, Any]:
    relevant = [
        {
            "place": places.get(str(each.get("document_id"))),
            "document_name": each.get("document_name"),
            "quote": each.get("quote"),
        }
        for each in row["relevant_documents"]
    ]
    return {**{name: row[name] for name in CaseLine.model_fields}, "relevant_documents": relevant}


def _json(line: Line) -> bytes:
    """Return a line as it stands in the file. What comes from our own rows is not checked again here."""
    return json.dumps(line.model_dump(mode="json", warnings=False), ensure_ascii=False).encode()
