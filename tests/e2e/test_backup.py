"""A home is backed up while it is worked with, and restored into another: the same questions, the same answers."""

import json
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from infra.local.backup.making import back_up
from infra.local.backup.objects import REFERENCED
from infra.local.backup.restoring import restore
from infra.local.home import Home
from infra.local.instance import running
from infra.local.object_mirror import ObjectMirror
from tests.e2e.client import Client
from tests.waiting import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

QUESTION = "When does the office open?"


def test_a_restored_home_answers_as_the_one_that_was_backed_up(endpoints: dict[str, Any], home: Path) -> None:
    # Given somebody's bot, asked by an API key
    developer, registered = Client.with_registration(endpoints["api"])
    key = developer.http.post("/v1/api-keys", json={"name": "key"}).json()["key"]
    bot_id = developer.bot()["id"]
    document_id = developer.text(bot_id, "hours.txt", "The office opens at nine.\n\nIt closes at five.")
    wait_for(lambda: developer.document(bot_id, document_id)["status"] == "ready", what="the document to be ready")
    before = asked(endpoints["api"], key, bot_id)
    assert before["answerable"], before
    # When the home is backed up while documents come and go
    with Working(developer):
        made = back_up(Home(Path(endpoints["home"])), home / "backup.tar.gz")
    assert json.loads((Path(endpoints["home"]) / "last_backup.json").read_bytes())["bytes"] == made.size
    # And restored
    restored = Home(home / "restored")
    restore(home / "backup.tar.gz", restored)
    with running(restored.root) as found:
        after = asked(found.api, key, bot_id)
        # Then
        for name in ("answer", "answerable", "reason"):
            assert after[name] == before[name]
        source = {"document_id", "document_name", "page", "quote", "char_start", "char_end"}
        assert [{name: each[name] for name in source} for each in after["citations"]] == [
            {name: each[name] for name in source} for each in before["citations"]
        ]
        bearer = {"Authorization": f"Bearer {key}"}
        source_url = f"{found.api}/v1/bots/{bot_id}/documents/{document_id}/source"
        link = httpx.get(source_url, headers=bearer, timeout=60).json()
        assert httpx.get(link["url"], timeout=60).text == "The office opens at nine.\n\nIt closes at five."
        credentials = {"email": registered["user"]["email"], "password": "correct horse battery staple"}
        assert httpx.post(f"{found.api}/v1/auth/login", json=credentials, timeout=60).status_code == 200
        assert asdict(found)["demo"] == endpoints["demo"]
        assert missing_objects(restored, found.database_url) == []


def asked(api: str, key: str, bot_id: str) -> dict[str, Any]:
    answer = Client(api, key).http.post(f"/v1/bots/{bot_id}/chat", json={"message": QUESTION})
    assert answer.status_code == 200, answer.text
    answered: dict[str, Any] = answer.json()
    return answered


class Working:
    """Somebody adds and deletes documents until the block ends."""

    def __init__(self, developer: Client) -> None:
        self._developer = developer
        self._bot_id = developer.bot()["id"]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self.deleted = 0

    def __enter__(self) -> "Working":
        self._thread.start()
        wait_for(lambda: self.deleted, what="work to begin")
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _work(self) -> None:
        number = 0
        while not self._ended.is_set():
            number += 1
            document_id = self._developer.text(self._bot_id, f"{number}.txt", f"Number {number}.")
            if number % 2:
                self._developer.http.delete(f"/v1/bots/{self._bot_id}/documents/{document_id}")
                self.deleted += 1


def missing_objects(home: Home, url: str) -> list[str]:
    """Keys that the database refers to and the bucket's mirror lacks."""
    stored = {(version.key, version.version_id) for version in ObjectMirror(home.objects).versions()}
    with psycopg.connect(url) as connection:
        referenced = connection.execute(REFERENCED["objects"]).fetchall()
    assert referenced
    return [key for key, version in referenced if (key, version) not in stored]
