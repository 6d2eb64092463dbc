"""Usage events of tests, and what they add up to by a model of its own that knows no SQL."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from chatsphere.db.database import Connection
from chatsphere.insights.asking import Group
from chatsphere.insights.measures import MEASURES

REFUSALS: Final = ("no_documents", "no_relevant_passage", "unsupported")


@dataclass(frozen=True)
class Event:
    """A row of `usage_events`."""

    id: UUID
    created_at: datetime
    metric: str = "chat.answer"
    value: int = 1
    bot_id: UUID | None = None
    api_key_id: UUID | None = None
    end_user_id: str | None = None
    model: str | None = None
    channel: str | None = None
    reason: str | None = None
    finish_reason: str | None = "stop"
    cached: bool | None = None
    citations: int | None = None
    dropped_citations: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    embedding_tokens: int | None = None
    cost_microdollars: int = 0
    total_ms: int | None = None
    first_token_ms: int | None = None
    metadata: Mapping[str, Any] | None = None

    @property
    def day(self) -> date:
        return self.created_at.astimezone(UTC).date()

    @property
    def outcome(self) -> str | None:
        if self.metric != "chat.answer":
            return None
        if self.finish_reason in ("stopped", "interrupted"):
            return self.finish_reason
        if self.reason is None:
            return "answered"
        return f"refused_{self.reason}" if self.reason in REFUSALS else "failed"


def add_events(connection: Connection, events: Iterable[Event]) -> None:
    """Insert each as its own statement; one that is there already is a duplicate, and left out."""
    names = [field.name for field in fields(Event)]
    statement = (
        f"INSERT INTO usage_events (organization_id, {', '.join(names)})"
        f" VALUES (app.current_organization(), {', '.join(f'%({name})s' for name in names)}) ON CONFLICT DO NOTHING"
    )
    for event in events:
        connection.execute(statement, asdict(event) | {"metadata": Jsonb(dict(event.metadata or {}))})


def added_up(events: Iterable[Event]) -> dict[str, int]:
    """Return all measures of the events."""
    total: Counter[str] = Counter(dict.fromkeys(MEASURES, 0))
    for event in events:
        total.update(_measures(event))
    return {name: total[name] for name in MEASURES}


def by_group(events: Iterable[Event], group: Group) -> dict[str, dict[str, int]]:
    """Return all measures by group, as `key` names it."""
    key: Mapping[Group, Callable[[Event], object]] = {
        Group.DAY: lambda event: event.day,
        Group.BOT: lambda event: event.bot_id,
        Group.API_KEY: lambda event: event.api_key_id,
        Group.END_USER: lambda event: event.end_user_id,
        Group.MODEL: lambda event: event.model,
        Group.CHANNEL: lambda event: event.channel,
    }
    groups: defaultdict[str, list[Event]] = defaultdict(list)
    for event in events:
        found = key[group](event)
        if found is not None or group is not Group.END_USER:
            groups["" if found is None else str(found)].append(event)
    return {name: added_up(these) for name, these in groups.items()}


def exact_percentile(values: Sequence[int], share: float) -> float:
    """Return the value at place ceil(share * n) of them in order."""
    return sorted(values)[max(1, math.ceil(share * len(values))) - 1]


def _measures(event: Event) -> dict[str, int]:
    answer, embedding = event.metric == "chat.answer", event.metric == "embedding"
    sign = {"feedback": 1, "feedback.withdrawn": -1}.get(event.metric, 0)
    about = event.metadata or {}
    found = {
        "answers": int(answer),
        "cached": int(answer and bool(event.cached)),
        "citations": (event.citations or 0) * answer,
        "dropped_citations": (event.dropped_citations or 0) * answer,
        "searches": int(event.metric == "search"),
        "documents_embedded": int(embedding and "document_id" in about),
        "messages_embedded": about.get("memory_messages", 0) * embedding,
        "prompt_tokens": event.prompt_tokens or 0,
        "completion_tokens": event.completion_tokens or 0,
        "embedding_tokens": event.value * embedding + (event.embedding_tokens or 0) * answer,
        "answer_microdollars": event.cost_microdollars * answer,
        "search_microdollars": event.cost_microdollars * (event.metric == "search"),
        "embedding_microdollars": event.cost_microdollars * embedding,
        "ratings": sign,
        "rating_sum": sign * event.value,
        "positive_ratings": sign * (event.value >= 4),
        "negative_ratings": sign * (event.value <= 2),
    }
    return found | ({} if event.outcome is None else {event.outcome: 1})
