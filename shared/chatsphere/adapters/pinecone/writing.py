"""Writing to a namespace of a Pinecone index, and waiting until reads show what was written."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from chatsphere.adapters.pinecone.index import PineconeIndex, is_missing_namespace
from chatsphere.adapters.pinecone.patience import Patience
from chatsphere.adapters.pinecone.reading import Found, written_position
from chatsphere.errors import ProviderRejectedError, UnavailableError

MAX_RECORDS: Final = 1_000
MAX_REQUEST_BYTES: Final = 2_000_000
ENVELOPE_BYTES: Final = 500
"""Room for what an upsert holds beside its records: the namespace and some punctuation."""

Look = Callable[[], tuple[set[str], Found]]
"""Returns the ids of what is to be deleted as reads show it, and the search that was part of it."""


def upsert_vectors(index: PineconeIndex, body: Mapping[str, Any]) -> int | None:
    """Write vectors; return the place in the namespace's log."""
    reply = index.call("POST", "/vectors/upsert", body)
    if is_missing_namespace(reply):
        # An upsert makes its namespace.
        raise ProviderRejectedError("Pinecone does not take the vectors.")
    return written_position(reply)


def delete_vectors(index: PineconeIndex, namespace: str, ids: Sequence[str]) -> int | None:
    """Delete vectors by their ids; return the last place in the namespace's log."""
    position = None
    for start in range(0, len(ids), MAX_RECORDS):
        body = {"namespace": namespace, "ids": ids[start : start + MAX_RECORDS]}
        position = written_position(index.call("POST", "/vectors/delete", body))
    return position


def await_visible(search: Callable[[], Found], position: int | None, patience: Patience) -> bool:
    """Wait until a search has seen the write at this position, and return whether one has.

    Without a position to compare, the search must find something.
    """
    while True:
        found = search()
        if found.matches if position is None else found.has_seen(position):
            return True
        if not patience.pause():
            return False


def delete_until_unseen(look: Look, delete: Callable[[Sequence[str]], int | None], patience: Patience) -> int:
    """Delete what `look` shows until it shows no more; return how many those were.

    Raises:
        UnavailableError: some are still shown, or a write before this one may still come to light.
    """
    deleted: set[str] = set()
    position, has_written = None, False
    while True:
        left, found = look()
        if left - deleted or not has_written:
            # Nothing to delete is written as well: a search that has seen this write has seen all before it.
            position = delete(sorted(left - deleted) or ["none"])
            deleted |= left
            has_written = True
        elif not left and found.has_seen(position):
            return len(deleted)
        if not patience.pause():
            if not left and found.position is None:
                # Of a namespace that was emptied Pinecone may tell no position any more: that it showed nothing
                # for the whole time must do.
                return len(deleted)
            raise UnavailableError("Pinecone does not show yet that the vectors were deleted.")


def await_emptied(count: Callable[[], int], patience: Patience) -> None:
    """Wait until a namespace that was deleted shows no vector.

    Raises:
        UnavailableError: some are still shown.
    """
    while count():
        if not patience.pause():
            raise UnavailableError("Pinecone does not show yet that the namespace was deleted.")
