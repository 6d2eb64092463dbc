"""The year, step by step: what is said, what is held, deleted and erased by requests; the daily job."""

import json
import resource
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final
from uuid import UUID

import numpy as np

from chatsphere.access.permissions import Role
from chatsphere.access.principal import Principal
from tests.bench.simulated_year import world as ids
from tests.bench.simulated_year.loading import Loader
from tests.bench.simulated_year.model import Model
from tests.bench.simulated_year.world import DAY, Flags, Indices, World
from tests.builders.running_api import FakeQueue, RunningApi

OWNER: Final = UUID(int=7 << 112)
HELD_DAYS: Final = 120
"""How long a hold lasts, unless it is one that nobody releases."""


@dataclass(eq=False)
class Hold:
    """A legal hold; `releases` is the step after which it is released."""

    id: str
    organization: int
    conversations: Flags
    releases: float


@dataclass
class Year:
    """Runs the simulation. `counts` say what happened, `seconds` how long what took."""

    api: RunningApi
    world: World
    model: Model
    loader: Loader
    step_days: int
    random: np.random.Generator
    counts: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    holds: list[Hold] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._begun = np.zeros(len(self.world.conversation_bot), bool)
        self._order = np.argsort(self.world.message_at, kind="stable")
        self._organization = self.world.bot_organization[self.world.conversation_bot]

    def run(self, days: int) -> None:
        """Go through so many days, and one more in which nothing happens: what was deleted on the last of them goes
        from the archive by the next run.
        """
        times, before = self.world.message_at[self._order], 0
        for day in [*range(self.step_days, days, self.step_days), days]:
            now = day * DAY
            self.api.clock.moment = self.world.time(now)
            arriving = self._order[np.searchsorted(times, before) : np.searchsorted(times, now)]
            self._timed("loading", lambda arriving=arriving: self._arrive(arriving))
            self._timed("requests", lambda now=now: self._act(now))
            self._keep(now)
            before = now
        self.api.clock.moment = self.world.time((days + 1) * DAY)
        self._keep((days + 1) * DAY)

    def _arrive(self, arriving: Indices) -> None:
        of = self.world.message_conversation[arriving]
        # In a conversation that has gone nothing is said any more.
        said = arriving[self.model.open[of] | ~self._begun[of]]
        new = np.unique(self.world.message_conversation[said])
        new = new[~self._begun[new]]
        self.loader.messages(said, new)
        self._begun[new] = True
        self.model.arrive(said)
        self.counts["messages"] += len(said)

    def _act(self, now: int) -> None:
        for hold in [hold for hold in self.holds if hold.releases <= now]:
            self._request("DELETE", f"/v1/legal-holds/{hold.id}", hold.organization, wanted=(200, 204))
            self.holds.remove(hold)
        self._update_held()
        for conversation in self._some(2):
            self._hold(conversation, now)
        self._update_held()
        for conversation in self._some(2 + self.world.organizations // 20):
            self._delete(conversation, now)
        for conversation in self._some(1 + self.world.organizations // 100):
            self._erase(conversation)

    def _hold(self, conversation: int, now: int) -> None:
        bot, organization = int(self.world.conversation_bot[conversation]), int(self._organization[conversation])
        user = int(self.world.conversation_end_user[conversation])
        kind = self.random.choice(["organization", "bot", "conversation", "end_user"], p=[0.1, 0.2, 0.4, 0.3])
        bodies: dict[str, dict[str, Any]] = {
            "organization": {},
            "bot": {"bot_id": str(ids.bot_id(bot))},
            "conversation": {"conversation_id": str(ids.conversation_id(conversation))},
            "end_user": {"bot_id": str(ids.bot_id(bot)), "end_user_id": ids.end_user(user)},
        }
        answer = self._request(
            "POST", "/v1/legal-holds", organization, {"reason": "Case"} | bodies[kind], wanted=(201,)
        )
        releases = now + HELD_DAYS * DAY if self.random.random() < 0.7 else float("inf")
        self.holds.append(Hold(answer["id"], organization, self._covered(kind, conversation), releases))
        self.counts[f"holds on {kind}"] += 1

    def _covered(self, kind: str, conversation: int) -> Flags:
        world, everywhere = self.world, np.arange(len(self._organization))
        same_bot: Flags = world.conversation_bot == world.conversation_bot[conversation]
        covered: dict[str, Flags] = {
            "organization": self._organization == self._organization[conversation],
            "bot": same_bot,
            "conversation": everywhere == conversation,
            "end_user": same_bot & (world.conversation_end_user == world.conversation_end_user[conversation]),
        }
        return covered[kind]

    def _update_held(self) -> None:
        self.model.held[:] = False
        for hold in self.holds:
            self.model.held |= hold.conversations

    def _delete(self, conversation: int, now: int) -> None:
        held = bool(self.model.held[conversation])
        path = f"/v1/conversations/{ids.conversation_id(conversation)}"
        self._request("DELETE", path, int(self._organization[conversation]), wanted=(409,) if held else (204,))
        if not held:
            self.model.delete(conversation, now)
        self.counts["deletions refused" if held else "deletions"] += 1

    def _erase(self, conversation: int) -> None:
        organization = int(self._organization[conversation])
        theirs = self._covered("end_user", conversation) & self._begun
        held = bool((self.model.held & theirs).any()) or any(
            hold.organization == organization and hold.conversations[conversation] for hold in self.holds
        )
        body = {
            "kind": "end_user",
            "bot_id": str(ids.bot_id(int(self.world.conversation_bot[conversation]))),
            "end_user_id": ids.end_user(int(self.world.conversation_end_user[conversation])),
        }
        self._request("POST", "/v1/erasures", organization, body, wanted=(409,) if held else (202,))
        self._work_off(self.api.purge_queue, "purge_deleted", only="erasure_id")
        if not held:
            self.model.forget(np.flatnonzero(theirs))
        self.counts["erasures refused" if held else "erasures"] += 1

    def _keep(self, now: int) -> None:
        self._timed("retention", self._run_daily_job)
        self.model.run(now)

    def _run_daily_job(self) -> None:
        import_module("functions.enforce_retention.handler").handler({}, None)
        self.counts["runs"] += len(self.api.jobs_queue.sent)
        self._work_off(self.api.jobs_queue, "run_jobs")

    def _work_off(self, queue: FakeQueue, function: str, only: str | None = None) -> None:
        handler = import_module(f"functions.{function}.handler").handler
        while queue.sent:
            waiting, queue.sent[:] = [body for body, _ in queue.sent if only is None or only in body], []
            for body in waiting:
                failed = handler({"Records": [_record(body)]}, None)["batchItemFailures"]
                assert not failed, f"{function} failed"

    def _request(
        self, method: str, path: str, organization: int, body: Any = None, *, wanted: Sequence[int]
    ) -> dict[str, Any]:
        caller = Principal(ids.organization_id(organization), OWNER, Role.OWNER)
        answer = self.api.request(method, path, body, caller=caller)
        assert answer.status in wanted, f"{method} {path} {body}: {answer.status} {answer.text}"
        return dict(answer.json) if answer.text else {}

    def _some(self, number: int) -> list[int]:
        there = np.flatnonzero(self.model.open)
        return [int(one) for one in self.random.choice(there, min(number, len(there)), replace=False)]

    def _timed(self, what: str, work: Any) -> None:
        began = time.monotonic()
        work()
        self.seconds[what] += time.monotonic() - began  # type: ignore[assignment]


def peak_megabytes() -> float:
    """Return the most memory that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _record(body: Any) -> dict[str, Any]:
    attributes = {"ApproximateReceiveCount": "1"}
    return {"messageId": "1", "body": json.dumps(body), "attributes": attributes, "messageAttributes": {}}
