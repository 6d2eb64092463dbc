"""What is archived: the datasets, and their columns of version 1 as docs/archive.md describes them.

A released version never changes. A column that is added is a new version; files of former ones lack it, and their
readers see NULL.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, LiteralString

from psycopg import sql

from chatsphere.ports.row_files import Column, ColumnType

SCHEMA_VERSION: Final = 1

NAMESPACE_COLUMNS: Final = ("organization_id", "bot_id", "month")
"""They stand in a file's path and in its metadata, not in its rows: readers make columns of them."""


class DatasetName(StrEnum):
    """The datasets, as they are named in paths."""

    CONVERSATIONS = "conversations"
    MESSAGES = "messages"
    FEEDBACK = "feedback"
    USAGE_EVENTS = "usage_events"
    AUDIT_LOG = "audit_log"
    ERROR_LOGS = "error_logs"


RESTORABLE: Final = (DatasetName.CONVERSATIONS, DatasetName.MESSAGES, DatasetName.FEEDBACK)
"""In the order in which they come back. Logs and what was used are read where they are: rows that came back would be
counted, or told, a second time.
"""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Columns of one dataset; `expressions` are those that are not the table's column of the same name, as SQL about
    the row `r` and, where `joins_conversation`, its conversation `c`.

    `subjects` are the columns by which rows are looked for: of conversations, end users and users.
    """

    name: DatasetName
    table: LiteralString
    columns: tuple[Column, ...]
    expressions: Mapping[str, LiteralString]
    subjects: tuple[str, ...]
    joins_conversation: bool = False

    def select(self, relation: sql.Composable | None = None, *, mark: bool = False) -> sql.Composed:
        """Return `SELECT … FROM …` of the dataset's rows as `r`, without conditions; from another relation where one
        is given. `mark`: with `mark`, which is another one after each change of the row.
        """
        wanted: list[sql.Composable] = [
            sql.SQL("{} AS {}").format(self._expression(column), sql.Identifier(column.name)) for column in self.columns
        ]
        if mark:
            wanted.append(sql.SQL("r.xmin::text AS mark"))
        query = sql.SQL("SELECT {} FROM {} r").format(
            sql.SQL(", ").join(wanted), relation or sql.Identifier(self.table)
        )
        if not self.joins_conversation:
            return query
        return query + sql.SQL(
            " LEFT JOIN conversations c ON c.organization_id = r.organization_id AND c.id = r.conversation_id"
        )

    def _expression(self, column: Column) -> sql.Composable:
        if column.name in self.expressions:
            return sql.SQL(self.expressions[column.name])
        plain = sql.SQL("r.{}").format(sql.Identifier(column.name))
        # Of UUIDs and JSON the database's own text: numbers of any size stay as they are.
        return plain + sql.SQL("::text") if column.type is ColumnType.TEXT else plain


def _columns(**types: ColumnType) -> tuple[Column, ...]:
    return tuple(Column(name, type_) for name, type_ in types.items())


_TEXT, _BIGINT, _BOOLEAN, _TIME = ColumnType.TEXT, ColumnType.BIGINT, ColumnType.BOOLEAN, ColumnType.TIMESTAMP

CONVERSATIONS: Final = Dataset(
    DatasetName.CONVERSATIONS,
    "conversations",
    _columns(
        id=_TEXT,
        end_user_id=_TEXT,
        title=_TEXT,
        channel=_TEXT,
        metadata=_TEXT,
        history_digest=_TEXT,
        created_at=_TIME,
        updated_at=_TIME,
        ended_at=_TIME,
        archived_at=_TIME,
    ),
    {"history_digest": "encode(r.history_digest, 'hex')"},
    ("id", "end_user_id"),
)
MESSAGES: Final = Dataset(
    DatasetName.MESSAGES,
    "messages",
    _columns(
        id=_TEXT,
        conversation_id=_TEXT,
        end_user_id=_TEXT,
        role=_TEXT,
        content=_TEXT,
        answerable=_BOOLEAN,
        reason=_TEXT,
        finish_reason=_TEXT,
        citations=_TEXT,
        sources=_TEXT,
        model=_TEXT,
        prompt_tokens=_BIGINT,
        completion_tokens=_BIGINT,
        embedding_tokens=_BIGINT,
        cost_microdollars=_BIGINT,
        latency_ms=_TEXT,
        metadata=_TEXT,
        created_at=_TIME,
    ),
    {"end_user_id": "c.end_user_id"},
    ("conversation_id", "end_user_id"),
    joins_conversation=True,
)
FEEDBACK: Final = Dataset(
    DatasetName.FEEDBACK,
    "conversation_feedback",
    _columns(
        id=_TEXT,
        conversation_id=_TEXT,
        message_id=_TEXT,
        message_created_at=_TIME,
        end_user_id=_TEXT,
        conversation_end_user_id=_TEXT,
        rating=_BIGINT,
        comment=_TEXT,
        created_at=_TIME,
        updated_at=_TIME,
    ),
    {"conversation_end_user_id": "c.end_user_id"},
    ("conversation_id", "end_user_id", "conversation_end_user_id"),
    joins_conversation=True,
)
USAGE_EVENTS: Final = Dataset(
    DatasetName.USAGE_EVENTS,
    "usage_events",
    _columns(
        id=_TEXT,
        api_key_id=_TEXT,
        user_id=_TEXT,
        end_user_id=_TEXT,
        conversation_id=_TEXT,
        metric=_TEXT,
        value=_BIGINT,
        model=_TEXT,
        channel=_TEXT,
        prompt_tokens=_BIGINT,
        completion_tokens=_BIGINT,
        embedding_tokens=_BIGINT,
        cost_microdollars=_BIGINT,
        answerable=_BOOLEAN,
        reason=_TEXT,
        finish_reason=_TEXT,
        cached=_BOOLEAN,
        citations=_BIGINT,
        dropped_citations=_BIGINT,
        total_ms=_BIGINT,
        first_token_ms=_BIGINT,
        retrieve_ms=_BIGINT,
        metadata=_TEXT,
        created_at=_TIME,
    ),
    {},
    ("user_id", "end_user_id"),
)
AUDIT_LOG: Final = Dataset(
    DatasetName.AUDIT_LOG,
    "audit_log",
    _columns(
        id=_TEXT,
        actor_user_id=_TEXT,
        actor_api_key_id=_TEXT,
        action=_TEXT,
        object_type=_TEXT,
        object_id=_TEXT,
        address=_TEXT,
        user_agent=_TEXT,
        request_id=_TEXT,
        before=_TEXT,
        after=_TEXT,
        created_at=_TIME,
    ),
    {},
    ("actor_user_id", "object_id"),
)
ERROR_LOGS: Final = Dataset(
    DatasetName.ERROR_LOGS,
    "error_logs",
    _columns(
        id=_TEXT,
        document_id=_TEXT,
        service=_TEXT,
        error_type=_TEXT,
        message=_TEXT,
        details=_TEXT,
        created_at=_TIME,
    ),
    {},
    (),
)

DATASETS: Final[Mapping[DatasetName, Dataset]] = {
    dataset.name: dataset for dataset in (CONVERSATIONS, MESSAGES, FEEDBACK, USAGE_EVENTS, AUDIT_LOG, ERROR_LOGS)
}
