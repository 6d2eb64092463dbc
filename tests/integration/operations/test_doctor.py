"""`chatsphere doctor`: what it says of installations that are well, ill, or not there."""

import json
import logging
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.cli.errors import ApiError
from chatsphere.cli.main import main
from chatsphere.db.database import Database
from chatsphere.observability import logger
from infra.local.backup.making import Backup
from infra.local.endpoints import Endpoints
from infra.local.home import Home
from infra.local.operations.database import examine_database
from infra.local.operations.examined import Examined
from infra.local.operations.machine import examine_machine
from infra.local.operations.service import examine_service
from tests.conftest import add_tenant
from tests.integration.cli.fake_api import FakeApi, running
from tests.integration.cli.fake_state import API_KEY
from tests.postgres import fresh_database

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CHECK: dict[str, Any] = {"status": "ok", "cause": None, "meaning": None, "latency_ms": 3, "details": {}}
DATABASE = CHECK | {"details": {"revision": "0025", "partitions_ahead_days": {"messages": 60, "audit_log": 61}}}


@dataclass
class Service:
    """What an API answers, by path; an error is raised."""

    answers: dict[str, Any] = field(default_factory=dict)

    def impatient(self) -> "Service":
        return self

    def get(self, path: str, _query: object = None) -> Any:
        answer = self.answers[path]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def items(self, path: str, query: Mapping[str, str] | None = None) -> Iterator[Any]:
        asked = query or {}
        yield from (each for each in self.answers[path] if all(each[name] == asked[name] for name in asked))


@pytest.fixture
def well() -> Service:
    return Service(
        {
            "/health/ready": {},
            "/me": {"organization": {"name": "Ada's"}},
            "/health/deep": {"checks": {"database": DATABASE, "cache": CHECK}},
            "/bots": [{"id": "b"}],
            "/bots/b/documents": [{"id": "d", "status": "ready", "updated_at": NOW.isoformat()}],
            "/retention/runs": {"data": [{"started_at": NOW.isoformat(), "status": "done"}]},
            "/erasures": [{"id": "e", "status": "held", "requested_at": "2026-01-01T00:00:00Z"}],
            "/webhooks": [{"url": "https://a.example", "disabled_reason": "asked"}],
        }
    )


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with running() as server:
        yield server


def examine(service: Service, api: FakeApi) -> dict[str, Examined]:
    session: Any = SimpleNamespace(target=SimpleNamespace(api=api.url), client=service, anonymous=service)
    return {each.name: each for each in examine_service(session, lambda: NOW)}


def test_what_is_well_has_no_advice(well: Service, api: FakeApi) -> None:
    found = examine(well, api)
    assert {
        "API",
        "ready",
        "credential",
        "database",
        "cache",
        "documents",
        "retention",
        "erasures",
        "webhooks",
    } <= found.keys()
    assert {each.name for each in found.values() if each.verdict != "ok" and each.name != "clock"} == set()
    assert found["database"].found == "revision 0025, partitions for 60 days"


@pytest.mark.parametrize(
    ("path", "answer", "name", "verdict"),
    [
        ("/health/ready", ApiError(503, {"detail": "Not ready: database."}), "ready", "failed"),
        ("/me", ApiError(401, {}), "credential", "failed"),
        ("/health/deep", ApiError(403, {"detail": "Not for you."}), "deep", "skipped"),
        (
            "/health/deep",
            {"checks": {"queues": CHECK | {"status": "degraded", "cause": "dead_messages", "meaning": "Dead."}}},
            "queues",
            "warning",
        ),
        (
            "/health/deep",
            {"checks": {"database": DATABASE | {"status": "down", "cause": "revision_behind", "meaning": "Old."}}},
            "database",
            "failed",
        ),
        (
            "/bots/b/documents",
            [{"id": "d", "status": "embedding", "updated_at": (NOW - timedelta(hours=1)).isoformat()}],
            "documents",
            "warning",
        ),
        ("/retention/runs", {"data": []}, "retention", "warning"),
        (
            "/retention/runs",
            {"data": [{"started_at": (NOW - timedelta(hours=27)).isoformat(), "status": "done"}]},
            "retention",
            "warning",
        ),
        ("/erasures", [{"id": "e", "status": "running", "requested_at": "2026-11-21T11:00:00Z"}], "erasures", "failed"),
        ("/webhooks", [{"url": "https://a.example", "disabled_reason": "gone"}], "webhooks", "warning"),
    ],
)
def test_what_is_not_well_is_named_with_what_to_do(
    well: Service, api: FakeApi, path: str, answer: Any, name: str, verdict: str
) -> None:
    well.answers[path] = answer
    found = examine(well, api)[name]
    assert (found.verdict, bool(found.advice)) == (verdict, True)


def test_clocks_that_are_apart_are_told(well: Service, api: FakeApi) -> None:
    session: Any = SimpleNamespace(target=SimpleNamespace(api=api.url), client=well, anonymous=well)
    for hours, verdict in ((2, "failed"), (0, "ok")):
        apart = timedelta(hours=hours)

        def now(apart: timedelta = apart) -> datetime:
            return datetime.now(UTC) + apart

        found = {each.name: each for each in examine_service(session, now)}
        assert found["clock"].verdict == verdict


def machine(home: Path) -> dict[str, Examined]:
    return {each.name: each for each in examine_machine(Home(home), NOW)}


def backed_up(home: Home, days_ago: int, verified: bool = True) -> None:
    made = Backup(home.root / "b.csbackup", 1, (NOW - timedelta(days=days_ago)).isoformat(), verified, {})
    home.last_backup.write_text(json.dumps(made.as_json()))


@pytest.mark.parametrize(
    ("days_ago", "verified", "verdict", "said"),
    [(7, True, "ok", "7 days old"), (8, True, "warning", "8 days old"), (0, False, "warning", "not verified")],
)
def test_the_age_of_the_last_backup_is_what_its_note_says(
    tmp_path: Path, days_ago: int, verified: bool, verdict: str, said: str
) -> None:
    home = Home(tmp_path)
    backed_up(home, days_ago, verified)
    found = machine(tmp_path)["backup"]
    assert (found.verdict, said in found.found, "b.csbackup" in found.found) == (verdict, True, True)


@pytest.mark.parametrize(
    "note", ["", "{}", "[]", '{"made_at": "soon", "file": "b", "verified": true}', '{"made_at": 1}']
)
def test_a_note_of_a_backup_that_cannot_be_read_is_a_warning(tmp_path: Path, note: str) -> None:
    Home(tmp_path).last_backup.write_text(note)
    assert machine(tmp_path)["backup"].verdict == "warning"


def test_a_home_that_is_not_there_is_to_be_started(tmp_path: Path) -> None:
    found = machine(tmp_path / "none")
    assert found["home folder"].verdict == "failed"
    assert "make up" in (found["home folder"].advice or "")


def test_a_home_that_others_can_read_or_that_nobody_runs_is_told(tmp_path: Path) -> None:
    # Given a home as it is left by a run that was killed
    home = Home(tmp_path)
    home.root.chmod(0o711)
    ended = os.spawnv(os.P_NOWAIT, "/bin/true", ["true"])
    os.waitpid(ended, 0)
    Endpoints("http://127.0.0.1:1", "", "", "", "", "", "", "", ended).write(home.endpoints)
    home.secret("one")
    found = machine(tmp_path)
    assert (found["home folder"].verdict, found["process"].verdict, found["backup"].verdict) == (
        "ok",
        "failed",
        "warning",
    )
    # When its secrets are open to others, and it runs
    (tmp_path / "secrets.json").chmod(0o644)
    Endpoints("http://127.0.0.1:1", "", "", "", "", "", "", "", os.getpid()).write(home.endpoints)
    backed_up(home, days_ago=2)
    # Then
    found = machine(tmp_path)
    assert (found["home folder"].verdict, "secrets.json" in found["home folder"].found) == ("failed", True)
    assert (found["process"].verdict, found["backup"].verdict) == ("ok", "ok")


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("CHATSPHERE_API", "CHATSPHERE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CHATSPHERE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("arguments", [["doctor"], ["maintenance"]])
def test_where_nothing_runs_it_says_how_to_start(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 1
    said = capsys.readouterr()
    assert "make up" in said.out + said.err
    assert "Traceback" not in said.err


@pytest.mark.usefixtures("alone")
def test_a_program_reads_it_as_json(api: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor", "--api", api.url, "--api-key", API_KEY, "--json"])
    found = {each["name"]: each["verdict"] for each in json.loads(capsys.readouterr().out)}
    assert (found["API"], found["credential"]) == ("ok", "ok")


@pytest.mark.usefixtures("alone")
def test_what_refuses_for_now_is_told_and_not_waited_for(api: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    api.state.fail("GET", "/v1/me", 503, times=2, Retry_After="30")

    assert main(["doctor", "--api", api.url, "--api-key", API_KEY, "--json"]) == 1

    found = {each["name"]: each["verdict"] for each in json.loads(capsys.readouterr().out)}
    assert found["credential"] == "failed"
    assert api.state.count("GET", "/v1/me") == 1


@pytest.fixture
def installed(tmp_path: Path, database_server: str) -> Iterator[tuple[Home, Endpoints, psycopg.Connection]]:
    """A home with a database of its own, whose superuser one is."""
    home = Home(tmp_path)
    with fresh_database(database_server) as urls, psycopg.connect(urls.admin, autocommit=True) as admin:
        roles = (urls.app, urls.authenticator, urls.reaper, urls.eraser, urls.maintainer)
        passwords = {each["user"]: each["password"] for each in map(conninfo_to_dict, roles)}
        (tmp_path / "secrets.json").write_text(json.dumps(passwords))
        yield home, Endpoints("", "", "", "", urls.admin, "", "", "", os.getpid()), admin


def database_of(home: Home, endpoints: Endpoints) -> dict[str, Examined]:
    return {each.name: each for each in examine_database(home, endpoints, datetime.now(UTC), "pgvector")}


def test_a_database_that_is_well_has_nothing_to_be_done(
    installed: tuple[Home, Endpoints, psycopg.Connection],
) -> None:
    home, endpoints, _ = installed
    level = logger.log_level
    found = database_of(home, endpoints)
    # What asks in the same process goes on to log.
    assert logger.log_level == level < logging.CRITICAL
    assert {name: each.verdict for name, each in found.items()} == {"roles": "ok", "upkeep": "ok", "vectors": "ok"}


def test_a_lost_password_lost_vectors_and_a_guard_that_is_down_are_named_with_their_remedy(
    installed: tuple[Home, Endpoints, psycopg.Connection],
) -> None:
    home, endpoints, admin = installed
    with closing(Database(app_url(home, endpoints))) as database:
        tenant = add_tenant(database, UuidV7Ids(SystemClock()))
    # Given a document that readers see and whose vectors are gone
    values = {"bot": tenant.bot_id, "organization": tenant.organization_id, "id": tenant.user_id}
    for statement in LOST_VECTORS:
        admin.execute(statement, values)
    # And a policy that was switched off, and a role with another password
    admin.execute("ALTER TABLE bots DISABLE ROW LEVEL SECURITY")
    secrets = json.loads((home.root / "secrets.json").read_text())
    (home.root / "secrets.json").write_text(json.dumps(secrets | {"chatsphere_eraser": "another"}))
    # When
    found = database_of(home, endpoints)
    # Then
    assert (found["vectors"].verdict, str(tenant.bot_id) in found["vectors"].found) == ("failed", True)
    assert "vectors rebuild" in (found["vectors"].advice or "")
    assert (found["row security off"].verdict, "bots" in found["row security off"].found) == ("failed", True)
    assert (found["roles"].verdict, "chatsphere_eraser" in found["roles"].found) == ("failed", True)


def test_the_remedy_for_a_home_that_others_can_read_lets_the_database_pass_through(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    advice = machine(tmp_path)["home folder"].advice or ""
    assert advice.startswith("Run: chmod go-rw ")
    subprocess.run(advice.removeprefix("Run: ").split(), check=True)
    assert machine(tmp_path)["home folder"].verdict == "ok"
    assert tmp_path.stat().st_mode & 0o011 == 0o011


LOST_VECTORS = (
    """INSERT INTO documents (id, organization_id, bot_id, name, source, status, stage, live_generation)
    VALUES (%(id)s, %(organization)s, %(bot)s, 'n', 'text', 'ready', 'done', 1)""",
    """INSERT INTO chunks (id, organization_id, bot_id, document_id, generation, batch, ordinal, content, char_start,
        char_end, token_count, vector_id)
    VALUES (%(id)s, %(organization)s, %(bot)s, %(id)s, 1, 0, 0, 'said', 0, 4, 1, 'v')""",
)


def app_url(home: Home, endpoints: Endpoints) -> str:
    password = json.loads((home.root / "secrets.json").read_text())["chatsphere_app"]
    return make_conninfo(endpoints.database_url, user="chatsphere_app", password=password)
