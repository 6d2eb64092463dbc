"""The archive's routes and commands, with the function that works restores off."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import httpx
import pytest

from chatsphere.archive.restores import LEASE
from chatsphere.cli import client
from chatsphere.cli.main import main
from functions.reap_stalled.handler import handler as reap_stalled
from functions.run_jobs.handler import handler as run_jobs
from tests.builders.rest_api import Answer
from tests.builders.running_api import Account, RunningApi, running_api
from tests.conftest import Tenant
from tests.integration.archive.world import HOSTILE, START, ArchiveWorld
from tests.postgres import DatabaseUrls

FILES = "/v1/archive/files"
RESTORES = "/v1/archive/restores"


@pytest.fixture(scope="module")
def api(database_urls: DatabaseUrls) -> Iterator[RunningApi]:
    with running_api(database_urls) as api:
        yield api


@pytest.fixture
def owner(api: RunningApi) -> Account:
    return api.register()


@pytest.fixture
def world(api: RunningApi, owner: Account) -> ArchiveWorld:
    """The owner's archive."""
    api.jobs_queue.sent.clear()
    c = api.container
    bot = UUID(api.bot(owner)["id"])
    tenant = Tenant(UUID(owner.organization_id), UUID(owner.user_id), bot)
    return ArchiveWorld(tenant, c.database, c.ids, clock=api.clock, store=api.archive_store)  # type: ignore[arg-type]


@pytest.fixture
def ask(api: RunningApi, owner: Account) -> Callable[..., Answer]:
    """Return a function that asks as the owner."""

    def request(method: str, path: str, body: Any = None, **query: str) -> Answer:
        lists = {name: [value] for name, value in query.items()}
        return api.request(method, path, body, token=owner.access_token, query=lists)

    return request


def work_off(api: RunningApi) -> None:
    messages = [message for message, _ in api.jobs_queue.sent]
    api.jobs_queue.sent.clear()
    records = [
        {
            "messageId": str(place),
            "body": json.dumps(message),
            "attributes": {"ApproximateReceiveCount": "1"},
            "messageAttributes": {},
        }
        for place, message in enumerate(messages)
    ]
    assert run_jobs({"Records": records}, None) == {"batchItemFailures": []}


def test_files_are_listed_and_lent(world: ArchiveWorld, ask: Callable[..., Answer]) -> None:
    world.move(world.talk(), world.talk(at=START.replace(month=2)))
    # When
    pages = [ask("GET", FILES, limit="3").json]
    pages.append(ask("GET", FILES, cursor=pages[0]["next_cursor"]).json)
    # Then
    assert [len(page["data"]) for page in pages] == [3, 1]
    only = ask("GET", FILES, month="2026-02", dataset="messages", bot_id=str(world.tenant.bot_id)).json["data"]
    assert [(file["month"], file["dataset"], file["rows"]) for file in only] == [("2026-02", "messages", 2)]
    # When
    file = ask("GET", f"{FILES}/{only[0]['id']}").json
    # Then the link is of the version that counts, and that it was given is in the log
    assert world.manifest()[-1].version_id in file["download"]["url"]
    entries = ask("GET", "/v1/audit-log", action="archive_file.download_permitted").json["data"]
    assert [entry["object_id"] for entry in entries] == [file["id"]]


def test_rows_are_read_page_by_page(world: ArchiveWorld, ask: Callable[..., Answer]) -> None:
    batch = world.talk("anna", messages=[HOSTILE, "second", "third"])
    world.move(batch, world.talk("bert"))
    file = next(file for file in world.manifest() if file.dataset == "messages")
    rows = f"{FILES}/{file.id}/rows"
    # When
    first = ask("GET", rows, limit="2").json
    second = ask("GET", rows, limit="100", cursor=first["next_cursor"]).json
    # Then
    assert first["data"][0]["content"] == HOSTILE
    assert first["data"][0]["citations"] == [{"quote": HOSTILE}]
    assert (len(first["data"]), len(second["data"]), second["has_more"]) == (2, 3, False)
    assert len(ask("GET", rows, conversation_id=str(batch.conversations[0])).json["data"]) == 3
    assert len(ask("GET", rows, end_user="bert").json["data"]) == 2
    assert ask("GET", rows, end_user="nobody").json["data"] == []
    # When the file is written anew, a cursor of before leads nowhere
    world.eraser.erase(world.tenant.organization_id, end_user_id="bert")
    assert ask("GET", rows, cursor=first["next_cursor"]).status == 422


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "x"),
        ("cursor", "%00"),
        ("cursor", "AAAA"),
        ("cursor", "OTk5OTk5OTk5OTk5OTk6"),
        ("conversation_id", "1"),
        ("end_user", ""),
        ("end_user", "a\x00"),
    ],
)
def test_hostile_parameters_of_rows_are_refused(
    world: ArchiveWorld, ask: Callable[..., Answer], name: str, value: str
) -> None:
    world.move(world.talk())
    assert ask("GET", f"{FILES}/{world.manifest()[0].id}/rows", **{name: value}).status == 422


@pytest.mark.parametrize(
    "query", [{"month": "2026-13"}, {"month": "0000-01"}, {"month": "'"}, {"dataset": "users"}, {"bot_id": "x"}]
)
def test_hostile_filters_of_files_are_refused(ask: Callable[..., Answer], query: dict[str, str]) -> None:
    assert ask("GET", FILES, **query).status == 422


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"file_ids": []},
        {"file_ids": ["x"]},
        {"bot_id": "01970000-0000-7000-8000-0000000000ff"},
        {"month": "2026-01"},
        {"bot_id": "01970000-0000-7000-8000-0000000000ff", "month": "2026-1"},
        {"conversation_id": "01970000-0000-7000-8000-0000000000ff", "month": "2026-01"},
        {"file_ids": ["01970000-0000-7000-8000-0000000000ff"] * 101},
    ],
)
def test_restores_name_one_thing(ask: Callable[..., Answer], body: dict[str, Any]) -> None:
    assert ask("POST", RESTORES, body).status == 422


def test_nobody_reads_or_restores_another_tenants_archive(
    api: RunningApi, world: ArchiveWorld, ask: Callable[..., Answer]
) -> None:
    batch = world.talk()
    world.move(batch)
    made = ask("POST", RESTORES, {"conversation_id": str(batch.conversations[0])}).json["restore"]
    file, stranger = world.manifest()[0], api.register()
    for path in (f"{FILES}/{file.id}", f"{FILES}/{file.id}/rows", f"{RESTORES}/{made['id']}"):
        assert ask("GET", path).status == 200
        assert api.request("GET", path, token=stranger.access_token).status == 404
    for path in (FILES, RESTORES):
        assert api.request("GET", path, token=stranger.access_token).json["data"] == []
    wanted = {"file_ids": [str(file.id)]}
    assert api.request("POST", RESTORES, wanted, token=stranger.access_token).status == 404
    # A key that is limited to a bot is not lent an archive of all of them, nor is an editor
    limited = {"scopes": ["retention:read"], "bot_ids": [str(world.tenant.bot_id)]}
    made_key = ask("POST", "/v1/api-keys", {"name": "key", **limited})
    assert made_key.status != 201 or api.request("GET", FILES, token=made_key.json["key"]).status == 403


def test_a_key_reads_in_the_archive_what_it_may_read_in_the_tables(
    api: RunningApi, owner: Account, world: ArchiveWorld
) -> None:
    world.move(world.talk())
    file = world.manifest()[0]

    def statuses(*scopes: str) -> list[int]:
        key = api.api_key(owner, scopes=["retention:read", *scopes])["key"]
        paths = (FILES, f"{FILES}/{file.id}", f"{FILES}/{file.id}/rows")
        return [api.request("GET", path, token=key).status for path in paths]

    # When, then
    assert statuses("audit:read") == [200, 403, 403]
    assert statuses("conversations:read") == [200, 200, 200]
    # And the log's entries are read with the log's own scope
    with world.database.transaction(world.tenant.organization_id) as connection:
        connection.execute("UPDATE archive_files SET dataset = 'audit_log' WHERE id = %s", (file.id,))
    assert statuses("conversations:read") == [200, 403, 403]
    assert statuses("audit:read")[:2] == [200, 200]


def test_a_restore_is_worked_off_by_the_function(
    api: RunningApi, world: ArchiveWorld, ask: Callable[..., Answer]
) -> None:
    batch = world.talk()
    before = world.in_database()
    world.move(batch)
    # When it is asked for, and its message is lost
    answer = ask("POST", RESTORES, {"bot_id": str(world.tenant.bot_id), "month": "2026-01"})
    assert answer.status == 202
    assert answer.headers["Location"] == f"{RESTORES}/{answer.json['restore']['id']}"
    entries = ask("GET", "/v1/audit-log", action="archive_restore.created").json["data"]
    assert [entry["object_id"] for entry in entries] == [answer.json["restore"]["id"]]
    api.jobs_queue.sent.clear()
    api.clock.advance(seconds=LEASE.total_seconds())
    reap_stalled({}, None)
    work_off(api)
    # Then
    assert world.in_database() == before
    found = ask("GET", answer.headers["Location"]).json
    assert (found["status"], found["restored"]) == ("done", {"conversations": 1, "messages": 2})
    assert [one["id"] for one in ask("GET", RESTORES).json["data"]] == [found["id"]]


def test_the_commands(
    api: RunningApi,
    world: ArchiveWorld,
    owner: Account,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    batch = world.talk(messages=["What is it?", "It."])
    world.move(batch)
    work_as(monkeypatch, api, owner)

    def run(*arguments: str) -> str:
        capsys.readouterr()
        assert main(["archive", *arguments]) == 0
        return "".join(line for line in capsys.readouterr().out.splitlines(keepends=True) if '{"_aws' not in line)

    # When, then
    listed = json.loads(run("list", "--json"))["data"]
    assert [file["dataset"] for file in listed] == ["messages", "conversations"]
    assert "2026-01" in run("list", "--dataset", "messages", "--month", "2026-01")
    assert "What is it?" in run("show", listed[0]["id"], "--rows", "5")
    assert "2 messages, 1 conversations" in run("restore", "--conversation", str(batch.conversations[0]))
    assert "nothing" in run("restore", listed[0]["id"])


def work_as(monkeypatch: pytest.MonkeyPatch, api: RunningApi, account: Account) -> None:
    """Let the command line talk to the API in this process, and jobs be done while it waits."""

    def answer(request: httpx.Request) -> httpx.Response:
        query = parse_qs(request.url.query.decode())
        body = json.loads(request.content or b"null")
        found = api.request(request.method, request.url.path, body, token=account.access_token, query=query)
        return httpx.Response(found.status, headers=dict(found.headers), text=found.text)

    transport = httpx.MockTransport(answer)
    monkeypatch.setattr(client, "open_http", lambda api: httpx.Client(base_url=f"{api}/v1", transport=transport))
    monkeypatch.setattr("chatsphere.cli.commands.archive.time.sleep", lambda _: work_off(api))
    monkeypatch.setenv("CHATSPHERE_API", "http://127.0.0.1:9")
    monkeypatch.setenv("CHATSPHERE_API_KEY", "cs_not_looked_at")
