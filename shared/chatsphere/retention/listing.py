"""The list of what a run does, or would do: made first, page by page, so that a dry run's is the same."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self
from uuid import UUID

from chatsphere.db.database import Connection
from chatsphere.ports.system import Clock
from chatsphere.retention import listing_queries as queries
from chatsphere.retention.due import Due, due_of
from chatsphere.retention.policies import Policies

STAGES: Final = (
    "system_message_days",
    "message_days",
    "inactive_conversation_days",
    "document_days",
    "error_log_days",
)
"""The policy's fields by which something is due, in the order in which that is listed and done."""

MESSAGES: Final = 20_000
"""Messages that are looked at in one statement, or those of one day where that has more."""

CONVERSATIONS: Final = 2_000
DOCUMENTS: Final = 1_000

POSITIONS: Final = 5_000
"""Items after which a transaction ends."""

TIME: Final = timedelta(seconds=10)
"""After which it ends, too: what was listed is kept, and whoever makes a hold waits for no longer."""

BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list has got to: a stage; the bot before which everything of it is listed; and, where that bot is not
    through, what of it was listed last.
    """

    stage: str = STAGES[0]
    bot_id: UUID | None = None
    after: datetime | None = None
    after_id: UUID | None = None

    @property
    def is_within_bot(self) -> bool:
        """Whether the bot itself is to be gone on with."""
        return self.after is not None or self.after_id is not None

    def following(self) -> "Place | None":
        """Return where the next stage begins; None after the last."""
        following = STAGES.index(self.stage) + 1
        return Place(STAGES[following]) if following < len(STAGES) else None

    def to_json(self) -> dict[str, Any]:
        """Return what is kept of it."""
        after = self.after.isoformat() if self.after else None
        ids = {"bot_id": self.bot_id, "after_id": self.after_id}
        return {"stage": self.stage, "after": after} | {
            key: str(value) if value else None for key, value in ids.items()
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Read what `to_json` returned; nothing: the beginning."""
        if not kept:
            return cls()
        ids = {key: UUID(kept[key]) if kept[key] else None for key in ("bot_id", "after_id")}
        return cls(kept["stage"], after=datetime.fromisoformat(kept["after"]) if kept["after"] else None, **ids)


@dataclass(frozen=True, slots=True)
class ListedRun:
    """What listing needs to know of a run."""

    id: UUID
    bot_id: UUID | None
    as_of: datetime
    policies: Policies


@dataclass(slots=True)
class Lister:
    """Lists on one connection, in one transaction. `listed` counts positions, from the run's first."""

    connection: Connection
    run: ListedRun
    listed: int
    clock: Clock
    any_holds: bool = False
    _bots: list[UUID] = field(default_factory=list)
    _left: dict[str, list[UUID]] = field(default_factory=dict)
    """By stage, the bots of which something may be due and that were not begun with; the next one last."""

    def go_on(self, place: Place) -> Place | None:
        """List from a place on, up to some thousand items; return where to go on, None at the end."""
        self.any_holds = self._one(queries.ANY_HOLDS)["any_holds"]
        self._bots = [row["id"] for row in self.connection.execute(queries.BOTS, {"bot_id": self.run.bot_id})]
        most, ends, following = self.listed + POSITIONS, self.clock.now() + TIME, place
        while following == place or (self.listed < most and self.clock.now() < ends):
            found = self._next(following)
            if found is None:
                return None
            following = found
        return following

    def _next(self, place: Place) -> Place | None:
        if place.stage == "error_log_days":
            self._errors(self._bots)
            return place.following()
        if place.bot_id is not None and place.is_within_bot and self._is_there(place.bot_id):
            return self._page(place, place.bot_id)
        bot_id = self._next_bot(place)
        return self._page(Place(place.stage, bot_id), bot_id) if bot_id else place.following()

    def _is_there(self, bot_id: UUID) -> bool:
        position = bisect_left(self._bots, bot_id)
        return position < len(self._bots) and self._bots[position] == bot_id

    def _next_bot(self, place: Place) -> UUID | None:
        """Return the next bot with something due. All are asked about at once: there may be thousands."""
        if place.stage not in self._left:
            left = [bot for bot in self._bots if place.bot_id is None or bot > place.bot_id]
            self._left[place.stage] = self._with_something(place, left)[::-1]
        return self._left[place.stage].pop() if self._left[place.stage] else None

    def _with_something(self, place: Place, bots: Sequence[UUID]) -> list[UUID]:
        cutoffs = {bot: self._due(bot, place.stage).before for bot in bots}
        pairs = {bot: moment for bot, moment in cutoffs.items() if moment is not None}
        if not pairs:
            return []
        values = {"bots": list(pairs), "cutoffs": list(pairs.values()), "latest": max(pairs.values())}
        return [row["id"] for row in self.connection.execute(queries.BOTS_WITH[place.stage], values)]

    def _page(self, place: Place, bot_id: UUID) -> Place:
        """List a page of a bot that has something due, as far as is known."""
        due = self._due(bot_id, place.stage)
        if due.before is None:
            return Place(place.stage, bot_id)
        if due.kind == "messages":
            return self._messages(place, bot_id, due)
        window, listing, limit = (
            (queries.CONVERSATION_WINDOW, queries.LIST_CONVERSATIONS, CONVERSATIONS)
            if due.kind == "conversation"
            else (queries.DOCUMENT_WINDOW, queries.LIST_DOCUMENTS, DOCUMENTS)
        )
        values = self._values(bot_id, due) | {
            "after": place.after,
            "after_id": place.after_id,
            "limit": limit,
            "messages_before": due.before + timedelta(days=1),
        }
        row = self.connection.execute(window, values).fetchone()
        if row is None or row["last_id"] is None:
            return Place(place.stage, bot_id)
        self._list(listing, values | row)
        if row["rows"] < limit:
            return Place(place.stage, bot_id)
        return replace(place, bot_id=bot_id, after=row.get("last"), after_id=row["last_id"])

    def _messages(self, place: Place, bot_id: UUID, due: Due) -> Place:
        values = self._values(bot_id, due) | {"since": place.after or BEGINNING, "limit": MESSAGES}
        window = self._one(queries.message_window(due.messages), values)
        if not window["rows"]:
            return Place(place.stage, bot_id)
        until = min(_day_after(window["last"]), values["before"])
        self._list(queries.list_messages(due.messages), values | {"since": window["first"], "until": until})
        return replace(place, bot_id=bot_id, after=until) if window["rows"] == MESSAGES else Place(place.stage, bot_id)

    def _errors(self, bots: Sequence[UUID]) -> None:
        values = errors_values(self.run, bots)
        if values["before"] is not None:
            named = {"kind": "error_logs", "action": "delete", "reason": "error_log_days"}
            self._list(queries.LIST_ERRORS, values | named | {"any_holds": self.any_holds})

    def _due(self, bot_id: UUID, stage: str) -> Due:
        return due_of(self.run.policies.of(bot_id), stage, self.run.as_of)

    def _values(self, bot_id: UUID, due: Due) -> dict[str, Any]:
        return due.values() | {"bot_id": bot_id, "any_holds": self.any_holds, "as_of": self.run.as_of}

    def _list(self, query: str, values: Mapping[str, Any]) -> None:
        taken = self._one(query, {**values, "run_id": self.run.id, "listed": self.listed})
        self.listed += taken["positions"]

    def _one(self, query: str, values: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        row = self.connection.execute(query, values).fetchone()
        assert row is not None
        return row


def errors_values(run: ListedRun, bots: Sequence[UUID]) -> dict[str, Any]:
    """Return the parameters of `DUE_ERRORS`; `before` is None where no error is ever due."""
    cutoffs = [due_of(run.policies.of(bot), "error_log_days", run.as_of).before for bot in bots]
    others = due_of(run.policies.of(None), "error_log_days", run.as_of).before
    latest = max((each for each in (*cutoffs, others) if each is not None), default=None)
    return {"bots": list(bots), "cutoffs": cutoffs, "others_before": others, "before": latest, "bot_id": run.bot_id}


def _day_after(moment: datetime) -> datetime:
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day + timedelta(days=1)
