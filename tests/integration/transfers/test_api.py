"""Exports and imports over HTTP, with the real functions behind the queues."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from chatsphere.ports.objects import PresignedPost
from chatsphere.transfers import import_job, imports
from chatsphere.transfers.places import export_key, import_key
from chatsphere.transfers.times import EXPORT_KEPT, UPLOAD_WITHIN, UPLOADED_BY
from tests.builders.running_api import Account, RunningApi, running_api
from tests.fakes import FakeEmbedder, FixedClock, InMemoryObjectStore
from tests.postgres import DatabaseUrls

MODEL = "all-minilm-l6-v2-int8"


@pytest.fixture(scope="module")
def api(database_urls: DatabaseUrls) -> Iterator[RunningApi]:
    with running_api(
        database_urls, UPLOADS_BUCKET="uploads", ARCHIVE_BUCKET="archive", AWS_REGION="eu-central-1"
    ) as api:
        model = FakeEmbedder(384, model=MODEL)
        store = InMemoryObjectStore(FixedClock())
        vars(api.container).update(embedder=model, token_counter=model, object_store=store)
        yield api


@pytest.fixture
def owner(api: RunningApi) -> Account:
    return api.register()


@pytest.fixture
def bot(api: RunningApi, owner: Account) -> str:
    bot_id: str = api.bot(owner, name="Fruit")["id"]
    asked(api, owner, "POST", f"/bots/{bot_id}/documents", {"name": "a.txt", "text": "Apples are red."}, status=202)
    work_off(api)
    return bot_id


def asked(
    api: RunningApi, who: Account, method: str, path: str, body: Any = None, *, status: int = 200, code: str = ""
) -> Any:
    answer = api.request(method, f"/v1{path}", body, token=who.access_token)
    assert answer.status == status, answer.text
    assert not code or answer.json["code"] == code
    return answer.json if answer.text else None


def work_off(api: RunningApi) -> None:
    """Deliver what is in the queues to the real functions, until nothing is."""
    from functions.embed_chunks.handler import handler as embed
    from functions.extract_document.handler import handler as extract
    from functions.purge_deleted.handler import handler as purge
    from functions.run_jobs.handler import handler as run_jobs

    handlers: Mapping[str, Callable[..., Any]] = {
        "extract_queue": extract, "embed_queue": embed, "purge_queue": purge, "jobs_queue": run_jobs,
    }  # fmt: skip
    while any(getattr(api, name).sent for name in handlers):
        for name, handler in handlers.items():
            queue = getattr(api, name)
            sent, queue.sent = queue.sent[:], []
            for message, _ in sent:
                record = {"messageId": "m", "body": json.dumps(message), "attributes": {}}
                assert handler({"Records": [record]}, None)["batchItemFailures"] == [], message


def exported(api: RunningApi, owner: Account, bot: str) -> dict[str, Any]:
    made = asked(api, owner, "POST", f"/bots/{bot}/exports", {}, status=202)
    work_off(api)
    done: dict[str, Any] = asked(api, owner, "GET", f"/bots/{bot}/exports/{made['id']}")
    return done


def content(api: RunningApi, owner: Account, export: Mapping[str, Any]) -> bytes:
    key = export_key(UUID(owner.organization_id), UUID(export["bot_id"]), UUID(export["id"]))
    return api.archive_store.read(key, None, start=0, length=export["size"] + 1)


def uploaded(api: RunningApi, who: Account, file: bytes, **body: Any) -> str:
    """Ask for an import and upload its file by the form; return the import's path."""
    permitted = asked(api, who, "POST", "/bot-imports", body, status=201)
    form = PresignedPost(permitted["upload"]["url"], permitted["upload"]["fields"])
    api.archive_store.upload(form, file)
    return f"/bot-imports/{permitted['bot_import']['id']}"


def test_a_bot_goes_from_one_organization_to_another(api: RunningApi, owner: Account, bot: str) -> None:
    # Given an export
    done = exported(api, owner, bot)
    assert (done["status"], done["documents_done"], done["documents_total"]) == ("done", 1, 1)
    assert done["counts"] == {"documents": 1, "chunks": 1, "vectors": 1, "originals": 1, "versions": 1}
    assert export_key(UUID(owner.organization_id), UUID(bot), UUID(done["id"])) in done["download_url"]
    (listed,) = asked(api, owner, "GET", f"/bots/{bot}/exports")["data"]
    assert (listed["id"], listed["download_url"]) == (done["id"], None)
    # When somebody else imports it
    other = api.register()
    path = uploaded(api, other, content(api, owner, done), name="Obst")
    assert asked(api, other, "POST", f"{path}/start", status=202)["status"] == "queued"
    work_off(api)
    # Then
    imported = asked(api, other, "GET", path)
    assert (imported["status"], imported["vectors"], imported["error_code"]) == ("done", "kept", None)
    moved = asked(api, other, "GET", f"/bots/{imported['bot_id']}")
    assert (moved["name"], moved["slug"], moved["status"], moved["permission"]) == ("Obst", "obst", "trained", "manage")
    (document,) = asked(api, other, "GET", f"/bots/{moved['id']}/documents")["data"]
    assert (document["name"], document["status"], document["chunk_count"]) == ("a.txt", "ready", 1)
    assert [version["version"] for version in asked(api, other, "GET", f"/bots/{moved['id']}/versions")["data"]] == [1]
    assert asked(api, other, "GET", "/bot-imports")["data"] == [imported]


def test_a_bot_that_is_not_whole_is_seen_by_nobody(
    api: RunningApi, owner: Account, bot: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an import whose worker dies before the end
    file = content(api, owner, exported(api, owner, bot))
    path = uploaded(api, owner, file)
    asked(api, owner, "POST", f"{path}/start", status=202)

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(import_job, "show_bot", killed)
        work_off(api)
    # Then
    unfinished = asked(api, owner, "GET", path)
    assert (unfinished["status"], unfinished["bot_id"]) == ("importing", None)
    with api.container.database.transaction(UUID(owner.organization_id)) as connection:
        (hidden,) = connection.execute("SELECT id FROM bots WHERE status = 'importing'").fetchall()
    assert [each["id"] for each in asked(api, owner, "GET", "/bots")["data"]] == [bot]
    for route in ("", "/documents", "/exports"):
        asked(api, owner, "GET", f"/bots/{hidden['id']}{route}", status=404)
    assert {row["bot_id"] for row in asked(api, owner, "GET", "/insights/sources")["data"]} == {bot}
    # And who comes later finishes it
    api.clock.advance(minutes=7)
    reap(api)
    assert asked(api, owner, "GET", path)["bot_id"] == str(hidden["id"])


def reap(api: RunningApi) -> None:
    from functions.reap_stalled.handler import handler

    handler({}, None)
    work_off(api)


def test_files_go_when_their_time_is_over(api: RunningApi, owner: Account, bot: str) -> None:
    # Given
    done = exported(api, owner, bot)
    path = uploaded(api, owner, b"never started")
    # When
    api.clock.advance(seconds=max(EXPORT_KEPT, UPLOAD_WITHIN).total_seconds() + 1)
    owner = Account(owner.email, login(api, owner), "", owner.user_id, owner.organization_id)
    assert asked(api, owner, "GET", f"/bots/{bot}/exports/{done['id']}")["download_url"] is None
    asked(api, owner, "POST", f"{path}/start", status=409, code="import_started")
    reap(api)
    # Then
    assert asked(api, owner, "GET", f"/bots/{bot}/exports/{done['id']}")["status"] == "expired"
    assert asked(api, owner, "GET", path)["status"] == "expired"
    assert api.archive_store.count_versions(f"exports/{owner.organization_id}/") == 0
    assert api.archive_store.count_versions(f"imports/{owner.organization_id}/") == 0


def login(api: RunningApi, account: Account) -> str:
    from tests.builders.running_api import PASSWORD

    answer = api.request("POST", "/v1/auth/login", {"email": account.email, "password": PASSWORD})
    token: str = answer.json["access_token"]
    return token


def test_a_deleted_bot_leaves_no_file(api: RunningApi, owner: Account, bot: str) -> None:
    # Given a file, and an export that was just asked for
    exported(api, owner, bot)
    asked(api, owner, "POST", f"/bots/{bot}/exports", {}, status=202)
    # When
    asked(api, owner, "DELETE", f"/bots/{bot}", status=202)
    work_off(api)
    # Then
    assert api.archive_store.count_versions(f"exports/{owner.organization_id}/") == 0


def test_a_key_moves_documents_only_if_it_may_read_or_write_them(api: RunningApi, owner: Account, bot: str) -> None:
    done = exported(api, owner, bot)

    def refused(method: str, path: str, lacking: str) -> bool:
        scopes = {"bots:read", "bots:write", "documents:read", "documents:write"} - {lacking}
        key = api.api_key(owner, scopes=sorted(scopes))["key"]
        answer = api.request(method, f"/v1{path}", None if method == "GET" else {}, token=key)
        return (answer.status, answer.code) == (403, "insufficient_scope")

    # When, then
    form = asked(api, owner, "POST", "/bot-imports", {}, status=201)["bot_import"]["id"]
    assert refused("POST", f"/bots/{bot}/exports", "documents:read")
    assert refused("GET", f"/bots/{bot}/exports/{done['id']}", "documents:read")
    assert refused("POST", "/bot-imports", "documents:write")
    assert refused("POST", f"/bot-imports/{form}/start", "documents:write")
    # And each link that was given is in the log, by whom
    wanted = {"action": ["bot_export.download_permitted"]}
    entries = api.request("GET", "/v1/audit-log", token=owner.access_token, query=wanted).json["data"]
    assert {(entry["object_id"], entry["actor_user_id"]) for entry in entries} == {(done["id"], owner.user_id)}


def test_what_cannot_be_asked_for_is_refused(api: RunningApi, owner: Account, bot: str) -> None:
    # Exports
    asked(api, owner, "POST", f"/bots/{bot}/exports", {"include": ["people"]}, status=422)
    asked(api, owner, "POST", f"/bots/{bot}/exports", {}, status=202)
    asked(api, owner, "POST", f"/bots/{bot}/exports", {}, status=409, code="export_running")
    # Imports
    asked(api, owner, "POST", "/bot-imports", {"name": ""}, status=422)
    permitted = asked(api, owner, "POST", "/bot-imports", {}, status=201)
    path = f"/bot-imports/{permitted['bot_import']['id']}"
    asked(api, owner, "POST", f"{path}/start", status=409, code="upload_missing")
    key = import_key(UUID(owner.organization_id), UUID(permitted["bot_import"]["id"]))
    api.archive_store.put(key, b"no file", content_type="application/zip", metadata={})
    asked(api, owner, "POST", f"{path}/start", status=202)
    asked(api, owner, "POST", f"{path}/start", status=409, code="import_started")
    work_off(api)
    assert asked(api, owner, "GET", path)["error_code"] == "invalid_file"
    # Another's is not there
    other = api.register()
    asked(api, other, "GET", path, status=404)
    asked(api, other, "POST", f"{path}/start", status=404)


def test_uploads_that_were_given_up_keep_nobody_from_another_and_imports_under_way_do(
    api: RunningApi, owner: Account
) -> None:
    # Given as many imports as there may be, none of which got its file
    paths = []
    for _ in range(6):
        permitted = asked(api, owner, "POST", "/bot-imports", {}, status=201)
        paths.append(f"/bot-imports/{permitted['bot_import']['id']}")
    # Then the oldest has made room
    states = [asked(api, owner, "GET", path)["status"] for path in paths]
    assert states == ["expired", *["awaiting_upload"] * 5]
    # When all that are left have begun
    for path in paths[1:]:
        key = import_key(UUID(owner.organization_id), UUID(path.rpartition("/")[2]))
        api.archive_store.put(key, b"no file", content_type="application/zip", metadata={})
        asked(api, owner, "POST", f"{path}/start", status=202)
    # Then there is no room
    asked(api, owner, "POST", "/bot-imports", {}, status=409, code="too_many_imports")
    work_off(api)
    asked(api, owner, "POST", "/bot-imports", {}, status=201)


def test_no_more_files_may_be_on_their_way_than_a_bucket_is_to_hold(
    api: RunningApi, owner: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "MOST_GIVEN_UP", 1)
    # Given as many imports as there may be, and one that made room
    for _ in range(6):
        asked(api, owner, "POST", "/bot-imports", {}, status=201)
    # Then no other does, until nothing comes by its form any more
    asked(api, owner, "POST", "/bot-imports", {}, status=409, code="too_many_imports")
    api.clock.advance(seconds=UPLOADED_BY.total_seconds())
    asked(api, replace(owner, access_token=login(api, owner)), "POST", "/bot-imports", {}, status=201)
