"""`chatsphere webhooks …`, against the API in this process, and the receiver against what is really sent."""

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from chatsphere.cli import client
from chatsphere.cli.errors import UsageError
from chatsphere.cli.main import main
from chatsphere.cli.webhook_receiver import receive
from chatsphere.webhooks.signing import new_secret, signed_headers
from tests.integration.webhooks.harness import Hooked
from tests.loopback.webhook_receiver import Inbox

Run = Callable[..., str]


@pytest.fixture
def run(hooked: Hooked, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Return a function that runs a command as the owner and returns what it printed."""

    def answer(request: httpx.Request) -> httpx.Response:
        body, query = json.loads(request.content or b"null"), parse_qs(request.url.query.decode())
        found = hooked.request(request.method, request.url.path, body, query=query)
        return httpx.Response(found.status, headers=dict(found.headers), text=found.text)

    transport = httpx.MockTransport(answer)
    monkeypatch.setattr(client, "open_http", lambda api: httpx.Client(base_url=f"{api}/v1", transport=transport))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("CHATSPHERE_API", "http://127.0.0.1:9")
    monkeypatch.setenv("CHATSPHERE_API_KEY", "cs_not_looked_at")

    def command(*arguments: str, code: int = 0) -> str:
        capsys.readouterr()
        assert main(["webhooks", *arguments]) == code
        return "".join(line for line in capsys.readouterr().out.splitlines(keepends=True) if '{"_aws' not in line)

    return command


def test_a_webhook_is_added_tested_replayed_rotated_and_removed(hooked: Hooked, inbox: Inbox, run: Run) -> None:
    added = run("add", inbox.url, "--event", "webhook.test", "--bot", "Bot")
    assert re.search(r"Secret \(shown this once\): whsec_\S{44}\n", added)
    assert "webhook.test" in run("types")
    (webhook,) = json.loads(run("list", "--json"))["data"]
    assert (webhook["bot_ids"], "enabled" in run("list")) == ([hooked.bot_id], True)
    webhook_id = webhook["id"]

    assert "pending" in run("test", webhook_id)
    inbox.statuses = [410]
    hooked.deliver()
    assert "disabled (gone)" in run("list")
    assert "410" in run("deliveries", webhook_id, "--status", "failed")
    run("replay", webhook_id, code=1)
    assert "enabled" in run("enable", webhook_id)
    assert run("replay", webhook_id) == "1 are sent again.\n"
    hooked.deliver()
    (delivery,) = json.loads(run("deliveries", webhook_id, "--event", "webhook.test", "--json"))["data"]
    assert "pending" in run("replay", webhook_id, delivery["id"])
    assert json.loads(run("rotate", webhook_id, "--overlap", "1", "--json"))["secret"].startswith("whsec_")
    assert "disabled (asked)" in run("disable", webhook_id)
    run("remove", webhook_id, code=2)
    assert run("remove", webhook_id, "--yes") == "Deleted.\n"
    assert json.loads(run("list", "--json"))["data"] == []


def test_the_receiver_shows_what_is_signed_and_refuses_the_rest(hooked: Hooked) -> None:
    secret, body = new_secret(), b'{"type": "webhook.test"}'
    addresses: SimpleQueue[str] = SimpleQueue()
    shown: list[Any] = []
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(receive, secret, 0, 1, say=addresses.put, show=shown.append)
        address, now = addresses.get(timeout=60), hooked.api.clock.now()
        signed = signed_headers(hooked.organization_id, now, body, [new_secret(), secret])
        forged = signed_headers(hooked.organization_id, now, body, [new_secret()])
        old = signed_headers(hooked.organization_id, now.replace(year=2020), body, [secret])
        statuses = [httpx.post(address, content=body, headers=headers).status_code for headers in ({}, forged, old)]
        assert httpx.post(address, content=body + b" ", headers=signed).status_code == 401
        assert httpx.post(address, content=body, headers=signed).status_code == 204
        done.result(timeout=60)
    assert (statuses, shown) == ([401, 401, 401], [{"type": "webhook.test"}])
    with pytest.raises(UsageError):
        receive("whsec_*", 0, 1, say=addresses.put, show=shown.append)
