"""What happens in a bot's ingestion, event by event: from the stream, or by asking again where there is none."""

import time
from collections.abc import Iterator

from chatsphere.cli.client import Client, JsonObject
from chatsphere.cli.errors import ApiError
from chatsphere.cli.feed import Feed
from chatsphere.cli.sse import Event
from chatsphere.cli.watch import IN_FLIGHT

TICK_SECONDS = 0.3
NO_STREAM = (403, 404, 405, 406, 429, 500, 501, 502, 503, 504)
"""What a server says that has no stream for this caller, or none now; what else is wrong, polling says as well."""


def follow(client: Client, bot_id: str, *, until_idle: bool = True) -> Iterator[Event | None]:
    """Yield events as the stream names them (`snapshot`, `document`, `idle`), and None now and then in between.

    Raises:
        CliError: there is no such bot, or the API does not answer.
    """
    feed = Feed(client, bot_id, until_idle).start()
    try:
        while not feed.over:
            yield feed.next(TICK_SECONDS)
    finally:
        feed.close()
    if feed.error is not None:
        if isinstance(feed.error, ApiError) and feed.error.status not in NO_STREAM:
            raise feed.error
        yield from polled(client, bot_id, until_idle=until_idle)


def polled(client: Client, bot_id: str, *, until_idle: bool) -> Iterator[Event | None]:
    """Yield the same events, but for `snapshot`, with the documents as the API lists them.

    Raises:
        CliError: as `follow`.
    """
    path = f"/bots/{bot_id}/documents"
    known: dict[str, JsonObject] = {}
    while True:
        found = {str(item["id"]): item for status in IN_FLIGHT for item in client.items(path, {"status": status})}
        for document_id, document in found.items():
            if known.get(document_id) != document:
                yield Event("document", document)
        for document_id in known.keys() - found.keys():
            yield Event("document", _ended(client, path, known[document_id]))
        was_idle, known = not known, found
        if not found and (not was_idle or until_idle):
            yield Event("idle", {})
        if not found and until_idle:
            return
        yield None
        time.sleep(TICK_SECONDS)


def _ended(client: Client, path: str, before: JsonObject) -> JsonObject:
    try:
        return client.get(f"{path}/{before['id']}")
    except ApiError as error:
        if error.status != 404:
            raise
        return {**before, "status": "deleted"}
