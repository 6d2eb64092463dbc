"""How long quiet tenants' files wait while another tenant drops thousands: `python -m tests.bench.bench_fairness`.

A simulation in virtual time of one queue and its consumers. The order of a fair queue is decided by the code of the
one-machine run's queues, which follows what Amazon says of SQS (docs/decisions/0089-fair-queues.md); the other queue
gives the oldest message first, as one does whose messages have no group.
"""

import heapq
import random
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Final
from uuid import UUID

from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.db.database import Database
from chatsphere.knowledge.ingestion.events import ObjectEvent, parse_events
from infra.local.fairness import Fairness
from tests.builders.running_api import running_api
from tests.conftest import Tenant
from tests.postgres import fresh_database, running_server

NOISY: Final = "noisy"
QUIET_TENANTS: Final = 20
NOISY_FILES: Final = 10_000
NOISY_AT: Final = 600.0
HOUR: Final = 3_600.0


@dataclass(frozen=True)
class Scenario:
    """One stage: how many messages are worked on at once, in which batches, and how long each takes on average."""

    name: str
    consumers: int
    batch: int
    seconds: float
    every_seconds: float
    """From one file of a quiet tenant to its next, on average."""


SCENARIOS: Final = (
    Scenario("extract, 2 at once, 1 s each", 2, 1, 1.0, 60.0),
    Scenario("extract, 2 at once, 5 s each", 2, 1, 5.0, 300.0),
    Scenario("register, 10 at once, batches of 10, 50 ms each", 10, 10, 0.05, 60.0),
)


@dataclass(frozen=True, order=True)
class File:
    """A message: when it was sent, by whom, and how long it takes."""

    sent: float
    number: int
    tenant: str
    seconds: float


class FairQueue:
    """Gives a message as a fair queue does."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, deque[File]] = defaultdict(deque)
        self._fairness = Fairness()

    def send(self, file: File) -> None:
        self._waiting[file.tenant].append(file)

    def receive(self, now: float) -> File | None:
        groups = {tenant for tenant, files in self._waiting.items() if files}
        if not groups:
            return None
        ranks = self._fairness.ranks(groups, now)
        file = self._waiting[min(groups, key=lambda group: (ranks[group], self._waiting[group][0]))].popleft()
        self._fairness.receive(str(file.number), file.tenant, now)
        return file

    def settle(self, file: File, now: float) -> None:
        self._fairness.settle(str(file.number), now)


class PlainQueue:
    """Gives the oldest message."""

    def __init__(self) -> None:
        self._waiting: deque[File] = deque()

    def send(self, file: File) -> None:
        self._waiting.append(file)

    def receive(self, now: float) -> File | None:
        return self._waiting.popleft() if self._waiting else None

    def settle(self, file: File, now: float) -> None:
        """Nobody counts."""


def files_of(scenario: Scenario, chance: random.Random, *, noisy: bool) -> list[File]:
    """Return what is sent in an hour, in order: quiet tenants at random times, the noisy one all at once."""
    sent: list[tuple[float, str]] = []
    for tenant in range(QUIET_TENANTS):
        now = chance.expovariate(1 / scenario.every_seconds)
        while now < HOUR:
            sent.append((now, f"quiet {tenant}"))
            now += chance.expovariate(1 / scenario.every_seconds)
    if noisy:
        sent += [(NOISY_AT, NOISY)] * NOISY_FILES
    seconds = (chance.lognormvariate(0, 0.5) * scenario.seconds for _ in sent)
    return [File(at, number, tenant, next(seconds)) for number, (at, tenant) in enumerate(sorted(sent))]


def dwell_times(files: Sequence[File], queue: FairQueue | PlainQueue, scenario: Scenario) -> dict[str, list[float]]:
    """Let the consumers work everything off; return, by tenant, how long each file waited before it was begun."""
    waited: defaultdict[str, list[float]] = defaultdict(list)
    arriving, working, idle, now = deque(files), list[tuple[float, int, list[File]]](), scenario.consumers, 0.0
    while arriving or working:
        now = min(working[0][0] if working else HOUR * 1e6, arriving[0].sent if arriving else HOUR * 1e6)
        while arriving and arriving[0].sent <= now:
            queue.send(arriving.popleft())
        while working and working[0][0] <= now:
            idle += 1
            for file in heapq.heappop(working)[2]:
                queue.settle(file, now)
        while idle and (batch := list(_batch(queue, scenario.batch, now))):
            idle -= 1
            begun = now
            for file in batch:
                waited[file.tenant].append(begun - file.sent)
                begun += file.seconds
            heapq.heappush(working, (begun, batch[0].number, batch))
    return waited


def _batch(queue: FairQueue | PlainQueue, size: int, now: float) -> Iterator[File]:
    for _ in range(size):
        if (file := queue.receive(now)) is None:
            return
        yield file


def quiet_dwell(scenario: Scenario, queue: FairQueue | PlainQueue, *, noisy: bool, seed: int = 1) -> list[float]:
    """Return how long the quiet tenants' files waited, in seconds, sorted."""
    waited = dwell_times(files_of(scenario, random.Random(seed), noisy=noisy), queue, scenario)
    return sorted(seconds for tenant, all_of in waited.items() if tenant != NOISY for seconds in all_of)


def main() -> None:
    """Print a table."""
    print(f"{QUIET_TENANTS} quiet tenants for an hour; one more drops {NOISY_FILES:,} files after 10 minutes.")
    print("Seconds that the quiet tenants' files waited:\n")
    print(f"{'stage':<50}{'queue':<22}{'p50':>9}{'p95':>9}{'max':>9}")
    for scenario in SCENARIOS:
        for label, queue, noisy in (
            ("without the noisy one", PlainQueue(), False),
            ("fair", FairQueue(), True),
            ("plain", PlainQueue(), True),
        ):
            dwell = quiet_dwell(scenario, queue, noisy=noisy)
            cuts = quantiles(dwell, n=20)
            print(f"{scenario.name:<50}{label:<22}{cuts[9]:>9.1f}{cuts[18]:>9.1f}{dwell[-1]:>9.1f}")
    taken = register_milliseconds()
    middle, most = taken[len(taken) // 2], taken[len(taken) * 95 // 100]
    print(f"\nMeasured: to register one object takes {middle:.0f} ms (p95 {most:.0f} ms) of this machine and its")
    print("database, where S3 is asked twice besides.")


def register_milliseconds(objects: int = 300) -> list[float]:
    """Return how long the registrar took for each of so many new objects, over a database of its own, sorted."""
    from tests.integration.ingestion.pipeline import Pipeline

    with running_server() as server, fresh_database(server) as urls, running_api(urls) as api:
        account = api.register()
        api_database, ids = Database(urls.app), UuidV7Ids(SystemClock())
        bot_id = api.bot(account)["id"]
        tenant = Tenant(UUID(account.organization_id), UUID(account.user_id), UUID(bot_id))
        pipeline = Pipeline(tenant, api_database, api_database, ids)
        for number in range(objects):
            pipeline.drop(f"{number}.txt", "A line.")
        taken = [_timed(pipeline.registrar.register, event) for body in pipeline.events for event in parse_events(body)]
        api_database.close()
    return sorted(taken)


def _timed(call: Callable[[ObjectEvent], None], event: ObjectEvent) -> float:
    start = time.perf_counter()
    call(event)
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    main()
