"""Deep health: each dependency by itself, bounded in time, and nobody's secrets."""

import json
from collections.abc import Iterator, Mapping
from threading import Event, Thread
from uuid import UUID

import pytest

from chatsphere.errors import (
    ChatSphereError,
    ConfigurationError,
    ProviderOverloadedError,
    ProviderRejectedError,
    UnavailableError,
)
from chatsphere.http import health
from chatsphere.ports.queues import QueueLength
from chatsphere.settings import OperatorSettings
from chatsphere.upkeep.health import CAUSES, Checked, Examiner, Finding, overall
from chatsphere.upkeep.health_checks import ESSENTIAL, expected_revision, queues_check
from tests.builders.running_api import Answer, RunningApi, running_api
from tests.postgres import DatabaseUrls
from tests.waiting import wait_for

EVERYTHING = {
    "database",
    "vector_store",
    "uploads",
    "archive",
    "queues",
    "embedding_model",
    "answer_model",
    "cache",
}


class Queues:
    def __init__(self, **lengths: QueueLength) -> None:
        self._lengths = lengths

    def lengths(self) -> Mapping[str, QueueLength]:
        return self._lengths


@pytest.fixture
def api(database_urls: DatabaseUrls, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningApi]:
    # What answers is well, however slow the machine is at the moment.
    monkeypatch.setattr(health, "DEEP_SECONDS", 60.0)
    operators = {"OPERATOR_ORGANIZATIONS": "*"}
    with running_api(database_urls, UPLOADS_BUCKET="uploads", ARCHIVE_BUCKET="archive", **operators) as api:
        vars(api.container).update(
            object_store=api.archive_store, queue_gauges=Queues(embed=QueueLength(waiting=3, dead=0))
        )
        yield api


def deep_health(api: RunningApi) -> Answer:
    return api.request("GET", "/v1/health/deep", token=api.register().access_token)


def test_what_is_well_is_told_with_its_numbers(api: RunningApi) -> None:
    answer = deep_health(api)
    assert (answer.status, answer.json["status"]) == (200, "ok")
    assert answer.json["checks"].keys() == EVERYTHING
    database = answer.json["checks"]["database"]
    assert database["details"]["revision"] == database["details"]["expected_revision"] == expected_revision()
    assert answer.json["checks"]["queues"]["details"] == {"embed": {"waiting": 3, "dead": 0}}
    assert all(isinstance(check["latency_ms"], int) for check in answer.json["checks"].values())


def test_only_operators_are_told_of_what_the_installation_is_made(api: RunningApi) -> None:
    operator, tenant = api.register(), api.register()
    settings = OperatorSettings(operator_organizations=f" {UUID(int=1)}, {operator.organization_id},")
    vars(api.container)["operator_settings"] = settings
    answers = [api.request("GET", "/v1/health/deep", token=each.access_token) for each in (operator, tenant)]
    assert [answer.json["status"] for answer in answers] == ["ok", "ok"]
    assert [set(answer.json["checks"]) for answer in answers] == [EVERYTHING, set()]


def test_nobody_is_an_operator_who_is_not_named() -> None:
    assert not OperatorSettings().runs_deployment(UUID(int=0))
    with pytest.raises(ValueError, match="UUID"):
        OperatorSettings(operator_organizations="Acme")


def test_what_is_not_well_is_told_by_its_cause_and_without_a_secret(api: RunningApi) -> None:
    # Given a bucket that does not answer, a queue with dead messages, and a wrong setting
    class Broken:
        def keys(self, _prefix: str) -> Iterator[str]:
            raise UnavailableError("secret-of-the-vendor")

    vars(api.container).update(
        archive_store=Broken(), queue_gauges=Queues(embed=QueueLength(waiting=0, dead=2), extract=QueueLength(0))
    )
    vars(api.container)["_environment"] = {**api.container._environment, "CACHE": "redis"}
    # When
    answer = deep_health(api)
    # Then
    checks = answer.json["checks"]
    causes = {name: (check["status"], check["cause"]) for name, check in checks.items() if check["cause"]}
    assert causes == {
        "archive": ("down", "unreachable"),
        "queues": ("degraded", "dead_messages"),
        "cache": ("down", "not_configured"),
    }
    assert answer.json["status"] == "degraded"
    assert checks["archive"]["meaning"] == CAUSES["unreachable"]
    assert "secret" not in json.dumps(answer.json)


@pytest.mark.parametrize(
    ("error", "status", "cause"),
    [
        (UnavailableError(), "down", "unreachable"),
        (ProviderOverloadedError(), "degraded", "overloaded"),
        (ProviderRejectedError(), "down", "rejected"),
        (ConfigurationError(), "down", "not_configured"),
        (ChatSphereError(), "down", "failed"),
        (ValueError("a vendor's text"), "down", "failed"),
    ],
)
def test_each_error_has_its_cause(error: Exception, status: str, cause: str) -> None:
    def check() -> Finding:
        raise error

    found = Examiner().examine({"it": check})["it"]
    assert (found.status, found.cause) == (status, cause)


def test_what_does_not_answer_keeps_nobody_waiting_and_is_asked_once() -> None:
    # Given one that does not answer
    answer, asked = Event(), []

    def silent() -> Finding:
        asked.append("silent")
        answer.wait()
        return Finding()

    examiner = Examiner()
    # When somebody looks again and again
    for _ in range(3):
        found = examiner.examine({"silent": silent}, within_seconds=0.05)["silent"]
        assert (found.status, found.cause, found.latency_ms) == ("down", "timeout", None)
    # Then one thread waits, and no more, and what is beside it is told as it is

    def told() -> tuple[str, str]:
        beside = examiner.examine({"silent": silent, "well": Finding}, within_seconds=0.05)
        return beside["silent"].status, beside["well"].status

    wait_for(lambda: told() == ("down", "ok"), what="the other's answer")
    assert asked == ["silent"]
    # And when it answers while somebody looks, that is told

    def well() -> Finding:
        answer.set()
        return Finding()

    found = examiner.examine({"silent": silent, "well": well}, within_seconds=60)["silent"]
    assert (found.status, asked) == ("ok", ["silent"])
    # And it is asked anew
    assert examiner.examine({"silent": silent}, within_seconds=60)["silent"].status == "ok"
    assert asked == ["silent"] * 2


def test_a_database_that_is_silent_is_not_ready_before_a_load_balancer_gives_up(
    api: RunningApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "READY_SECONDS", 0.1)
    # Given somebody who holds the only connection and waits for its server
    database, held, free = api.container.database, Event(), Event()

    def hold() -> None:
        with database.transaction(None):
            held.set()
            free.wait()

    holder = Thread(target=hold)
    holder.start()
    assert held.wait(60)
    # Then
    try:
        answer = api.request("GET", "/v1/health/ready", token=None)
        assert (answer.status, answer.json["detail"]) == (503, "Not ready: database.")
    finally:
        free.set()
        holder.join()
    wait_for(lambda: api.request("GET", "/v1/health/ready", token=None).status == 200, what="readiness")


def test_only_what_is_essential_takes_all_down() -> None:
    down = Checked("down", "unreachable", 1, {})
    well = Checked("ok", None, 1, {})
    assert overall({"database": down, "cache": well}, ESSENTIAL) == "down"
    assert overall({"database": well, "cache": down}, ESSENTIAL) == "degraded"
    assert overall({"database": well, "cache": well}, ESSENTIAL) == "ok"


def test_a_function_without_queues_says_so() -> None:
    assert queues_check(lambda: None)() == Finding("not_configured", "degraded")
