"""The commands, against the API in this process."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from chatsphere.chat.asgi import services_from_environment
from chatsphere.cli import client
from chatsphere.cli.main import main
from tests.fakes_chat import BagOfWordsEmbedder, ScriptedModel
from tests.integration.conversations.talking import Talk

Run = Callable[..., str]


@pytest.fixture
def searching(talk: Talk) -> Iterator[None]:
    """What the function that searches is made of, without a model."""
    container = talk.api.container
    vars(container).update(embedder=BagOfWordsEmbedder(), answer_model=ScriptedModel())
    services_from_environment.cache_clear()
    yield
    services_from_environment.cache_clear()
    for name in ("embedder", "answer_model"):
        vars(container).pop(name)


@pytest.fixture
def run(talk: Talk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Return a function that runs a command as the bot's owner and returns what it printed."""

    def answer(request: httpx.Request) -> httpx.Response:
        query = parse_qs(request.url.query.decode())
        headers = {name.title(): request.headers[name] for name in ("idempotency-key",) if name in request.headers}
        found = talk.api.request(
            request.method,
            request.url.path,
            json.loads(request.content or b"null"),
            token=talk.account.access_token,
            query=query,
            headers=headers,
        )
        return httpx.Response(found.status, headers=dict(found.headers), text=found.text)

    transport = httpx.MockTransport(answer)
    monkeypatch.setattr(client, "open_http", lambda api: httpx.Client(base_url=f"{api}/v1", transport=transport))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("CHATSPHERE_API", "http://127.0.0.1:9")
    monkeypatch.setenv("CHATSPHERE_API_KEY", "cs_not_looked_at")

    def command(*arguments: str, code: int = 0) -> str:
        capsys.readouterr()
        assert main(list(arguments)) == code
        return "".join(line for line in capsys.readouterr().out.splitlines(keepends=True) if '{"_aws' not in line)

    return command


def as_json(text: str) -> Any:
    return json.loads(text)


def test_conversations_are_listed_shown_and_counted(talk: Talk, run: Run) -> None:
    answer = talk.ask("What does it cost?", user="ada", metadata={"plan": "pro", "seats": 3})
    talk.ask("Else?", user="bob")
    talk.request("PUT", f"/v1/messages/{answer['message_id']}/feedback", {"rating": 2, "text": "Too short"})
    assert "What does it cost?" in run("conversations", "list", "--bot", talk.bot, "--recent")
    listed = as_json(run("conversations", "list", "--metadata", "plan=pro", "--metadata", "seats=3", "--json"))
    assert [one["id"] for one in listed["data"]] == [answer["conversation_id"]]
    run("conversations", "list", "--metadata", "plan", code=2)
    shown = run("conversations", "show", answer["conversation_id"])
    assert ("49 EUR" in shown, "ada: 2/5 Too short" in shown) == (True, True)
    assert [one["user"] for one in as_json(run("conversations", "users", "--json"))["data"]] == ["bob", "ada"]
    assert "2.0 (1)" in run("conversations", "users", "--user", "ada")


@pytest.mark.usefixtures("searching")
def test_messages_are_found(talk: Talk, run: Run) -> None:
    talk.ask("What does the falcon cost?", user="ada")
    assert "falcon" in run("conversations", "search", "falcons", "--user", "ada")
    found = as_json(run("conversations", "search", "falcons", "--mode", "fulltext", "--json"))
    assert [hit["conversation"]["user"] for hit in found["data"]] == ["ada"]
    assert "Nothing found." in run("conversations", "search", "eagle", "--mode", "fulltext")


def test_answers_are_rated_and_ratings_listed(talk: Talk, run: Run) -> None:
    good, bad = talk.ask("Good?"), talk.ask("Bad?")
    assert "Rated 5 of 5." in run("feedback", "give", good["message_id"], "5")
    run("feedback", "give", bad["message_id"], "1", "--text", "Wrong", "--user", "ada")
    run("feedback", "give", bad["message_id"], "6", code=2)
    listed = as_json(run("feedback", "list", "--max", "2", "--json"))["data"]
    assert [(one["question"], one["rating"], one["user"], one["text"]) for one in listed] == [
        ("Bad?", 1, "ada", "Wrong")
    ]
    assert "Good?" in run("feedback", "list")


def test_unanswered_questions_are_reviewed(talk: Talk, run: Run) -> None:
    talk.ask("Who sings?", answered=False)
    (question,) = as_json(run("unanswered", "list", "--json"))["data"]
    assert "resolved" in run("unanswered", "resolve", question["id"], "--note", "Added singers.md")
    assert as_json(run("unanswered", "list", "--json"))["data"] == []
    assert "Who sings?" in run("unanswered", "list", "--status", "resolved")
    run("unanswered", "ignore", question["id"])
    assert as_json(run("unanswered", "reopen", question["id"], "--json"))["status"] == "open"
