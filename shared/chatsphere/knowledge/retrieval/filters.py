"""Which of a bot's documents a search may find: by id, tag, time and metadata."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chatsphere.db.database import Connection

Scalar = str | bool | int | float | None

FILTERED_DOCUMENTS: Final = """
SELECT app.filtered_documents(
    %(bot_id)s, %(document_ids)s::uuid[], %(tags)s::text[], %(created_after)s::timestamptz,
    %(created_before)s::timestamptz, %(equal)s::jsonb, %(ranges)s::jsonb) AS ids
"""
"""The documents that readers see and that a filter lets through."""


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds of a number, or of a time in ISO 8601; both inclusive, at least one of them given."""

    gte: float | str | None = None
    lte: float | str | None = None


@dataclass(frozen=True, slots=True)
class DocumentFilter:
    """What a document must be to be searched: all that is named here. None, and an empty mapping, name nothing.

    `document_ids`: one of these. `tags`: with at least one of these. `created_after`: made then or later,
    `created_before`: earlier than that. `equal`: metadata with these values; `ranges`: with values of the same kind in
    these ranges. A document without such a field is not searched.
    """

    document_ids: frozenset[UUID] | None = None
    tags: frozenset[str] | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    equal: Mapping[str, Scalar] = field(default_factory=dict)
    ranges: Mapping[str, Range] = field(default_factory=dict)

    @property
    def names_only_documents(self) -> bool:
        """Whether nothing has to be looked up to know what it lets through."""
        return self == DocumentFilter(document_ids=self.document_ids)

    def canonical(self) -> str:
        """Return the same text for filters that mean the same: for keys of caches."""
        return json.dumps(self._values(), sort_keys=True, default=str)

    def matching(self, connection: Connection, bot_id: UUID) -> frozenset[UUID] | None:
        """Return which of the bot's documents may be searched at this moment; None where all may."""
        if self.names_only_documents:
            return self.document_ids
        row = connection.execute(FILTERED_DOCUMENTS, self._parameters() | {"bot_id": bot_id}).fetchone()
        assert row is not None
        return frozenset(row["ids"])

    def _parameters(self) -> dict[str, Any]:
        values = self._values()
        jsonb = {key: json.dumps(values[key]) if values[key] else None for key in ("equal", "ranges")}
        return values | jsonb

    def _values(self) -> dict[str, Any]:
        return {
            "document_ids": None if self.document_ids is None else sorted(self.document_ids),
            "tags": None if self.tags is None else sorted(self.tags),
            "created_after": self.created_after,
            "created_before": self.created_before,
            "equal": dict(self.equal),
            "ranges": {key: _bounds(given) for key, given in self.ranges.items()},
        }


def _bounds(given: Range) -> dict[str, float | str]:
    bounds = {"gte": given.gte, "lte": given.lte}
    return {name: bound for name, bound in bounds.items() if bound is not None}
