"""Deep health: each dependency by itself, bounded in time, and nobody's secrets."""

import json
from collections.abc import Iterator, Mapping
from threading import Event

import pytest

from chatsphere.errors import (
    ChatSphereError,
    ConfigurationError,
    ProviderOverloadedError,
    ProviderRejectedError,
    UnavailableError,
)
from chatsphere.ports.queues import QueueLength
from chatsphere.upkeep.health import CAUSES, Checked, Finding, examine, overall
from chatsphere.upkeep.health_checks import ESSENTIAL, expected_revision, queues_check
from tests.builders.running_api import Answer, RunningApi, running_api
from tests.postgres import DatabaseUrls

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
def api(database_urls: DatabaseUrls) -> Iterator[RunningApi]:
    with running_api(database_urls, UPLOADS_BUCKET="uploads", ARCHIVE_BUCKET="archive") as api:
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

    found = examine({"it": check})["it"]
    assert (found.status, found.cause) == (status, cause)


def test_what_does_not_answer_keeps_nobody_waiting() -> None:
    # Given one that never answers beside one that does
    answered, over = Event(), Event()

    def silent() -> Finding:
        answered.wait()
        over.set()
        return Finding()

    found = examine({"silent": silent, "well": Finding}, within_seconds=0.05)
    assert (found["silent"].status, found["silent"].cause, found["silent"].latency_ms) == ("down", "timeout", None)
    assert found["well"].status == "ok"
    answered.set()
    assert over.wait(5)


def test_only_what_is_essential_takes_all_down() -> None:
    down = Checked("down", "unreachable", 1, {})
    well = Checked("ok", None, 1, {})
    assert overall({"database": down, "cache": well}, ESSENTIAL) == "down"
    assert overall({"database": well, "cache": down}, ESSENTIAL) == "degraded"
    assert overall({"database": well, "cache": well}, ESSENTIAL) == "ok"


def test_a_function_without_queues_says_so() -> None:
    assert queues_check(lambda: None)() == Finding("not_configured", "degraded")
