"""What docs/deploy.md and docs/operations.md say, against the configuration and the templates."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from chatsphere.knowledge.ingestion.times import DEADLINE
from chatsphere.observability import Metric
from infra.catalog import FUNCTIONS, QUEUES, ScheduleTrigger
from infra.cloud.config import PROFILE_DATABASES, DatabaseCapacity, DeploymentConfig, Domain, Mail, Profile, Stripe
from infra.cloud.constructs.catalog_function import construct_id
from infra.cloud.constructs.queues import VISIBILITY_TIMEOUTS, consumer_timeout
from tests.infra.cloud.templates import Deployment

DOCS = Path(__file__).parents[3] / "docs"
DEPLOY = (DOCS / "deploy.md").read_text(encoding="utf-8")
OPERATIONS = (DOCS / "operations.md").read_text(encoding="utf-8")
HASH = re.compile(r"[0-9A-F]{8}$")


def rows(page: str, *header: str) -> list[list[str]]:
    """Return the cells of the one table with this header."""
    lines = page.splitlines()
    start = lines.index(f"| {' | '.join(header)} |")
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield each field that a deployment's file may have, with its default."""
    sections: dict[str, type[BaseModel]] = {
        "domain": Domain,
        "database": DatabaseCapacity,
        "mail": Mail,
        "stripe": Stripe,
    }
    for name, info in model.model_fields.items():
        if name in sections and not prefix:
            yield from fields(sections[name], f"{name}.")
        else:
            yield f"{prefix}{name}", None if info.is_required() else info.default


def test_every_field_of_a_deployment_is_explained_with_its_default() -> None:
    documented = {cells[0].strip("`"): cells[1] for cells in rows(DEPLOY, "field", "default", "what it is")}
    known = dict(fields(DeploymentConfig))
    assert documented.keys() == known.keys()
    said = {name: documented[name].strip("`") for name, value in known.items() if type(value) in (int, str)}
    assert said == {name: str(value) for name, value in known.items() if type(value) in (int, str)}
    for name in ("min_acu", "max_acu"):
        lean, scale = (getattr(PROFILE_DATABASES[profile], name) for profile in (Profile.LEAN, Profile.SCALE))
        assert documented[f"database.{name}"] == f"by profile: {lean:g}, {scale:g}"


def test_the_stacks_are_listed_in_the_order_of_deployment(scale: Deployment) -> None:
    listed = re.findall(r"^\| `chatsphere-prod-(\w+)` \|", DEPLOY, re.MULTILINE)
    assert sorted(listed) == sorted(scale.stacks)
    assert listed.index("network") < listed.index("secrets") < listed.index("data") < listed.index("api")


def documented_alarms(profile: Profile) -> set[str]:
    """Return the names of the page's table that a profile has, written out for each function."""
    names = {construct_id(spec.name) for spec in FUNCTIONS}
    found: set[str] = set()
    for cells in rows(OPERATIONS, "alarm", "in", "it rings when", "what to do"):
        if cells[1] in ("both", profile.value):
            for alarm in re.findall(r"`([^`]+)`", cells[0]):
                found |= {alarm.replace("<Function>", name) for name in names} if "<" in alarm else {alarm}
    return found


@pytest.mark.parametrize("profile", list(Profile))
def test_every_alarm_is_listed_and_no_other(profile: Profile, lean: Deployment, scale: Deployment) -> None:
    deployment = lean if profile is Profile.LEAN else scale
    alarms = {
        HASH.sub("", logical_id).removeprefix("Alarms") for _, logical_id, _ in deployment.of("AWS::CloudWatch::Alarm")
    }
    assert documented_alarms(profile) == alarms


def test_every_metric_is_listed() -> None:
    table = rows(OPERATIONS, "to know", "look at")
    listed = {name for cells in table for name in re.findall(r"`([^`]+)`", cells[1])}
    assert {metric.metric_name for metric in Metric} <= listed


def test_the_times_between_tries_are_those_of_the_queues() -> None:
    documented = {cells[0].strip("`"): cells[1:3] for cells in rows(OPERATIONS, "queue", "one try", "until the next")}
    assert documented == {
        queue.name: [f"{consumer_timeout(queue)} s", f"{VISIBILITY_TIMEOUTS * consumer_timeout(queue) // 60} min"]
        for queue in QUEUES
    }


def test_the_published_times_are_the_deadline_and_the_reapers_pause() -> None:
    (reaper,) = (spec.trigger for spec in FUNCTIONS if spec.name == "reap_stalled")
    assert isinstance(reaper, ScheduleTrigger)
    deadline = int(DEADLINE.total_seconds() // 60)
    documented = {cells[0]: cells[1:] for cells in rows(OPERATIONS, "profile", "the reaper runs", "terminal within")}
    for profile, minutes in (("lean", reaper.every_minutes_lean), ("scale", reaper.every_minutes)):
        assert documented[f"`{profile}`"] == [f"every {minutes} min", f"{deadline + minutes} min"]
