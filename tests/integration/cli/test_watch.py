"""Following a bot's ingestion: by the stream, across its ends, and without it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from chatsphere.cli import following, streamed_watch
from chatsphere.cli.feed import Feed
from tests.integration.cli.conftest import Run
from tests.integration.cli.fake_api import FakeApi
from tests.integration.cli.test_drop import folder

Add = Callable[..., dict[str, Any]]


@pytest.fixture
def bot_id(known: FakeApi, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(following, "TICK_SECONDS", 0.02)
    return str(known.state.add_bot("Ada")["id"])


@pytest.fixture
def add(known: FakeApi, bot_id: str) -> Add:
    """Return a function that has a document ingested."""

    def add(name: str) -> dict[str, Any]:
        document = known.state.add_document(bot_id, name)
        known.state.receive(bot_id, document["id"], "text")
        return document

    return add


def streams(known: FakeApi) -> int:
    return sum(request.path.endswith("/ingestion/stream") for request in known.state.requests)


def events(out: str) -> list[tuple[str, str | None]]:
    told = [json.loads(line) for line in out.splitlines()]
    return [(event["event"], event["data"].get("status")) for event in told]


def test_each_event_is_a_line_of_json(cli: Run, known: FakeApi, add: Add) -> None:
    known.state.streams_ingestion = True
    document = add("a.txt")

    result = cli("watch", "Ada", "--json")

    assert result.code == 0
    assert events(result.out) == [
        ("snapshot", None),
        ("document", "extracting"),
        ("document", "embedding"),
        ("document", "ready"),
        ("idle", None),
    ]
    assert json.loads(result.out.splitlines()[1])["id"] == f"{document['id']}-document"


def test_a_stream_that_ends_is_gone_on_with(cli: Run, known: FakeApi, add: Add) -> None:
    # Given a server that ends each stream after one change
    known.state.streams_ingestion, known.state.end_streams_after = True, 1
    add("a.txt")

    result = cli("watch", "--json")

    # Then each further one is asked for what comes after the last event
    assert events(result.out) == [
        ("snapshot", None),
        ("document", "extracting"),
        ("document", "embedding"),
        ("document", "ready"),
        ("idle", None),
    ]
    asked = [request for request in known.state.requests if request.path.endswith("/ingestion/stream")]
    assert [request.query for request in asked] == [{"until": "idle"}] * 3
    assert "Last-Event-ID" not in asked[0].headers
    assert asked[1].headers["Last-Event-ID"] == "place-reconnect"


@pytest.mark.parametrize("status", [404, 429, 503])
def test_without_a_stream_the_documents_are_asked_for(
    cli: Run, known: FakeApi, bot_id: str, add: Add, status: int
) -> None:
    known.state.streams_ingestion = True
    known.state.fail("GET", f"/v1/bots/{bot_id}/ingestion/stream", status)
    add("a.txt")

    result = cli("watch", "--json")

    assert result.code == 0
    told = events(result.out)
    assert (told[0][0], told[-2:]) == ("document", [("document", "ready"), ("idle", None)])
    assert streams(known) == 1


def test_a_failure_is_shown_with_its_reason_and_what_to_do(cli: Run, known: FakeApi, add: Add) -> None:
    known.state.streams_ingestion = True
    add("broken.txt")
    add("good.txt")

    result = cli("watch")

    assert result.code == 1
    shown = " ".join(result.out.split())
    assert "failed broken.txt corrupt: The file is damaged. Open the file, save it anew" in shown
    assert "ready good.txt (2 passages)" in shown
    assert "Nothing is under way: 2 ended meanwhile, 1 failed." in shown


def test_people_see_what_is_being_done(cli: Run, known: FakeApi, add: Add, terminal: Console) -> None:
    known.state.streams_ingestion = True
    add("a.txt")

    cli("watch")

    assert "ready  a.txt" in terminal.export_text()


def test_a_bot_that_is_not_there_is_not_found(cli: Run, known: FakeApi, bot_id: str) -> None:
    result = cli("watch", "01970000-0000-7000-8000-0000000000ff", "--json")
    assert (result.code, json.loads(result.out)["error"]["code"]) == (1, "not_found")


def test_waiting_for_documents_follows_the_stream(cli: Run, known: FakeApi, bot_id: str, add: Add) -> None:
    known.state.streams_ingestion = True
    add("a.txt")

    result = cli("docs", "wait", "--json")

    assert (result.code, [document["status"] for document in result.json["data"]]) == (0, ["ready"])
    assert (streams(known), known.state.count("GET", f"/v1/bots/{bot_id}/documents")) == (1, 1)


def test_a_drop_that_takes_long_follows_the_stream(
    cli: Run, known: FakeApi, bot_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a server where documents take a step only as the stream tells it
    monkeypatch.setattr(streamed_watch, "STREAM_AFTER_SECONDS", 0.0)
    known.state.streams_ingestion = known.state.steps_when_streamed = True

    result = cli("drop", folder(a_txt="one", broken_txt="two"), "--json")

    rows = {row["name"]: (row["status"], row["error_code"]) for row in result.json["documents"]}
    assert rows == {"a.txt": ("ready", None), "broken.txt": ("failed", "corrupt")}
    assert streams(known) == 1


def test_ctrl_c_while_watching_is_exit_130(cli: Run, known: FakeApi, add: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: Feed, seconds: float) -> None:
        raise KeyboardInterrupt

    known.state.streams_ingestion = True
    monkeypatch.setattr(Feed, "next", interrupted)
    add("a.txt")

    result = cli("watch")

    assert (result.code, result.out, result.err) == (130, "", "")


def test_a_documents_history_is_listed(cli: Run, known: FakeApi, bot_id: str, add: Add) -> None:
    document = add("a.txt")
    known.state.histories[document["id"]] = [
        {
            "generation": 1,
            "requested_at": "2026-01-02T03:04:05Z",
            "outcome": "failed",
            "stage": "extract",
            "error_code": "corrupt",
            "seconds": {"queue": 0.25, "extract": 2.0, "embed": None, "total": 2.25},
            "page_count": None,
            "cost_microdollars": 1500,
        }
    ]

    shown = cli("docs", "history", "a.txt")
    as_json = cli("docs", "history", "a.txt", "--json")

    assert shown.code == 0
    assert all(text in shown.out for text in ("corrupt", "2.0", "$0.0015"))
    assert as_json.json["data"][0]["seconds"]["total"] == 2.25


def test_trainings_are_listed(cli: Run, known: FakeApi, bot_id: str) -> None:
    known.state.training_runs[bot_id] = [
        {
            "id": "t-1",
            "kind": "ingest",
            "status": "succeeded",
            "started_at": "2026-01-02T03:04:05Z",
            "document_count": 12,
            "token_count": 34567,
        }
    ]

    shown = cli("training-runs", "Ada")

    assert shown.code == 0
    assert all(text in shown.out for text in ("ingest", "succeeded", "34,567"))
