"""Each function as it is deployed, handler and layers: it starts where nothing else is, answers a real event, and
loads no package that is not for it."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from infra.catalog import FUNCTIONS
from infra.local.errors import FunctionStartError
from tests.infra.packaging.coldness import ColdStarts, ServerStarts
from tests.infra.packaging.expected_imports import unneeded_imports
from tests.infra.packaging.imports import PROFILED
from tests.infra.packaging.machine import Package, lay_out_source
from tests.infra.packaging.trials import TRIALS
from tests.infra.packaging.world import World, make_secret
from tests.integration.chat.client import events_of
from tests.integration.cloud_runtime.conftest import ManagedDatabase

pytestmark = [
    pytest.mark.xdist_group("packaging"),
    pytest.mark.skipif(sys.platform != "linux", reason="Lambda's runtime client runs on Linux only"),
]

SERVER = "answer_question"
MIGRATION = "migrate_database"


def test_every_function_has_a_trial() -> None:
    assert {spec.name for spec in FUNCTIONS} == {*TRIALS, SERVER, MIGRATION}


@pytest.mark.parametrize("name", TRIALS)
def test_a_packaged_function_answers_a_real_event(
    name: str, packaged: Callable[[str], Package], world: World, tmp_path: Path
) -> None:
    package = packaged(name)
    starts = ColdStarts(package, world.settings_of(package.spec), tmp_path, PROFILED)

    TRIALS[name](world, starts.answer)

    assert unneeded_imports(starts) == []


def test_the_packaged_migration_prepares_an_empty_database(
    packaged: Callable[[str], Package], world: World, empty_database: ManagedDatabase, tmp_path: Path
) -> None:
    package = packaged(MIGRATION)
    starts = ColdStarts(package, migration_settings(package, world, empty_database), tmp_path, PROFILED)

    answer = starts.answer({"RequestType": "Create", "RequestId": "1"})

    with psycopg.connect(empty_database.administrator) as connection:
        revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    assert (answer["Data"]["Revision"],) == revision
    assert unneeded_imports(starts) == []


def test_the_packaged_chat_server_streams_its_answer(
    packaged: Callable[[str], Package], world: World, tmp_path: Path
) -> None:
    package = packaged(SERVER)
    starts = ServerStarts(package, world.settings_of(package.spec), tmp_path, PROFILED)

    events = events_of(starts.ask(world))

    assert (events[0].name, events[-1].name) == ("meta", "done")
    assert events[-1].data["answerable"] is False
    assert unneeded_imports(starts) == []


def test_a_package_that_no_layer_brings_cannot_be_imported(packaged: Callable[[str], Package], tmp_path: Path) -> None:
    spec = packaged("manage_bots").spec
    package = lay_out_source(spec, "import httpx\n", tmp_path / "other", layers=True)

    with pytest.raises(FunctionStartError, match="No module named 'httpx'"):
        ColdStarts(package, {}, tmp_path).start()


def test_what_reads_and_writes_archives_can_be_loaded_where_it_is_needed(
    packaged: Callable[[str], Package], tmp_path: Path
) -> None:
    source = "import arro3.core, arro3.io\ndef handler(event, context): return arro3.core.Table.__name__\n"
    package = lay_out_source(packaged("enforce_retention").spec, source, tmp_path / "other", layers=True)

    assert ColdStarts(package, {}, tmp_path).answer({}) == "Table"


def test_a_package_that_is_not_for_a_function_is_noticed(packaged: Callable[[str], Package], tmp_path: Path) -> None:
    spec = packaged("manage_bots").spec
    source = "import boto3, psycopg\ndef handler(event, context): return {}\n"
    starts = ColdStarts(lay_out_source(spec, source, tmp_path / "other", layers=True), {}, tmp_path, PROFILED)
    starts.answer({})

    assert "manage_bots loads boto3 before its first event" in unneeded_imports(starts)


def migration_settings(package: Package, world: World, database: ManagedDatabase) -> dict[str, str]:
    """The administrator's credentials stand in a secret, and the secrets of the token keys are still blank."""
    administrator: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(database.administrator)
    credentials = {"username": administrator.pop("user"), "password": administrator.pop("password")}
    values = {
        "ADMIN_DATABASE_URL": psycopg.conninfo.make_conninfo(**administrator),
        "TOKEN_KEYS_ARN": make_secret(world.endpoint, "{}"),
        "TOKEN_PUBLIC_KEYS_ARN": make_secret(world.endpoint, "{}"),
    }
    secrets = {"ADMIN_CREDENTIALS": make_secret(world.endpoint, json.dumps(credentials))}
    return replace(world, values=values, secrets=secrets).settings_of(package.spec)
