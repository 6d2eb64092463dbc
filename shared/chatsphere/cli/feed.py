"""The stream of a bot's ingestion, read in a thread: the command goes on meanwhile, and Ctrl-C ends it at once."""

import queue
import threading
from dataclasses import dataclass, field

from chatsphere.cli.client import Client
from chatsphere.cli.errors import ApiError, CliError, UnauthenticatedError
from chatsphere.cli.retry import RetryPolicy
from chatsphere.cli.sse import Event

UNTIL_IDLE = {"until": "idle"}


@dataclass
class Feed:
    """What happens in a bot's ingestion, across as many streams as it takes; each goes on where the last one ended.

    With `until_idle` it is over when nothing is under way. `error`: it is over because there is no stream to be had.
    """

    client: Client
    bot_id: str
    until_idle: bool = True
    policy: RetryPolicy = field(default_factory=lambda: RetryPolicy(attempts=4))
    error: CliError | None = None
    _events: "queue.SimpleQueue[Event]" = field(default_factory=queue.SimpleQueue)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> "Feed":
        """Begin to read. The thread is no reason for the process to go on."""
        self._thread = threading.Thread(target=self._read, name="feed", daemon=True)
        self._thread.start()
        return self

    @property
    def started(self) -> bool:
        """Whether it was begun to read."""
        return self._thread is not None

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self._thread is not None and not self._thread.is_alive() and self._events.empty()

    def next(self, seconds: float) -> Event | None:
        """Return the next event; None where none came in this time."""
        try:
            return self._events.get(timeout=seconds) if seconds > 0 else self._events.get_nowait()
        except queue.Empty:
            return None

    def close(self) -> None:
        """Read no more. The thread ends when it next hears of the server."""
        self._stopped.set()

    def _read(self) -> None:
        # One try each: whether another is worth it is decided here, and where none is, one polls.
        client, place, attempt = self.client.impatient(), None, 1
        while not self._stopped.is_set():
            before = place
            try:
                place = self._read_one(client, place)
                if place is None:
                    return
            except (ApiError, UnauthenticatedError) as error:
                self.error = error
                return
            except CliError as error:
                attempt += 1
                wait = self.policy.wait_before(attempt)
                if wait is None:
                    self.error = error
                    return
                self._stopped.wait(wait)
                continue
            # A server whose streams end at once is asked slowly.
            if place == before:
                self._stopped.wait(1.0)
            attempt = 1

    def _read_one(self, client: Client, after: str | None) -> str | None:
        """Read one stream; return from where to go on, None where that is not wanted."""
        query = UNTIL_IDLE if self.until_idle else None
        place = after
        with client.follow(f"/bots/{self.bot_id}/ingestion/stream", query, after=after) as events:
            for event in events:
                if self._stopped.is_set():
                    return None
                place = event.id or place
                if event.name == "error":
                    raise ApiError(int(event.data.get("status", 500)), event.data)
                if event.name == "reconnect":
                    break
                self._events.put(event)
                if event.name == "idle" and self.until_idle:
                    return None
        if place is None:
            raise CliError("The stream ended without an event.", code="broken_stream")
        return place
