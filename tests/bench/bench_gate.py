"""What the gate's transaction and an Idempotency-Key cost: handlers in one process, over an embedded PostgreSQL.

Run as `python -m tests.bench.bench_gate`. The baseline is `GET /v1/bots/{id}` of the same run without the gate's
transaction; the authorizer is part of none.
"""

import copy
import time
from collections.abc import Callable, Mapping
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

from chatsphere.access.permissions import Permission, Role
from chatsphere.access.principal import Principal
from chatsphere.http import rest_api
from chatsphere.http.gate import Visit
from functions.manage_bots.handler import handler
from tests.bench.timing import Timing, print_table, summarize
from tests.builders.rest_api import proxy_event
from tests.builders.running_api import Account, running_api
from tests.postgres import fresh_database, running_server

CALLS, WARM_UP = 400, 5


def main() -> None:
    """Measure on a server of its own."""
    with (
        running_server() as server,
        fresh_database(server) as urls,
        running_api(urls, DEFAULT_PLAN="Enterprise") as api,
    ):
        account = api.register()
        baseline, timings = measure(account, api.bot(account)["id"])
    print_table("The gate and the idempotency key, in one process", timings, baseline=baseline)


def measure(account: Account, bot_id: str) -> tuple[Timing, list[Timing]]:
    """Return the baseline and the timings. They take turns, so that what else the machine does meets all alike."""
    get, change = f"/v1/bots/{bot_id}", '{"description": "changed"}'

    def without_gate() -> None:
        with patch.object(rest_api, "arrive", let_in):
            send(account, "GET", get)

    calls: dict[str, Callable[[], None]] = {
        "GET, no gate": without_gate,
        "GET, with the gate": lambda: send(account, "GET", get),
        "PATCH": lambda: send(account, "PATCH", get, change),
        "PATCH with an Idempotency-Key": lambda: send(account, "PATCH", get, change, str(uuid4())),
        "  the same again": lambda: send(account, "PATCH", get, change, "key"),
    }
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(CALLS + WARM_UP):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if turn >= WARM_UP:
                taken[name].append((time.perf_counter() - start) * 1000)
    baseline, *timings = (summarize(name, milliseconds) for name, milliseconds in taken.items())
    return baseline, timings


def let_in(caller: Principal, permission: Permission, path: Mapping[str, UUID], **_: object) -> Visit:
    """Let everybody in without asking the database."""
    return Visit(caller, permission, path, rate=None, bot=None)


def send(account: Account, method: str, path: str, body: str | None = None, key: str | None = None) -> None:
    """Have the function answer one request."""
    headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
    event: dict[str, Any] = proxy_event(method, path, path, {}, headers, {}) | {"body": body}
    caller = Principal(UUID(account.organization_id), UUID(account.user_id), Role.OWNER)
    event["requestContext"]["authorizer"] = caller.to_context()
    answer = handler(copy.deepcopy(event), None)
    assert answer["statusCode"] == 200, answer


if __name__ == "__main__":
    main()
