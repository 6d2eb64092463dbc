"""`chatsphere retention`, against the API in this process."""

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest

from chatsphere.cli import client
from chatsphere.cli.main import main
from tests.builders.running_api import Account, RunningApi
from tests.integration.retention.test_api import work
from tests.integration.retention.test_holds import conversation_of

Run = Callable[..., str]


@pytest.fixture
def run(
    api: RunningApi,
    owner: Account,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Run:
    """Return a function that runs a command as the owner and returns what it printed."""

    def answer(request: httpx.Request) -> httpx.Response:
        found = api.request(
            request.method,
            request.url.path,
            json.loads(request.content or b"null"),
            token=owner.access_token,
            query=parse_qs(request.url.query.decode()),
            headers={"Idempotency-Key": key} if (key := request.headers.get("idempotency-key")) else {},
        )
        return httpx.Response(found.status, headers=dict(found.headers), text=found.text)

    transport = httpx.MockTransport(answer)
    monkeypatch.setattr(client, "open_http", lambda api: httpx.Client(base_url=f"{api}/v1", transport=transport))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("CHATSPHERE_API", "http://127.0.0.1:9")
    monkeypatch.setenv("CHATSPHERE_API_KEY", "cs_not_looked_at")
    monkeypatch.setattr("chatsphere.cli.commands.retention.time.sleep", lambda _: work(api))

    def command(*arguments: str, code: int = 0) -> str:
        capsys.readouterr()
        assert main(["retention", *arguments]) == code
        return "".join(line for line in capsys.readouterr().out.splitlines(keepends=True) if line[0] != "{")

    return command


def test_policies_runs_and_holds_on_the_command_line(api: RunningApi, owner: Account, run: Run) -> None:
    # Given an old conversation that is held
    bot = api.bot(owner)["id"]
    conversation = conversation_of(api, owner, bot, days_ago=40)
    hold = run("holds", "add", "--reason", "Case 7", "--conversation", conversation).split("\n")[-2].split()[0]
    # When the organization decides for how long
    assert "decided" not in run("policy", "show")
    run("policy", "set", "inactive_conversation_days=30", "inactive_conversation_action=delete")
    shown = run("policy", "set", "message_days=never", "--bot", bot)
    assert [line.split()[1:] for line in shown.splitlines() if line.startswith(("message_d", "inactive"))] == [
        ["30"],
        ["delete"],
        ["never", "decided"],
    ]
    # Then it stays while it is held
    assert "Kept by legal holds: 1 rows" in run("run")
    assert hold in run("holds", "list")
    run("holds", "release", hold)
    assert hold not in run("holds", "list")
    assert "inactive_conversation_days" in run("dry-run")
    assert "Removed: 1 conversations." in run("run", "--bot", bot)
    assert len(run("runs").splitlines()) == 2 + 3
    assert "decided" not in run("policy", "set", "--reset", "--bot", bot)
    run("policy", "set", "message_days", code=2)
