"""The stream of a bot's ingestion: nothing is left out, nothing is told twice, and it ends as it says."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from chatsphere.access.permissions import ALL_SCOPES, Scope
from chatsphere.errors import CorruptDocumentError
from chatsphere.knowledge.history.stream_routes import Pace
from chatsphere.knowledge.history.stream_slots import SLOTS, stream_slot
from tests.integration.history.stream_client import TIMEOUT, Event, StreamClient
from tests.integration.ingestion.pipeline import FakeExtraction, Pipeline
from tests.postgres import DatabaseUrls

NOBODYS = "01970000000070008000000000000000"
ENDS_AT_ONCE = Pace(poll_seconds=0.005, stream_seconds=0)


def drop(pipeline: Pipeline, *names: str) -> None:
    for name in names:
        pipeline.drop(name, f"text of {name}")
    pipeline.deliver_events()


def test_a_snapshot_comes_first_then_each_change_then_idle(pipeline: Pipeline, client: StreamClient) -> None:
    # Given a document that is registered, and a stream; when it is seen, the pipeline goes on
    drop(pipeline, "a.txt")

    def go_on(event: Event) -> None:
        if event.name == "snapshot":
            pipeline._drain(pipeline.extract_queue.messages, pipeline.extract)
        elif event.data.get("status") == "embedding":
            seen.append(event.data)
            pipeline.run()

    seen: list[dict[str, Any]] = []

    # When it is followed until nothing is under way
    answer = client.watch(go_on)

    # Then each state is told, in order
    assert answer.status == 200
    assert answer.told == [("snapshot", None), ("document", "ready"), ("idle", None)]
    # It is told again while its batch is at work, if the stream looks at that moment.
    snapshot, idle, embedding = answer.events[0].data, answer.events[-1].data, seen[0]
    ready = answer.ends[0].data
    assert (snapshot["bot_status"], snapshot["totals"]["registered"]) == ("training", 1)
    assert [(state["name"], state["stage"]) for state in snapshot["under_way"]] == [("a.txt", "extract")]
    assert snapshot["oldest_unfinished"]["document_id"] == snapshot["under_way"][0]["id"] == embedding["id"]
    assert (embedding["stage"], embedding["progress"]) == ("embed", 0.0)
    assert (ready["name"], ready["stage"], ready["chunk_count"]) == ("a.txt", "done", 1)
    assert (idle["totals"]["ready"], idle["totals"]["registered"]) == (1, 0)


def test_a_bot_that_is_idle_says_so_at_once(client: StreamClient) -> None:
    assert [name for name, _ in client.watch().told] == ["snapshot", "idle"]


def test_a_failure_tells_why(pipeline: Pipeline, client: StreamClient) -> None:
    def refuse(*_: Any, **__: Any) -> FakeExtraction:
        raise CorruptDocumentError("The file is damaged.")

    pipeline.read = refuse
    drop(pipeline, "a.txt")

    answer = client.watch(lambda event: pipeline.run() if event.name == "snapshot" else None)

    assert answer.told == [("snapshot", None), ("document", "failed"), ("idle", None)]
    failed = answer.ends[0].data
    assert (failed["error_code"], failed["error_message"], failed["retryable"]) == (
        "corrupt",
        "The file is damaged.",
        False,
    )
    (listed,) = client.watch().events[0].data["failures"]
    assert listed == failed


def test_embedding_tells_its_progress(pipeline: Pipeline, client: StreamClient) -> None:
    # Given a document of several batches, each of which is embedded when the one before has been told
    pipeline.drop("a.txt", "\n".join(f"line {n}" for n in range(64 * 3)))
    pipeline.deliver_events()
    pipeline._drain(pipeline.extract_queue.messages, pipeline.extract)

    def embed_next(event: Event) -> None:
        if pipeline.embed_queue.messages:
            assert pipeline.deliver(pipeline.embed, pipeline.embed_queue.messages.popleft())

    # When
    answer = client.watch(embed_next)

    # Then the shares grow
    shares = [event.data["progress"] for event in answer.events if event.name == "document"]
    assert shares == [0.333, 0.667, None]


def test_another_stream_goes_on_where_one_ended(pipeline: Pipeline, client: StreamClient) -> None:
    # Given ten documents, all changed at one moment
    names = [f"{n}.txt" for n in range(10)]
    drop(pipeline, *names)
    first = client.watch(lambda event: pipeline.run() if event.name == "snapshot" else None)
    documents = first.ends
    assert sorted(event.data["name"] for event in documents) == names
    assert {event.data["updated_at"] for event in documents} == {documents[0].data["updated_at"]}

    # When a client goes on after any of them, Then it is told what comes after, in the same order, and nothing else
    for place, event in enumerate(documents):
        rest = client.watch(after=event.id)
        assert [e.data["id"] for e in rest.events[:-1]] == [e.data["id"] for e in documents[place + 1 :]]
        assert rest.told[-1] == ("idle", None)


def test_what_commits_late_is_neither_lost_nor_overtaken(
    pipeline: Pipeline, client: StreamClient, database_urls: DatabaseUrls
) -> None:
    # Given a transaction that has changed the first of two documents and does not end
    drop(pipeline, "a.txt", "b.txt")
    pipeline.run()
    start = client.watch().events[-1].id
    first, second = (document["id"] for document in pipeline.documents())
    change = "UPDATE documents SET status = 'failed', error_code = 'late' WHERE id = %s"
    late = psycopg.connect(database_urls.admin)
    late.execute(change, (first,))

    # When the second changes meanwhile
    with pipeline.connection() as connection:
        connection.execute(change, (second,))
    client.pace = ENDS_AT_ONCE
    meanwhile = client.watch(after=start, query="")

    # Then it is held back, the bot is not called idle, and at the end both are told
    assert [name for name, _ in meanwhile.told] == ["reconnect"]
    late.commit()
    late.close()
    after = client.watch(after=meanwhile.events[-1].data["last_event_id"])
    assert [event.data["id"] for event in after.events if event.name == "document"] == [str(first), str(second)]


def test_a_deleted_document_is_told(pipeline: Pipeline, client: StreamClient) -> None:
    drop(pipeline, "a.txt", "b.txt")
    pipeline.run()
    start = client.watch().events[-1].id
    document_id = pipeline.documents()[0]["id"]
    with pipeline.connection() as connection:
        connection.execute("DELETE FROM documents WHERE id = %s", (document_id,))

    answer = client.watch(after=start)

    assert answer.told == [("document", "deleted"), ("idle", None)]
    assert answer.events[0].data["id"] == str(document_id)


def test_deletions_are_forgotten_after_an_hour(pipeline: Pipeline, client: StreamClient) -> None:
    drop(pipeline, "a.txt", "b.txt")
    pipeline.run()
    start = client.watch().events[-1].id

    def delete_one() -> None:
        with pipeline.connection() as connection:
            connection.execute("UPDATE documents SET updated_at = %s", (pipeline.clock.now(),))
            connection.execute("DELETE FROM documents WHERE id = (SELECT min(id::text)::uuid FROM documents)")

    delete_one()
    pipeline.clock.advance(timedelta(minutes=61))
    delete_one()

    with pipeline.connection() as connection:
        assert connection.execute("SELECT count(*) AS kept FROM document_changes").fetchone() == {"kept": 1}
    # Whoever comes with a place that old begins anew
    assert [name for name, _ in client.watch(after=start).told] == ["snapshot", "idle"]


def test_a_place_that_the_database_has_not_come_to_begins_anew(client: StreamClient, pipeline: Pipeline) -> None:
    ahead = f"{2**62}-{uuid4().hex}-{int(pipeline.clock.now().timestamp())}"
    assert client.watch(after=ahead).told[0] == ("snapshot", None)


def test_a_stream_that_may_go_on_says_idle_each_time_and_ends_with_a_place(
    pipeline: Pipeline, client: StreamClient
) -> None:
    idles: list[Event] = []

    def add_one(event: Event) -> None:
        if event.name == "idle" and idles:
            client.seconds = 2 * client.pace.stream_seconds
        elif event.name == "idle":
            idles.append(event)
            drop(pipeline, "a.txt")
        elif event.data.get("status") == "registered":
            pipeline.run()

    answer = client.watch(add_one, query="")

    assert answer.told == [
        ("snapshot", None),
        ("idle", None),
        ("document", "ready"),
        ("idle", None),
        ("reconnect", None),
    ]
    assert answer.events[-1].data == {"last_event_id": answer.events[-1].id}
    assert answer.body.startswith(b"retry: 1000\n\n")


def test_a_bot_that_is_deleted_meanwhile_ends_the_stream_with_a_problem(
    pipeline: Pipeline, client: StreamClient
) -> None:
    drop(pipeline, "a.txt")

    def delete_bot(event: Event) -> None:
        if event.name == "snapshot":
            with pipeline.connection() as connection:
                connection.execute("UPDATE bots SET status = 'deleting'")

    answer = client.watch(delete_bot)

    assert [name for name, _ in answer.told] == ["snapshot", "error"]
    assert (answer.events[-1].data["code"], answer.events[-1].data["request_id"]) == ("not_found", "request-1")


@pytest.mark.parametrize("how", ["the connection breaks", "the server tells"])
def test_a_client_that_leaves_ends_the_stream(pipeline: Pipeline, client: StreamClient, how: str) -> None:
    # Given a stream that would go on for ever
    drop(pipeline, "a.txt")
    client.pace = Pace(poll_seconds=10 * TIMEOUT, stream_seconds=10 * TIMEOUT)

    def leave(_: Event) -> None:
        if how == "the connection breaks":
            raise OSError
        assert client.leaves is not None
        client.leaves.set()

    # When its client leaves, Then it returns, and its place is free
    client.watch(leave, query="")
    with pipeline.connection() as connection:
        assert connection.execute("SELECT FROM stream_slots").fetchall() == []


def test_an_organization_has_so_many_streams_and_no_more(pipeline: Pipeline, client: StreamClient) -> None:
    # Given as many streams as may be
    life, now = timedelta(minutes=1), pipeline.clock.now()
    held = [stream_slot(pipeline.database, pipeline.tenant.organization_id, uuid4(), now, life) for _ in range(SLOTS)]
    for slot in held:
        slot.__enter__()

    # When one more is asked for
    answer = client.watch()

    # Then it is refused, until one has ended or its time is over
    assert (answer.status, answer.json["code"]) == (429, "too_many_streams")
    held[1].__exit__(None, None, None)
    assert client.watch().status == 200
    held[1] = stream_slot(pipeline.database, pipeline.tenant.organization_id, uuid4(), now, life)
    held[1].__enter__()
    assert client.watch().status == 429
    pipeline.clock.advance(life)
    assert client.watch().status == 200


@pytest.mark.parametrize(
    ("query", "after", "field"),
    [
        ("until=tomorrow", None, "until"),
        ("until=idle&until=idle", None, "until"),
        ("", "falcon", "Last-Event-ID"),
        ("", "-1-x-2", "Last-Event-ID"),
        ("", f"{10**19}-{NOBODYS}-1", "Last-Event-ID"),
        ("", f"{2**63}-{NOBODYS}-1", "Last-Event-ID"),
        ("", f"1-{NOBODYS}-\u0661", "Last-Event-ID"),
        ("", f"1-{NOBODYS}-{10**12 - 1}", "Last-Event-ID"),
    ],
)
def test_bad_input_is_named(client: StreamClient, query: str, after: str | None, field: str) -> None:
    answer = client.watch(query=query, after=after)
    assert (answer.status, answer.json["code"]) == (422, "invalid_request")
    assert [error["pointer"] for error in answer.json["errors"]] == [field]


def test_who_may_not_see_documents_sees_no_stream(
    make_pipeline: Callable[[], Pipeline], client: StreamClient, pipeline: Pipeline
) -> None:
    other = make_pipeline()
    drop(other, "secret.txt")
    # Another tenant's bot is no other than one that nobody has
    theirs, nobodys = client.watch(bot_id=other.tenant.bot_id), client.watch(bot_id=uuid4())
    assert theirs.status == nobodys.status == client.watch(bot_id="falcon").status == 404
    assert theirs.json == nobodys.json
    assert client.watch(signed_in=False).status == 401
    client.scopes = ALL_SCOPES - {Scope.DOCUMENTS_READ}
    assert client.watch().status == 403


def test_one_tenants_stream_tells_nothing_of_anothers(
    make_pipeline: Callable[[], Pipeline], client: StreamClient, pipeline: Pipeline
) -> None:
    drop(pipeline, "a.txt")
    other = make_pipeline()

    def both_go_on(event: Event) -> None:
        if event.name == "snapshot":
            other.drop("secret.txt", "text")
            other.run()
            pipeline.run()

    answer = client.watch(both_go_on)

    assert b"secret" not in answer.body
    assert answer.told == [("snapshot", None), ("document", "ready"), ("idle", None)]
