"""`chatsphere ask` and `chatsphere search`."""

import pytest
from rich.console import Console

from tests.integration.cli.conftest import Run
from tests.integration.cli.fake_api import FakeApi
from tests.integration.cli.fake_state import Json

CITATION = {"number": 1, "document_name": "report.pdf", "page": 3, "quote": "It rained\u2028in May."}
DONE: Json = {"answerable": True, "reason": None, "usage": {}}


@pytest.fixture
def bot_id(known: FakeApi) -> str:
    return str(known.state.add_bot("Ada")["id"])


def answering(api: FakeApi, *events: tuple[str, Json]) -> None:
    api.state.chat = [("meta", {"conversation_id": "c-1", "message_id": "m-1"}), ("sources", {"data": []}), *events]


def test_the_answer_is_streamed_and_its_sources_are_listed(cli: Run, known: FakeApi, bot_id: str) -> None:
    answering(
        known, ("delta", {"text": "It rained "}), ("delta", {"text": "in May."}), ("citation", CITATION), ("done", DONE)
    )

    result = cli("ask", "When did it rain?")

    assert result.code == 0
    assert result.out.splitlines() == [
        "It rained in May.",
        "",
        "[1] report.pdf, p. 3 «It rained in May.»",
        "",
        "Go on: chatsphere ask --conversation c-1 …",
    ]
    assert known.state.requests[-1].body == {"message": "When did it rain?", "stream": True}


def test_a_conversation_goes_on(cli: Run, known: FakeApi, bot_id: str) -> None:
    answering(known, ("done", DONE))

    cli("ask", "And in June?", "--conversation", "c-1")

    assert known.state.requests[-1].body["conversation_id"] == "c-1"


def test_json_is_the_whole_answer(cli: Run, known: FakeApi, bot_id: str) -> None:
    answering(known, ("delta", {"text": "In May."}), ("citation", CITATION), ("done", DONE))

    result = cli("ask", "When?", "--json")

    assert result.code == 0
    assert (result.json["answer"], result.json["citations"]) == ("In May.", [CITATION])
    assert known.state.requests[-1].body["stream"] is False


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_a_refusal_is_exit_3(cli: Run, known: FakeApi, bot_id: str, option: list[str]) -> None:
    answering(known, ("delta", {"text": "I do not know."}), ("done", {"answerable": False, "reason": "no_evidence"}))

    result = cli("ask", "Who?", *option)

    assert result.code == 3
    assert "no_evidence" in result.out


def test_a_stream_that_reports_an_error_is_exit_1_with_its_code(cli: Run, known: FakeApi, bot_id: str) -> None:
    problem = {"status": 503, "code": "unavailable", "detail": "The model does not answer.", "request_id": "r-9"}
    answering(known, ("delta", {"text": "It rai"}), ("error", problem))

    result = cli("ask", "When?")

    assert result.code == 1
    assert result.out == "It rai\n"
    assert "The model does not answer." in result.err
    assert "unavailable" in result.err


def test_a_stream_that_just_ends_is_exit_1(cli: Run, known: FakeApi, bot_id: str) -> None:
    answering(known, ("delta", {"text": "It rai"}))

    result = cli("ask", "When?")

    assert result.code == 1
    assert "ended before the answer was complete" in result.err


def test_a_stream_that_is_refused_beforehand_is_tried_again(cli: Run, known: FakeApi, bot_id: str) -> None:
    known.state.fail("POST", f"/v1/bots/{bot_id}/chat", 429, Retry_After="0")
    answering(known, ("delta", {"text": "May."}), ("done", DONE))

    assert cli("ask", "When?").code == 0


def test_an_answer_cannot_steer_the_terminal(cli: Run, known: FakeApi, bot_id: str) -> None:
    answering(known, ("delta", {"text": "a\x1b[2Jb\u202ec"}), ("done", DONE))

    assert cli("ask", "When?").out.startswith("a[2Jbc\n")


def test_search_prints_what_the_api_found(cli: Run, known: FakeApi, bot_id: str) -> None:
    document = known.state.add_document(bot_id, "weather.txt")
    known.state.receive(bot_id, document["id"], "rain in may")

    result = cli("search", "rain", "--limit", "1", "--mode", "lexical", "--json")

    assert [hit["document_name"] for hit in result.json["data"]] == ["weather.txt"]
    assert known.state.requests[-1].body == {"query": "rain", "limit": 1, "mode": "lexical"}


def test_people_see_passages_with_their_pages(cli: Run, known: FakeApi, bot_id: str, terminal: Console) -> None:
    document = known.state.add_document(bot_id, "weather.txt")
    known.state.receive(bot_id, document["id"], "rain " * 200)

    assert cli("search", "rain").code == 0
    assert cli("search", "snow").code == 0

    shown = terminal.export_text()
    assert "p. 3" in shown
    assert "rain rain" in shown
    assert "Nothing found." in shown
