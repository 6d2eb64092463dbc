"""The states of many documents, asked for by the page."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from chatsphere.cli.client import Client, JsonObject
from chatsphere.cli.errors import ApiError
from chatsphere.cli.ingestion import Sent
from chatsphere.cli.stages import doing

IN_FLIGHT = ("registered", "extracting", "embedding")
FEW = 16
"""Up to so many documents are asked for one by one; a bot may hold thousands of others."""

GRACE_SECONDS = 15.0
"""How long a document that was there before may look as it did: the news of its new bytes is under way."""


@dataclass(frozen=True, slots=True)
class _Expected:
    before: JsonObject
    sha256: str | None
    since: float


class Watch:
    """Documents of one bot that are being ingested. Times are of a monotonic clock, in seconds."""

    def __init__(self, client: Client, bot_id: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.states: dict[str, tuple[JsonObject, float | None]] = {}
        """Of each document the last state seen, and when it was final."""
        self.pause = 0.2
        self._client = client
        self._path = f"/bots/{bot_id}/documents"
        self._clock = clock
        self._expected: dict[str, _Expected] = {}
        self._gone: dict[str, float] = {}
        self._filters = True
        self._last_poll = float("-inf")

    @property
    def outstanding(self) -> int:
        """How many documents have not been seen in a final state."""
        return len(self._expected)

    @property
    def done(self) -> int:
        """How many documents are final, those included that are only known to be no longer under way."""
        return len(self.states) - len(self._expected) + len(self._gone)

    @property
    def doing(self) -> str:
        """What happens to the outstanding documents, as far as their last states tell."""
        return doing(self.states[document_id][0] for document_id in self._expected if document_id not in self._gone)

    @property
    def due(self) -> bool:
        """Whether it is time to poll again."""
        return bool(self._expected) and self._clock() - self._last_poll >= self.pause

    def add(self, sent: Sent) -> None:
        """Follow a document from now on."""
        document_id = str(sent.document["id"])
        self._expected[document_id] = _Expected(sent.document, sent.sha256, self._clock())
        self.states[document_id] = (sent.document, None)

    def poll(self) -> None:
        """Ask once how far the documents are; `pause` then grows with what asking costs the server."""
        started = self._clock()
        if len(self._expected) <= FEW:
            self._ask_each()
        else:
            self._ask_by_status()
        self._last_poll = self._clock()
        self.pause = min(5.0, max(0.3, 3 * (self._last_poll - started)))

    def settle(self) -> None:
        """Look at every outstanding document through the whole list; one that is not in it was deleted."""
        missing = set(self._expected)
        for document in self._client.items(self._path):
            self._observe(document)
            missing.discard(str(document["id"]))
            if not missing:
                return
        for document_id in missing:
            self._observe_deleted(document_id)

    def _ask_each(self) -> None:
        for document_id in list(self._expected):
            try:
                self._observe(self._client.get(f"{self._path}/{document_id}"))
            except ApiError as error:
                if error.status != 404:
                    raise
                self._observe_deleted(document_id)

    def _ask_by_status(self) -> None:
        """List what is under way; only when none of ours is left there, look at how they ended."""
        under_way = self._list_under_way() if self._filters else set()
        self._gone = {
            document_id: self._gone.get(document_id, self._clock())
            for document_id in self._expected
            if document_id not in under_way
        }
        if not self._filters or not under_way:
            self.settle()

    def _list_under_way(self) -> set[str]:
        """Return ours among the documents under way; a server that does not filter is found out."""
        found: set[str] = set()
        try:
            for status in IN_FLIGHT:
                for document in self._client.items(self._path, {"status": status}):
                    if document["status"] != status:
                        self._filters = False
                        return set()
                    found.add(str(document["id"]))
        except ApiError as error:
            if error.status not in (400, 422):
                raise
            self._filters = False
            return set()
        return found & self._expected.keys()

    def _observe(self, document: JsonObject) -> None:
        document_id = str(document["id"])
        expected = self._expected.get(document_id)
        if expected is None:
            return
        final = self._is_final(document, expected)
        self.states[document_id] = (document, self._gone.pop(document_id, self._clock()) if final else None)
        if final:
            del self._expected[document_id]
        else:
            self._gone.pop(document_id, None)

    def _observe_deleted(self, document_id: str) -> None:
        self._gone.pop(document_id, None)
        before = self._expected.pop(document_id).before
        self.states[document_id] = ({**before, "status": "deleted"}, self._clock())

    def _is_final(self, document: JsonObject, expected: _Expected) -> bool:
        if document["status"] in (*IN_FLIGHT, "deleting"):
            return False
        if self._clock() - expected.since > GRACE_SECONDS:
            return True
        if document["status"] == "ready" and expected.sha256 and document.get("sha256"):
            return bool(document["sha256"] == expected.sha256)
        unchanged = all(
            document.get(name) == expected.before.get(name) for name in ("status", "updated_at", "attempts")
        )
        return not unchanged or expected.sha256 is None
