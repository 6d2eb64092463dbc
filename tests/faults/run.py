"""One fault run from its start to its report."""

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import boto3

from infra.catalog import QUEUES
from infra.local.endpoints import Endpoints
from infra.local.instance import running
from tests.e2e.client import s3_client
from tests.e2e.vendors import Vendors, running_vendors
from tests.faults.chaos import Chaos, install_failpoints
from tests.faults.events import BadPostman
from tests.faults.people import Bot, Hands, bots_of
from tests.faults.verify import verify
from tests.faults.workload import interleaved, plan

PRODUCT: Final = (sys.executable, "-m", "tests.faults.product")
PATIENCE_SECONDS: Final = 900.0
IMPATIENT_VENDORS: Final = {
    "PROVIDER_READ_SECONDS": "3",
    "PROVIDER_TOTAL_SECONDS": "10",
    "PROVIDER_BREAKER_SECONDS": "2",
    "VECTOR_VISIBLE_SECONDS": "2",
}
"""A hanging vendor is given up after seconds, so that a run meets many of them."""

KILLS_PER_DOCUMENT: Final = 0.7
"""Each costs a new process, about a second: more would test the machine."""

TERMINAL: Final = frozenset({"ready", "failed"})


@dataclass
class Report:
    """What was done, what went wrong on purpose, and what came of it."""

    documents: int
    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    events: dict[str, int] = field(default_factory=dict)
    reconciled: Counter[str] = field(default_factory=Counter)
    redriven: int = 0
    dead_letters: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def fault_run(home: Path, *, documents: int, seed: int, organizations: int = 3, bots_each: int = 2) -> Report:
    """Run, and return what is to be reported."""
    report = Report(documents, seed)
    install_failpoints(home, seed, most_kills=round(documents * KILLS_PER_DOCUMENT))
    with running_vendors(meaning=False) as vendors:
        environment = {**vendors.environment, **IMPATIENT_VENDORS}
        with running(home, command=PRODUCT, environment=environment) as endpoints:
            Run(home, endpoints, vendors, report, seed).go(organizations, bots_each)
    return report


class Run:
    """The steps of a run."""

    def __init__(self, home: Path, endpoints: Endpoints, vendors: Vendors, report: Report, seed: int) -> None:
        self._endpoints = endpoints
        self._report = report
        self._vendors = vendors
        self._seed = seed
        self._s3 = s3_client(json.loads((home / "endpoints.json").read_text()))
        self._sqs = boto3.client(
            "sqs",
            endpoint_url=endpoints.sqs_endpoint,
            aws_access_key_id=endpoints.access_key_id,
            aws_secret_access_key=endpoints.secret_access_key,
            region_name=endpoints.region,
        )
        self._postman = BadPostman(self._sqs, random.Random(seed + 2))
        self._chaos = Chaos(home, vendors, random.Random(seed + 3))

    def go(self, organizations: int, bots_each: int) -> None:
        """Do all of it."""
        bots = bots_of(self._endpoints.api, organizations, bots_each)
        lives = plan(self._report.documents, len(bots), self._seed)
        self._postman.start()
        try:
            with self._timed("under fire"):
                self._under_fire(bots, lives)
            with self._timed("until quiet"):
                self._until_quiet(bots)
            with self._timed("reconciliation"):
                self._reconcile(bots)
            with self._timed("redrive"):
                self._redrive(bots)
            self._note()
            with self._timed("verification"):
                self._report.counts = verify(
                    lives, bots, self._vendors, self._endpoints.database_url, self._s3, self._endpoints.uploads_bucket
                )
        finally:
            self._postman.stop()

    def _under_fire(self, bots: list[Bot], lives: Sequence[Any]) -> None:
        hands = Hands(self._s3, self._endpoints.uploads_bucket, bots)
        self._chaos.begin()
        for life, step in interleaved(lives, self._seed):
            hands.do(life, step)
        # Work goes on under fire until most of it is done.
        self._wait(bots, lambda left, known: left * 10 <= known, "most documents to end under fire")
        self._chaos.end()
        self._postman.be_good()

    def _until_quiet(self, bots: list[Bot]) -> None:
        self._wait(bots, lambda left, _: left == 0 and self._queues_are_empty(), "every document to end")

    def _reconcile(self, bots: list[Bot]) -> None:
        """Have every bot's stores compared, again until nothing is found."""
        for _ in range(4):
            found: Counter[str] = Counter()
            for bot in bots:
                found.update(self._reconciled(bot))
            self._report.reconciled.update(found)
            self._until_quiet(bots)
            if not found.total():
                return

    def _reconciled(self, bot: Bot) -> Counter[str]:
        made = bot.call("POST", "/reconcile", {}).json()["reconciliation"]
        deadline = time.monotonic() + PATIENCE_SECONDS
        while made["status"] == "running" and time.monotonic() < deadline:
            time.sleep(0.3)
            made = bot.call("GET", f"/reconciliations/{made['id']}").json()
        return Counter({kind: number for kind, number in made["found"].items() if number})

    def _redrive(self, bots: list[Bot]) -> None:
        for bot in bots:
            self._report.redriven += bot.call("POST", "/redrive", {}).json()["redriven"]
        self._until_quiet(bots)

    def _wait(self, bots: Sequence[Bot], enough: Any, what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            documents = [document for bot in bots for document in bot.documents().values()]
            left = sum(document["status"] not in TERMINAL for document in documents)
            if enough(left, len(documents)):
                return
            time.sleep(1.0)
        raise TimeoutError(f"waited {PATIENCE_SECONDS:g} s for {what}")

    def _queues_are_empty(self) -> bool:
        names = [queue.name for queue in QUEUES] + ["raw-events"]
        return not any(self._depth(name) for name in names)

    def _depth(self, name: str) -> int:
        with suppress(Exception):
            url = self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
            found = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            return sum(
                int(found[kind]) for kind in ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
            )
        return 1

    def _note(self) -> None:
        postman, report = self._postman, self._report
        report.faults, report.kills = self._chaos.done, self._chaos.kills
        report.events = {"taken": postman.taken, "dropped": postman.dropped, "delivered": postman.delivered}
        report.dead_letters = {q.name: depth for q in QUEUES if (depth := self._depth(f"{q.name}-dead"))}

    def _timed(self, what: str) -> "_Stopwatch":
        return _Stopwatch(self._report.seconds, what)


@dataclass
class _Stopwatch:
    seconds: dict[str, float]
    what: str

    def __enter__(self) -> None:
        self._start = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self.seconds[self.what] = time.monotonic() - self._start
