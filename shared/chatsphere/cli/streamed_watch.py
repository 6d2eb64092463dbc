"""The states of many documents, told by the stream of their bot's ingestion once waiting takes longer."""

import time
from collections.abc import Callable
from typing import Final

from chatsphere.cli.client import Client
from chatsphere.cli.feed import Feed
from chatsphere.cli.sse import Event
from chatsphere.cli.watch import Watch

STREAM_AFTER_SECONDS: Final = 2.0
"""A short wait is cheaper polled: a stream occupies the server until it ends, also when nobody reads it any more."""

SILENCE_SECONDS: Final = 15.0
"""After so long without an event the documents are looked at all the same."""


class StreamedWatch(Watch):
    """A `Watch` that polls at first, and again where there is no stream or it is over."""

    def __init__(self, client: Client, bot_id: str, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(client, bot_id, clock)
        self._feed = Feed(client, bot_id)
        self._first_poll: float | None = None
        self._heard: float | None = None
        """When the stream was last heard of; None: it tells nothing yet, or nothing more."""

    def poll(self) -> None:
        """Take what the stream tells, or ask."""
        now = self._clock()
        self._first_poll = now if self._first_poll is None else self._first_poll
        if not self._feed.started and now - self._first_poll >= STREAM_AFTER_SECONDS:
            self._feed.start()
        while (event := self._feed.next(0)) is not None:
            self._take(event)
        if self._feed.over or self._heard is None or now - self._heard > SILENCE_SECONDS:
            self._heard = None if self._heard is None else now
            super().poll()
        else:
            self._last_poll, self.pause = now, 0.3

    def close(self) -> None:
        """End the stream."""
        self._feed.close()

    def _take(self, event: Event) -> None:
        if event.name == "snapshot":
            # What ended before the stream began is not told: one look at all of it, and then the events.
            super().poll()
        elif event.name == "document" and event.data["status"] == "deleted":
            if event.data["id"] in self._expected:
                self._observe_deleted(event.data["id"])
        elif event.name == "document":
            self._observe(event.data)
        self._heard = self._clock()
