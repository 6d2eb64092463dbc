"""What following many documents costs, and when one is taken for final."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest

from chatsphere.cli.client import Client
from chatsphere.cli.errors import ApiError
from chatsphere.cli.ingestion import Sent
from chatsphere.cli.watch import FEW, GRACE_SECONDS, Watch

Json = dict[str, Any]


class Server:
    """A list of documents that counts how it is asked."""

    def __init__(self, documents: list[Json], *, filters: str = "yes") -> None:
        self.documents = documents
        self.filters = filters
        self.gets = 0
        self.lists: list[str | None] = []

    def get(self, path: str) -> Json:
        self.gets += 1
        found = [document for document in self.documents if document["id"] == path.rpartition("/")[2]]
        if not found:
            raise ApiError(404, {})
        return found[0]

    def items(self, path: str, query: Mapping[str, str] | None = None) -> Iterator[Json]:
        status = (query or {}).get("status")
        self.lists.append(status)
        if status and self.filters == "refused":
            raise ApiError(422, {})
        if self.filters != "yes":
            status = None
        return (document for document in self.documents if status in (None, document["status"]))

    def set(self, status: str) -> None:
        for document in self.documents:
            document["status"] = status


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def documents(count: int) -> list[Json]:
    return [{"id": str(number), "name": str(number), "status": "registered"} for number in range(count)]


def watching(server: Server, clock: Clock | None = None, sha256: str | None = None) -> Watch:
    watch = Watch(cast(Client, server), "bot", clock or Clock())
    for document in server.documents:
        watch.add(Sent(dict(document), sha256))
    return watch


def test_few_documents_are_asked_for_one_by_one() -> None:
    server = Server(documents(FEW))
    watch = watching(server)

    watch.poll()
    server.set("ready")
    watch.poll()

    assert (watch.outstanding, watch.done) == (0, FEW)
    assert server.lists == []


def test_many_are_listed_by_status_and_looked_at_in_full_once() -> None:
    # Given many documents, most of them no longer under way
    server = Server(documents(500))
    watch = watching(server)
    watch.poll()
    assert watch.done == 0
    server.set("ready")
    server.documents[7]["status"] = "embedding"

    # When looked at, Then the progress is known without reading the whole list
    watch.poll()
    assert watch.done == 499
    assert None not in server.lists

    # And when the last one is done, the whole list is read once
    server.documents[7].update(status="failed", error_code="corrupt")
    watch.poll()
    assert (watch.outstanding, watch.done) == (0, 500)
    assert server.lists.count(None) == 1
    assert server.gets == 0
    assert watch.states["7"][0]["error_code"] == "corrupt"


@pytest.mark.parametrize("filters", ["ignored", "refused"])
def test_a_server_without_the_filter_is_found_out_and_not_asked_for_it_again(filters: str) -> None:
    server = Server(documents(100), filters=filters)
    server.documents[0]["status"] = "extracting"
    watch = watching(server)

    watch.poll()
    assert watch.outstanding == 100
    server.set("ready")
    watch.poll()

    assert watch.outstanding == 0
    assert server.lists in (["registered", None, None], ["registered", "extracting", None, None])


def test_polling_slows_down_with_what_it_costs() -> None:
    clock = Clock()

    class Slow(Server):
        def get(self, path: str) -> Json:
            clock.now += 1.0
            return super().get(path)

    watch = watching(Slow(documents(1)), clock)
    watch.poll()

    assert watch.pause == 3.0
    assert not watch.due


def test_old_bytes_are_not_taken_for_new_ones() -> None:
    # Given a document that was ready before with other bytes
    clock = Clock()
    server = Server([{"id": "a", "name": "a", "status": "ready", "sha256": "old"}])
    watch = watching(server, clock, sha256="new")

    # When only the old bytes are known, Then it is not final
    watch.poll()
    assert watch.outstanding == 1

    # And when the new ones are ready, it is
    server.documents[0]["sha256"] = "new"
    watch.poll()
    assert watch.outstanding == 0


def test_an_old_failure_is_believed_after_a_while() -> None:
    clock = Clock()
    server = Server([{"id": "a", "name": "a", "status": "failed", "updated_at": "1"}])
    watch = watching(server, clock, sha256="x")

    watch.poll()
    assert watch.outstanding == 1
    clock.now = GRACE_SECONDS + 1
    watch.poll()
    assert watch.outstanding == 0


def test_a_document_that_is_gone_is_deleted() -> None:
    server = Server(documents(1))
    watch = watching(server)
    server.documents.clear()

    watch.poll()

    assert watch.states["0"][0]["status"] == "deleted"
